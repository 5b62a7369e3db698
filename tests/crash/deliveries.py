"""A delivery that is interrupted: one mail, or two that are the same when nobody could know that the first was taken."""

from collections.abc import Sequence
from typing import ClassVar

from starter.start import Doorbell
from tests.crash.stories import Story


class DeliveryStory(Story):
    """A meeting before long, whose brief is there and is wanted by mail from now on."""

    name: ClassVar[str] = "delivery"
    points: ClassVar[frozenset[str]] = frozenset({"situation", "claim", "brief", "smtp", "end", "first_try"})
    effects: ClassVar[frozenset[str]] = frozenset({"claim", "smtp", "end"})

    async def invite(self) -> None:
        await self.sql("UPDATE users SET briefs_by_mail = false")
        self._event = self.add("Soon", 1 / 32, "kim")

    async def begin(self) -> None:
        await super().begin()
        await self.sql("UPDATE users SET briefs_by_mail = true")
        await Doorbell(self.lane.client).meeting(self.stage.tenant.id, self.before[self._event].id)

    async def struck(self, trail: Sequence[str]) -> None:
        await super().struck(trail)
        self._unknown = "call smtp 1 after" in trail and "transaction end 1 after" not in trail

    async def complaints(self) -> list[str]:
        said = await super().complaints()
        address = self.diary.calendar.account.email
        mails = [mail for mail in self.lane.sandbox.mailbox.all() if address in mail["rcpt_tos"]]
        if not 1 <= len(mails) <= 1 + self._unknown:
            said.append(f"{len(mails)} mails were sent")
        if len({mail["message_id"] for mail in mails}) > 1:
            said.append(f"{len(mails)} mails are not the same")
        notices = [(row["kind"], row["status"]) for row in await self.fetch("SELECT kind, status FROM notices")]
        if notices != [("brief", "sent")]:
            said.append(f"the notices are {notices}")
        return said
