"""Who works with this installation: what setup is told, checked before anything is stored."""

import re
from uuid import uuid4
from zoneinfo import available_timezones

from pydantic import ValidationError

from activities.domains import company_domain, registered_domain
from activities.plain import clean, unmarked
from schemas.tenants import NewCampaign, Tenant, User
from starter import intake
from starter.words import UsageError

LONGEST_NAME = 100
LONGEST_SLUG = 63
LONGEST_TEXT = 2000


def name(text: str) -> str:
    """A name of a person, an organisation or a campaign."""
    return _said(text, LONGEST_NAME, "a name", "Harbour Software")


def text(given: str) -> str:
    """A text of a campaign."""
    return _said(given, LONGEST_TEXT, "a text", "Route planning for hauliers")


def slug(given: str) -> str:
    """What stands for a tenant on the command line: lower-case letters, digits and hyphens."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", given):
        raise UsageError(f'"{clean(given, 60)}" is no slug; write lower-case letters, digits and -, such as harbour')
    return given


def slug_of(tenant_name: str) -> str:
    """A slug from a name; empty when nothing of it can be in one."""
    return re.sub(r"[^a-z0-9]+", "-", unmarked(tenant_name)).strip("-")[:LONGEST_SLUG].strip("-")


def time_zone(given: str) -> str:
    """A time zone by its name in the tz database, however it is written."""
    known = {zone.casefold(): zone for zone in available_timezones()}
    wanted = given.strip().replace(" ", "_").casefold()
    if wanted in known:
        return known[wanted]
    near = min((zone for zone in known.values() if zone.casefold().endswith(f"/{wanted}")), default="Europe/Berlin")
    raise UsageError(f'"{clean(given, 60)}" is no time zone; write one such as {near} or UTC')


def own_domain(given: str) -> str:
    """A domain whose addresses are colleagues', as it was registered; never one where anybody has an address."""
    written = given.strip().lower().removeprefix("@").rstrip(".")
    if not re.fullmatch(r"([\w-]{1,63}\.)+[\w-]*[^\W\d_][\w-]*", written) or len(written) > 253:
        raise UsageError(f'"{clean(given, 60)}" is no domain; write one such as harbour.example')
    if company_domain(f"anybody@{written}") is None:
        raise UsageError(f"Anybody can have an address at {written}; own domains are those of colleagues alone")
    return registered_domain(written)


def own_domains(given: list[str], email: str) -> tuple[str, ...]:
    """Those that were given, else the one of the user's address, unless it is a free-mail one."""
    if given:
        return tuple(dict.fromkeys(map(own_domain, given)))
    domain = company_domain(email)
    return (domain,) if domain else ()


def tenant(*, slug: str, name: str, domains: tuple[str, ...]) -> Tenant:
    return Tenant(id=str(uuid4()), slug=slug, name=name, domains=domains)


def user(*, email: str, name: str, time_zone: str) -> User:
    return User(id=str(uuid4()), email=intake.email(email), name=name, time_zone=time_zone)


def campaign(*, name: str, offering: str, target_customer: str, pain_points: str) -> NewCampaign:
    try:
        return NewCampaign(name=name, offering=offering, target_customer=target_customer, pain_points=pain_points)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise UsageError(f"The campaign's {first['loc'][0]}: {first['msg']}") from None


def _said(given: str, longest: int, what: str, example: str) -> str:
    said = clean(given, longest + 1)
    if not said:
        raise UsageError(f"{what.capitalize()} must say something, such as: {example}")
    if len(said) > longest:
        raise UsageError(f"{what.capitalize()} has at most {longest} characters, and this one has more: {said[:40]}...")
    return said
