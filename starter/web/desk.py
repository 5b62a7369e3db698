"""The desk where pages and other applications ask for runs of skills, while somebody waits."""

from schemas.base import RowId, TenantId
from schemas.skills import Asked, NewRun
from starter import skills
from starter.errands import answered
from starter.office import Office


class Desk:
    """A SkillDesk."""

    def __init__(self, at: Office) -> None:
        self._at = at

    async def ask(self, tenant_id: TenantId, wanted: NewRun) -> Asked:
        """AwayError comes before anything is written down; what is, is begun as soon as Temporal answers."""
        async with answered():
            asked = await skills.written_down(self._at, tenant_id, wanted)
        await skills.soon(self._at, tenant_id, asked)
        return asked

    async def cancel(self, tenant_id: TenantId, run_id: RowId, user_id: RowId | None) -> bool:
        async with answered():
            return await skills.cancel(self._at, tenant_id, run_id, user_id)
