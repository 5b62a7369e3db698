"""What is mailed of a digest: what is said and what it rests on; why there is no audio, or no digest."""

import pytest

from activities.notices import unwanted
from activities.ways import Mail
from schemas.digests import AudioStatus, DigestStatus, DigestView, Script
from schemas.notices import NoticeKind
from tests.digests.samples import SAID, morning, script
from tests.notices.test_letters import NOW, letters, matter


def letter(view: DigestView, status: str = "ready") -> Mail:
    return letters().compose(matter(NoticeKind.DIGEST, digest=status, sandbox=False), view, NOW)


def test_it_is_what_is_said_with_the_numbers_of_its_sources() -> None:
    mail = letter(morning())
    assert mail.subject.startswith("Your morning, Monday 23 November: ")
    assert f"Good morning, Robin. {SAID} [1]" in mail.text
    assert "And there is more.\n" in mail.text
    assert f"[2] {SAID} 2, {SAID} Courier, courier.example, 2026-11-22" in mail.text
    assert "To be heard in 3:05 min" in mail.text
    assert "Listen to it" in mail.html
    assert "https://courier.example" not in mail.text + mail.html


def test_without_audio_it_says_why() -> None:
    mail = letter(morning(audio=AudioStatus.REFUSED, audio_reason="voice: the quota is used up", sound=None))
    assert "it could not be spoken: voice: the quota is used up" in mail.text
    assert SAID in mail.text
    assert "Open it" in mail.html


def test_one_without_audio_that_wanted_none_says_nothing_of_it() -> None:
    mail = letter(morning(audio=AudioStatus.NONE, sound=None))
    assert "spoken" not in mail.text
    assert "heard" not in mail.text


def test_a_quiet_day_is_called_one() -> None:
    mail = letter(morning(script=Script(items=(), lines=script().lines[:1], quiet=True), quiet=True))
    assert mail.subject == "Your morning, Monday 23 November: a quiet day"
    assert "Sources" not in mail.text


def test_that_there_is_none_is_told_with_the_reason() -> None:
    view = morning(
        status=DigestStatus.FAILED, failed_step="script", failure_reason="script: no answer could be used", script=None
    )
    mail = letter(view, "failed")
    assert mail.subject == "No digest for Monday 23 November"
    assert "The reason: no answer could be used" in mail.text
    assert "/digests" in mail.text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"digest": "failed"}, ""),
        ({"digests_by_mail": False}, "digests are not wanted by mail"),
        ({"digest": "generating"}, "there is no digest"),
        ({"digest": ""}, "there is no digest"),
        ({"digest": "skipped"}, "there is no digest"),
    ],
)
def test_who_wants_to_hear_of_it(changes: dict[str, object], why: str) -> None:
    assert unwanted(matter(NoticeKind.DIGEST, **changes), NOW) == why
