"""Who asked is told once, what was taken is not sent twice, and Temporal learns nothing personal of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from activities import errors
from activities.notices import NoticeActivities
from activities.providers.smtp import Smtp
from activities.store.notices import NoticeStore
from schemas.notices import FirstTry, NoticeKind, NoticeOrder, Sent
from starter.show.letters import Letters
from tests.notices.post import Post
from tests.research.material import NOW
from worker import build_worker
from workflows import ids, policies, queues
from workflows.notices import patience, remaining

NAME, TITLE = "Zephyrine Quibblewick", "Secret merger with Zorblatt"


class Forgetful(NoticeStore):
    """Postgres goes away once, just after the mail was taken."""

    forgotten = 0

    async def end(self, order: NoticeOrder, sent: Sent, now: datetime, *, sandbox: bool) -> Sent:
        if not self.forgotten:
            self.forgotten += 1
            raise errors.database_failed("ConnectionRefusedError")
        return await super().end(order, sent, now, sandbox=sandbox)


async def test_what_was_taken_is_not_sent_again_when_postgres_is_away(post: Post) -> None:
    order, settings = post.order(await post.failed_meeting()), post.stage.settings()
    store = Forgetful(post.stage.database)
    mailer = Smtp(settings.smtp()[0], sender=settings.mail_from, sandbox=True)
    owners = [NoticeActivities(store, Letters(settings), mailer)]
    async with (
        build_worker(post.stage.temporal, owners, task_queue=queues.WORKFLOWS),
        build_worker(post.stage.temporal, owners, task_queue=queues.MAIL),
    ):
        assert (await post.send(order)).status == "sent"
    assert (store.forgotten, len(post.mails())) == (1, 1)


async def ended(temporal: Client, workflow_id: str) -> Sent:
    """The notice that a run has begun before it failed."""
    return Sent.model_validate(await temporal.get_workflow_handle(workflow_id).result())


async def test_who_asked_ad_hoc_is_told_of_a_failure_once(post: Post) -> None:
    await post.sql("UPDATE users SET email = $1", post.address)
    post.stage.sandbox.faults.put("perplexity", "status", status=401, times=None)
    async with post.stage.working():
        _, run = await post.stage.failure("ada@lovelace.example")
        sent = await ended(post.stage.temporal, ids.notice(post.stage.tenant.id, f"failed/{run.id}/1"))
    (mail,) = post.mails()
    assert sent.status == "sent"
    assert f"greenroom retry {run.id}" in mail["text"] and "perplexity said 401" in mail["html"]
    assert (await post.row(f"failed/{run.id}/1"))["research_id"] == run.id


async def test_temporal_knows_no_person_and_no_token_of_a_mail(post: Post) -> None:
    order = post.order(await post.failed_meeting(TITLE, name=NAME))
    async with post.stage.working():
        handle = await post.begin(order)
        await handle.result()
    known = ((await handle.fetch_history()).to_json() + str((await handle.describe()).raw_description)).lower()
    (mail,) = post.mails()
    assert "zorblatt" in mail["subject"].lower(), "or there would be nothing to find"
    for word in ("zorblatt", "quibblewick", post.address, "?t="):
        assert word not in known


async def test_a_key_that_another_tenant_has_used_is_free(post: Post) -> None:
    order = post.order(await post.failed_meeting(), key="the/same")
    letters = Letters(post.stage.settings())
    other = order.model_copy(update={"tenant_id": "8" * 8 + "-0000-4000-8000-" + "8" * 12})
    assert letters.message_id(order) == letters.message_id(order) != letters.message_id(other)


@pytest.mark.parametrize(
    ("tried_s", "asked_s", "over", "seconds"),
    [
        # Seconds ago: first tried, asked for -> its time is over, look again in
        (None, 30, False, 30),
        (None, 600, False, 600),
        (0, 30, False, 30),
        (10, 40, False, 20),
        (30, 30, True, 0),
        (300, 300, True, 0),
    ],
)
def test_time_is_counted_from_the_first_try(tried_s: int | None, asked_s: int, over: bool, seconds: float) -> None:
    tried = FirstTry(at=None if tried_s is None else NOW - timedelta(seconds=tried_s))
    said = remaining(("1" * 36,), policies.NOTICE, tried, NOW - timedelta(seconds=asked_s), NOW)
    assert (bool(said.over), said.seconds) == (over, seconds)


def test_a_notice_has_thirty_seconds() -> None:
    assert policies.NOTICE.total_seconds() == 30


async def test_a_mail_that_was_taken_counts_for_more_than_a_time_that_was_up(post: Post) -> None:
    order, store = post.order(await post.failed_meeting()), NoticeStore(post.stage.database)
    now: Any = NOW
    await store.claim(order, "<x@y>", now)
    assert (await store.give_up(order, "<x@y>", "late", now)).status == "failed"
    assert (await store.end(order, Sent(status="sent"), now, sandbox=True)).status == "sent"
    assert (await store.give_up(order, "<x@y>", "late", now)).status == "sent"
    both = await asyncio.gather(*(store.claim(order, "<x@y>", now) for _ in range(20)))
    assert set(map(str, both)) == {str(Sent(status="sent"))}


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_what_stays_true_has_the_time_that_a_server_puts_it_off_for(kind: NoticeKind) -> None:
    """Greylisting is five minutes at least; three of the tries come after it."""
    first = policies.PUT_OFF.total_seconds()
    pauses = [first * 2**number for number in range(policies.SEND_PATIENTLY["retry_policy"].maximum_attempts - 1)]
    assert sum(pauses) < policies.PATIENT_NOTICE.total_seconds()
    assert patience(kind) == (policies.NOTICE if kind is NoticeKind.RESEARCH_FAILED else policies.PATIENT_NOTICE)
