"""The meetings that a run is asked for with: inputs of its skill's that name one, and what the run itself is about."""

from datetime import UTC, datetime
from typing import Any

from schemas.base import RowId, TenantId
from schemas.skills import NewRun, Skill
from starter.intake import ROW_ID
from starter.office import Office
from starter.words import NotFoundError, UsageError

# What a property of a skill's inputs is that names a meeting of its user's.
MEETING = "meeting"


async def of_theirs(at: Office, tenant_id: TenantId, skill: Skill, wanted: NewRun) -> NewRun:
    """The same, once each meeting that is named is found to be one of its user's: by its id, or as their next."""
    if wanted.meeting_id is not None:
        await _meeting(at, tenant_id, wanted, wanted.meeting_id)
    asked = [name for name, one in _properties(skill).items() if _is_meeting(one)]
    given = {name: wanted.inputs[name] for name in asked if wanted.inputs.get(name) is not None}
    found = {name: await _meeting(at, tenant_id, wanted, one) for name, one in given.items()}
    # The first is what the run is about; of two, a skill may ask for both.
    if wanted.meeting_id is not None and asked and found.get(asked[0], wanted.meeting_id) != wanted.meeting_id:
        raise UsageError("Two meetings are named; name the one that it is about")
    return wanted.model_copy(update={"inputs": {**wanted.inputs, **found}})


async def _meeting(at: Office, tenant_id: TenantId, wanted: NewRun, named: object) -> RowId:
    word = named.strip().lower() if isinstance(named, str) else ""
    found = await at.skill_runs.meeting(tenant_id, wanted.user_id, word, datetime.now(UTC))
    if found is None:
        raise NotFoundError("There is no such meeting of theirs", "greenroom calendars shows them")
    return found


def with_meeting(skill: Skill, wanted: NewRun) -> NewRun:
    """A meeting is told once: as an input of the skill's that asks for one, or as what the run is about."""
    named = next((name for name, one in _properties(skill).items() if _is_meeting(one)), None)
    if named is None:
        return wanted
    if named not in wanted.inputs and wanted.meeting_id is not None:
        return wanted.model_copy(update={"inputs": {**wanted.inputs, named: wanted.meeting_id}})
    chosen = wanted.inputs.get(named)
    if wanted.meeting_id is None and isinstance(chosen, str) and ROW_ID.fullmatch(chosen.lower()):
        return wanted.model_copy(update={"meeting_id": chosen.lower()})
    return wanted


def _properties(skill: Skill) -> dict[str, Any]:
    found = (skill.inputs or {}).get("properties")
    return found if isinstance(found, dict) else {}


def _is_meeting(one: object) -> bool:
    return isinstance(one, dict) and one.get("format") == MEETING
