"""ElevenLabs, by its API for dialogues. One call a piece; it counts letters, and calls at once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.digests.ports import Utterance
from activities.providers.http import parse_object, read_bounded

# What comes back: 44.1 kHz, 128 kbit/s.
FORMAT = "mp3_44100_128"
AUDIO = "audio/mpeg"

# After a 429, when they do not say for how long: somebody else's calls are under way, or all of theirs are.
USUAL_WAIT = timedelta(seconds=5)


class ElevenLabs:
    """A Speaker. No retries of its own."""

    name = "elevenlabs"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        key: str,
        model: str,
        voices: Sequence[str],
        timeout_s: float = 240,
        sandbox: bool = False,
    ) -> None:
        self._session = session
        self._url = f"{base_url.rstrip('/')}/v1/text-to-dialogue"
        self._key = key
        self.model = model
        self._voices = tuple(voices)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = sandbox
        said = (self.name, model, *self._voices, FORMAT, *(["sandbox"] if sandbox else []))
        self.manner = "/".join(said)

    async def speak(self, piece: Sequence[Utterance]) -> bytes:
        """Whatever was spoken: it may have ended early, which is not told, so that listening is the caller's."""
        try:
            async with self._session.post(
                self._url,
                params={"output_format": FORMAT},
                json=self._request(piece),
                headers={"xi-api-key": self._key, "accept": AUDIO},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                said = await read_bounded(self.name, response)
                if response.status != 200:
                    raise refused(response.status, said, response.headers)
                if response.content_type != AUDIO:
                    raise errors.nonsense(self.name, "something that is not audio")
                return said
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None

    def _request(self, piece: Sequence[Utterance]) -> dict[str, Any]:
        inputs = [{"text": one.text, "voice_id": self._voices[one.voice - 1]} for one in piece]
        return {"inputs": inputs, "model_id": self.model}


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> Exception:
    """The retry decision for an answer that is not a good one."""
    return errors.answered(ElevenLabs.name, status, _kind(body), headers, USUAL_WAIT)


def _kind(body: bytes) -> object:
    """Of {"detail": {"status": ...}}; newer answers have a code beside it, and what is invalid has a list."""
    try:
        detail = parse_object(ElevenLabs.name, body).get("detail")
    except ApplicationError:
        return None
    if isinstance(detail, list):
        detail = {"status": next((one.get("type") for one in detail if isinstance(one, dict)), None)}
    if not isinstance(detail, dict):
        return None
    return next(filter(errors.is_word, (detail.get("status"), detail.get("code"), detail.get("type"))), None)
