"""What a stack leaves for commands in another terminal: they pretend as its worker does."""

from pathlib import Path

import pytest

from activities.providers import made
from schemas.settings import STACK_FILE, Settings
from starter.dev.stack import Plan, Stack


def test_another_terminal_finds_the_library_that_the_stack_pretends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(Plan.read())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GREENROOM_SANDBOX", raising=False)
    monkeypatch.delenv("GREENROOM_REFERENCES_URL", raising=False)
    assert made.references(Settings()) is None

    STACK_FILE.parent.mkdir()
    stack._leave()
    assert Settings().sandbox
    assert made.references(Settings()) is not None
    monkeypatch.setenv("GREENROOM_SANDBOX", "0")
    assert not Settings().sandbox, "what a user sets is heard before it"
