"""Servers of our own for a whole test run: Postgres, a Temporal server, one that skips time. Tenants keep tests apart."""

import asyncio
import shutil
import signal
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.store.database import Database
from sandbox import Sandbox, running
from starter.dev.postgres import Cluster, Urls
from starter.dev.stack import Plan
from starter.migrate import migrate
from tests.stage import Stage
from workflows.story import SEARCH_ATTRIBUTES

# A shell that runs us in the background may have Ctrl-C ignored, and every program of ours would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What takes longest is begun first: otherwise the last file is waited for alone. Not all that kill workers at once: they
# take the whole machine, and whoever measures time beside them is disturbed.
LONGEST = (
    *("crash/test_calendars", "batches/test_batches", "digests/test_speaking", "meetings/test_lives"),
    *("documents/test_stopping", "documents/test_document_flood", "documents/test_nearest"),
    *("documents/test_document_crash", "bootstraps/test_bootstrap_workflow", "documents/test_redline"),
    *("crash/test_crash", "subscriptions/test_renewals", "calendars/test_machine", "web/test_openapi"),
    *("digests/test_digest_crash", "hostile/test_canaries", "skills/test_skill_whole", "research/test_faults"),
    *("skills/test_skill_crash", "budgets/test_spending", "web/test_runs_described", "skills/test_skill_starts"),
    *("transcripts/test_crash", "erasures/test_again", "erasures/test_whole_way", "digests/test_mornings"),
    *("crash/test_restarts", "digests/test_missed_mornings", "hostile/test_ways_out", "codec/test_hands"),
    *("explain/test_after_crash", "hostile/test_scripts", "notices/test_outcomes", "digests/test_sound"),
    *("hostile/test_network", "flood/test_silence", "transcripts/test_transcript_reading", "events/test_sdks"),
    *("digests/test_whole_digest", "research/test_brief"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        named = (number for number, name in enumerate(LONGEST) if name in item.nodeid)
        return next(named, len(LONGEST))

    items.sort(key=place)


def program(name: str) -> str:
    """A server that our environment installed."""
    return str(Path(sysconfig.get_path("scripts")) / name)


async def know_attributes(client: Client) -> None:
    """Declare our search attributes on a server that was started without them."""
    attributes = {key.name: int(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes=attributes)  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="greenroom-test-"))
    cluster = Cluster(folder / "postgres")
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def urls(cluster: Cluster) -> Urls:
    """A database at the newest schema."""
    made = await cluster.create("greenroom_test")
    await asyncio.to_thread(migrate, made.owner)
    return made


@pytest.fixture(scope="session")
async def database(urls: Urls) -> AsyncIterator[Database]:
    async with Database.opened(urls.application, urls.crossing) as opened:
        yield opened


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[Client]:
    """The development server with what temporal-dev.yaml says, in memory."""
    plan = Plan.read()
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=program("temporal"),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_extra_args=[
            f"--dynamic-config-value={key}={value}".replace("True", "true")
            for key, value in plan.dynamic_config.items()
        ],
    ) as environment:
        yield environment.client


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server that skips time while nothing but time is waited for. One for each test: its clock only goes on."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"), data_converter=pydantic_data_converter
    ) as environment:
        await know_attributes(environment.client)
        yield environment


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as pretended:
        yield pretended


@pytest.fixture
async def stage(database: Database, temporal: Client, sandbox: Sandbox, urls: Urls) -> AsyncIterator[Stage]:
    """A tenant with a user and a campaign, and all it takes to research somebody for it."""
    stage = Stage(database, temporal, sandbox, urls, tenant_id=str(uuid4()))
    await stage.set_up(datetime.now(UTC))
    yield stage
    # What nobody worked on would be done by the workers of another test, at its providers.
    left = f"TenantId = '{stage.tenant.id}' AND ExecutionStatus = 'Running'"
    async for run in stage.temporal.list_workflows(left):
        with suppress(RPCError):
            await stage.temporal.get_workflow_handle(run.id, run_id=run.run_id).terminate("its test is over")
