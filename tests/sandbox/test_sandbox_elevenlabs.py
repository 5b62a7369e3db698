"""The stand-in for ElevenLabs refuses what the real one refuses, as its own SDK reads it, and hums what can be played."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import av
import pytest
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError
from elevenlabs.types import DialogueInput

from sandbox import Sandbox

PATH = "/elevenlabs/v1/text-to-dialogue"
ADA, ROBIN = "JBFqnCBsd6RMkjVDRZzb", "EXAVITQu4vr4xnSDxMaL"
INPUTS = [{"text": "Good morning from the sandbox. " * 5, "voice_id": ADA}, {"text": "Hello.", "voice_id": ROBIN}]


@pytest.fixture
async def sdk(sandbox: Sandbox) -> AsyncIterator[AsyncElevenLabs]:
    async with _client() as client:
        yield AsyncElevenLabs(api_key="sandbox", base_url=sandbox.elevenlabs_url, httpx_client=client, timeout=10)


def _client() -> Any:
    import httpx  # noqa: PLC0415 - the SDK's own

    return httpx.AsyncClient()


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers={"xi-api-key": "sandbox"}) as session:
        yield session


async def said(sdk: AsyncElevenLabs, *inputs: tuple[str, str], **more: Any) -> bytes:
    lines = [DialogueInput(text=text, voice_id=voice) for text, voice in inputs]
    return b"".join([part async for part in sdk.text_to_dialogue.convert(inputs=lines, **more)])


async def asked(http: aiohttp.ClientSession, body: Any = None, query: str = "", **headers: str) -> tuple[int, Any]:
    given = {"inputs": INPUTS, "model_id": "eleven_v3"} if body is None else body
    async with http.post(PATH + query, json=given, headers=headers) as response:
        return response.status, await response.json()


def seconds(audio: bytes) -> float:
    with av.open(io.BytesIO(audio), format="mp3") as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize("kbits", [32, 128])
async def test_its_sdk_gets_audio_that_lasts_as_long_as_its_text(sdk: AsyncElevenLabs, kbits: Any) -> None:
    text = "Fifteen letters " * 20
    audio = await said(sdk, (text, ADA), ("And so on.", ROBIN), output_format=f"mp3_44100_{kbits}")
    assert seconds(audio) == pytest.approx((len(text) + 10) / 15, rel=0.05)
    assert len(audio) * 8 / seconds(audio) == pytest.approx(kbits * 1000, rel=0.02)


async def test_what_it_costs_and_who_else_is_there_is_in_its_headers(sandbox: Sandbox, sdk: AsyncElevenLabs) -> None:
    sandbox.elevenlabs.at_once = 2
    line = DialogueInput(text="Hello", voice_id=ADA)
    async with sdk.text_to_dialogue.with_raw_response.convert(inputs=[line], model_id="eleven_v3") as answer:
        headers = {name: answer.headers[name] for name in ("character-cost", "content-type")}
        places = answer.headers["current-concurrent-requests"], answer.headers["maximum-concurrent-requests"]
    assert (headers, places) == ({"character-cost": "5", "content-type": "audio/mpeg"}, ("1", "2"))


async def test_the_same_text_is_the_same_audio(sdk: AsyncElevenLabs) -> None:
    assert await said(sdk, ("Hello there", ADA)) == await said(sdk, ("Hello there", ADA))
    assert await said(sdk, ("Hello there", ADA)) != await said(sdk, ("Hello there", ROBIN))


@pytest.mark.parametrize(
    ("inputs", "more", "status", "kind"),
    [
        ([("Hello", "nobody")], {}, 400, "voice_not_found"),
        ([("a" * 5001, ADA)], {}, 400, "max_character_limit_exceeded"),
        ([("Hello", ADA)], {"model_id": "eleven_turbo_v2"}, 400, "unsupported_model"),
    ],
    ids=["voice", "letters", "model"],
)
async def test_its_sdk_is_told_what_is_wrong(
    sdk: AsyncElevenLabs, inputs: Any, more: Any, status: int, kind: str
) -> None:
    with pytest.raises(ApiError) as raised:
        await said(sdk, *inputs, **more)
    assert (raised.value.status_code, raised.value.body["detail"]["status"]) == (status, kind)


async def test_what_is_invalid_is_the_sdk_s_own_error(sdk: AsyncElevenLabs) -> None:
    for inputs in ([], [("", ADA)], [("Hello", f"{n:020}") for n in range(11)]):
        with pytest.raises(UnprocessableEntityError) as raised:
            await said(sdk, *inputs)
        assert raised.value.status_code == 422


@pytest.mark.parametrize(
    ("trick", "status"),
    [("quota_exceeded", 401), ("voice_not_found", 400), ("too_many_concurrent_requests", 429), ("system_busy", 429)],
)
async def test_each_refusal_can_be_ordered(sandbox: Sandbox, sdk: AsyncElevenLabs, trick: str, status: int) -> None:
    sandbox.faults.put("elevenlabs", trick)
    with pytest.raises(ApiError) as raised:
        await said(sdk, ("Hello", ADA))
    assert (raised.value.status_code, raised.value.body["detail"]["status"]) == (status, trick)
    assert await said(sdk, ("Hello", ADA))


async def test_a_text_that_is_too_long_ends_early_and_nobody_says_so(sdk: AsyncElevenLabs) -> None:
    audio = await said(sdk, ("so " * 1333, ADA))
    assert seconds(audio) == pytest.approx(2000 / 15, rel=0.02)


async def test_an_answer_can_be_cut_short_and_can_ramble(sandbox: Sandbox, sdk: AsyncElevenLabs) -> None:
    whole = seconds(await said(sdk, ("word " * 60, ADA)))
    lengths = []
    for trick in ("cut_short", "rambling"):
        sandbox.faults.put("elevenlabs", trick)
        lengths.append(seconds(await said(sdk, ("word " * 60, ADA))) / whole)
    assert lengths == pytest.approx([0.5, 3], rel=0.05)


async def test_it_bears_no_more_calls_at_once_than_its_knob_says(
    sandbox: Sandbox, http: aiohttp.ClientSession, sdk: AsyncElevenLabs
) -> None:
    async with http.put("/sandbox/elevenlabs", json={"at_once": 2}) as response:
        assert await response.json() == {"at_once": 2}
    sandbox.delays["elevenlabs"] = 0.3

    async def call() -> int:
        try:
            return len(await said(sdk, ("Hello", ADA)))
        except ApiError as error:
            assert error.body["detail"]["status"] == "too_many_concurrent_requests"
            return 0

    answers = await asyncio.gather(*(call() for _ in range(4)))
    assert sorted(map(bool, answers)) == [False, False, True, True]
    assert await call()


@pytest.mark.parametrize(
    "document", [{}, {"at_once": 0}, {"at_once": "2"}, {"at_once": 2, "x": 1}, {"at_once": 5000}], ids=repr
)
async def test_a_wrong_knob_is_a_sentence(http: aiohttp.ClientSession, document: Any) -> None:
    async with http.put("/sandbox/elevenlabs", json=document) as response:
        assert response.status == 400
        assert (await response.json())["error"]


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        ({}, "", 422),
        ({"inputs": "Hello"}, "", 422),
        ({"inputs": [{"text": "Hello"}]}, "", 422),
        ({"inputs": INPUTS, "speed": 2}, "", 422),
        ({"inputs": INPUTS, "seed": -1}, "", 422),
        ([], "", 422),
        (None, "?output_format=pcm_44100", 422),
        (None, "?output_format=", 200),
    ],
    ids=["empty", "text", "no voice", "unknown", "seed", "list", "format", "no format"],
)
async def test_what_the_api_does_not_know_is_a_422_that_names_it(
    http: aiohttp.ClientSession, body: Any, query: str, status: int
) -> None:
    if status == 200:
        async with http.post(PATH + query, json={"inputs": INPUTS}) as response:
            assert (response.status, response.content_type) == (200, "audio/mpeg")
        return
    code, answer = await asked(http, body, query)
    assert (code, set(answer["detail"][0])) == (status, {"loc", "msg", "type"})


async def test_who_has_no_key_and_who_asks_elsewhere(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession(sandbox.url) as nobody:
        code, answer = await asked(nobody)
        assert (code, answer["detail"]["status"]) == (401, "needs_authorization")
    code, answer = await asked(http, **{"xi-api-key": "real"})
    assert (code, answer["detail"]["status"]) == (401, "invalid_api_key")
    async with http.get(PATH) as response:
        assert response.status == 405
    async with http.post("/elevenlabs/v1/text-to-speech/x", json={}) as response:
        assert response.status == 404
    async with http.post(PATH, data=b"{") as response:
        assert response.status == 400
