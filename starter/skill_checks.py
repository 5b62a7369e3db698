"""Skills, as `doctor` looks at them: the place where they lie can be read, and each of them can be run."""

from collections.abc import AsyncIterator

from temporalio.exceptions import ApplicationError

from activities.providers import made
from activities.skills.folders import UnfitSkillError
from activities.skills.ports import Shelf
from schemas.settings import Settings
from starter.checks import Check

NAME = "skills"
REMEDY = "set GREENROOM_SKILLS_URL to a folder, or to s3://bucket/prefix"
MEND = "greenroom skill check says what is wrong"


async def everything(settings: Settings) -> AsyncIterator[Check]:
    yield await check(settings)


async def check(settings: Settings) -> Check:
    try:
        shelf = made.skill_shelf(settings)
        found = {name: await _is_fit(shelf, name) for name in await shelf.names()}
    except ValueError as error:
        return Check(NAME, ok=False, said=str(error), remedy=REMEDY)
    except ApplicationError as error:
        return Check(NAME, ok=False, said=error.message, remedy=REMEDY)
    names = [name for name, fit in found.items() if fit is not None]
    unfit = [name for name, fit in found.items() if fit is False]
    if not names:
        return Check(NAME, ok=True, warning=True, said="there are none", remedy=REMEDY)
    if unfit:
        said = f"{', '.join(unfit)} cannot be run, of {len(names)}"
        return Check(NAME, ok=True, warning=True, said=said, remedy=MEND)
    return Check(NAME, ok=True, said=f"{len(names)} can be run: {', '.join(names)}")


async def _is_fit(shelf: Shelf, name: str) -> bool | None:
    """None for a folder that is no skill, or was taken away meanwhile: that is nobody's trouble."""
    try:
        return True if await shelf.folder(name) else None
    except UnfitSkillError:
        return False
