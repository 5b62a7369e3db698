"""greenroom config show: every setting with its origin, and no secret."""

import json
from pathlib import Path

import pytest

from schemas.settings import Settings
from starter.cli.config import masked
from tests.cli.conftest import Greenroom

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://app:word@db.example:5432/x", "postgres://app:********@db.example:5432/x"),
        ("postgres://app:a:b@db.example/x", "postgres://app:********@db.example/x"),
        ("postgres://app:p@ss@db.example/x", "postgres://app:********@db.example/x"),
        ("postgres://app@/x?host=/run/pg", "postgres://app@/x?host=/run/pg"),
        ("postgres://app@/x?password=word&host=/run/pg", "postgres://app@/x?password=********&host=/run/pg"),
        ("postgres://[word@db/x", "********"),
        ("10/60s+1s", "10/60s+1s"),
    ],
)
def test_passwords_in_addresses_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize("words", [("config", "show"), ("config", "show", "--json")])
def test_no_secret_is_shown(greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    for name in ("PERPLEXITY_API_KEY", "GREENROOM_LINK_KEY", "GREENROOM_HASH_KEY", "TEMPORAL_API_KEY"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("DATABASE_URL", f"postgres://app:{CANARY}@db.example/x")

    ended = greenroom(*words)

    assert ended.code == 0
    assert CANARY not in ended.out + ended.err
    assert "postgres://app:********@db.example/x" in ended.out


def test_the_strongest_origin_is_told(greenroom: Greenroom, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".greenroom").mkdir()
    (folder / ".greenroom/stack.env").write_text(
        "GREENROOM_LINK_DAYS='3'\nGREENROOM_MODEL_SLOTS='6'\nGREENROOM_TENANT='stack'\nTEMPORAL_ADDRESS='a:1'\n"
    )
    (folder / ".env").write_text("GREENROOM_LINK_DAYS=4\nGREENROOM_MODEL_SLOTS=7\nGREENROOM_SANDBOX=true\n")
    monkeypatch.setenv("greenroom_link_days", "5")

    shown = {
        one["name"]: (one["value"], one["origin"]) for one in json.loads(greenroom("config", "show", "--json").out)
    }

    assert shown["GREENROOM_LINK_DAYS"] == ("5", "environment")
    assert shown["GREENROOM_SANDBOX"] == ("true", ".env")
    assert shown["GREENROOM_MODEL_SLOTS"] == ("7", ".env")
    assert shown["GREENROOM_TENANT"] == ("stack", ".greenroom/stack.env")
    assert shown["TEMPORAL_ADDRESS"] == ("a:1", ".greenroom/stack.env")
    assert shown["TEMPORAL_NAMESPACE"] == ("default", "default")
    assert shown["GREENROOM_LOG_FORMAT"] == ("console", "default")


def test_every_setting_is_listed_by_a_name_that_sets_it(greenroom: Greenroom) -> None:
    shown = json.loads(greenroom("config", "show", "--json").out)

    assert len([one for one in shown if not one["name"].startswith("TEMPORAL_")]) == len(Settings.model_fields)
    assert {one["origin"] for one in shown} == {"default"}
