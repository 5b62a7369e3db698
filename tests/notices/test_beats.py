"""That a mail was taken is known to every later try, however those before it went."""

import asyncio
from datetime import datetime
from typing import Any

from activities import errors
from activities.notices import NoticeActivities
from activities.providers.smtp import Smtp
from activities.store.notices import NoticeStore
from schemas.notices import Matter, NoticeOrder, Sent
from starter.show.letters import Letters
from tests.notices.post import Post
from worker import build_worker
from workflows import policies, queues

# Longer than the first beat of a try takes to come.
A_WHILE_S = policies.HEARTBEAT.total_seconds() / 4 + 1


class Away(NoticeStore):
    """Postgres goes away when the mail was just taken, and lets the next try wait for it in vain."""

    claims, ends = 0, 0

    async def claim(self, order: NoticeOrder, message_id: str, now: datetime) -> Matter | Sent:
        self.claims += 1
        if self.claims == 2:
            await asyncio.sleep(A_WHILE_S)
            raise errors.database_failed("ConnectionRefusedError")
        return await super().claim(order, message_id, now)

    async def end(self, order: NoticeOrder, sent: Sent, now: datetime, **more: Any) -> Sent:
        self.ends += 1
        if self.ends == 1:
            raise errors.database_failed("ConnectionRefusedError")
        return await super().end(order, sent, now, **more)


async def test_a_try_that_beats_and_fails_does_not_make_the_next_one_send_again(post: Post) -> None:
    order, settings = post.order(await post.failed_meeting()), post.stage.settings()
    store = Away(post.stage.database)
    mailer = Smtp(settings.smtp()[0], sender=settings.mail_from, sandbox=True)
    owners = [NoticeActivities(store, Letters(settings), mailer)]
    async with (
        build_worker(post.stage.temporal, owners, task_queue=queues.WORKFLOWS),
        build_worker(post.stage.temporal, owners, task_queue=queues.MAIL),
    ):
        assert (await post.send(order)).status == "sent"
    # A try that is taken for dead on a busy machine is one more; the mail is one all the same.
    assert store.claims >= 3
    assert len(post.mails()) == 1
