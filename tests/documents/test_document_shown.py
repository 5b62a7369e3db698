"""A document in a terminal: each word stands apart from the next, and one is one."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from schemas.documentbook import ComparisonView, DocumentView, RedlineView, RunView
from schemas.documents import Change, Clause, Difference, Finding, Risk, RunStatus, Topic, Work
from starter.cli import reviewing
from starter.show import differing
from starter.show import documents as show
from starter.web import marked
from starter.words import FailedError

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MISSING = Finding(id=ID, topic=Topic.RETURN, rule="", risk=Risk.LOW, said="Nothing is returned.", passage=None)


def said(shown: RenderableType) -> list[str]:
    console = Console(width=200, file=StringIO())
    with console.capture() as told:
        console.print(shown)
    return [line.rstrip() for line in told.get().splitlines()]


def run(work: Work, **more: Any) -> RunView:
    usual = {"id": ID, "document_id": ID, "work": work, "status": RunStatus.COMPLETED, "step": "done", "percent": 100}
    ended = {"message": "", "version": 1, "created_at": NOW, "started_at": NOW, "ended_at": NOW}
    return RunView.model_validate(usual | ended | more)


def document(**more: Any) -> DocumentView:
    usual = {
        "id": ID,
        "user_id": None,
        "name": "nda.txt",
        "role": "review",
        "kind": "text",
        "size_bytes": 4,
        "pages": 1,
    }
    read = {"tracked": False, "created_at": NOW, "text": "Text", "runs": (), "findings": ()}
    return DocumentView.model_validate(usual | read | {"clauses": (Clause(ordinal=0, start=0, end=4),)} | more)


def test_a_finding_is_a_line_with_its_risk_and_topic_apart() -> None:
    lines = said(show.document(document(runs=(run(Work.ANALYSIS),), findings=(MISSING,))))

    assert "- low  return or destruction: Nothing is returned." in lines
    assert "review, text, 1 page, 1 clause" in lines
    assert show.NOT_REVIEWED not in lines


def test_one_that_was_never_reviewed_says_so() -> None:
    assert show.NOT_REVIEWED in said(show.document(document(runs=(run(Work.COMPARISON),))))
    assert show.NOT_REVIEWED not in said(show.document(document(role="playbook")))


def test_a_difference_is_a_line_with_its_weight_and_topic_apart() -> None:
    differs = {"id": ID, "topic": Topic.TERM, "matters": Risk.HIGH, "said": "Theirs is longer.", "ours": None}
    changed = Difference.model_validate(differs | {"change": Change.CHANGED, "theirs": None})
    same = Difference.model_validate(differs | {"change": Change.SAME, "theirs": None})
    view = ComparisonView(run=run(Work.COMPARISON), document=document(), other=None, differences=(changed, same))

    lines = said(show.comparison(view))
    assert "high  term says something else: Theirs is longer." in lines
    assert "1 clause says the same" in lines


def test_a_redline_without_changes_says_so() -> None:
    assert "No change is proposed." in said(show.redline(RedlineView(run=run(Work.REDLINE), proposals=())))
    under_way = run(Work.REDLINE, status=RunStatus.RUNNING)
    assert "No change is proposed." not in said(show.redline(RedlineView(run=under_way, proposals=())))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("It lasts five.", "It lasts two.", "It lasts <del>five</del> <ins>two</ins>."),
        ("It lasts five years.", "It lasts two years.", "It lasts <del>five </del><ins>two </ins>years."),
    ],
    ids=["touching", "apart"],
)
def test_old_and_new_words_do_not_touch(old: str, new: str, words: str) -> None:
    assert marked.change(differing.steps(old, new)) == words


@pytest.mark.parametrize(
    ("ended", "remedy"),
    [
        ({"status": RunStatus.FAILED, "retryable": True, "failed_step": "analyse"}, f"greenroom document retry {ID}"),
        ({"status": RunStatus.CANCELLED}, f"greenroom document retry {ID}"),
        ({"status": RunStatus.FAILED, "failed_step": "parse"}, "send a mended file"),
        ({"status": RunStatus.FAILED, "failed_step": "draw"}, ""),
    ],
    ids=["later", "stopped", "unread", "for good"],
)
def test_who_cannot_try_again_is_not_told_to(ended: dict[str, Any], remedy: str) -> None:
    with pytest.raises(FailedError) as told:
        reviewing.put(document(), run(Work.ANALYSIS, **ended), as_json=True)

    assert told.value.remedy.removeprefix("try again with: ") == remedy
