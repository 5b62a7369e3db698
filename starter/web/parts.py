"""What the app is made of: whoever puts it together names these, and tests name their twins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from activities.ports import CallBell
from activities.skills.ports import Shelf
from activities.transcripts.ports import CallIntake
from schemas.explanations import Call
from schemas.settings import Settings
from starter.inbox import Inbox
from starter.ways import NoChannels
from starter.web.document_desk import NoDocuments
from starter.web.events import EventKeys, NoKeys
from starter.web.gong import NoRecorders, Recorders
from starter.web.health import Check
from starter.web.ports import (
    Agenda,
    Briefs,
    Calls,
    Connections,
    Consent,
    Digests,
    DocumentDesk,
    Documents,
    Errands,
    Explanations,
    Marks,
    Opinions,
    Revisions,
    SkillDesk,
    SkillRuns,
    Sounds,
    UserChannels,
    Users,
    WishBook,
)
from starter.web.shelved import NoSkills
from starter.web.sounds import Silence
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
    calls: Calls
    digests: Digests
    wishes: WishBook
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
    # Who may send events, and where they go.
    event_keys: EventKeys = field(default_factory=NoKeys)
    inbox: Inbox | None = None
    # Whose calls are recorded, and where those go of which a recorder tells.
    recorders: Recorders = field(default_factory=NoRecorders)
    call_intake: CallIntake = field(default_factory=NoRecorders)
    call_bell: CallBell = field(default_factory=NoRecorders)
    # Where digests are kept that were spoken.
    sounds: Sounds = field(default_factory=Silence)
    # Skills: where they lie, their runs and what is said of those, and where they are asked for.
    skill_shelf: Shelf = field(default_factory=NoSkills)
    skill_runs: SkillRuns = field(default_factory=NoSkills)
    opinions: Opinions = field(default_factory=NoSkills)
    skill_desk: SkillDesk = field(default_factory=NoSkills)
    # Where users are told what happens, beside their mail.
    user_channels: UserChannels = field(default_factory=NoChannels)
    # Documents: their rows, and where they are taken in and worked on.
    documents: Documents = field(default_factory=NoDocuments)
    document_desk: DocumentDesk = field(default_factory=NoDocuments)
