"""Audio that nobody mistakes for a voice: each speaker hums a note of their own, in syllables. It can be decoded, and
lasts as long as it is ordered to."""

import array
import hashlib
import math
from fractions import Fraction
from functools import cache

import av

RATE, FRAME = 44_100, 1152
# Some seconds are hummed once and repeated: each frame of these stands for itself.
HUMMED = 160
# What an encoder begins with is silence.
WARMING_UP = 2
# Less than this cannot be decoded.
FEWEST = 10
LOUDNESS, SYLLABLES_A_SECOND = 0.2, 4


def mp3(voices: list[tuple[str, float]], kbits: int) -> bytes:
    """Each of these voices for so many seconds, one after another."""
    said = bytearray()
    for voice, seconds in voices:
        frames = _hummed(_note(voice), kbits)
        said += b"".join(frames[at % len(frames)] for at in range(max(round(seconds * RATE / FRAME), FEWEST)))
    return bytes(said)


def _note(voice: str) -> int:
    """Hertz."""
    return 110 + 10 * (hashlib.sha256(voice.encode(errors="replace")).digest()[0] % 24)


@cache
def _hummed(note: int, kbits: int) -> tuple[bytes, ...]:
    encoder = av.CodecContext.create("libmp3lame", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16p"
    encoder.bit_rate, encoder.time_base = kbits * 1000, Fraction(1, RATE)
    encoder.options = {"reservoir": "0"}
    packets = [bytes(packet) for at in range(HUMMED) for packet in encoder.encode(_frame(note, at * FRAME))]
    return tuple(packets[WARMING_UP:])


def _frame(note: int, began: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16p", layout="mono", samples=FRAME)
    frame.sample_rate, frame.pts = RATE, began
    waves = array.array("h", (round(32767 * _wave(note, (began + at) / RATE)) for at in range(FRAME)))
    frame.planes[0].update(waves.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    return frame


def _wave(note: int, second: float) -> float:
    syllable = abs(math.sin(math.pi * SYLLABLES_A_SECOND * second))
    return LOUDNESS * syllable * math.sin(2 * math.pi * note * second)
