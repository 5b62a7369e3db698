"""ElevenLabs' API: POST /v1/text-to-dialogue, answered by `tones`. No streaming, and MP3 of 44.1 kHz alone.

Stricter than the real one: a field it does not know is a 422 that names it. Like the real one it says nothing when a
text is too long for it: the audio ends early.
"""

import hashlib
from typing import Any, Literal
from urllib.parse import parse_qs

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox import tones
from sandbox.brand import Answer, Call, RefusedError
from sandbox.control import BadInputError, json_object, sentence

PATH = "/v1/text-to-dialogue"
ROOT = "/sandbox/elevenlabs"
LETTERS_A_SECOND = 15
# Beyond the first the audio ends early; beyond the second they say so.
EARLY, MOST = 2000, 5000
MOST_VOICES = 10
KBITS = (32, 64, 96, 128, 192)
USUAL = "mp3_44100_128"

REFUSALS = {
    "quota_exceeded": (401, "This request exceeds your quota of 10000. You have 0 credits remaining."),
    "voice_not_found": (400, "A voice with that voice_id was not found."),
    "too_many_concurrent_requests": (429, "Too many concurrent requests. Your plan is associated with a maximum."),
    "system_busy": (429, "The system is experiencing heavy traffic, please try again."),
}
STATUSES = {401: "invalid_api_key", 403: "missing_permissions", 404: "not_found", 429: "system_busy"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Input(Strict):
    text: str = Field(min_length=1)
    voice_id: str


class Request(Strict):
    """The fields that we pretend, and those that are accepted and have no effect."""

    inputs: list[Input] = Field(min_length=1)
    model_id: str = "eleven_v3"
    language_code: str | None = None
    settings: dict[str, Any] | None = None
    pronunciation_dictionary_locators: list[dict[str, Any]] | None = Field(default=None, max_length=3)
    seed: int | None = Field(default=None, ge=0, le=2**32 - 1)
    apply_text_normalization: Literal["auto", "on", "off"] = "auto"
    use_pvc_as_ivc: bool = False

    @property
    def letters(self) -> int:
        return sum(len(one.text) for one in self.inputs)


class Knobs(BaseModel):
    """How many calls may be under way at once; null for any number."""

    model_config = ConfigDict(extra="forbid", strict=True)

    at_once: int | None = Field(ge=1, le=1000)


class ElevenLabs:
    """`at_once` is a knob: `sandbox.elevenlabs.at_once = 2`."""

    name = "elevenlabs"
    tricks = frozenset({"cut_short", "rambling", *REFUSALS})

    def __init__(self) -> None:
        self.at_once: int | None = None

    def about(self, call: Call) -> str | None:
        try:
            return f"{_request(call).letters} letters"
        except RefusedError:
            return None

    def error(self, status: int, message: str | None = None, param: str | None = None) -> Answer:
        if status == 422:
            told = {"loc": ["body", *filter(None, [param])], "msg": message or "Invalid", "type": "value_error"}
            return Answer.of({"detail": [told]}, status)
        kind = param or STATUSES.get(status, "internal_error")
        return Answer.of(
            {"detail": {"status": kind, "message": message or kind.replace("_", " ").capitalize()}}, status
        )

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            kbits = _admit(call)
            request = _request(call)
            if self.at_once is not None and call.busy >= self.at_once:
                trick = "too_many_concurrent_requests"
            if trick in REFUSALS:
                status, message = REFUSALS[trick]
                return self.error(status, message, trick)
            return self._spoken(call, request, kbits, trick)
        except RefusedError as refused:
            return self.error(refused.status, refused.message, refused.param)

    def _spoken(self, call: Call, request: Request, kbits: int, trick: str | None) -> Answer:
        pace = LETTERS_A_SECOND / (3 if trick == "rambling" else 1)
        audio = tones.mp3([(one.voice_id, len(one.text) / pace) for one in request.inputs], kbits)
        heard = 0.5 if trick == "cut_short" else min(EARLY / request.letters, 1.0)
        headers = {
            "content-type": "audio/mpeg",
            "request-id": hashlib.sha256(call.body).hexdigest()[:20],
            "character-cost": str(request.letters),
            "current-concurrent-requests": str(call.busy + 1),
            "maximum-concurrent-requests": str(self.at_once or 15),
        }
        return Answer(200, audio[: round(len(audio) * heard)], headers)


class ElevenLabsControl:
    """Its knob: /sandbox/elevenlabs. Wrong input is a 400 with one sentence."""

    def __init__(self, brand: ElevenLabs) -> None:
        self._brand = brand

    def routes(self) -> list[web.RouteDef]:
        return [web.get(ROOT, self._look), web.put(ROOT, self._turn)]

    async def _look(self, request: web.Request) -> web.Response:
        return web.json_response({"at_once": self._brand.at_once})

    async def _turn(self, request: web.Request) -> web.Response:
        document = await json_object(request, '{"at_once": 2}')
        try:
            self._brand.at_once = Knobs.model_validate(document).at_once
        except ValidationError as error:
            raise BadInputError(sentence(error)) from None
        return await self._look(request)


def _admit(call: Call) -> int:
    """How many kilobits a second are wanted, by whoever may ask."""
    if call.path != PATH:
        raise RefusedError(404, "Not Found")
    if call.method != "POST":
        raise RefusedError(405, "Method Not Allowed", "method_not_allowed")
    key = call.headers.get("xi-api-key", "")
    if not key:
        raise RefusedError(401, "Neither authorization header nor xi-api-key received.", "needs_authorization")
    if not key.startswith("sandbox"):
        raise RefusedError(401, "Invalid API key: send a key of the sandbox.", "invalid_api_key")
    wanted = parse_qs(call.query).get("output_format", [USUAL])[-1]
    formats = {f"mp3_44100_{kbits}": kbits for kbits in KBITS}
    if wanted not in formats:
        raise RefusedError(422, f"output_format must be one of {', '.join(formats)} here", "output_format")
    return formats[wanted]


def _request(call: Call) -> Request:
    try:
        request = Request.model_validate(call.document())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise RefusedError(422, first["msg"], ".".join(map(str, first["loc"]))) from None
    if request.letters > MOST:
        message = f"A dialogue may have {MOST} characters at most."
        raise RefusedError(400, message, "max_character_limit_exceeded")
    if len({one.voice_id for one in request.inputs}) > MOST_VOICES:
        raise RefusedError(422, f"there may be {MOST_VOICES} voices at most", "inputs")
    if request.model_id != "eleven_v3":
        raise RefusedError(400, "This model does not speak dialogues.", "unsupported_model")
    if any(len(one.voice_id) != 20 or not one.voice_id.isalnum() for one in request.inputs):
        raise RefusedError(400, REFUSALS["voice_not_found"][1], "voice_not_found")
    return request
