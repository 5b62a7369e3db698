"""Bootstraps, as operators and other applications ask for them: written down, and taken in when their turn comes.

NewBootstrap ─▶ is there a library, a place for files, somebody who makes vectors ─▶ its row ─▶ a ring
"""

import asyncio
from datetime import UTC, datetime

import structlog
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from activities.sealing import SealError
from activities.store.received import Begun
from schemas.base import RowId, TenantId
from schemas.bootstraps import AskedBootstrap, BootstrapOrder, NewBootstrap
from schemas.payloads import IngestRequested, SourceRequested
from starter import needs
from starter.office import Office
from starter.words import NotFoundError, NotReadyError
from workflows import ids, policies, queues, story
from workflows.bootstraps import BootstrapWorkflow

log = structlog.get_logger("bootstraps")

# Whoever asked waits for Temporal no longer: it is written down, and who looks after rows rings again.
PATIENCE_S = 2.0
AWAY = (RPCError, TimeoutError, RuntimeError, OSError, SealError)


async def ask(at: Office, tenant_id: TenantId, wanted: NewBootstrap) -> AskedBootstrap:
    """Have references taken in, when it is this bootstrap's turn. The same that waits already is joined.

    NotReadyError comes before anything is written down.
    """
    _ready(at)
    asked = await at.bootstraps.ask(tenant_id, wanted, datetime.now(UTC))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await ring(at.client)
    except AWAY as error:
        log.warning("a bootstrap is not begun yet", bootstrap_id=asked.bootstrap_id, error=type(error).__name__)
    return asked


async def ring(client: Client) -> WorkflowHandle[BootstrapWorkflow, None]:
    """There is something to take in; whoever takes one after the other is begun if need be."""
    return await client.start_workflow(
        BootstrapWorkflow.run,
        BootstrapOrder(),
        id=ids.BOOTSTRAPS,
        task_queue=queues.WORKFLOWS,
        start_signal="ring",
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=TypedSearchAttributes([SearchAttributePair(story.NOUN, "bootstraps")]),
        static_summary="Take references in",
    )


async def cancel(at: Office, tenant_id: TenantId, bootstrap_id: RowId) -> bool:
    """Stop a bootstrap, and remove what it took in. Whether there was something to stop; NotFoundError for no such one.

    What it says is so from now on; whoever is at it hears of it, or finds out by itself.
    """
    stopped = await at.bootstraps.cancel(tenant_id, bootstrap_id, datetime.now(UTC))
    if stopped is None:
        raise NotFoundError("There is no such bootstrap", "greenroom bootstrap list shows them")
    if stopped:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await at.client.get_workflow_handle(ids.BOOTSTRAPS).signal(BootstrapWorkflow.stop, bootstrap_id)
        except AWAY as error:
            log.info("nobody was told to stop", bootstrap_id=bootstrap_id, error=type(error).__name__)
    return stopped


async def requested(at: Office, tenant_id: TenantId, asked: IngestRequested, row: RowId) -> Begun:
    """An event asks for references. The same event is one bootstrap."""
    await ask(at, tenant_id, NewBootstrap(id=row, sources=asked.sources, force=asked.force_refresh))
    return Begun(ids.BOOTSTRAPS)


async def source_requested(at: Office, tenant_id: TenantId, asked: SourceRequested, row: RowId) -> Begun:
    """One reference is a bootstrap of its own."""
    await ask(at, tenant_id, NewBootstrap(id=row, sources=(asked.source,), force=asked.force_refresh))
    return Begun(ids.BOOTSTRAPS)


def _ready(at: Office) -> None:
    from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

    try:
        library = made.references(at.settings)
    except ValueError as error:
        raise NotReadyError(f"References cannot be read ({error})", "GREENROOM_REFERENCES_URL says where") from None
    if library is None:
        raise NotReadyError("There is no library of references", "GREENROOM_REFERENCES_URL says where")
    if not at.settings.objects_url:
        raise NotReadyError("There is nowhere to keep references", "GREENROOM_OBJECTS_URL says where")
    if not at.settings.provider(needs.MAKES_VECTORS).key.get_secret_value():
        raise NotReadyError("Nobody makes vectors of references: a key is missing", "greenroom doctor says which")
