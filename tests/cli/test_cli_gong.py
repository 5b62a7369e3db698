"""greenroom gong: a key that lets us in, once tried; an address to paste; and nothing secret on the screen."""

import base64
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from temporalio.common import RetryPolicy

from activities.ports import RecorderAccess
from activities.providers import gong as provider
from activities.sealing import Sealer
from activities.store.recorders import Recorder, RecorderStore
from starter.cli import gong
from tests.cli.conftest import Beside, Greenroom
from tests.stage import TOKEN_KEYS, Stage
from workflows import policies

SECRET = "sandbox-access-secret"
CONNECT = ("gong", "connect", "--key", "sandbox-access-key")


@contextmanager
def on_stdin(text: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", io.StringIO(text))
        yield


@pytest.fixture
def theirs(wired: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The real Gong is the pretended one, wherever it is."""

    class Here(provider.Gong):
        async def calls(self, access: RecorderAccess, *more: object) -> provider.CallPage:
            return await super().calls(RecorderAccess(wired.sandbox.gong_url, access.credentials), *more)  # type: ignore[arg-type]

    monkeypatch.setattr(gong, "Gong", Here)
    return wired


async def stored(stage: Stage) -> Recorder:
    store = RecorderStore(stage.database, Sealer(TOKEN_KEYS))
    row = await store.row(stage.tenant.id, "gong")
    assert row is not None
    return await store.recorder(stage.tenant.id, row.id)


async def test_the_pretended_one_is_connected_with_all_that_it_needs(wired: Stage, beside: Beside) -> None:
    said = await beside("gong", "connect", "--sandbox", "--json")
    assert said.code == 0, said.err
    row = said.document["recorder"]
    assert (row["status"], row["listens"], row["sandbox"]) == ("active", True, True)
    assert said.document["webhook"] == f"http://127.0.0.1:8080/webhooks/gong/{row['id']}"
    assert wired.sandbox.gong.rule.url == said.document["webhook"]
    assert SECRET not in said.out + said.err
    assert (await stored(wired)).access.credentials == f"sandbox-access-key:{SECRET}"

    happened = await beside("sandbox", "call", "Halden", "--not-ready-for", "60")
    assert "answered by nobody" in happened.out
    assert len(wired.sandbox.gong.recordings) == 1


async def test_a_key_comes_with_its_secret_on_stdin(
    theirs: Stage, beside: Beside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rule.pem"
    file.write_text(theirs.sandbox.gong.rule.public_key)
    with on_stdin(f"{SECRET}\n", monkeypatch):
        said = await beside(*CONNECT, "--base-url", "https://us-1.api.gong.example", "--public-key", str(file))
    assert said.code == 0, said.err
    assert "/webhooks/gong/" in said.out
    assert SECRET not in said.out + said.err
    found = await stored(theirs)
    assert (found.access.base_url, found.sandbox) == ("https://us-1.api.gong.example", False)
    assert found.access.credentials == f"sandbox-access-key:{SECRET}"


async def test_without_a_public_key_it_says_that_nobody_listens(
    theirs: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_stdin(SECRET, monkeypatch):
        said = await beside(*CONNECT)
    assert "not listened to" in said.out
    assert "https://api.gong.io" in said.out


async def test_a_key_that_lets_nobody_in_is_not_kept(
    theirs: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_stdin("another-secret\n", monkeypatch):
        said = await beside(*CONNECT)
    assert (said.code, said.out) == (2, "")
    assert "refused" in said.err
    assert "another-secret" not in said.err
    assert await theirs.count("recorders") == 0


@pytest.mark.parametrize(
    ("words", "secret", "said"),
    [
        (("--base-url", "http://api.gong.example"), SECRET, "--base-url"),
        (("--base-url", "https://user:pass@a.example"), SECRET, "--base-url"),
        (("--base-url", "https://a.example?x=1"), SECRET, "--base-url"),
        (("--base-url", "https://"), SECRET, "--base-url"),
        (("--base-url", "https://["), SECRET, "--base-url"),
        (("--sandbox", "--base-url", "https://a.example"), SECRET, "exclude each other"),
        ((), "", "no access secret"),
        ((), "a b\n", "no access secret"),
        ((), "é\n", "no access secret"),
        ((), "x" * 600, "no access secret"),
        (("--public-key", "/nowhere/at/all"), SECRET, "cannot be read"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    theirs: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], secret: str, said: str
) -> None:
    with on_stdin(secret, monkeypatch):
        ended = await beside(*CONNECT, *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert theirs.sandbox.journal.records(provider="gong") == []


async def test_a_key_with_its_secret_in_it_is_refused(
    theirs: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_stdin(SECRET, monkeypatch):
        said = await beside("gong", "connect", "--key", "a:b")
        missing = await beside("gong", "connect")
    assert (said.code, missing.code) == (2, 2)


ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).public_key()


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        base64.b64encode(b"no key at all"),
        ELLIPTIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        b"A" * 100_000,
    ],
)
async def test_a_file_that_holds_no_key_is_refused(
    theirs: Stage, beside: Beside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: bytes
) -> None:
    file = tmp_path / "rule.pem"
    file.write_bytes(key)
    with on_stdin(SECRET, monkeypatch):
        said = await beside(*CONNECT, "--public-key", str(file))
    assert (said.code, said.out) == (2, "")
    assert "--public-key" in said.err


def test_what_is_not_connected_is_not_there(wired: Stage, greenroom: Greenroom) -> None:
    for words in (("show",), ("disconnect", "--yes")):
        said = greenroom("gong", *words)
        assert (said.code, said.out) == (3, "")
        assert "greenroom gong connect" in said.err


async def test_it_is_given_up_when_somebody_is_sure(wired: Stage, beside: Beside) -> None:
    await beside("gong", "connect", "--sandbox")
    assert (await beside("gong", "disconnect")).code == 2
    assert (await beside("gong", "disconnect", "--yes")).code == 0
    shown = await beside("gong", "show")
    assert "disconnected" in shown.out
    assert (await stored(wired)).access.credentials == ""
    assert (await beside("gong", "disconnect", "--yes")).code == 3


async def test_a_sweep_that_is_asked_for_is_told_of(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all tenants: those of other tests have a sandbox that is gone, and are given up at once."""
    monkeypatch.setitem(policies.SWEEP_CALLS, "retry_policy", RetryPolicy(maximum_attempts=1))
    await beside("gong", "connect", "--sandbox")
    wired.sandbox.gong.flood(2)
    async with wired.working(gong_pace="unlimited", gong_day_pace="unlimited"):
        said = await beside("gong", "sweep", "--json")
    assert said.code == 0, said.err
    assert said.document["taken"] >= 2
    assert await wired.count("calls") == 2
