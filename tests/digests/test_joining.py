"""What is joined can be played: as long as its parts, as loud as it is to be, with chapters and tags. And what is no audio
is told to be none."""

import io
import random
from datetime import date
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.digests import joining
from activities.digests.joining import Joiner, Label, NotAudioError
from sandbox import tones
from schemas.digests import Chapter

LABEL = Label(title="Digest of 23 November", artist="Greenroom", album="Daily digest", day=date(2026, 11, 23))
CHAPTERS = (
    Chapter(title="Opening", start_ms=0, end_ms=4000),
    Chapter(title="Häfen & Züge", start_ms=4000, end_ms=9000),
)


def hum(*seconds: float, kbits: int = 128) -> bytes:
    return tones.mp3([(f"voice {n}", one) for n, one in enumerate(seconds)], kbits)


def quiet(seconds: float, volume: str) -> bytes:
    """The same hum at another volume."""
    joiner = Joiner(LABEL, ())
    for frame in joining._filtered(hum(seconds), ("volume", volume)):
        frame.pts = None
        joiner._container.mux(joiner._stream.encode(frame))
    return joiner.close()[0]


def joined(*parts: bytes) -> tuple[bytes, int]:
    joiner = Joiner(LABEL, CHAPTERS)
    for part in parts:
        joiner.add(part)
    return joiner.close()


def test_the_whole_is_as_long_as_its_parts_and_says_so() -> None:
    parts = [hum(2, 3), hum(4), hum(1.5, kbits=64)]
    made, length = joined(*parts)
    assert length == pytest.approx(10_500, rel=0.01)
    assert length == pytest.approx(sum(map(joining.duration_ms, parts)), rel=0.01)
    assert joining.duration_ms(made) == pytest.approx(length, abs=60)
    with av.open(io.BytesIO(made)) as container:
        assert container.duration == pytest.approx(length * 1000, abs=100_000)
        (stream,) = container.streams
        assert isinstance(stream, av.AudioStream)
        assert (stream.codec_context.name, stream.rate, stream.bit_rate) == ("mp3float", 44_100, 128_000)


def test_a_player_sees_what_it_is_and_its_chapters() -> None:
    made, _ = joined(hum(9))
    with av.open(io.BytesIO(made)) as container:
        tags = container.metadata
        assert {tags[name] for name in ("title", "artist", "album")} == {LABEL.title, LABEL.artist, LABEL.album}
        assert tags["date"] == "2026-11-23"
        found = [
            (one["metadata"]["title"], float(one["start"] * one["time_base"]), float(one["end"] * one["time_base"]))
            for one in container.chapters()
        ]
    assert found == [("Opening", 0.0, 4.0), ("Häfen & Züge", 4.0, 9.0)]


def test_loud_and_quiet_parts_come_out_alike() -> None:
    made, _ = joined(quiet(6, "-18dB"), quiet(6, "6dB"))
    half = len(made) // 2
    loudness = [joining.LOUDNESS - joining._gain(part) for part in (made, made[:half], made[half:])]
    assert loudness == pytest.approx([-16.0] * 3, abs=1.0)


def test_no_sample_is_beyond_the_peak() -> None:
    made, _ = joined(quiet(3, "-25dB"))
    peak = max(
        max(abs(sample) for sample in memoryview(bytes(frame.planes[0])[: frame.samples * 2]).cast("h"))
        for frame in joining._frames(made)
    )
    # An encoder adds a little to what it is given.
    assert peak / 32768 < joining.PEAK * 1.12


def test_silence_stays_silent() -> None:
    assert joining._gain(quiet(2, "0")) == 0.0


BYTES = random.Random(6).randbytes(40_000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(BYTES, id="noise"),
        pytest.param(b'{"detail": {"status": "ok"}}' * 50, id="json"),
        pytest.param(b"<!doctype html><h1>Sign in</h1>" * 99, id="a page"),
        pytest.param(b"#EXTM3U\nfile:///etc/passwd\n", id="a playlist"),
        pytest.param(b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + bytes(3000), id="an empty tag"),
        pytest.param(b"\xff\xfb\x92\xc4", id="a head without a body"),
        pytest.param(bytes(100_000), id="zeros"),
    ],
)
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(NotAudioError):
        joining.duration_ms(data)
    with pytest.raises(NotAudioError):
        joined(data)


def test_a_wave_is_not_read_as_an_mp3() -> None:
    """The format is not found out from the bytes: of all that a library can read, this is what it is asked to."""
    made = io.BytesIO()
    with av.open(made, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=44_100, layout="mono")
        for frame in joining._frames(hum(1)):
            container.mux(stream.encode(frame))
    with pytest.raises(NotAudioError):
        joining.duration_ms(made.getvalue())


@given(st.integers(0, 48_000), st.binary(max_size=400))
def test_damaged_audio_is_measured_or_refused(at: int, damage: bytes) -> None:
    data = DAMAGED[:at] + damage + DAMAGED[at + len(damage) :]
    try:
        assert 0 <= joining.duration_ms(data) < 10_000
    except NotAudioError:
        return


DAMAGED = hum(3)


def test_audio_that_becomes_another_on_the_way_is_refused() -> None:
    other = io.BytesIO()
    with av.open(other, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("mp3", rate=22_050, layout="stereo", bit_rate=64_000)
        resampler = av.AudioResampler(format="s16p", layout="stereo", rate=22_050)
        for frame in joining._frames(hum(2)):
            for one in resampler.resample(frame):
                container.mux(stream.encode(one))
        container.mux(stream.encode(None))
    assert joining.duration_ms(other.getvalue()) == pytest.approx(2000, abs=100)
    with pytest.raises(NotAudioError):
        joining.duration_ms(hum(2) + other.getvalue())


def test_half_an_mp3_is_half_as_long_whatever_its_head_says() -> None:
    made, length = joined(hum(8))
    assert joining.duration_ms(made[: len(made) // 2]) == pytest.approx(length / 2, rel=0.05)


def test_an_answer_without_end_is_not_heard_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "LONGEST_S", 2)
    assert joining.duration_ms(hum(1)) == pytest.approx(1000, abs=30)
    with pytest.raises(NotAudioError):
        joining.duration_ms(hum(3))


def test_hums_can_be_told_apart_and_last_as_long_as_ordered() -> None:
    lengths = [joining.duration_ms(hum(seconds)) for seconds in (0.01, 1, 20)]
    assert lengths == pytest.approx([260, 1000, 20_000], abs=30)
    assert all(before < after for before, after in pairwise(lengths))
    assert tones.mp3([("a", 1)], 128) != tones.mp3([("b", 1)], 128)
