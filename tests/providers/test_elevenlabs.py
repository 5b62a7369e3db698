"""ElevenLabs' audio is what came, and its refusals are decisions of ours: never another exception, never its words."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.digests import joining
from activities.digests.ports import Utterance
from activities.providers import elevenlabs
from activities.providers.elevenlabs import ElevenLabs
from sandbox import Sandbox, running
from schemas.settings import Settings

VOICES = Settings.model_fields["elevenlabs_voices"].default
PIECE = (
    Utterance(1, "Good morning, here is what is new in Halden. " * 3),
    Utterance(2, "Über die Häfen. N{GRINNING FACE}"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(), one, max_size=4),
    max_leaves=10,
)


def refusal(code: int, detail: Any, **headers: str) -> ApplicationError:
    body = json.dumps({"detail": detail}).encode()
    decision = elevenlabs.refused(code, body, {name.replace("_", "-"): value for name, value in headers.items()})
    assert isinstance(decision, ApplicationError)
    assert "Ada" not in str(decision)
    return decision


@pytest.mark.parametrize(
    ("status", "kind", "type_", "final"),
    [
        (401, "invalid_api_key", "ProviderRefused", True),
        (401, "quota_exceeded", "ProviderRefused", True),
        (400, "voice_not_found", "ProviderRefused", True),
        (400, "max_character_limit_exceeded", "ProviderRefused", True),
        (403, "missing_permissions", "ProviderRefused", True),
        (404, "voice_not_found", "ProviderRefused", True),
        (422, "invalid", "ProviderRefused", True),
        (429, "too_many_concurrent_requests", "ProviderLimited", False),
        (429, "concurrent_limit_exceeded", "ProviderLimited", False),
        (429, "system_busy", "ProviderLimited", False),
        (500, "internal_error", "ProviderDown", False),
        (503, "system_busy", "ProviderDown", False),
        (425, "too_early", "ProviderDown", False),
        (302, "moved", "ProviderRefused", True),
    ],
)
def test_each_refusal_is_what_it_means(status: int, kind: str, type_: str, *, final: bool) -> None:
    decision = refusal(status, {"status": kind, "message": "of Ada"})
    assert (decision.type, decision.non_retryable) == (type_, final)
    assert str(status) in str(decision) and f"({kind})" in str(decision)


def test_newer_refusals_have_a_code_and_invalid_ones_a_list() -> None:
    assert "(voice_not_found)" in str(refusal(404, {"code": "voice_not_found", "type": "not_found"}))
    listed = [{"loc": ["body", "inputs"], "msg": "of Ada", "type": "missing"}]
    assert "422 (missing)" in str(refusal(422, listed))
    assert "(" not in str(refusal(400, {"status": "a sentence about Ada"})).partition(":")[2]


@pytest.mark.parametrize(
    ("said", "wait"), [(None, 5), ("1", 5), ("9", 9), ("-3", 5), ("soon", 5), ("99999", 900)], ids=str
)
def test_a_full_house_is_waited_for(said: str | None, wait: int) -> None:
    headers = {} if said is None else {"retry_after": said}
    decision = refusal(429, {"status": "too_many_concurrent_requests"}, **headers)
    assert decision.next_retry_delay == timedelta(seconds=wait)


@given(st.integers(300, 599), st.binary() | JSON.map(lambda one: json.dumps({"detail": one}).encode()))
def test_any_refusal_is_a_decision(status: int, body: bytes) -> None:
    decision = elevenlabs.refused(status, body, {})
    assert isinstance(decision, ApplicationError)
    assert decision.type in {"ProviderRefused", "ProviderLimited", "ProviderDown"}
    assert decision.next_retry_delay is None or decision.next_retry_delay <= errors.LONGEST_WAIT


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(journal_path=tmp_path / "journal.jsonl") as sandbox:
        yield sandbox


@pytest.fixture
async def voice(world: Sandbox) -> AsyncIterator[Callable[..., ElevenLabs]]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        def made(**settings: Any) -> ElevenLabs:
            given = {"base_url": f"{world.elevenlabs_url}/", "key": "sandbox", "model": "eleven_v3", "voices": VOICES}
            return ElevenLabs(session, **(given | {"timeout_s": 5} | settings))

        yield made


async def test_it_is_asked_as_it_wants_to_be(world: Sandbox, voice: Callable[..., ElevenLabs]) -> None:
    audio = await voice().speak(PIECE)
    letters = sum(len(one.text) for one in PIECE)
    assert joining.duration_ms(audio) == pytest.approx(letters / 15 * 1000, rel=0.05)
    (record,) = world.journal.records(provider="elevenlabs")
    assert record["status"] == 200
    assert record["request"] == {
        "inputs": [{"text": one.text, "voice_id": VOICES[one.voice - 1]} for one in PIECE],
        "model_id": "eleven_v3",
    }


def test_its_manner_names_all_that_changes_what_is_heard() -> None:
    def manner(**settings: Any) -> str:
        given = {"base_url": "", "key": "k", "model": "eleven_v3", "voices": VOICES, **settings}
        return ElevenLabs(None, **given).manner  # type: ignore[arg-type]

    manners = {manner(), manner(model="other"), manner(voices=VOICES[::-1]), manner(sandbox=True)}
    assert len(manners) == 4
    assert manner(key="other", base_url="http://elsewhere.example") == manner()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"key": "wrong"}, "401 (invalid_api_key)"),
        ({"key": ""}, "401 (needs_authorization)"),
        ({"model": "owl"}, "400 (unsupported_model)"),
        ({"voices": ("nobody", "either")}, "400 (voice_not_found)"),
    ],
    ids=["key", "no key", "model", "voice"],
)
async def test_what_is_wrong_for_good_is_final_and_named(
    voice: Callable[..., ElevenLabs], settings: Any, said: str
) -> None:
    with pytest.raises(ApplicationError) as raised:
        await voice(**settings).speak(PIECE)
    assert raised.value.non_retryable and said in str(raised.value)
    assert "wrong" not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, "ProviderDown"),
        ({"kind": "status", "status": 429}, "ProviderLimited"),
        ({"kind": "status", "status": 403}, "ProviderRefused"),
        ({"kind": "status", "status": 302}, "ProviderRefused"),
        ({"kind": "drop"}, "ProviderDown"),
        ({"kind": "truncated"}, "ProviderDown"),
        ({"kind": "hang"}, "ProviderDown"),
        ({"kind": "wrong_type"}, "ProviderNonsense"),
        ({"kind": "huge"}, "ProviderNonsense"),
        ({"kind": "too_many_concurrent_requests"}, "ProviderLimited"),
        ({"kind": "system_busy"}, "ProviderLimited"),
        ({"kind": "quota_exceeded"}, "ProviderRefused"),
        ({"kind": "voice_not_found"}, "ProviderRefused"),
    ],
    ids=lambda one: str(one.get("status", one["kind"])) if isinstance(one, dict) else one,
)
async def test_whatever_happens_on_the_way_is_a_decision(
    world: Sandbox, voice: Callable[..., ElevenLabs], fault: dict[str, Any], kind: str
) -> None:
    world.faults.put("elevenlabs", **fault)
    with pytest.raises(ApplicationError) as raised:
        await voice(timeout_s=1).speak(PIECE)
    assert raised.value.type == kind
    assert raised.value.non_retryable == (kind == "ProviderRefused")


@pytest.mark.parametrize("fault", ["empty", "garbage", "deep"])
async def test_bytes_that_call_themselves_audio_are_for_the_listener(
    world: Sandbox, voice: Callable[..., ElevenLabs], fault: str
) -> None:
    world.faults.put("elevenlabs", fault)
    with pytest.raises(joining.NotAudioError):
        joining.duration_ms(await voice().speak(PIECE))


async def test_an_answer_may_end_early_and_say_nothing_of_it(world: Sandbox, voice: Callable[..., ElevenLabs]) -> None:
    whole = joining.duration_ms(await voice().speak(PIECE))
    world.faults.put("elevenlabs", "cut_short")
    assert joining.duration_ms(await voice().speak(PIECE)) == pytest.approx(whole / 2, rel=0.05)
    (_, record) = world.journal.records(provider="elevenlabs")
    assert record["status"] == 200


async def test_nobody_there_is_down(voice: Callable[..., ElevenLabs]) -> None:
    with pytest.raises(ApplicationError) as raised:
        await voice(base_url="http://127.0.0.1:9").speak(PIECE)
    assert raised.value.type == "ProviderDown"
