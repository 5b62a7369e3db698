"""The pages of calls: what came of one, the way for a file, and the button that has it read again."""

from datetime import UTC, datetime

import pytest

from activities.people import PersonKeys
from activities.store.calls import CallStore
from activities.transcripts.files import LARGEST
from activities.transcripts.ports import NewCall
from schemas.transcripts import Source, Speaker, Spoken, Turn
from tests.stage import KEY
from tests.web.house import House, Visitor

TALK = b"Ada: We lose an hour a day to empty miles.\nRobin: I will send you the numbers by Friday.\n"
HOSTILE = "<script>document.title='x'</script>"


@pytest.fixture
async def visitor(house: House) -> Visitor:
    return await house.sign_in()


async def call(house: House, *, owner: str | None = None, status: str = "parsed") -> str:
    """One in which Robin promises something."""
    ada = Speaker(key="Ada", name="Ada Lovelace", email="ada@lovelace.example", ours=False)
    robin = Speaker(key="Robin", name="Robin", ours=True)
    turns = (
        Turn(speaker="Ada", start_ms=0, end_ms=4000, text=f"We lose an hour a day. {HOSTILE}"),
        Turn(speaker="Robin", start_ms=3_725_000, end_ms=3_730_000, text="I will send you the numbers by Friday."),
    )
    new = NewCall(Source.RECORDER, "77", title=f"Depots {HOSTILE}", url="https://gong.example/77", owner_email=owner)
    new = NewCall(**{**vars(new), "started_at": datetime(2026, 11, 20, 14, tzinfo=UTC), "sandbox": True})
    spoken = Spoken(format="gong", speakers=(ada, robin), turns=turns)
    taken = await CallStore(house.database, PersonKeys(KEY)).take(
        house.tenant.id, new, spoken, datetime(2026, 11, 20, 16, tzinfo=UTC)
    )
    await house.run(
        """
        INSERT INTO findings (tenant_id, call_id, position, kind, text, owner, due, speaker, quote, at_ms)
        VALUES (current_tenant(), $1, 1, 'summary', 'They lose time', '', NULL, 'Ada', 'We lose an hour a day.', 0),
          (current_tenant(), $1, 2, 'next_step', 'Send the numbers', 'Robin', '2026-11-27', 'Robin',
            'I will send you the numbers', 3725000)
        """,
        taken.call_id,
    )
    await house.run(
        """
        UPDATE calls SET status = $2, claimed = 3, kept = 2, model = 'a-model', cost_micro_usd = 12300,
          failed_step = CASE WHEN $2 = 'failed' THEN 'read' END,
          failure_reason = CASE WHEN $2 = 'failed' THEN 'read: gemini said 403' END
        WHERE id = $1
        """,
        taken.call_id,
        status,
    )
    return taken.call_id


async def test_a_call_shows_what_came_of_it_and_where_that_was_said(house: House, visitor: Visitor) -> None:
    call_id = await call(house)
    page = await visitor.get(f"/calls/{call_id}")

    assert page.status == 200
    assert "Send the numbers" in page.text
    assert "by <time" in page.text and "27 November 2026" in page.text
    assert '<a href="#turn-1">at 1:02:05' in page.text
    assert '<li id="turn-1">' in page.text
    assert "2 of 3 findings kept" in page.text
    assert "sandbox data" in page.text.lower()
    assert "<script>document" not in page.text
    assert 'href="https://gong.example/77"' in page.text


async def test_the_list_tells_how_each_stands(house: House, visitor: Visitor) -> None:
    empty = await visitor.get("/calls")
    call_id = await call(house)
    listed = await visitor.get("/calls")

    assert "There is no call yet" in empty.text
    assert f'href="/calls/{call_id}"' in listed.text
    assert "1 next step" in listed.text
    assert "Ada Lovelace" in listed.text and ">Robin<" not in listed.text
    assert "<script>document" not in listed.text


async def test_somebody_else_s_call_and_another_tenant_s_are_not_there(house: House, visitor: Visitor) -> None:
    call_id = await call(house)
    stranger = await house.sign_in(house.stranger.email)
    assert (await stranger.get(f"/calls/{call_id}")).status == 404
    assert (await visitor.get(f"/calls/{call_id}")).status == 200

    await house.run(
        """
        WITH colleague AS (
          INSERT INTO users (tenant_id, id, email, name, time_zone, created_at)
          VALUES (current_tenant(), gen_random_uuid(), 'colleague@' || $1 || '.example', 'C', 'UTC', '2026-01-01') RETURNING id
        ) UPDATE calls SET user_id = (SELECT id FROM colleague)
        """,
        house.tenant.id,
    )
    for path in ("", "/progress"):
        assert (await visitor.get(f"/calls/{call_id}{path}")).status == 404
    assert call_id not in (await visitor.get("/calls")).text
    assert (await visitor.send(f"/calls/{call_id}/retry", "/calls/new")).status == 404


@pytest.mark.parametrize("path", ["/calls", "/calls/new", "/calls/00000000-0000-4000-8000-000000000000"])
async def test_whoever_is_not_signed_in_is_led_there(house: House, path: str) -> None:
    got = await (await house.visitor()).get(path)
    assert (got.status, got.to.startswith("/sign-in")) == (303, True)


async def test_a_file_becomes_a_call_and_the_same_file_the_same_call(house: House, visitor: Visitor) -> None:
    fields = {"title": "Depots", "when": "2026-11-20T15:00", "with": "ada@lovelace.example, tomas@brightwater.example"}
    first = await visitor.upload("/calls/new", TALK, "talk.txt", **fields)
    second = await visitor.upload("/calls/new", TALK, "talk.txt", **fields)
    (row,) = await house.run("SELECT * FROM calls")

    assert (first.status, first.to) == (303, f"/calls/{row['id']}?note=call-read")
    assert second.to == f"/calls/{row['id']}?note=call-known"
    assert house.running.done == [("call", row["id"])] * 2
    assert (row["title"], row["started_at"], row["user_id"]) == (
        "Depots",
        datetime(2026, 11, 20, 14, tzinfo=UTC),
        house.user.id,
    )
    emails = {one["email"] for one in await house.run("SELECT email FROM speakers WHERE email IS NOT NULL")}
    assert emails == {"ada@lovelace.example", "tomas@brightwater.example"}
    assert (await visitor.get(f"/calls/{row['id']}/progress")).text.startswith('{"busy": true')


async def test_what_is_written_into_the_form_does_as_well(house: House, visitor: Visitor) -> None:
    got = await visitor.upload("/calls/new", b"", "", text=TALK.decode())
    assert got.status == 303
    assert len(await house.run("SELECT FROM transcripts")) == 1


@pytest.mark.parametrize(
    ("data", "name", "fields", "said"),
    [
        (b"", "", {}, "Choose a file"),
        (b" \n ", "empty.vtt", {}, "Choose a file"),
        (b"%PDF-1.7 \x00\x01", "talk.pdf", {}, "PDF"),
        (TALK, "talk.txt", {"with": "nobody"}, "no e-mail address"),
        (TALK, "talk.txt", {"when": "yesterday"}, "such as 2026-11-23T15:00"),
        (TALK, "talk.txt", {"when": "9999-12-31T23:59+00:00"}, "such as 2026-11-23T15:00"),
        (TALK, "talk.txt", {"when": "0001-01-01T00:00"}, "such as 2026-11-23T15:00"),
        (TALK, "talk.txt", {"with": ",".join(f"p{n}@lovelace.example" for n in range(51))}, "At most 50"),
        (TALK, "talk.txt", {"csrf": "forged"}, "open for too long"),
    ],
)
async def test_what_is_wrong_is_said_in_the_form(
    house: House, visitor: Visitor, data: bytes, name: str, fields: dict[str, str], said: str
) -> None:
    got = await visitor.upload("/calls/new", data, name, **{"title": "My own title", **fields})

    assert got.status in (400, 403)
    assert said in got.text
    assert "My own title" in got.text
    assert await house.run("SELECT FROM calls") == []
    assert house.running.done == []


async def test_a_file_that_is_too_large_is_refused_before_it_is_read(house: House, visitor: Visitor) -> None:
    got = await visitor.upload("/calls/new", b"x" * (LARGEST + 200_000), "huge.txt")
    stranger = await house.visitor()
    large = await stranger.post("/calls/new", {"text": "x" * 100_000})

    assert (got.status, large.status) == (413, 413)
    assert await house.run("SELECT FROM calls") == []


async def test_a_call_that_could_not_be_read_says_why_and_is_read_again(house: House, visitor: Visitor) -> None:
    call_id = await call(house, status="failed")
    page = await visitor.get(f"/calls/{call_id}")
    again = await visitor.send(f"/calls/{call_id}/retry", f"/calls/{call_id}")
    await house.run("UPDATE calls SET status = 'parsed'")
    refused = await visitor.send(f"/calls/{call_id}/retry", "/calls/new")

    assert ">gemini said 403 (read)<" in page.text, "its step is said once"
    assert "Read it again" in page.text
    assert (again.status, again.to) == (303, f"/calls/{call_id}?note=call-again")
    assert (refused.status, "Only a call that could not be read" in refused.text) == (400, True)
    assert house.running.done == [("call", call_id)]


async def test_while_temporal_is_away_nothing_is_lost(house: House, visitor: Visitor) -> None:
    """The call is kept, and whoever sends it again has it read."""
    house.running.away = True
    away = await visitor.upload("/calls/new", TALK, "talk.txt")
    house.running.away = False
    again = await visitor.upload("/calls/new", TALK, "talk.txt")

    assert (away.status, again.status) == (503, 303)
    assert len(await house.run("SELECT FROM calls")) == 1
    assert len(house.running.done) == 1


async def test_hearing_of_calls_by_mail_is_a_preference(house: House, visitor: Visitor) -> None:
    saved = await visitor.send(
        "/preferences", "/preferences", time_zone="Europe/Berlin", deliver_before_min="60", briefs_by_mail="on"
    )
    (row,) = await house.run("SELECT calls_by_mail, briefs_by_mail FROM users")
    page = await visitor.get("/preferences")

    assert (saved.status, row["calls_by_mail"], row["briefs_by_mail"]) == (303, False, True)
    assert 'name="calls_by_mail">' in page.text


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "multipart/mixed; boundary=x"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"--x",
        b"--x\r\n\r\n--x--",
        b"\n" * 60_000,
        b"--x\r\nContent-Disposition: form-data; name=csrf\r\nContent-Transfer-Encoding: base64\r\n\r\n***\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" * 60 + b"--x--\r\n",
        b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nz\r\n--y--\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="\x1b\xff"\r\n\r\n1\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\nContent-Encoding: gzip\r\n\r\nzz\r\n--x--\r\n",
    ],
)
async def test_a_form_that_is_none_is_refused(house: House, visitor: Visitor, kind: str, body: bytes) -> None:
    headers = {"Origin": visitor.base, "Sec-Fetch-Site": "same-origin", "Content-Type": kind}
    async with visitor.session.post("/calls/new", data=body, headers=headers) as response:
        assert response.status in (400, 403, 415)
        assert "Traceback" not in await response.text()
    assert await house.run("SELECT FROM calls") == []
