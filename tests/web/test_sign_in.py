"""Signing in: whoever Google says somebody is, once, in this browser, and nobody else."""

from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import web
from temporalio.exceptions import ApplicationError

from activities.providers.google_accounts import CALENDAR, SIGN_IN
from schemas.tenants import User
from starter.web.sessions import LIVES, STATE_LIVES, Cookies, Session
from starter.web.visits import local
from tests.web.house import NOW, House

NAME, STATE = "greenroom", "greenroom-state"


async def test_a_user_says_who_they_are_and_is_asked_for_their_calendar(house: House) -> None:
    visitor = await house.visitor()
    state = await house.leave(visitor, "/connect/google?to=/campaigns")
    got = await house.come_back(visitor, state, house.user.email)

    assert house.consent.asked[-1]["scope"].split() == list(SIGN_IN)
    assert (got.status, got.to) == (303, "/connect/google?connection=own&to=%2Fcampaigns")
    asked = await visitor.get(got.to)
    assert asked.status == 303
    assert house.consent.asked[-1]["scope"].split() == [*SIGN_IN, *CALENDAR]
    assert house.consent.asked[-1]["login_hint"] == house.user.email


async def test_a_calendar_is_connected_watched_and_read(house: House) -> None:
    visitor = await house.sign_in()
    state = await house.leave(visitor, "/connect/google?to=/campaigns")
    got = await house.come_back(visitor, state, house.user.email)

    assert (got.status, got.to) == (303, "/campaigns?note=connected")
    row = (await house.run("SELECT * FROM connections"))[0]
    calendar = (await house.run("SELECT * FROM calendars"))[0]
    assert (row["account"], row["user_id"], row["status"]) == (house.user.email, house.user.id, "active")
    assert house.running.done == [("watch", calendar["id"]), ("read: connected", calendar["id"])]


async def test_while_temporal_is_away_a_connection_stands_and_says_when_it_is_read(house: House) -> None:
    visitor = await house.sign_in()
    house.running.away = True
    got = await house.connect(visitor)

    assert got.to == "/calendars?note=connected-later"
    assert (await visitor.get(got.to)).says("as soon as the part that does the work answers")
    assert len(await house.run("SELECT FROM connections")) == 1


async def test_who_has_a_calendar_is_not_asked_for_it_again(house: House) -> None:
    await house.connect(await house.sign_in())
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor, "/connect/google?to=/campaigns"), house.user.email)

    assert got.to == "/campaigns"


@pytest.mark.parametrize(("status", "asked"), [("reauth_required", True), ("disconnected", False), ("active", False)])
async def test_only_a_calendar_that_lets_us_in_no_more_is_asked_for_again(
    house: House, status: str, asked: bool
) -> None:
    """Whoever has disconnected one meant it."""
    await house.connect(await house.sign_in())
    await house.run("UPDATE connections SET status = $1", status)
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor), house.user.email)

    assert got.to == ("/connect/google?connection=own&to=%2F" if asked else "/")


async def test_another_account_is_added_to_whoever_is_signed_in(house: House) -> None:
    visitor = await house.sign_in()
    await house.connect(visitor)
    await house.connect(visitor, house.stranger.email)

    rows = await house.run("SELECT account, user_id FROM connections ORDER BY connected_at, account")
    assert {row["account"] for row in rows} == {house.user.email, house.stranger.email}
    assert {row["user_id"] for row in rows} == {house.user.id}
    assert (await visitor.get("/preferences")).says(house.user.name), "still the same person"


async def test_an_account_of_nobody_is_told_who_can_add_them(house: House) -> None:
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor), "nobody@nowhere.example")

    assert got.status == 403
    assert got.says("nobody@nowhere.example is not known here")
    assert got.says("greenroom user add")
    assert NAME not in visitor.cookies


async def test_the_first_account_with_an_address_is_the_user_s_and_no_other(house: House) -> None:
    await house.sign_in()
    house.consent.subs[house.user.email] = "somebody else who got the address"
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor), house.user.email)

    assert got.status == 403
    assert got.says(f"greenroom user forget-account {house.user.email}")
    assert NAME not in visitor.cookies
    del house.consent.subs[house.user.email]
    await house.sign_in()


async def test_an_account_that_was_forgotten_makes_room_for_the_next_and_is_signed_out(house: House) -> None:
    before = await house.sign_in()
    await house.tenants.forget_account(house.tenant.id, house.user.id, NOW + timedelta(seconds=1))
    house.consent.subs[house.user.email] = "the new one"
    house.now = NOW + timedelta(minutes=1)
    after = await house.sign_in()

    assert ((await before.get("/")).status, (await after.get("/preferences")).status) == (303, 200)
    del house.consent.subs[house.user.email]
    visitor = await house.visitor()
    assert (await house.come_back(visitor, await house.leave(visitor), house.user.email)).status == 403


async def test_an_account_is_bound_in_each_tenant_by_itself(house: House) -> None:
    assert await house.tenants.bind(house.tenant.id, house.user.id, "a")
    assert await house.tenants.bind(house.tenant.id, house.user.id, "a")
    assert not await house.tenants.bind(house.tenant.id, house.user.id, "b")
    assert not await house.tenants.bind(house.other_tenant.id, house.user.id, "a"), "no user of theirs"


async def test_an_address_that_google_has_not_verified_is_nobodys(house: House) -> None:
    house.consent.verified = False
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor), house.user.email)

    assert got.status == 403
    assert got.says("not verified")
    assert NAME not in visitor.cookies


async def test_an_address_in_two_tenants_asks_which(house: House) -> None:
    double = User(id=house.other_tenant.id, email=house.user.email, name="Robin")
    await house.tenants.add_user(house.other_tenant.id, double, NOW)
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor), house.user.email)

    assert got.status == 200
    assert NAME not in visitor.cookies
    path = f"/connect/google?tenant={house.other_tenant.slug}&to=%2F"
    assert path in got.text.replace("&amp;", "&")
    await house.come_back(visitor, await house.leave(visitor, path), house.user.email)
    assert (await visitor.get("/preferences")).says(house.other_tenant.name)


async def test_the_verifier_is_ours_and_its_hash_is_what_was_sent(house: House) -> None:
    visitor, thief = await house.visitor(), await house.visitor()
    await house.leave(visitor)
    code = house.consent.agree(house.user.email)
    state = await house.leave(thief)
    got = await thief.get(f"/connect/google/callback?state={state}&code={code}")

    assert got.status == 400
    assert got.says("too old, or used")
    assert NAME not in thief.cookies


async def test_a_state_serves_once_and_so_does_a_code(house: House) -> None:
    visitor = await house.visitor()
    state = await house.leave(visitor)
    kept, code = visitor.cookies[STATE], house.consent.agree(house.user.email)
    path = f"/connect/google/callback?state={state}&code={code}"
    assert (await visitor.get(path)).status == 303

    gone = await visitor.get(path)
    visitor.put_cookie(STATE, kept)
    replayed = await visitor.get(path)
    assert (gone.status, replayed.status) == (400, 400)
    assert gone.says("begun in another browser")
    assert replayed.says("has been used")
    again = await house.leave(visitor)
    assert (await visitor.get(f"/connect/google/callback?state={again}&code={code}")).status == 400


async def test_a_state_is_of_the_browser_that_began(house: House) -> None:
    """Otherwise somebody could be signed in as somebody else, by a link."""
    attacker, victim = await house.visitor(), await house.visitor()
    state = await house.leave(attacker)
    code = house.consent.agree(house.stranger.email)
    path = f"/connect/google/callback?state={state}&code={code}"
    without = await victim.get(path)
    await house.leave(victim)
    other = await victim.get(path)

    assert (without.status, other.status) == (400, 400)
    assert NAME not in victim.cookies


async def test_a_state_is_too_old_after_ten_minutes(house: House) -> None:
    visitor = await house.visitor()
    state = await house.leave(visitor)
    house.now += STATE_LIVES + timedelta(seconds=1)
    got = await house.come_back(visitor, state, house.user.email)

    assert got.status == 400
    assert got.says("took too long")


async def test_who_signed_out_in_between_connects_nothing(house: House) -> None:
    visitor = await house.sign_in()
    state = await house.leave(visitor)
    await visitor.send("/sign-out", "/")
    got = await house.come_back(visitor, state, house.user.email)

    assert got.status == 400
    assert await house.run("SELECT FROM connections") == []


@pytest.mark.parametrize(
    ("problem", "status", "sentence"),
    [("access_denied", 403, "You did not agree to be signed in"), ("<b>x", 400, "Google could not sign you in")],
)
async def test_what_google_says_no_with_is_one_sentence(house: House, problem: str, status: int, sentence: str) -> None:
    visitor = await house.visitor()
    state = await house.leave(visitor)
    got = await visitor.get(f"/connect/google/callback?state={state}&error={quote(problem)}")

    assert got.status == status
    assert got.says(sentence)
    assert "<b>" not in got.text
    assert 'href="/connect/google"' in got.text


async def test_who_does_not_agree_to_the_calendar_stays_signed_in(house: House) -> None:
    visitor = await house.sign_in()
    state = await house.leave(visitor)
    got = await visitor.get(f"/connect/google/callback?state={state}&error=access_denied")

    assert got.status == 403
    assert got.says("did not agree to have your calendar read")
    assert (await visitor.get("/")).status == 200


async def test_a_calendar_that_was_not_ticked_is_not_connected(house: House) -> None:
    visitor = await house.sign_in()
    house.consent.scopes = SIGN_IN
    got = await house.connect(visitor)

    assert got.status == 403
    assert got.says("was not among what you agreed to")
    assert await house.run("SELECT FROM connections") == []


async def test_a_google_that_is_away_is_one_sentence(house: House) -> None:
    house.consent.away = ApplicationError("google did not answer", type="ProviderDown")
    visitor = await house.visitor()
    got = await house.come_back(visitor, await house.leave(visitor), house.user.email)

    assert got.status == 503
    assert got.says("Google does not answer as it should")


@pytest.mark.parametrize("query", ["", "?state=x", "?code=x", "?state=x&code=x&error=y", "?state=%00&code=%ff"])
async def test_whoever_comes_back_without_having_left_starts_again(house: House, query: str) -> None:
    visitor = await house.visitor()
    got = await visitor.get(f"/connect/google/callback{query}")

    assert got.status == 400
    assert got.says("begun in another browser")


async def test_a_session_gets_a_new_id_at_each_sign_in(house: House) -> None:
    """So whoever planted or saw a cookie before knows nothing of the one after."""
    visitor = await house.visitor()
    visitor.put_cookie(NAME, "planted")
    await house.come_back(visitor, await house.leave(visitor), house.user.email)
    first, token = visitor.cookies[NAME], (await visitor.get("/")).token
    await visitor.send("/sign-out", "/")
    house.now += timedelta(seconds=1)
    await house.come_back(visitor, await house.leave(visitor), house.user.email)
    second = visitor.cookies[NAME]

    assert len({"planted", first, second}) == 3
    assert (await visitor.get("/")).token != token
    visitor.put_cookie(NAME, first)
    assert (await visitor.get("/")).to == "/sign-in?to=%2F", "it was signed out"


async def test_cookies_are_for_this_site_and_for_no_script(house: House) -> None:
    visitor = await house.visitor()
    state = await house.leave(visitor)
    got = await house.come_back(visitor, state, house.user.email)
    said = got.headers["set-cookie"]

    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Path=/" in said
    assert "Domain" not in said


async def test_on_https_cookies_are_secure_and_of_this_host(house: House) -> None:
    async with house.open(web_url="https://greenroom.example"):
        visitor = await house.visitor()
        got = await visitor.get("/connect/google")

    assert got.headers["set-cookie"].startswith("__Host-greenroom-state=")
    assert "Secure" in got.headers["set-cookie"]
    assert "Path=/" in got.headers["set-cookie"]


def cookies(house: House, **more: object) -> Cookies:
    return Cookies(house.settings(**more))


def sealed(house: House, session: Session, **more: object) -> str:
    response = web.Response()
    cookies(house, **more).begin(response, session)
    return response.cookies[NAME].value


async def test_a_session_is_over_when_it_is_old_forged_or_anothers(house: House) -> None:
    mine = Session.of(house.tenant.id, house.user.id, house.now)
    good = sealed(house, mine)
    old = sealed(house, Session.of(house.tenant.id, house.user.id, house.now - LIVES - timedelta(seconds=1)))
    early = sealed(house, Session.of(house.tenant.id, house.user.id, house.now + timedelta(hours=1)))
    elsewhere = sealed(house, Session.of(house.other_tenant.id, house.user.id, house.now))
    visitor = await house.visitor()
    await house.leave(visitor)
    wrong = {
        "old": old,
        "from the future": early,
        "another key's": sealed(house, mine, session_key="k" * 40),
        "a user of another tenant": elsewhere,
        "changed": good[:-6] + ("A" if good[-6] != "A" else "B") + good[-5:],
        "cut": good[:40],
        "a state's": visitor.cookies[STATE],
        "rubbish": "%F0%9F%94%91",
        "empty": "",
        "long": "A" * 4200,
    }

    for name, value in wrong.items():
        got = await visitor.get("/", Cookie=f"{NAME}={value}")
        assert (got.status, got.to) == (303, "/sign-in?to=%2F"), name
    assert (await visitor.get("/", Cookie=f"{NAME}={good}")).status == 200


async def test_signing_out_ends_every_session_everywhere(house: House) -> None:
    here, there = await house.sign_in(), await house.sign_in()
    house.now += timedelta(minutes=1)
    got = await here.send("/sign-out", "/")

    assert got.to == "/sign-in?note=signed-out"
    assert (await here.get(got.to)).says("signed out, on every device")
    assert NAME not in {key for key, value in here.cookies.items() if value}
    assert (await there.get("/")).status == 303
    house.now += timedelta(minutes=1)
    assert (await (await house.sign_in()).get("/")).status == 200


async def test_who_is_led_to_the_sign_in_comes_back_to_where_they_were(house: House) -> None:
    visitor = await house.visitor()
    got = await visitor.get("/campaigns?note=saved")
    assert got.to == "/sign-in?to=%2Fcampaigns%3Fnote%3Dsaved"
    page = await visitor.get(got.to)
    assert 'href="/connect/google?to=%2Fcampaigns%3Fnote%3Dsaved"' in page.text
    back = await house.come_back(
        visitor, await house.leave(visitor, "/connect/google?to=%2Fcampaigns%3Fnote%3Dsaved"), house.user.email
    )
    assert parse_qs(urlsplit(back.to).query)["to"] == ["/campaigns?note=saved"]


ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%0d%0aSet-Cookie:x",
    " //evil.example",
    "///evil.example",
    "evil.example",
    "",
    "/ümlaut",
    "/" + "a" * 600,
    "/connect/google",
    "/sign-in?to=/",
]


@pytest.mark.parametrize("to", ELSEWHERE)
async def test_nobody_is_led_to_another_site(house: House, to: str) -> None:
    visitor = await house.sign_in()
    got = await visitor.get(f"/sign-in?to={quote(to, safe='')}")

    assert got.status == 303
    assert got.to in ("/", "/%0d%0aSet-Cookie:x")
    assert "set-cookie" not in got.headers


def test_a_path_of_ours_is_kept() -> None:
    for path in ("/", "/campaigns?note=saved", "/meetings/x?after=3", "/a//b", "/a?to=//evil.example"):
        assert local(path) == path
