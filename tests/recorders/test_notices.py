"""What Gong tells of a call: what it has signed for us is taken once; whatever else comes is refused without any work."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.service import RPCError, RPCStatusCode

from activities import errors
from activities.ports import RecorderAccess
from activities.store.database import CROSSING
from activities.store.recorders import Signer
from activities.transcripts.ports import NewCall, Taken
from sandbox.clock import Clock
from sandbox.gong import Memory
from sandbox.gong.memory import told
from sandbox.gong.rule import Rule
from schemas.transcripts import CallStatus, Source, Spoken
from starter.web import gong, webhooks
from starter.web.app import build_app, listening
from starter.web.gong import LARGEST_BODY, LeftError, Outcome, checked, in_time, notices_url, public_key, read
from starter.web.parts import Parts
from tests.recorders.conftest import WEB_URL, Bell, Scene
from tests.web.conftest import settings as app_settings

# The same in every process: tests are named after them.
TENANT, RECORDER = "3f8dc1d2-6d6a-4d7a-8b39-6a25a28b1a01", "abd780fe-b478-4757-9417-b80ab677432d"
URL = notices_url(WEB_URL, RECORDER)
PATH = f"/webhooks/gong/{RECORDER}"
RULE, STRANGER = Rule(), Rule()
MEMORY = Memory(Clock())
CALL = told(MEMORY.record("Halden"))
BODY = json.dumps({"callData": CALL, "isTest": False}).encode()
KEY = next(iter(MEMORY.recordings))
OWN = Signer(TENANT, RULE.public_key, sandbox=False)


@dataclass
class Kept:
    """A twin of Postgres: a recorder, the calls that are there, and what was asked of it."""

    rows: dict[str, Signer] = field(default_factory=lambda: {RECORDER: OWN})
    calls: dict[str, CallStatus] = field(default_factory=dict)
    taken: list[NewCall] = field(default_factory=list)
    looked: int = 0
    fails: Exception | None = None

    async def find(self, recorder_id: str) -> Signer | None:
        self.looked += 1
        if self.fails:
            raise self.fails
        return self.rows.get(recorder_id)

    async def seen(self, _tenant_id: str, _source: Source, keys: Sequence[str]) -> frozenset[str]:
        return frozenset(key for key in keys if self.calls.get(key) not in (None, CallStatus.WAITING))

    async def take(self, tenant_id: str, call: NewCall, spoken: Spoken | None, now: datetime) -> Taken:
        assert (tenant_id, spoken) == (TENANT, None)
        new = call.source_key not in self.calls
        self.taken.append(call)
        status = self.calls.setdefault(call.source_key, CallStatus.WAITING)
        return Taken(call.source_key, new, status)


@dataclass
class Door:
    session: aiohttp.ClientSession
    kept: Kept
    bell: Bell

    async def post(self, body: bytes = BODY, token: str | None = None, path: str = PATH, **headers: str) -> int:
        said = {"Authorization": signed(body) if token is None else token, **headers}
        async with self.session.post(path, data=BytesIO(body), headers=said) as response:
            await response.read()
            return response.status

    async def counted(self) -> dict[str, float]:
        async with self.session.get("/metrics") as response:
            lines = (await response.text()).splitlines()
        start = 'greenroom_web_calls_total{outcome="'
        found = (line.removeprefix(start).split('"} ') for line in lines if line.startswith(start))
        return {outcome: float(count) for outcome, count in found}

    def nothing_done(self) -> bool:
        return (self.kept.taken, self.bell.rung) == ([], [])


def signed(body: bytes = BODY, *, rule: Rule = RULE, **claims: Any) -> str:
    return rule.signed(body, URL, datetime.now(UTC), **claims)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    kept, bell = Kept(), Bell([])
    nothing: Any = None
    required = [name for name, one in Parts.__dataclass_fields__.items() if one.default is one.default_factory]
    given = {"settings": app_settings(web_url=WEB_URL), "checks": {}}
    parts: Any = {**dict.fromkeys(required, nothing), **given}
    app = build_app(Parts(**parts, recorders=kept, call_intake=kept, call_bell=bell))
    async with listening(app, 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Door(session, kept, bell)


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer ", "BEARER  "])
async def test_a_genuine_one_is_taken_and_read(door: Door, scheme: str) -> None:
    assert await door.post(token=scheme + signed()) == 200
    (call,) = door.kept.taken
    assert (call.source, call.source_key, call.recorder_id) == (Source.RECORDER, KEY, RECORDER)
    assert call.owner_email == "kim.berg@harbour.example"
    assert len(call.speakers) == len(CALL["parties"])
    assert door.bell.rung == [(TENANT, KEY)]
    assert await door.counted() == {"taken": 1}


async def test_a_key_with_its_armour_is_as_good(door: Door) -> None:
    pem = RULE.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    door.kept.rows[RECORDER] = Signer(TENANT, pem, sandbox=False)
    assert await door.post() == 200


async def test_a_replayed_one_is_taken_without_any_work(door: Door) -> None:
    token = signed()
    assert [await door.post(token=token) for _ in range(5)] == [200] * 5
    assert (len(door.kept.taken), len(door.bell.rung)) == (1, 1)
    assert await door.counted() == {"taken": 1, "known": 4}


@pytest.mark.parametrize("status", [CallStatus.PARSING, CallStatus.PARSED, CallStatus.FAILED])
async def test_a_call_that_is_known_is_nothing_new(door: Door, status: CallStatus) -> None:
    door.kept.calls[KEY] = status
    assert await door.post() == 200
    assert door.nothing_done()
    assert await door.counted() == {"known": 1}


async def test_one_that_was_taken_and_not_begun_is_begun(door: Door) -> None:
    """Temporal was away when it came first."""
    door.bell.away = RPCError("no", RPCStatusCode.UNAVAILABLE, b"")
    assert await door.post() == 503
    door.bell.away = None
    assert await door.post() == 200
    assert door.bell.rung == [(TENANT, KEY)]
    assert await door.counted() == {"put_off": 1, "known": 1}


async def test_a_test_does_no_work(door: Door) -> None:
    body = json.dumps({"callData": CALL, "isTest": True}).encode()
    assert await door.post(body, signed(body)) == 200
    assert door.nothing_done()
    assert await door.counted() == {"test": 1}


def encoded(said: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "webhook_url": URL,
        "body_sha256": hashlib.sha256(BODY).hexdigest(),
        "iat": now,
        "exp": now + 300,
        **changes,
    }


def by_hand(header: dict[str, Any], said: Any, signature: bytes = b"") -> str:
    return f"{encoded(header)}.{encoded(said)}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def hs256(secret: bytes) -> str:
    """Signed with the public key, as if that were a secret."""
    head = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims())}"
    mac = base64.urlsafe_b64encode(hmac.digest(secret, head.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{head}.{mac}"


PEM = RULE.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())


def forged() -> dict[str, str]:
    """Made when they are sent: a token that is old would be refused for that."""
    return {
        "by another key": signed(rule=STRANGER),
        "without an algorithm": by_hand({"alg": "none", "typ": "JWT"}, claims()),
        "without an algorithm, in capitals": by_hand({"alg": "NONE"}, claims(), b"x"),
        "HS256 with the public key as it was entered": hs256(RULE.public_key.encode()),
        "HS256 with the public key as PEM": hs256(PEM),
        "HS256 with the public key as PEM, bare": hs256(PEM.strip()),
        "RS512": jwt.encode(claims(), RULE.key, algorithm="RS512"),
        "PS256": jwt.encode(claims(), RULE.key, algorithm="PS256"),
        "ES256": jwt.encode(claims(), ELLIPTIC, algorithm="ES256"),
        "a key of its own in its header": jwt.encode(
            claims(), STRANGER.key, algorithm="RS256", headers={"jwk": {"kty": "RSA"}, "jku": "https://evil.example"}
        ),
        "for another address": signed(webhook_url=URL + "/"),
        "for another recorder": signed(webhook_url=notices_url(WEB_URL, str(uuid4()))),
        "for no address": signed(webhook_url=None),
        "for two addresses": signed(webhook_url=[URL]),
        "of another body": signed(b"another"),
        "of no body": signed(body_sha256=None),
        "of a hash that is none": signed(body_sha256="0" * 63),
        "of a number": signed(body_sha256=7),
        "claims that are a list": by_hand({"alg": "RS256"}, [1], b"x"),
        "a signature that was cut": signed()[:-10],
        "claims that were changed": ".".join([signed().split(".")[0], encoded(claims()), signed().split(".")[2]]),
        "two dots": "..",
        "no token": "Basic c2FuZGJveA==",
        "nothing": "",
        "a long token": signed() + "A" * 7000,
        "letters from elsewhere": "ключ.ключ.ключ",
        "a header of depth": by_hand({"alg": "RS256"}, claims()).replace(".", "." * 2),
    }


FORGED = tuple(forged())


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_one_is_refused_without_any_work(door: Door, how: str) -> None:
    assert await door.post(token=forged()[how]) == 401
    assert door.nothing_done()
    assert await door.counted() == {"forged": 1}


# Seconds from when it is sent, where they are counts.
EXPIRED: dict[str, dict[str, Any]] = {
    "its end": {"exp": -120},
    "an hour": {"iat": -3700, "exp": 3600},
    "tomorrow": {"iat": 3600, "exp": 7200},
    "not yet": {"nbf": 600},
    "a time in words": {"exp": "never"},
    "no number": {"exp": float("nan")},
    "for ever": {"iat": float("-inf")},
    "true": {"exp": True},
}


@pytest.mark.parametrize("times", EXPIRED.values(), ids=EXPIRED)
async def test_an_expired_one_is_refused_without_any_work(door: Door, times: dict[str, Any]) -> None:
    now = int(time.time())
    said = {name: now + value if type(value) is int else value for name, value in times.items()}
    assert await door.post(token=jwt.encode(claims(**said), RULE.key, algorithm="RS256")) == 401
    assert door.nothing_done()
    assert await door.counted() == {"expired": 1}


async def test_what_is_not_said_of_times_is_not_asked(door: Door) -> None:
    said = {name: value for name, value in claims().items() if name not in ("iat", "exp")}
    assert await door.post(token=jwt.encode({**said, "aud": "somebody"}, RULE.key, algorithm="RS256")) == 200


async def test_a_genuine_token_with_another_body_is_refused(door: Door) -> None:
    assert await door.post(BODY + b" ", signed(BODY)) == 401
    assert door.nothing_done()


async def test_a_hash_in_capitals_is_as_good(door: Door) -> None:
    assert await door.post(token=signed(body_sha256=hashlib.sha256(BODY).hexdigest().upper())) == 200


async def test_two_tokens_are_none(door: Door) -> None:
    headers = [("Authorization", signed()), ("Authorization", signed())]
    async with door.session.post(PATH, data=BODY, headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("/webhooks/gong/8c0e7f5b-d074-4c0b-a53a-e28585e8174f", OWN),
        (f"/webhooks/gong/{RECORDER.upper()}", OWN),
        ("/webhooks/gong/'; DROP TABLE recorders; --", OWN),
        ("/webhooks/gong/%00", OWN),
        (PATH, Signer(TENANT, None, sandbox=False)),
        (PATH, None),
    ],
)
async def test_nobody_s_recorder_is_refused_alike(door: Door, path: str, row: Signer | None) -> None:
    door.kept.rows = {RECORDER: row} if row else {}
    assert await door.post(path=path) == 401
    assert door.nothing_done()
    assert await door.counted() == {"unknown": 1}


MALFORMED = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"callData": 7}', b'{"callData": {}}']
MALFORMED += [b'{"callData": {"metaData": {"id": "x"}}}', b'{"callData": {"metaData": [1]}, "isTest": "true"}']


@pytest.mark.parametrize("body", MALFORMED)
async def test_what_is_no_call_is_refused_however_well_it_is_signed(door: Door, body: bytes) -> None:
    assert await door.post(body, signed(body)) == 400
    assert door.nothing_done()
    assert await door.counted() == {"malformed": 1}


async def test_a_large_one_is_taken_and_a_larger_one_is_not(door: Door) -> None:
    """All that was said may be in it: far more than any other page takes."""
    large = json.dumps({"callData": {**CALL, "content": {"text": "a" * 1_900_000}}}).encode()
    assert await door.post(large, signed(large)) == 200
    huge = b" " * (LARGEST_BODY + 1)
    assert await door.post(huge, signed(huge)) == 413
    assert len(door.kept.taken) == 1
    assert await door.counted() == {"taken": 1, "too_large": 1}


async def test_a_body_of_unknown_length_is_bounded_as_well(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 65536
            yield b"a" * 65536

    try:
        async with door.session.post(PATH, data=endless(), headers={"Authorization": signed()}) as response:
            assert response.status == 413
    except aiohttp.ClientError:
        pass
    assert sent < 8 * LARGEST_BODY
    assert await door.counted() == {"too_large": 1}


async def test_a_stranger_is_refused_before_the_body_is_there(door: Door) -> None:
    """So that strangers fill no memory."""
    answered = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.wait_for(answered.wait(), 10)
        yield b"}"

    headers = {"Authorization": signed(rule=STRANGER)}
    async with door.session.post(PATH, data=body(), headers=headers) as response:
        assert response.status == 401
        answered.set()


async def test_when_postgres_is_away_it_is_to_be_sent_again(door: Door) -> None:
    door.kept.fails = errors.database_failed("57P01")
    assert await door.post() == 503
    assert await door.counted() == {"put_off": 1}
    door.kept.fails = None
    assert await door.post() == 200


async def test_a_slow_temporal_is_not_waited_for_for_long(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gong, "PATIENCE_S", 0.3)
    door.bell.takes_s = 5
    began = time.monotonic()
    assert await door.post() == 503
    assert time.monotonic() - began < 3


async def test_few_are_acted_on_at_once(door: Door) -> None:
    most = now = 0
    take = door.kept.take

    async def slowly(*given: Any) -> Taken:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return await take(*given)

    door.kept.take = slowly  # type: ignore[method-assign]
    bodies = [
        json.dumps({"callData": {**CALL, "metaData": {**CALL["metaData"], "id": str(n)}}}).encode() for n in range(40)
    ]
    assert set(await asyncio.gather(*(door.post(body, signed(body)) for body in bodies))) == {200}
    assert 1 <= most <= gong.AT_ONCE
    assert len(door.bell.rung) == 40


def test_look_ups_leave_a_connection_to_whoever_signs_in() -> None:
    """Channels, event keys and recorders have lanes of their own."""
    assert 3 * (webhooks.KNOWN_AT_ONCE + webhooks.STRANGERS_AT_ONCE) < CROSSING


async def test_no_token_is_in_the_log(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = signed(), signed(rule=STRANGER)
    await door.post(token=good)
    await door.post(token=bad)
    said = capsys.readouterr()
    for secret in (good.split(".")[2], bad.split(".")[2], "Halden", KEY):
        assert secret not in said.out + said.err


@given(st.dictionaries(st.sampled_from(["iat", "exp", "nbf"]), st.none() | st.integers() | st.floats() | st.text()))
def test_times_are_read_whatever_they_are(times: dict[str, Any]) -> None:
    assert in_time(times, datetime.now(UTC)) in (True, False)


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
@settings(max_examples=50)
def test_whatever_is_no_key_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"key"):
        public_key(text)


def test_keys_of_other_kinds_are_refused() -> None:
    small = generate_private_key(public_exponent=65537, key_size=1024).public_key()
    for key in (small, ELLIPTIC.public_key()):
        with pytest.raises(ValueError, match="RS256"):
            public_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@given(st.binary())
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    try:
        assert isinstance(read(body), dict)
    except LeftError as left:
        assert left.outcome is Outcome.MALFORMED


@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_any_token_is_refused(token: str) -> None:
    with pytest.raises(LeftError):
        checked(token, RULE.public_key, URL, datetime.now(UTC))


async def test_a_recorder_is_found_across_tenants_and_its_secret_is_not_looked_at(scene: Scene) -> None:
    recorder_id = await scene.connect()
    found = await scene.store.find(recorder_id)
    assert found == Signer(scene.stage.tenant.id, scene.gong.rule.public_key, sandbox=True)
    assert await scene.store.find(str(uuid4())) is None


async def test_from_the_rule_to_a_reading(scene: Scene) -> None:
    """The pretended Gong sends, the real app takes it over the real Postgres."""
    await scene.connect()
    nothing: Any = None
    required = [name for name, one in Parts.__dataclass_fields__.items() if one.default is one.default_factory]
    given = {"settings": app_settings(web_url=WEB_URL), "checks": {}}
    parts: Any = {**dict.fromkeys(required, nothing), **given}
    app = build_app(Parts(**parts, recorders=scene.store, call_intake=scene.calls, call_bell=scene.bell))
    rule = scene.gong.rule
    async with listening(app, 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        recording = scene.gong.record("Brightwater")
        body = json.dumps({"callData": told(recording), "isTest": False}).encode()
        assert rule.url is not None
        headers = {"Authorization": rule.signed(body, rule.url, datetime.now(UTC))}
        answers = [session.post(f"/webhooks/gong/{scene.recorder_id}", data=body, headers=headers) for _ in range(20)]
        statuses = {answer.status for answer in await asyncio.gather(*answers)}
    (row,) = await scene.rows()
    assert statuses == {200}
    assert (row["source_key"], row["recorder_id"], row["sandbox"]) == (recording.id, scene.recorder_id, True)
    assert set(scene.bell.rung) == {(scene.stage.tenant.id, row["id"])}


def test_what_lets_us_in_never_prints() -> None:
    assert "secret" not in repr(RecorderAccess("https://a.example", "key:secret"))
