"""Pieces are spoken once, paid for once and kept; one that is short is spoken again, alone; all of them are joined."""

import asyncio
import io
from dataclasses import replace

import av
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.digests import joining, keys
from activities.digests.speaking import FASTEST, PAUSES_S, SLOWEST
from activities.spending import Purchase
from sandbox import tones
from schemas.digests import AudioStatus, Line, PieceOrder, Script
from tests.digests.voices import DIGEST, STEP, TENANT, Booth, another, hummed, written


async def speak(booth: Booth, piece: int = 1, **changes: object) -> None:
    await ActivityEnvironment().run(booth.activities(**changes).speak, booth.order(piece))


async def speak_all(booth: Booth) -> None:
    for number in range(1, len(booth.pieces) + 1):
        await speak(booth, number)


async def refused(booth: Booth, piece: int = 1, **changes: object) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await speak(booth, piece, **changes)
    return raised.value


async def test_a_piece_is_bought_and_put_away_and_written_down() -> None:
    booth = Booth()
    await speak(booth, 2)
    piece = booth.pieces[1]
    ((kept, bought, by),) = booth.digest.kept
    spoken = booth.digest.spoken[piece.hash]
    assert kept == piece.hash
    assert bought == Purchase(TENANT, DIGEST, 1, f"piece/{piece.hash}")
    assert (by.provider, by.model, by.sandbox) == ("voice", "m", True)
    assert (spoken.key, spoken.characters) == (keys.piece(TENANT, DIGEST, piece.hash), piece.letters)
    assert spoken.duration_ms == joining.duration_ms(booth.shelf.held[spoken.key])
    assert spoken.duration_ms == pytest.approx(piece.letters / 15 * 1000, rel=0.05)
    assert booth.hummer.spoken == [piece.utterances]
    assert (booth.ledger.given_up, booth.chairs.taken) == ([], {"voice": set()})


async def test_what_is_kept_is_not_spoken_again() -> None:
    booth = Booth()
    await speak_all(booth)
    before = len(booth.hummer.spoken)
    await speak_all(booth)
    assert before == len(booth.pieces) == len(booth.hummer.spoken) == len(booth.digest.kept) > 1


async def test_another_sentence_costs_its_own_piece_alone() -> None:
    booth = Booth()
    await speak_all(booth)
    before = len(booth.hummer.spoken)
    assert booth.digest.script is not None
    booth.digest.script = another(booth.digest.script, "That was it.")
    await speak_all(booth)
    assert len(booth.hummer.spoken) == before + 1


async def test_what_was_put_away_and_not_written_down_is_found() -> None:
    booth = Booth()
    booth.digest.fails = 1
    assert (await refused(booth)).type == "DatabaseFailed"
    await speak(booth)
    ((kept, bought, _),) = booth.digest.kept
    assert (kept, bought, len(booth.hummer.spoken)) == (booth.pieces[0].hash, None, 1)


async def test_what_lies_there_and_cannot_be_played_is_bought_anew() -> None:
    booth = Booth()
    key = keys.piece(TENANT, DIGEST, booth.pieces[0].hash)
    booth.shelf.held[key] = b"x" * 5000
    await speak(booth)
    assert joining.duration_ms(booth.shelf.held[key]) > 0
    assert len(booth.hummer.spoken) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "cannot be played", id="empty"),
        pytest.param(b"x" * 9000, "cannot be played", id="garbage"),
        pytest.param(tones.mp3([("1", 3)], 64), "too short", id="short"),
        pytest.param(tones.mp3([("1", 600)], 32), "too long", id="long"),
    ],
)
async def test_bad_audio_is_paid_for_and_never_kept(data: bytes, said: str) -> None:
    booth = Booth()
    booth.hummer.says = [data]
    error = await refused(booth)
    assert (error.type, error.non_retryable) == ("ProviderNonsense", False)
    assert said in error.message
    assert booth.ledger.given_up == [(f"piece/{booth.pieces[0].hash}", True)]
    assert (booth.shelf.held, booth.digest.kept, booth.chairs.taken) == ({}, [], {"voice": set()})
    await speak(booth)
    assert len(booth.digest.kept) == 1


async def test_audio_that_lost_its_second_half_is_made_again_alone() -> None:
    booth = Booth()
    whole = hummed(booth.pieces[1].utterances)
    booth.hummer.says = []
    await speak(booth, 1)
    booth.hummer.says = [whole[: len(whole) // 2]]
    assert "too short" in (await refused(booth, 2)).message
    await speak(booth, 2)
    said = [one for one in booth.hummer.spoken if one == booth.pieces[1].utterances]
    assert (len(said), len(booth.hummer.spoken)) == (2, 3)


@pytest.mark.parametrize("pace", [9, 12, 15, 18, 20])
async def test_people_who_speak_slowly_or_fast_are_believed(pace: float) -> None:
    booth = Booth()
    booth.hummer.says = [hummed(booth.pieces[0].utterances, pace)]
    await speak(booth)
    assert len(booth.digest.kept) == 1


async def test_a_short_word_with_a_pause_is_no_rambling() -> None:
    booth = Booth()
    booth.digest.script = Script(items=(), lines=(Line(turn=1, voice=1, text="Good morning."),))
    booth.hummer.says = [tones.mp3([("1", PAUSES_S)], 64)]
    await speak(booth)
    assert len(booth.digest.kept) == 1
    assert FASTEST > 15 > SLOWEST


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(errors.impossible("voice", "said 401 (quota_exceeded)"), id="quota"),
        pytest.param(errors.unreachable("voice", TimeoutError()), id="away"),
    ],
)
async def test_a_refusal_costs_nothing_and_stays_what_it_is(refusal: ApplicationError) -> None:
    booth = Booth()
    booth.hummer.says = [refusal]
    error = await refused(booth)
    assert (error.type, error.message, error.non_retryable) == (refusal.type, refusal.message, refusal.non_retryable)
    assert booth.ledger.given_up == [(f"piece/{booth.pieces[0].hash}", False)]
    assert booth.chairs.taken == {"voice": set()}


async def test_a_store_that_is_away_for_a_moment_gets_what_was_bought() -> None:
    booth = Booth()
    booth.shelf.refuses = [errors.unreachable("store", OSError())] * 3
    await speak(booth)
    assert (len(booth.hummer.spoken), len(booth.digest.kept), booth.ledger.given_up) == (1, 1, [])


async def test_a_store_that_stays_away_is_told_and_the_money_is_gone() -> None:
    booth = Booth()
    booth.shelf.refuses = [errors.unreachable("store", OSError())] * 4
    error = await refused(booth)
    assert (error.type, error.non_retryable) == ("Unkept", False)
    assert "store did not answer" in error.message
    assert booth.ledger.given_up == [(f"piece/{booth.pieces[0].hash}", True)]
    assert booth.digest.kept == []


async def test_a_store_that_says_no_is_told_at_once() -> None:
    booth = Booth()
    booth.shelf.refuses = [errors.impossible("store", "it does not let us in (SignatureDoesNotMatch)")]
    error = await refused(booth)
    assert (error.type, error.non_retryable) == ("Unkept", True)
    assert "SignatureDoesNotMatch" in error.message


async def test_a_store_that_is_away_from_the_start_costs_nothing() -> None:
    class Away(type(Booth().shelf)):  # type: ignore[misc]
        async def get(self, key: str) -> bytes | None:
            raise errors.unreachable("store", OSError())

    booth = Booth(shelf=Away())
    assert (await refused(booth)).type == "ProviderDown"
    assert booth.hummer.spoken == []


async def test_nobody_is_set_up_to_speak() -> None:
    error = await refused(Booth(), studio=None)
    assert (error.type, error.non_retryable) == ("ProviderRefused", True)


async def test_a_digest_without_a_script_is_not_spoken() -> None:
    booth = Booth()
    booth.digest.script = None
    with pytest.raises(ApplicationError, match="no script"):
        await ActivityEnvironment().run(booth.activities().speak, PieceOrder(**STEP.model_dump(), piece=1))


async def test_no_more_than_the_seats_speak_at_once() -> None:
    booth = Booth()
    booth.digest.script = Script(items=(), lines=tuple(Line(turn=n, voice=1, text="so " * 450) for n in range(1, 8)))
    assert len(booth.pieces) == 7
    # The words differ not, so the pieces would be one: each has its own.
    lines = [one.model_copy(update={"text": f"{n} {one.text}"}) for n, one in enumerate(booth.digest.script.lines)]
    booth.digest.script = booth.digest.script.model_copy(update={"lines": tuple(lines)})
    await asyncio.gather(*(speak(booth, number) for number in range(1, 8)))
    assert (len(booth.digest.kept), booth.chairs.most_at_once, booth.chairs.taken) == (7, 2, {"voice": set()})


async def test_a_seat_is_waited_for_before_money_is_set_aside() -> None:
    booth = Booth()
    booth.chairs.taken = {"voice": {"somebody", "somebody else"}}
    reserved: list[str] = []
    ledger = booth.ledger

    class Watched(type(ledger)):  # type: ignore[misc]
        async def reserve(self, purchase: Purchase, *rest: object) -> object:
            reserved.append(purchase.purpose)
            return await ledger.reserve(purchase, *rest)  # type: ignore[arg-type]

    booth.ledger = Watched()
    speaking = asyncio.create_task(speak(booth))
    await asyncio.wait({speaking}, timeout=0.6)
    assert not speaking.done()
    assert reserved == []
    booth.chairs.taken["voice"].discard("somebody")
    await speaking
    assert reserved == [f"piece/{booth.pieces[0].hash}"]


async def test_who_stops_after_it_is_paid_has_kept_it_all_the_same() -> None:
    booth = Booth()
    putting, go_on = asyncio.Event(), asyncio.Event()
    put = booth.shelf.put

    async def slowly(key: str, data: bytes, kind: str) -> None:
        putting.set()
        await go_on.wait()
        await put(key, data, kind)

    booth.shelf.put = slowly  # type: ignore[method-assign]
    speaking = asyncio.create_task(speak(booth))
    await putting.wait()
    speaking.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    assert (len(booth.digest.kept), len(booth.shelf.held)) == (1, 1)


async def test_pieces_are_joined_under_their_key_and_lines_have_their_times() -> None:
    booth = Booth()
    await speak_all(booth)
    done = await ActivityEnvironment().run(booth.activities().publish, STEP)
    assert done.audio is AudioStatus.READY
    ((ending, script, sound),) = booth.digest.finished
    assert (ending.digest_id, ending.version, ending.refused) == (DIGEST, 1, "")
    assert sound is not None
    made = booth.shelf.held[sound.key]
    assert sound.key == keys.whole(TENANT, DIGEST, [piece.hash for piece in booth.pieces])
    parts = sum(booth.digest.spoken[piece.hash].duration_ms for piece in booth.pieces)
    assert (sound.size, sound.duration_ms) == (len(made), pytest.approx(parts, rel=0.01))
    assert [one.title for one in sound.chapters] == ["Opening", "Title 1", "Title 2", "Title 3", "End"]
    assert script.lines[0].start_ms == 0
    assert script.lines[-1].end_ms == parts == sound.chapters[-1].end_ms
    with av.open(io.BytesIO(made)) as container:
        assert container.metadata["title"] == "Digest of 23 November 2026 (sandbox data)"
        assert len(container.chapters()) == 5


async def test_publishing_twice_is_publishing_once() -> None:
    booth = Booth()
    await speak_all(booth)
    for _ in range(2):
        await ActivityEnvironment().run(booth.activities().publish, STEP)
    (first, second) = booth.digest.finished
    assert first == second
    assert len(booth.shelf.held) == len(booth.pieces) + 1


async def test_the_real_thing_does_not_say_sandbox() -> None:
    booth = Booth()
    booth.hummer.sandbox = False
    await speak_all(booth)
    await ActivityEnvironment().run(booth.activities().publish, STEP)
    sound = booth.digest.finished[0][2]
    assert sound is not None
    with av.open(io.BytesIO(booth.shelf.held[sound.key])) as container:
        assert container.metadata["title"] == "Digest of 23 November 2026"


async def test_nothing_is_published_of_which_a_piece_is_missing() -> None:
    booth = Booth()
    await speak(booth, 1)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(booth.activities().publish, STEP)
    assert (raised.value.type, raised.value.non_retryable, booth.digest.finished) == ("Unfinished", False, [])


@pytest.mark.parametrize("left", [pytest.param(None, id="gone"), pytest.param(b"x" * 999, id="spoilt")])
async def test_a_piece_that_was_lost_is_told(left: bytes | None) -> None:
    booth = Booth()
    await speak_all(booth)
    key = booth.digest.spoken[booth.pieces[-1].hash].key
    booth.shelf.held.pop(key)
    if left is not None:
        booth.shelf.held[key] = left
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(booth.activities().publish, STEP)
    assert (raised.value.type, raised.value.non_retryable, booth.digest.finished) == ("ProviderRefused", True, [])


async def test_a_store_that_is_away_leaves_the_digest_unfinished() -> None:
    booth = Booth()
    await speak_all(booth)
    booth.shelf.refuses = [errors.unreachable("store", OSError())]
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(booth.activities().publish, STEP)
    assert (raised.value.type, booth.digest.finished) == ("ProviderDown", [])
    await ActivityEnvironment().run(booth.activities().publish, STEP)
    assert len(booth.digest.finished) == 1


def test_another_manner_of_speaking_is_another_piece() -> None:
    booth = Booth()
    other = Booth(hummer=replace(booth.hummer, manner="voice/n"))
    assert {piece.hash for piece in booth.pieces}.isdisjoint(piece.hash for piece in other.pieces)
    assert len(booth.pieces) == len(other.pieces) == len(Booth(digest=replace(booth.digest, script=written())).pieces)


async def test_audio_of_a_digest_that_was_emptied_meanwhile_is_to_be_deleted() -> None:
    booth = Booth()
    await speak_all(booth)
    booth.digest.emptied = True
    with pytest.raises(ApplicationError, match="Superseded"):
        await ActivityEnvironment().run(booth.activities().publish, STEP)

    (key,) = booth.digest.unneeded
    assert key in booth.shelf.held
    assert key not in [one.key for one in booth.digest.spoken.values()]
