"""Whatever Gong sends is a call with bounds, or an error of ours; its units, its ids and its 404s are what they are."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.ports import RecorderAccess, UnauthorizedError
from activities.providers import gong
from sandbox.gong.memory import told
from tests.recorders.conftest import CREDENTIALS, Scene

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ID = "7782342274025937895"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(), one, max_size=4),
    max_leaves=12,
)
PARTY = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("id", "userId", "speakerId", "name", "emailAddress", "affiliation", "title"), JSON),
)
SENTENCE = st.fixed_dictionaries({}, optional=dict.fromkeys(("start", "end", "text"), JSON | st.integers(0, 10**6)))
STRETCH = st.fixed_dictionaries({}, optional={"speakerId": JSON, "sentences": JSON | st.lists(SENTENCE | JSON)})


def access(scene: Scene, credentials: str = CREDENTIALS) -> RecorderAccess:
    return RecorderAccess(scene.stage.sandbox.gong_url, credentials)


def meta(**changes: Any) -> dict[str, Any]:
    return {"metaData": {"id": ID, "title": "Call", "started": "2026-11-23T09:00:00+01:00", "duration": 90, **changes}}


@given(st.dictionaries(st.text(), JSON) | st.fixed_dictionaries({}, optional={"calls": JSON, "records": JSON}))
def test_any_page_is_calls_or_nonsense(said: dict[str, Any]) -> None:
    try:
        page = gong.page(said)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
        return
    assert all(one.id.isdecimal() for one in page.calls)
    assert page.cursor is None or page.cursor.isprintable()


@given(
    JSON
    | st.fixed_dictionaries(
        {
            "metaData": st.fixed_dictionaries(
                {"id": st.just(ID)}, optional=dict.fromkeys(("title", "url", "started"), JSON)
            )
        },
        optional={"parties": JSON | st.lists(PARTY | JSON)},
    )
)
def test_any_call_is_one_with_bounds_or_none(said: Any) -> None:
    call = gong.recorded(said)
    if call is None:
        return
    assert len(call.title) <= gong.LONGEST_TITLE
    assert call.url == "" or call.url.startswith("https://")
    assert call.started_at is None or call.started_at.utcoffset() is not None
    keys = [one.key for one in call.speakers]
    assert len(keys) == len(set(keys))
    json.dumps([one.model_dump(mode="json") for one in call.speakers]).encode()


@given(st.fixed_dictionaries({}, optional={"transcript": JSON | st.lists(STRETCH | JSON)}))
def test_any_transcript_is_turns_in_their_order_or_none(said: dict[str, Any]) -> None:
    spoken = gong.spoken(said)
    if spoken is None:
        return
    starts = [turn.start_ms for turn in spoken.turns]
    assert starts == sorted(starts)
    assert all(turn.text and turn.end_ms >= turn.start_ms for turn in spoken.turns)
    assert {turn.speaker for turn in spoken.turns} == {one.key for one in spoken.speakers}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("7782342274025937895", "7782342274025937895"),
        (7782342274025937895, "7782342274025937895"),
        ("0" * 20, "0" * 20),
        ("1" * 21, None),
        ("12a", None),
        ("", None),
        ("-1", None),
        ("١٢٣", None),
        (True, None),
        (1.0, None),
        (None, None),
    ],
)
def test_an_id_is_up_to_twenty_digits_and_stays_text(said: Any, read: str | None) -> None:
    call = gong.recorded(meta(id=said))
    assert (call.id if call else None) == read


def test_a_call_without_an_id_takes_no_other_with_it() -> None:
    page = gong.page({"calls": [{"id": "x"}, None, {"id": ID}, 7], "records": {"cursor": "next"}})
    assert [one.id for one in page.calls] == [ID]
    assert page.cursor == "next"


@pytest.mark.parametrize(
    ("field", "said", "read"),
    [
        ("duration", 90, 90),
        ("duration", 90.7, 90),
        ("duration", -1, None),
        ("duration", 10**9, None),
        ("duration", "90", None),
        ("started", "2026-11-23T09:00:00+01:00", datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        ("started", "2026-11-23T09:00:00Z", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("started", "2026-11-23T09:00:00", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("started", "yesterday", None),
        ("started", "0001-01-01T00:00:00+14:00", None),
        ("started", 1_763_888_400, None),
        ("url", "https://app.gong.example/call?id=1", "https://app.gong.example/call?id=1"),
        ("url", "javascript:alert(1)", ""),
        ("url", "https://a.example/ <script>", ""),
        ("url", "https://" + "a" * 3000, ""),
        ("title", "Call\u202e with \x1b[31mAcme\u200b", "Call with [31mAcme"),
        ("title", "Intro, passcode: 4711x", "Intro"),
    ],
)
def test_what_is_told_of_a_call_is_checked(field: str, said: Any, read: Any) -> None:
    call = gong.recorded(meta(**{field: said}))
    assert call is not None
    assert getattr(call, {"started": "started_at", "duration": "duration_s"}.get(field, field)) == read


def test_who_was_there_is_told_apart_and_the_owner_is_found() -> None:
    parties = [
        {"id": "1", "speakerId": "11", "userId": "5", "name": "Robin", "emailAddress": "Robin@Harbour.example"},
        {"id": "2", "speakerId": "12", "name": "Ada", "emailAddress": "no address", "affiliation": "External"},
        {"id": "3", "name": "Kim", "affiliation": "Internal", "title": "Engineer"},
        {"id": "4", "speakerId": "12", "name": "Somebody else"},
        "nobody",
    ]
    call = gong.recorded(meta(primaryUserId="5") | {"parties": parties})
    assert call is not None
    assert call.owner_email == "robin@harbour.example"
    told_of = [(one.key, one.name, one.email, one.ours, one.role) for one in call.speakers]
    assert sorted(told_of) == [
        ("11", "Robin", "robin@harbour.example", None, ""),
        ("12", "Ada", None, False, ""),
        ("party 3", "Kim", None, True, "Engineer"),
    ]


def stretch(speaker: object, *sentences: tuple[Any, Any, Any]) -> dict[str, Any]:
    return {"speakerId": speaker, "sentences": [{"start": a, "end": b, "text": text} for a, b, text in sentences]}


def test_what_is_said_at_a_stretch_is_a_turn_and_a_long_one_is_several() -> None:
    long = [(n * 10_000, n * 10_000 + 9_000, f"Sentence {n}.") for n in range(1, 13)]
    spoken = gong.spoken(
        {"transcript": [stretch("2", *long), stretch("1", (0, 900, "Hello."), (900, 1500, "Good day."))]}
    )
    assert spoken is not None
    assert (spoken.turns[0].speaker, spoken.turns[0].start_ms, spoken.turns[0].text) == ("1", 0, "Hello. Good day.")
    assert all(turn.end_ms - turn.start_ms <= gong.LONGEST_TURN_MS for turn in spoken.turns)
    assert " ".join(turn.text for turn in spoken.turns[1:]) == " ".join(text for _, _, text in long)
    assert len(spoken.turns) == 3


def test_a_sentence_that_cannot_be_read_is_left_out_and_the_rest_stays() -> None:
    bad = [
        ("0", 5, "a text for a time"),
        (-5, 5, "before"),
        (5, 9, ""),
        (5, 9, 7),
        (10**12, 10**12, "far"),
        (True, 5, "x"),
    ]
    spoken = gong.spoken({"transcript": [stretch(None, *bad, (7, 3, "Good.")), 7, None, {"sentences": "x"}]})
    assert spoken is not None
    assert [(turn.speaker, turn.start_ms, turn.end_ms, turn.text) for turn in spoken.turns] == [
        ("unknown", 7, 7, "Good.")
    ]


@pytest.mark.parametrize("said", [[], None, [stretch("1")], "x"])
def test_a_transcript_without_a_sentence_is_none_yet(said: Any) -> None:
    assert gong.spoken({"transcript": said}) is None


def test_what_a_rule_tells_is_read_like_what_the_api_tells(scene: Scene) -> None:
    recording = scene.gong.record("Halden")
    call = gong.recorded(told(recording))
    assert call is not None
    assert (call.id, call.title) == (recording.id, recording.call.title)
    assert call.owner_email == "kim.berg@harbour.example"


async def test_a_404_is_nothing_and_a_page_that_is_gone_is_not(scene: Scene) -> None:
    now = datetime.now(UTC)
    assert await scene.provider.calls(access(scene), now - DAY, now, None) == gong.CallPage((), None)
    assert await scene.provider.call(access(scene), ID) is None
    assert await scene.provider.transcript(access(scene), ID) is None
    scene.stage.sandbox.faults.put("gong", "status", status=404)
    with pytest.raises(ApplicationError) as raised:
        await scene.provider.calls(access(scene), now - DAY, now, "a-cursor")
    assert raised.value.type == "ProviderNonsense"


async def test_another_call_s_answer_is_none_of_ours(scene: Scene) -> None:
    """Whatever is sent for the id that we asked for."""
    scene.gong.record("Halden")
    (recording,) = scene.gong.recordings.values()
    scene.gong.recordings[ID] = recording
    scene.stage.sandbox.faults.put("gong", "nonsense", times=2)
    assert await scene.provider.call(access(scene), recording.id) is None
    assert await scene.provider.transcript(access(scene), recording.id) is None


@pytest.mark.parametrize("credentials", ["", ":", "x:y", "sandbox-access-key:", "кто:там"])
async def test_who_is_not_let_in_is_told_so(scene: Scene, credentials: str) -> None:
    with pytest.raises(UnauthorizedError):
        await scene.provider.calls(access(scene, credentials), NOW - DAY, NOW, None)


FAULTS: list[tuple[dict[str, Any], str, bool]] = [
    ({"kind": "status", "status": 400}, "ProviderRefused", True),
    ({"kind": "status", "status": 301}, "ProviderRefused", True),
    ({"kind": "status", "status": 500}, "ProviderDown", False),
    ({"kind": "status", "status": 429, "retry_after": "7"}, "ProviderLimited", False),
    ({"kind": "garbage"}, "ProviderNonsense", False),
    ({"kind": "wrong_type"}, "ProviderNonsense", False),
    ({"kind": "empty"}, "ProviderNonsense", False),
    ({"kind": "nan"}, "ProviderNonsense", False),
    ({"kind": "deep"}, "ProviderNonsense", False),
    ({"kind": "huge", "bytes": 6_000_000}, "ProviderNonsense", False),
    ({"kind": "truncated"}, "ProviderDown", False),
    # aiohttp sends a GET once more by itself.
    ({"kind": "drop", "times": 2}, "ProviderDown", False),
]


@pytest.mark.parametrize("asks", ["calls", "call", "transcript"])
@pytest.mark.parametrize(("fault", "kind", "final"), FAULTS, ids=[str(fault) for fault, _, _ in FAULTS])
async def test_each_fault_is_an_error_of_ours(
    scene: Scene, asks: str, fault: dict[str, Any], kind: str, final: bool
) -> None:
    recording, now = scene.gong.record("Halden"), datetime.now(UTC)
    scene.stage.sandbox.faults.put("gong", **fault)
    given = (now - DAY, now, None) if asks == "calls" else (recording.id,)
    with pytest.raises(ApplicationError) as raised:
        await getattr(scene.provider, asks)(access(scene), *given)
    assert (raised.value.type, raised.value.non_retryable) == (kind, final)
    assert "sandbox-access" not in str(raised.value)
    if kind == "ProviderLimited":
        assert raised.value.next_retry_delay == timedelta(seconds=7)


async def test_a_limit_of_hours_is_bounded(scene: Scene) -> None:
    scene.stage.sandbox.faults.put("gong", "status", status=429, retry_after="36000")
    with pytest.raises(ApplicationError) as raised:
        await scene.provider.calls(access(scene), NOW - DAY, NOW, None)
    assert raised.value.next_retry_delay == timedelta(minutes=15)


async def test_whoever_may_not_list_is_not_let_in_and_one_private_call_is_a_refusal(scene: Scene) -> None:
    scene.stage.sandbox.faults.put("gong", "status", status=403, times=2)
    with pytest.raises(UnauthorizedError):
        await scene.provider.calls(access(scene), NOW - DAY, NOW, None)
    with pytest.raises(ApplicationError) as raised:
        await scene.provider.transcript(access(scene), ID)
    assert raised.value.type == "ProviderRefused"


async def test_silence_ends(scene: Scene) -> None:
    scene.stage.sandbox.faults.put("gong", "hang")
    scene.provider._timeout = gong.aiohttp.ClientTimeout(total=0.3)
    with pytest.raises(ApplicationError) as raised:
        await scene.provider.calls(access(scene), NOW - DAY, NOW, None)
    assert raised.value.type == "ProviderDown"
