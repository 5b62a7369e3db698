"""What the app is made of: whoever puts it together names these, and tests name their twins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.explanations import Call
from schemas.settings import Settings
from starter.web.health import Check
from starter.web.ports import Agenda, Briefs, Connections, Consent, Errands, Explanations, Marks, Revisions, Users
from starter.web.visits import clock
from starter.web.webhooks import Bell, Channels


@dataclass(frozen=True)
class Parts:
    """`checks` names what the app cannot do without, and how to ask whether it is there."""

    settings: Settings
    briefs: Briefs
    explanations: Explanations
    marks: Marks
    users: Users
    agenda: Agenda
    meetings: Revisions
    connections: Connections
    consent: Consent
    errands: Errands
    channels: Channels
    bell: Bell
    checks: Mapping[str, Check]
    clock: Callable[[], datetime] = clock
    # Where the run that bought an answer is seen, if it is anywhere.
    runs: Callable[[Call], str] = lambda _call: ""
