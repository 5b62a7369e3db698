"""Bad input gets one sentence and exit 2, an absent server one sentence and exit 4; nothing is left behind."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from tests.cli.conftest import Greenroom

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
ADA = "ada@lovelace.example"
SETUP = {
    "--name": "Harbour",
    "--email": "robin@harbour.example",
    "--user-name": "Robin",
    "--time-zone": "Europe/Berlin",
    "--campaign": "Planning",
    "--offering": "Route planning",
    "--target-customer": "Hauliers",
    "--pain-points": "Empty miles",
}


def setup_with(**changes: str) -> tuple[str, ...]:
    flags = SETUP | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return ("setup", *(word for pair in flags.items() for word in pair))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reserch",), "Perhaps you mean 'research'"),
        (("research", "--wach", ADA), "No such option: --wach"),
        (("research",), "Give addresses or a meeting"),
        (("research", "ada"), '"ada" is no e-mail address'),
        (("research", "ada@127.0.0.1"), "is no e-mail address"),
        (("research", "a\u001b[31m@b"), '"a[31m@b" is no e-mail address'),
        (("research", ADA, "tomas@brightwater.example", "--name", "Ada"), "--name names one person"),
        (("research", *(f"p{n}@lovelace.example" for n in range(21))), "at most 20"),
        (("research", ADA, "--meeting", ID), "Give addresses or a meeting"),
        (("research", "--meeting", "7"), '"7" is no id'),
        (("research", "--meeting", ID, "--name", "Ada"), "leave --name and --campaign out"),
        (("retry",), "Missing argument 'ID'"),
        (("retry", "'; drop table tenants"), "is no id"),
        (("brief",), "A command is missing"),
        (("calendars",), "A command is missing"),
        (("calendars", "disconnect"), "Missing argument 'CALENDAR'"),
        (("subscriptions", "stop"), "Missing argument 'CALENDAR'"),
        (("keys", "rotate"), "GREENROOM_TOKEN_KEYS is not set"),
        (("brief", "show", "latest"), '"latest" is no id'),
        (("brief", "show", ID, "--json", "--markdown"), "--json and --markdown exclude each other"),
        (("brief", "show", ID, "--markdown", "--html", "a.html"), "--markdown and --html exclude each other"),
        (("brief", "list", "--limit", "0"), "--limit"),
        (("runs", "--limit", "many"), "--limit"),
        (("events", "tail", "--since", "-1"), "--since"),
        (("events", "tail", "--since", str(2**63)), "--since"),
        (("events", "tail", "--count", "0"), "--count"),
        (
            ("setup",),
            "Nobody is here to be asked, and --name, --email, --user-name, --time-zone, --campaign, --offering",
        ),
        (setup_with(name=" \u200b "), "A name must say something"),
        (setup_with(name="x" * 101), "at most 100 characters"),
        (setup_with(slug="Harbour Ltd"), '"Harbour Ltd" is no slug'),
        (setup_with(email="robin"), '"robin" is no e-mail address'),
        (setup_with(time_zone="Berlin"), "write one such as Europe/Berlin"),
        (setup_with(time_zone="../../etc/passwd"), "is no time zone"),
        (setup_with(domain="harbour"), '"harbour" is no domain'),
        (setup_with(domain="gmail.com"), "Anybody can have an address at gmail.com"),
        (setup_with(offering="x" * 2001), "at most 2000 characters"),
        (("campaign", "add", "--name", ""), "A name must say something"),
        (("campaign", "edit", "Planning"), "Nothing is to change"),
        (("campaign", "edit"), "Missing argument 'CAMPAIGN'"),
        (("prep",), "Missing argument"),
        (("prep", "nowhere.ics"), "nowhere.ics"),
        (("prep", "."), "Is a directory"),
        (("worker", "--queue", "fast"), 'There is no queue "fast"'),
        (("web", "--port", "0"), "--port"),
        (("sandbox", "fault", "perplexity"), "Say what is to go wrong"),
        (("sandbox", "delay", "perplexity", "long"), "'seconds'"),
        (("sandbox", "mail", "show", "0"), "'N'"),
    ],
)
def test_bad_input_is_one_sentence(greenroom: Greenroom, folder: Path, words: tuple[str, ...], said: str) -> None:
    ended = greenroom(*words)

    assert (ended.code, said in ended.err) == (2, True), ended
    assert ended.err.startswith("greenroom: ")
    assert ended.err.count("\n") == 1
    assert "\u001b" not in ended.err
    assert ended.out == "" or len(words) == 1, "only the help of a group is shown"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("research", ADA), "DATABASE_URL is not set"),
        (("research", ADA, "--json"), "DATABASE_URL is not set"),
        (("retry", ID), "DATABASE_URL is not set"),
        (("runs",), "DATABASE_URL is not set"),
        (("brief", "list"), "DATABASE_URL is not set"),
        (("events", "tail"), "DATABASE_URL is not set"),
        (("campaign", "list"), "DATABASE_URL is not set"),
        (setup_with(), "DATABASE_URL is not set"),
        (("migrate",), "DATABASE_OWNER_URL is not set"),
        (("worker", "--queue", "greenroom-search"), "PERPLEXITY_API_KEY is not set"),
        (("worker", "--queue", "greenroom-calendar"), "GOOGLE_CLIENT_SECRET is not set"),
        (("calendars", "list"), "DATABASE_URL is not set"),
        (("subscriptions", "list"), "DATABASE_URL is not set"),
        (("sandbox", "faults"), "No sandbox answers at http://127.0.0.1:1"),
        (("sandbox", "fault", "perplexity", "--status", "429"), "No sandbox answers"),
        (("sandbox", "journal", "--json"), "No sandbox answers"),
        (("sandbox", "mail", "list"), "No sandbox answers"),
    ],
)
def test_what_is_not_there_is_said_with_what_mends_it(
    greenroom: Greenroom, folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("GREENROOM_SANDBOX_URL", "http://127.0.0.1:1")

    ended = greenroom(*words)

    assert (ended.code, ended.out) == (4, "")
    assert said in ended.err
    assert "make dev" in ended.err or "set it" in ended.err
    assert list(folder.iterdir()) == []


KEY = "k" * 32
TOKENS = "k:" + urlsafe_b64encode(b"t" * 32).decode()
WELL = {
    "GREENROOM_SANDBOX": "1",
    "GREENROOM_HASH_KEY": KEY,
    "GREENROOM_LINK_KEY": KEY,
    "GREENROOM_SESSION_KEY": KEY,
    "GREENROOM_TOKEN_KEYS": TOKENS,
    "GREENROOM_PAYLOAD_KEYS": TOKENS,
}


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        *(
            (words, name, value)
            for words, names in {
                ("worker",): ("GREENROOM_HASH_KEY", "GREENROOM_LINK_KEY", "GREENROOM_TOKEN_KEYS"),
                ("worker", "--queue", "greenroom-search"): ("GREENROOM_HASH_KEY", "GREENROOM_LINK_KEY"),
                ("worker", "--queue", "greenroom-mail"): ("GREENROOM_LINK_KEY",),
                ("web",): ("GREENROOM_LINK_KEY", "GREENROOM_SESSION_KEY", "GREENROOM_TOKEN_KEYS"),
            }.items()
            for name in names
            for value in ("", "short-secret")
        ),
        (("worker", "--queue", "greenroom-search"), "GREENROOM_TOKEN_KEYS", "short-secret"),
        (("worker", "--queue", "greenroom-mail"), "GREENROOM_SMTP_URL", "https://short-secret@mail.example"),
        (("worker",), "GREENROOM_SMTP_URL", "short-secret"),
    ],
)
def test_a_server_that_lacks_a_key_says_which_and_does_not_start(
    greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str, value: str
) -> None:
    for key, well in {**WELL, name: value}.items():
        monkeypatch.setenv(key, well)

    ended = greenroom(*words)

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith(f"greenroom: {name}"), ended.err
    assert ended.err.count("\n") == 1
    assert "short-secret" not in ended.err


def test_a_database_that_is_away_is_not_ready(greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://a:secret-word@127.0.0.1:1/x")
    monkeypatch.setenv("DATABASE_CROSSING_URL", "postgres://a:secret-word@127.0.0.1:1/x")

    ended = greenroom("runs")

    assert (ended.code, ended.out) == (4, "")
    assert "Postgres does not answer" in ended.err
    assert "secret-word" not in ended.err


def test_a_wrong_setting_is_named(greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PERPLEXITY_PACE", "often")

    ended = greenroom("runs")

    assert ended.code == 2
    assert "'often' is no pace" in ended.err


def test_the_version_is_said(greenroom: Greenroom) -> None:
    ended = greenroom("--version")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("greenroom 0.")


@pytest.mark.parametrize("panel", ["Work", "Read", "Look after", "Servers", "Sandbox"])
def test_help_sorts_the_commands(greenroom: Greenroom, panel: str) -> None:
    ended = greenroom("--help")

    assert ended.code == 0
    assert f"─ {panel} ─" in ended.out


def test_a_shell_can_complete_commands(greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_GREENROOM_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "greenroom bri")
    monkeypatch.setenv("COMP_CWORD", "1")

    ended = greenroom()

    assert ended.code == 0
    assert ended.out.split() == ["brief"]
