"""From what a person or a file says to rows: addresses checked, names cleaned, people hashed, nothing half stored."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from activities.attendance import LONGEST_NAME, MOST_PROSPECTS
from activities.people import PersonKeys
from activities.plain import clean
from activities.store.meetings import Keys, MeetingStore
from activities.store.suppressions import SuppressedError
from schemas.base import Email, RowId, TenantId
from schemas.meetings import Attendee, MeetingFacts
from schemas.settings import Settings
from schemas.tenants import CampaignRow
from schemas.transcripts import Spoken
from starter.words import NotReadyError, UsageError

_EMAIL = TypeAdapter(Email)
ROW_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def email(text: str) -> str:
    """An address, lower case; anything else is refused with a sentence."""
    try:
        return _EMAIL.validate_python(text)
    except ValidationError:
        shown = clean(text, 60)
        raise UsageError(f'"{shown}" is no e-mail address; write one such as ada@lovelace.example') from None


def people(addresses: list[str], name: str | None) -> tuple[Attendee, ...]:
    """Prospects from addresses, each once; a name belongs to a single one."""
    emails = list(dict.fromkeys(email(address) for address in addresses))
    if name is not None and len(emails) > 1:
        raise UsageError("--name names one person, and several addresses were given; leave it out or give one address")
    if len(emails) > MOST_PROSPECTS:
        raise UsageError(f"{len(emails)} addresses were given; at most {MOST_PROSPECTS} are researched at once")
    return tuple(Attendee(email=one, name=clean(name or "", LONGEST_NAME)) for one in emails)


# Calls of other years are slips of the hand, and no calendar of a reader shows them.
YEARS = range(2000, 2200)


def moment(said: str, zone: ZoneInfo) -> datetime:
    """When something was, in ISO 8601; without a zone of its own it is in this one."""
    wrong = UsageError(f'"{clean(said, 60)}" is no time; write one such as 2026-11-23T15:00')
    try:
        when = datetime.fromisoformat(said)
    except ValueError:
        raise wrong from None
    if when.year not in YEARS:
        raise wrong
    return when if when.tzinfo else when.replace(tzinfo=zone)


def upload_key(spoken: Spoken, user_id: RowId) -> str:
    """The same words from the same user are the same call; what a colleague adds is theirs."""
    return f"{spoken.digest()}/{user_id}"


# Said of a call that is not kept.
FORGOTTEN = "Somebody who is in this call asked to be forgotten, so it is not kept"


def person_keys(settings: Settings) -> PersonKeys:
    """What hashes addresses; without its key nobody can be told apart."""
    try:
        return PersonKeys(settings.hash_key.get_secret_value())
    except ValueError as error:
        remedy = "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        raise NotReadyError(str(error), remedy) from None


class Intake:
    """Writes down who is to be researched. Holds the key that addresses are hashed with."""

    def __init__(self, store: MeetingStore, settings: Settings) -> None:
        self._people = person_keys(settings)
        self._store = store

    async def meeting(self, tenant_id: TenantId, campaign: CampaignRow, facts: MeetingFacts, now: datetime) -> RowId:
        """A meeting and its research row; its id is returned."""
        keys = Keys(people=self._people.all(tenant_id, _addresses(facts.attendees)))
        with _allowed():
            return await self._store.save_meeting(tenant_id, campaign.user_id, campaign.id, facts, keys, now)

    async def request(
        self, tenant_id: TenantId, campaign: CampaignRow, prospects: tuple[Attendee, ...], now: datetime
    ) -> RowId:
        """An ad hoc request's row: the same campaign and people are the same row."""
        asked = "\n".join([campaign.id, *sorted(one.email for one in prospects)])
        people = self._people.all(tenant_id, _addresses(prospects))
        keys = Keys(people=people, request=self._people.of(tenant_id, asked))
        with _allowed():
            return await self._store.save_request(tenant_id, campaign.user_id, campaign.id, prospects, keys, now)


def _addresses(people: tuple[Attendee, ...]) -> list[str]:
    return [one.email for one in people]


@contextmanager
def _allowed() -> Iterator[None]:
    """Whoever asked to be forgotten is not written down, and the person who names them is told so."""
    try:
        yield
    except SuppressedError as error:
        named = ", ".join(sorted(error.emails))
        raise UsageError(f"{named}: they asked to be forgotten; nothing is researched") from None


def row_id(text: str) -> RowId:
    """A row id; anything else is refused before it reaches a query."""
    if not ROW_ID.fullmatch(text.strip().lower()):
        raise UsageError(f'"{clean(text, 60)}" is no id; write one such as 3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a')
    return text.strip().lower()
