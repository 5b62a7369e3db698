"""The rules of the house that a machine can hold: who imports whom, where SQL and brands live, how long things are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "workflows", "activities", "starter", "sandbox", "bench")

# What each room may import of ours. Only worker.py sees everything; nothing but the CLI's `worker` imports it.
ALLOWED = {
    "schemas": {"schemas"},
    "activities": {"schemas", "activities"},
    "workflows": {"schemas", "workflows", "activities"},
    "starter": {"schemas", "workflows", "activities", "starter"},
    "sandbox": {"sandbox"},
}
# Of the activities a workflow sees signatures and the making of errors, never a store or a provider.
SIGNATURES = re.compile(r"activities(\.errors|\.[a-z]+)?$")
HIDDEN = ("activities.store", "activities.providers", "activities.ports", "activities.pacing", "activities.liveness")
EXCEPTIONS = {("starter/cli/servers.py", "worker")}

SQL = re.compile(
    r"^\s*(select|insert into|update|delete from|create|alter|with \w+ as)\b.*\b(from|into|set|table|values|role|database|select)\b",
    re.IGNORECASE | re.DOTALL,
)
SQL_ROOMS = ("activities/store/", "starter/dev/postgres.py")
BRANDS = re.compile(r"\b(perplexity|anthropic|claude|gemini|gong|brave|elevenlabs|voyage|telegram)\b", re.IGNORECASE)
BRAND_ROOMS = (
    "activities/providers/",
    "starter/web/",
    "schemas/brands.py",
    "schemas/settings.py",
    "worker.py",
    "sandbox/",
    "bench/",
    "starter/cli/",
    "starter/dev/",
    "starter/checks.py",
    "starter/needs.py",
    "starter/logs.py",
)

LONGEST_FUNCTION, LONGEST_RUN, LONGEST_MODULE = 60, 40, 300


@cache
def modules() -> tuple[Path, ...]:
    found = [ROOT / "worker.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    assert len(found) > 50, "the rooms have moved, and these tests look at nothing"
    return tuple(found)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Full names of what a module imports, `from a import b` as a.b."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def strings(path: Path) -> Iterator[str]:
    """String constants that are no docstring."""
    docs = {id(node.body[0].value) for node in ast.walk(parsed(path)) if _has_docstring(node)}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def _has_docstring(node: ast.AST) -> bool:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return False
    first = node.body[0]
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def wrong_imports(path: Path) -> list[str]:
    room = name(path).split("/")[0]
    ours = {"schemas", "workflows", "activities", "starter", "sandbox", "worker", "bench", "tests"}
    return [
        imported
        for imported in imports(path)
        if (top := imported.split(".")[0]) in ours
        and top not in ALLOWED.get(room, ours)
        and (name(path), top) not in EXCEPTIONS
    ]


def test_imports_flow_one_way() -> None:
    assert {name(path): wrong for path in modules() if (wrong := wrong_imports(path))} == {}


def test_workflows_see_signatures_and_no_effects() -> None:
    seen = {
        (name(path), imported)
        for path in (ROOT / "workflows").rglob("*.py")
        for imported in imports(path)
        if imported.startswith(HIDDEN)
    }
    assert seen == set()


def test_sql_lives_in_the_store() -> None:
    found = {
        (name(path), text[:60])
        for path in modules()
        if not name(path).startswith(SQL_ROOMS)
        for text in strings(path)
        if SQL.match(text)
    }
    assert found == set()


def test_only_the_doorway_knows_the_pool() -> None:
    """Whoever holds a pool can leave the tenant out."""
    users = {
        name(path)
        for path in (ROOT / "activities").rglob("*.py")
        if name(path) != "activities/store/database.py"
        and re.search(r"create_pool|\.acquire\(|asyncpg\.connect", path.read_text())
    }
    assert users == set()


def test_stores_of_a_tenant_go_through_the_doorway() -> None:
    """Pacing belongs to nobody, the list of tenants and what a sweep must find to all; everything else names its tenant."""
    free = {
        (name(path), method)
        for path in (ROOT / "activities/store").glob("*.py")
        for method in re.findall(r"_database\.(untenanted|crossing)\(", path.read_text())
    }
    assert free <= {
        ("activities/store/paces.py", "untenanted"),
        ("activities/store/seats.py", "untenanted"),
        ("activities/store/unneeded.py", "crossing"),
        ("activities/store/bills.py", "untenanted"),
        ("activities/store/digests.py", "crossing"),
        ("activities/store/bootstraps.py", "crossing"),
        ("activities/store/stuck_bootstraps.py", "crossing"),
        ("activities/store/stuck_digests.py", "crossing"),
        ("activities/store/stuck_documents.py", "crossing"),
        ("activities/store/stuck_skills.py", "crossing"),
        ("activities/store/tenants.py", "crossing"),
        ("activities/store/calendars.py", "crossing"),
        ("activities/store/channels.py", "crossing"),
        ("activities/store/event_keys.py", "crossing"),
        ("activities/store/deliveries.py", "crossing"),
        ("activities/store/retention.py", "crossing"),
        ("activities/store/retention.py", "untenanted"),
        ("activities/store/rotation.py", "crossing"),
        ("activities/store/reconciliation.py", "crossing"),
        ("activities/store/records.py", "crossing"),
        ("activities/store/recorders.py", "crossing"),
        ("activities/store/subscriptions.py", "crossing"),
        ("activities/store/health.py", "crossing"),
        ("activities/store/health.py", "untenanted"),
    }


def test_brands_stay_at_the_edges() -> None:
    named = {
        (name(path), found.group(0))
        for path in modules()
        if not name(path).startswith(BRAND_ROOMS)
        for text in [
            *strings(path),
            *imports(path),
            *(node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)),
        ]
        if (found := BRANDS.search(text))
    }
    assert named == set()


def test_errors_for_temporal_are_made_on_one_page() -> None:
    makers = {
        name(path)
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ApplicationError")
    }
    assert makers == {"activities/errors.py"}


def test_numbers_and_ids_of_workflows_are_on_their_pages() -> None:
    for path in (ROOT / "workflows").rglob("*.py"):
        calls = [ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
        if path.name not in ("policies.py", "tries.py"):
            assert not {"timedelta", "RetryPolicy"} & set(calls), path.name
        assert "imports_passed_through" not in path.read_text(), "said once, on the worker"


def test_the_environment_is_read_at_the_top_alone() -> None:
    readers = {
        name(path)
        for path in modules()
        if name(path).split("/")[0] in ("schemas", "workflows", "activities")
        and re.search(r"os\.environ|getenv", path.read_text())
    }
    assert readers == set()


def test_decisions_take_their_time_from_temporal() -> None:
    """Postgres's clock paces calls, and counts who makes them; everything else is told what time it is."""
    tellers = {
        name(path)
        for path in (ROOT / "activities/store").rglob("*")
        if path.suffix in (".py", ".sql")
        and re.search(r"\bnow\(\)|current_timestamp|clock_timestamp\(\)", path.read_text(), re.IGNORECASE)
    }
    assert tellers <= {f"activities/store/{one}.py" for one in ("paces", "seats", "health")}


def test_things_are_short() -> None:
    lengths = {
        f"{name(path)}:{fn.name}": (fn.end_lineno or 0) - fn.lineno + 1 for path in modules() for fn in functions(path)
    }
    long = {where: lines for where, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert long == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 10
    assert {name(path) for path in modules() if path.read_text().count("\n") > LONGEST_MODULE} == set()


def test_run_is_a_paragraph() -> None:
    runs = [fn for path in (ROOT / "workflows").rglob("*.py") for fn in functions(path) if fn.name == "run"]
    assert runs
    for run in runs:
        assert (run.end_lineno or 0) - run.lineno < LONGEST_RUN
        assert len(run.args.args) == 2, "self, and one message"


# What each workflow is tested by (S4-18). A workflow without an entry here is one without tests.
TESTED_BY = {
    "ResearchWorkflow": "research/test_windows.py",
    "ProspectResearchWorkflow": "research/test_steps.py",
    "NoticeWorkflow": "notices/test_outcomes.py",
    "CalendarSyncWorkflow": "calendars/test_reading.py",
    "CalendarPollsWorkflow": "subscriptions/test_sweeps.py",
    "MeetingWorkflow": "meetings/test_lives.py",
    "SubscriptionRenewalWorkflow": "subscriptions/test_renewals.py",
    "SubscriptionRenewalsWorkflow": "subscriptions/test_sweeps.py",
    "CallSweepsWorkflow": "recorders/test_call_sweeps.py",
    "ErasureWorkflow": "erasures/test_whole_way.py",
    "RetentionWorkflow": "erasures/test_retention.py",
    "DeliveryWorkflow": "deliveries/test_delivery.py",
    "TranscriptWorkflow": "transcripts/test_workflow.py",
    "BatchWorkflow": "batches/test_batches.py",
    "ReconciliationWorkflow": "reconciliation/test_researches.py",
    "BillsWorkflow": "digests/test_bills.py",
    "DigestsWorkflow": "digests/test_mornings.py",
    "DigestWorkflow": "digests/test_digest_life.py",
    "SkillRunWorkflow": "skills/test_skill_life.py",
    "DocumentAnalysisWorkflow": "documents/test_document_workflow.py",
    "ComparisonWorkflow": "documents/test_document_workflow.py",
    "GenerationWorkflow": "documents/test_document_workflow.py",
    "BootstrapWorkflow": "bootstraps/test_bootstrap_workflow.py",
    "BootstrapSourceWorkflow": "bootstraps/test_bootstrap_workflow.py",
    "DemoWorkflow": "demo/test_demo.py",
}


def workflow_names() -> set[str]:
    """Whatever the worker runs."""
    assigned = (node for node in parsed(ROOT / "workflows/every.py").body if isinstance(node, ast.Assign))
    lists = [node.value for node in assigned if ast.unparse(node.targets[0]) == "WORKFLOWS"]
    return {ast.unparse(one) for listed in lists if isinstance(listed, ast.List) for one in listed.elts}


def test_every_workflow_has_a_module_of_tests() -> None:
    assert workflow_names() == set(TESTED_BY)
    for module in set(TESTED_BY.values()):
        path = ROOT / "tests" / module
        assert path.exists(), module
        assert any(fn.name.startswith("test_") for fn in functions(path)), module


def raised(path: Path) -> Iterator[str]:
    """What a module raises, as it is written there."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)


def wrong_family(path: Path) -> list[str]:
    """S4-2: what HTTP says is raised by nobody who works, and what Temporal decides by is raised by no page."""
    room = name(path)
    if room.startswith("starter/web/"):
        return [one for one in raised(path) if re.match(r"errors\.|(\w+\.)?ApplicationError$", one)]
    if room.split("/")[0] in ("schemas", "activities", "workflows"):
        pages = [one for one in imports(path) if one.startswith(("aiohttp.web", "starter"))]
        return [*pages, *(one for one in raised(path) if re.search(r"\bHTTP[A-Z]|SaidError$", one))]
    return []


def test_the_two_families_of_errors_are_kept_apart() -> None:
    assert {name(path): wrong for path in modules() if (wrong := wrong_family(path))} == {}


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("activities", "from aiohttp import web\nraise web.HTTPNotFound"),
        ("workflows", "raise HTTPError(404)"),
        ("starter/web", "from activities import errors\nraise errors.not_found('page')"),
        ("starter/web", "raise ApplicationError('no')"),
    ],
    ids=["a page below", "its error alone", "a decision in a page", "its maker"],
)
def test_these_tests_see_an_error_of_the_other_family(where: str, text: str) -> None:
    planted = ROOT / where / "planted_by_a_test.py"
    try:
        planted.write_text(text)
        parsed.cache_clear()
        assert wrong_family(planted)
    finally:
        planted.unlink()
        parsed.cache_clear()


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("schemas", "from activities import errors"),
        ("activities", "from workflows import ids"),
        ("workflows", "from starter import start"),
        ("sandbox", "from schemas.base import Message"),
    ],
)
def test_these_tests_see_a_wrong_import(where: str, text: str) -> None:
    planted = ROOT / where / "planted_by_a_test.py"
    try:
        planted.write_text(text)
        assert wrong_imports(planted)
    finally:
        planted.unlink()


def test_these_tests_know_sql_when_they_see_it() -> None:
    assert SQL.match("\n  SELECT id FROM tenants")
    assert SQL.match("UPDATE research SET status = 'ready'")
    assert not SQL.match("Select a campaign, or make one")
