"""What a stranger writes into a name or a title goes through all of it, and does nothing anywhere."""

import asyncio
import io
import re
from datetime import UTC, datetime, timedelta

from markdown_it import MarkdownIt
from rich.console import Console

from activities.attendance import attendees
from schemas.briefs import Brief
from schemas.meetings import Invited, MeetingFacts
from starter.show import terminal
from starter.show.markdown import markdown
from starter.show.page import page
from tests.stage import Stage
from tests.web.reading import assert_inert
from tests.web.samples import CORPUS


def invitation(stage: Stage, number: int, text: str) -> MeetingFacts:
    invited = (Invited(email=f"kim{number}@acme-{number}.example", name=f"Kim {text}"),)
    return MeetingFacts(
        source="test",
        source_key=str(number),
        title=f"Call {text}",
        starts_at=datetime.now(UTC) + timedelta(days=2),
        attendees=attendees(invited, frozenset({stage.user.email}), frozenset(stage.tenant.domains)),
    )


async def researched(stage: Stage, number: int, text: str) -> Brief:
    outcome = await (await stage.start(await stage.meeting(invitation(stage, number, text)))).result()
    return await stage.brief(outcome.brief_id)


async def test_hostile_names_and_titles_are_inert_at_every_way_out(stage: Stage) -> None:
    corpus = {name: text for name, text in CORPUS.items() if "\x00" not in text}
    async with stage.working():
        briefs = await asyncio.gather(*(researched(stage, n, text) for n, text in enumerate(corpus.values())))

    assert len(briefs) >= 10
    for brief in briefs:
        assert_inert(page(brief, standalone=False))
        shown = io.StringIO()
        terminal.show(brief, Console(file=shown, force_terminal=False, width=100))
        assert not {letter for letter in shown.getvalue() if ord(letter) < 32} - {"\n"}
        rendered = MarkdownIt().render(markdown(brief))
        assert "<img" not in rendered
        assert set(re.findall(r'href="([^"]*)"', rendered)) <= {piece.url for piece in brief.evidence}
