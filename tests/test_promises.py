"""The pages of promises: ids, policies, names, payloads. A change here is a change for histories that exist."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.common import RetryPolicy

from activities.bills import BillActivities
from activities.calendars import CalendarActivities
from activities.deliveries import DeliveryActivities
from activities.demo import DemoActivities
from activities.digests import DigestActivities
from activities.digests.speaking import SpeakingActivities
from activities.documents import DocumentActivities
from activities.documents.embedding import EmbeddingActivities
from activities.documents.reviewing import ReviewActivities
from activities.erasures import ErasureActivities
from activities.meetings import MeetingActivities
from activities.notices import NoticeActivities
from activities.objects import ObjectActivities
from activities.reconciliation import ReconciliationActivities
from activities.recorders import RecorderActivities
from activities.records import RecordActivities
from activities.research import ResearchActivities
from activities.retention import RetentionActivities
from activities.subscriptions import SubscriptionActivities
from activities.transcripts import TranscriptActivities
from schemas import (
    batches,
    bills,
    calendars,
    deliveries,
    digests,
    erasures,
    meetings,
    notices,
    recorders,
    subscriptions,
    transcripts,
)
from schemas import reconciliation as reconciling
from schemas import research as messages
from schemas.base import Message
from starter.dev.stack import Plan
from starter.needs import NEEDS
from worker import WORKFLOWS, activity_methods
from workflows import ids, policies, queues, story

TENANT, ROW = "0" * 8 + "-0000-4000-8000-" + "0" * 12, "1" * 8 + "-0000-4000-8000-" + "1" * 12


def test_ids_name_noun_tenant_and_row() -> None:
    parent = ids.research(TENANT, ROW)
    assert parent == f"research/{TENANT}/{ROW}"
    assert ids.parse_research(parent) == (TENANT, ROW)
    assert ids.prospect_research(parent, "0123456789abcdef") == f"{parent}/prospect/0123456789abcdef"


def test_everything_that_is_looked_after_has_one_workflow() -> None:
    looked_after = [ids.calendar(TENANT, ROW), ids.meeting(TENANT, ROW), ids.subscription(TENANT, ROW)]
    assert looked_after == [f"{noun}/{TENANT}/{ROW}" for noun in ("calendar", "meeting", "subscription")]
    assert ids.notice(TENANT, "brief/x") == f"notice/{TENANT}/brief/x"
    assert ids.erasure(TENANT, ROW) == f"erasure/{TENANT}/{ROW}"


@pytest.mark.parametrize("text", ["", "meeting/a/b", "research/a", "research/a/b/c"])
def test_other_ids_are_no_research(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|is not a research"):
        ids.parse_research(text)


def pauses(policy: RetryPolicy) -> list[float]:
    """Seconds between the tries of a policy."""
    first, factor = policy.initial_interval.total_seconds(), policy.backoff_coefficient
    return [first * factor**number for number in range(policy.maximum_attempts - 1)]


def test_retries_are_those_of_the_requirements() -> None:
    assert pauses(policies.LOOK_UP["retry_policy"]) == [1, 2, 4]
    assert pauses(policies.WRITE["retry_policy"]) == [2, 2]
    assert pauses(policies.DATABASE["retry_policy"]) == [1, 2]
    assert pauses(policies.RENEW["retry_policy"]) == [5, 5]
    assert policies.TELLING["retry_policy"].maximum_attempts == 0, "a status is told in the end"
    assert policies.ASKS == 3


def test_the_windows_add_up_to_the_total() -> None:
    assert policies.RESEARCH_WINDOW + policies.WRITING_WINDOW == policies.TOTAL == timedelta(seconds=300)


def test_the_arithmetic_in_the_page_is_right() -> None:
    """The worst cases that the page tells, from the numbers that it uses."""
    call = 60
    look_up = policies.LOOK_UP["retry_policy"]
    write = policies.WRITE["retry_policy"]
    worst = look_up.maximum_attempts * call + sum(pauses(look_up))
    polite = policies.RESEARCH_WINDOW.total_seconds() - (look_up.maximum_attempts - 1) * 60
    model = write.maximum_attempts * call + sum(pauses(write))
    page = policies.__doc__ or ""
    for said in (f"take\n{worst:g} s", f"leave {polite:g} s for", f"would take {model:g} s"):
        assert said in page


def test_a_dead_worker_is_noticed_before_its_successor_has_waited_ten_seconds() -> None:
    for step in (policies.LOOK_UP, policies.WRITE):
        noticed = step["heartbeat_timeout"] + step["retry_policy"].initial_interval
        assert noticed <= timedelta(seconds=10)
        assert step["start_to_close_timeout"] > timedelta(hours=1), "waiting for a turn is not a failed attempt"


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            ResearchActivities,
            {"research.begin", "research.look_up", "research.overdue", "research.write", "research.fail"},
        ),
        (
            SubscriptionActivities,
            {
                *("subscriptions.open", "subscriptions.retire", "subscriptions.ring"),
                *("subscriptions.due", "subscriptions.fail"),
            },
        ),
        (CalendarActivities, {"calendars.read", "calendars.failed", "calendars.poll"}),
        (MeetingActivities, {"meetings.look"}),
        (RecorderActivities, {"calls.fetch", "calls.sweep", "calls.recorders"}),
        (NoticeActivities, {"notices.send", "notices.first_try", "notices.give_up"}),
        (ErasureActivities, {"erasures.forget", "erasures.delete_runs", "erasures.finish"}),
        (RetentionActivities, {"retention.sweep"}),
        (ObjectActivities, {"objects.sweep"}),
        (SpeakingActivities, {"digests.speak", "digests.publish"}),
        (BillActivities, {"bills.load"}),
        (
            DigestActivities,
            {
                *("digests.due", "digests.begin", "digests.news"),
                *("digests.script", "digests.finish", "digests.fail"),
            },
        ),
        (RecordActivities, {"records.insert"}),
        (ReconciliationActivities, {"reconciliation.sweep"}),
        (DeliveryActivities, {"deliveries.send"}),
        (
            DocumentActivities,
            {"documents.begin", "documents.parse", "documents.draw", "documents.finish", "documents.fail"},
        ),
        (ReviewActivities, {"documents.analyse", "documents.compare", "documents.propose"}),
        (EmbeddingActivities, {"documents.embed"}),
        (DemoActivities, {"demo.step", "demo.finish"}),
        (
            TranscriptActivities,
            {"transcripts.begin", "transcripts.read_part", "transcripts.finish", "transcripts.fail"},
        ),
    ],
)
def test_names_of_activities_are_permanent(owner: type, names: set[str]) -> None:
    methods = activity_methods(owner.__new__(owner))
    assert {method.__temporal_activity_definition.name for method in methods} == names


def test_names_of_workflows_are_permanent() -> None:
    permanent = {"Research", "ProspectResearch", "CalendarSync", "CalendarPolls", "Meeting", "Notice"}
    permanent |= {"SubscriptionRenewal", "SubscriptionRenewals", "Erasure", "Retention", "Delivery"}
    permanent |= {"Reconciliation"}
    permanent |= {"Transcript", "CallSweeps", "Batch"}
    permanent |= {"Digests", "Digest", "Bills"}
    permanent |= {"SkillRun"}
    permanent |= {"DocumentAnalysis", "Comparison", "Generation", "Demo", "Bootstrap", "BootstrapSource"}
    assert permanent == {one.__temporal_workflow_definition.name for one in WORKFLOWS}


def test_the_stack_declares_what_the_code_uses() -> None:
    plan = Plan.read()
    declared = {key.name: key.indexed_value_type.name.title().replace("_", "") for key in story.SEARCH_ATTRIBUTES}
    assert plan.search_attributes == declared
    assert plan.task_queues == list(queues.ALL)
    assert set(NEEDS) == set(queues.ALL)


def test_the_last_release_s_payloads_still_parse() -> None:
    """Messages only gain fields, with defaults: whatever a history holds must be read."""
    golden = json.loads(Path(__file__).with_name("golden.json").read_text())
    shapes = _messages()
    assert set(golden) == set(shapes)
    for name, payload in golden.items():
        message = shapes[name].model_validate(payload)
        assert _within(payload, message.model_dump(mode="json")), name


def _within(said: object, read: object) -> bool:
    """All that was said is there as it was; there may be more."""
    if isinstance(said, dict) and isinstance(read, dict):
        return all(key in read and _within(value, read[key]) for key, value in said.items())
    if isinstance(said, list) and isinstance(read, list):
        return len(said) == len(read) and all(map(_within, said, read))
    return said == read


def _messages() -> dict[str, type[Message]]:
    """All that travels, by name: each module's own, and no name twice."""
    rooms = (
        messages,
        batches,
        bills,
        calendars,
        digests,
        subscriptions,
        notices,
        meetings,
        erasures,
        deliveries,
        reconciling,
        transcripts,
        recorders,
    )
    found = [shape for room in rooms for shape in vars(room).values() if _is_message(shape, room.__name__)]
    assert len({shape.__name__ for shape in found}) == len(found)
    return {shape.__name__: shape for shape in found}


def _is_message(shape: object, room: str) -> bool:
    return isinstance(shape, type) and issubclass(shape, Message) and shape.__module__ == room


def test_unknown_fields_of_a_newer_release_are_left_alone() -> None:
    start = messages.Start(tenant_id=TENANT, research_id=ROW, run_id="run", now=datetime.now(UTC))
    assert messages.Start.model_validate({**start.model_dump(), "new": 1}) == start
