"""Audio, measured and joined: pieces go in one after another, each brought to the same loudness, one MP3 comes out.

piece ─▶ how loud is it? ─▶ gain, and a limiter for its peaks ─▶ one encoder ─▶ ID3, chapters

All of it computes, so it is called on a thread. No more than one piece and the MP3 is in memory.
"""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import chain, pairwise

import av
from av.container import InputContainer
from av.filter import Graph

from schemas.digests import Chapter

RATE, LAYOUT, FORMAT, BITS = 44_100, "mono", "s16p", 128_000
# Half the time for what nobody hears in a voice.
QUICK = {"compression_level": "7"}

# What podcasts are to be: -16 LUFS, with peaks below -1.5 dB.
LOUDNESS, PEAK = -16.0, 10 ** (-1.5 / 20)
# What is quieter than this is silence: nothing would be gained.
SILENCE = -50.0

# Longer than any piece; whoever packs more into an answer than that is not listened to any further.
LONGEST_S = 900


class NotAudioError(Exception):
    """These bytes are no MP3 that can be played."""


@dataclass(frozen=True)
class Label:
    """What a player shows."""

    title: str
    artist: str
    album: str
    day: date


def duration_ms(data: bytes) -> int:
    """How long it plays: what is there is counted, whatever its head promises."""
    return sum(frame.samples for frame in _frames(data)) * 1000 // RATE


class Joiner:
    """One MP3 of several. What it says of itself stands at its beginning, so its chapters are known first."""

    def __init__(self, label: Label, chapters: Sequence[Chapter]) -> None:
        self._made = io.BytesIO()
        self._container = av.open(self._made, "w", format="mp3", options={"id3v2_version": "3"})
        self._stream = self._container.add_stream("mp3", rate=RATE, bit_rate=BITS, layout=LAYOUT, options=QUICK)
        self._container.metadata.update(
            {"title": label.title, "artist": label.artist, "album": label.album, "date": label.day.isoformat()}
        )
        self._container.set_chapters(
            [
                {
                    "id": number,
                    "start": one.start_ms,
                    "end": one.end_ms,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": one.title},
                }
                for number, one in enumerate(chapters)
            ]
        )
        self._samples = 0

    def add(self, data: bytes) -> None:
        """Behind what is there. NotAudioError leaves a thing that is of no use any more."""
        gain = _gain(data)
        for frame in _filtered(data, ("volume", f"{gain:.2f}dB"), ("alimiter", f"limit={PEAK:.3f}:level=0")):
            frame.pts = None
            self._samples += frame.samples
            self._container.mux(self._stream.encode(frame))

    def close(self) -> tuple[bytes, int]:
        """The MP3, and for how many milliseconds it plays."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._made.getvalue(), self._samples * 1000 // RATE


def _gain(data: bytes) -> float:
    """Decibels that bring it to the loudness that is wanted."""
    loudness = -math.inf
    for frame in _filtered(data, ("ebur128", "metadata=1")):
        loudness = float(frame.metadata.get("lavfi.r128.I", loudness))
    return LOUDNESS - loudness if SILENCE < loudness < 0 else 0.0


def _filtered(data: bytes, *filters: tuple[str, str]) -> Iterator[av.AudioFrame]:
    graph = Graph()
    source = graph.add_abuffer(format=FORMAT, sample_rate=RATE, layout=LAYOUT, time_base=Fraction(1, RATE))
    shape = f"sample_fmts={FORMAT}:channel_layouts={LAYOUT}:sample_rates={RATE}"
    inner = [graph.add(name, said) for name, said in (*filters, ("aformat", shape))]
    for one, next_one in pairwise([source, *inner, graph.add("abuffersink")]):
        one.link_to(next_one)
    graph.configure()
    for frame in _frames(data):
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame), "audio goes in, audio comes out"
        yield frame


def _frames(data: bytes) -> Iterator[av.AudioFrame]:
    """What is heard, as one channel. The format is said here: bytes of a stranger do not choose who reads them."""
    resampler, samples = av.AudioResampler(format=FORMAT, layout=LAYOUT, rate=RATE), 0
    try:
        with av.open(io.BytesIO(data), "r", format="mp3") as container:
            for decoded in chain(_decoded(container), [None]):
                for frame in resampler.resample(decoded):
                    frame.pts, frame.time_base = samples, Fraction(1, RATE)
                    samples += frame.samples
                    yield frame
                if samples > LONGEST_S * RATE:
                    raise NotAudioError
    except (av.FFmpegError, ValueError, IndexError):
        # A ValueError: damaged so that it changes its rate or its channels on the way.
        raise NotAudioError from None
    if not samples:
        raise NotAudioError


def _decoded(container: InputContainer) -> Iterator[av.AudioFrame]:
    """A part that is damaged is left out, as players do: what was cut off ends in one."""
    for packet in container.demux(audio=0):
        with suppress(av.InvalidDataError):
            yield from (frame for frame in packet.decode() if isinstance(frame, av.AudioFrame))
