"""Who of an invitation is a prospect. A pure rule: every calendar is read by it."""

from activities.domains import company_domain
from activities.plain import clean, without_access
from schemas.meetings import Attendee, Invited, Standing

LONGEST_NAME = 120

# Beyond this many a meeting is an audience, and researching it would cost what no meeting is worth.
MOST_PROSPECTS = 20


def attendees(
    invited: tuple[Invited, ...],
    me: frozenset[str],
    own_domains: frozenset[str],
    colleagues: frozenset[str] = frozenset(),
) -> tuple[Attendee, ...]:
    """Everybody invited, each person once, with their standing. Colleagues may have addresses anywhere."""
    once: dict[str, Invited] = {}
    for one in invited:
        once.setdefault(unplussed(one.email), one)
    return tuple(
        Attendee(
            email=one.email,
            name=without_access(clean(one.name, LONGEST_NAME)),
            standing=standing(one, me, own_domains, colleagues),
        )
        for one in once.values()
    )


def standing(
    one: Invited, me: frozenset[str], own_domains: frozenset[str], colleagues: frozenset[str] = frozenset()
) -> Standing:
    """The first that holds: a room is a room even when it has declined."""
    rules = (
        (one.room, Standing.ROOM),
        (one.group, Standing.GROUP),
        (unplussed(one.email) in me, Standing.SELF),
        (unplussed(one.email) in colleagues or company_domain(one.email) in own_domains, Standing.COLLEAGUE),
        (one.declined, Standing.DECLINED),
    )
    return next((standing for holds, standing in rules if holds), Standing.PROSPECT)


def unplussed(email: str) -> str:
    """ada+sales@acme.example is ada@acme.example."""
    local, _, domain = email.partition("@")
    return f"{local.partition('+')[0]}@{domain}"
