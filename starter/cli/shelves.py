"""greenroom skill list and check: which skills there are, and whether they can be run."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from activities.plain import clean
from activities.skills import folders
from activities.skills.folders import UnfitSkillError
from activities.skills.ports import Folder, Shelf
from activities.store.feedback import FeedbackStore
from schemas.skills import BEST_SCORE, Health, Skill
from starter import skills
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, console, put_json, put_table, table
from starter.desk import desk
from starter.environment import load_settings
from starter.words import FailedError, NotFoundError, UsageError


class Listed(BaseModel):
    """A skill as it lies there; `problem` is why it is none."""

    name: str
    skill: Skill | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    health: Health | None = None


def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List the skills there are, and how well each does."""

    async def work() -> list[Listed]:
        async with desk(tenant) as at:
            health = await FeedbackStore(at.database).health(at.tenant.id)
            there = await _all(_shelf())
            return [one.model_copy(update={"health": health.get(one.name)}) for one in there]

    listed = do(work())
    if json:
        put_json(listed)
    elif not listed:
        console.print("There are no skills; put some where GREENROOM_SKILLS_URL says")
    else:
        _print(listed)


def check(
    which: Annotated[
        list[str] | None, typer.Argument(metavar="[SKILL]...", help="Names, or folders; by default all there are.")
    ] = None,
    json: Json = False,
) -> None:
    """Say whether skills can be run, and what of them is not known here. Fails when one cannot be run.

    For example: greenroom skill check ./skills/follow-up
    """
    checked = do(_checked(which or []))
    if json:
        put_json(checked)
    else:
        for one in checked:
            console.print(cell(f"{one.name}: {one.problem or 'can be run'}", "red" if one.problem else "green"))
            for note in one.notes:
                console.print(cell(f"  {note}", "yellow"), soft_wrap=True)
    unfit = [one.name for one in checked if one.problem]
    if unfit:
        raise FailedError(f"{len(unfit)} of {len(checked)} cannot be run: {', '.join(unfit)}")


def _shelf() -> Shelf:
    from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

    try:
        return made.skill_shelf(load_settings())
    except ValueError as error:
        raise UsageError(str(error).capitalize(), "GREENROOM_SKILLS_URL says where") from None


async def _all(shelf: Shelf) -> list[Listed]:
    async with skills.readable():
        names = await shelf.names()
    found = [await _of_shelf(shelf, name) for name in names]
    return [one for one in found if one is not None]


async def _of_shelf(shelf: Shelf, name: str) -> Listed | None:
    """None for a folder that is no skill, and for one that is not there."""
    async with skills.readable():
        try:
            there = await shelf.folder(name)
        except UnfitSkillError as unfit:
            return Listed(name=name, problem=unfit.sentence)
    return _listed(there) if there else None


async def _named(name: str) -> Listed:
    found = await _of_shelf(_shelf(), name)
    if found is None:
        raise NotFoundError(f'There is no skill "{clean(name, 60)}"', skills.LIST)
    return found


def _listed(folder: Folder) -> Listed:
    return Listed(name=folder.skill.name, skill=folder.skill, notes=tuple(folders.notes(folder.skill)))


async def _checked(which: list[str]) -> list[Listed]:
    """Those that are named: a folder of this machine, or one that lies with the others."""
    if not which:
        return await _all(_shelf())
    return [_at(Path(one)) if _is_path(one) else await _named(one) for one in which]


def _is_path(named: str) -> bool:
    return "/" in named or named in (".", "..")


def _at(path: Path) -> Listed:
    if not path.is_dir():
        raise UsageError(f"{clean(str(path), 200)} is no folder")
    try:
        return _listed(folders.read(path))
    except UnfitSkillError as unfit:
        return Listed(name=clean(path.resolve().name, 80), problem=unfit.sentence)


def _print(listed: list[Listed]) -> None:
    shown = table("skill", "reads", "health", "what it does")
    for one in listed:
        if one.skill is None:
            shown.add_row(cell(one.name), cell(""), cell(""), cell(one.problem, "red"))
            continue
        health = f"{one.health.score:.1f} of {BEST_SCORE} ({one.health.scores})" if one.health else "not judged"
        low = one.health is not None and one.health.low
        reads = ", ".join(tool.value for tool in one.skill.tools) or "nothing"
        shown.add_row(
            cell(one.name), cell(reads), cell(health, "red" if low else ""), cell(one.skill.description, longest=120)
        )
    put_table(shown)
