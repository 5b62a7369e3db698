"""A link opens one brief of one tenant for a while, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from starter.links import Links
from starter.words import NotReadyError
from tests.web.conftest import KEY, settings
from tests.web.samples import OTHER_TENANT, TENANT, row

BRIEF = row("brief")
LINKS = Links(settings())
TOKEN = LINKS.brief(TENANT, BRIEF).partition("?t=")[2]


def later(days: float) -> Links:
    """The same links, looked at so many days from now."""
    then = datetime.now(UTC) + timedelta(days=days)
    return Links(settings(link_days=14), now=then.timestamp)


def test_a_link_names_the_brief_and_opens_it() -> None:
    assert LINKS.brief(TENANT, BRIEF).startswith(f"http://127.0.0.1:8080/briefs/{BRIEF}?t=")
    assert LINKS.read(TOKEN, BRIEF) == TENANT


def test_a_link_opens_no_other_brief() -> None:
    assert LINKS.read(TOKEN, row("another")) is None
    assert not LINKS.expired(TOKEN, row("another"))


def test_a_link_says_whose_brief_it_opens() -> None:
    other = LINKS.brief(OTHER_TENANT, BRIEF).partition("?t=")[2]

    assert LINKS.read(other, BRIEF) == OTHER_TENANT


@pytest.mark.parametrize(("days", "opens"), [(0, True), (13.9, True), (14.1, False), (4000, False)])
def test_a_link_opens_for_as_long_as_the_settings_say(days: float, opens: bool) -> None:
    assert (later(days).read(TOKEN, BRIEF) == TENANT) is opens
    assert later(days).expired(TOKEN, BRIEF) is not opens


def test_only_a_link_that_we_signed_can_expire() -> None:
    assert not later(15).expired(TOKEN[:-1], BRIEF)
    assert not later(15).expired(TOKEN, row("another"))
    assert not later(15).expired("", BRIEF)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        TOKEN[:-1],
        TOKEN[1:],
        TOKEN + "A",
        TOKEN.replace(".", ""),
        ".".join(TOKEN.split(".")[:2]),
        TOKEN.partition(".")[0],
        "A" * 10_000,
        TOKEN + "." * 10_000,
        "ünïcødé.☃.\U0001f511",
        "\x00",
        "\ud800",
        f"{TOKEN}\n",
        f" {TOKEN}",
    ],
)
def test_whatever_is_not_our_token_opens_nothing(token: str) -> None:
    assert LINKS.read(token, BRIEF) is None
    assert not LINKS.expired(token, BRIEF)


@given(token=st.text(max_size=300))
def test_garbage_opens_nothing(token: str) -> None:
    assert LINKS.read(token, BRIEF) is None


@given(data=st.data())
def test_a_token_with_any_character_changed_opens_nothing(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    letter = data.draw(st.characters(codec="ascii"))
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]

    # The last character of base64 has bits that mean nothing: the same signature can be written in several ways.
    if changed[:-1] != TOKEN[:-1]:
        assert LINKS.read(changed, BRIEF) is None


@pytest.mark.parametrize(
    ("key", "salt"), [("another key, of more than 32 characters", "brief"), (KEY, "sign-in"), (KEY, "itsdangerous")]
)
def test_a_token_signed_for_something_else_opens_nothing(key: str, salt: str) -> None:
    forged = URLSafeTimedSerializer(key, salt=salt).dumps([TENANT, BRIEF])

    assert LINKS.read(str(forged), BRIEF) is None


@pytest.mark.parametrize("said", [None, [], [TENANT], [TENANT, BRIEF, 1], {"a": 1}, "xy", 7, [None, None]])
def test_what_we_signed_in_another_shape_opens_nothing(said: object) -> None:
    assert LINKS.read(str(LINKS._signed.dumps(said)), BRIEF) is None


@pytest.mark.parametrize("length", [0, 31])
def test_without_a_good_key_there_are_no_links(length: int) -> None:
    with pytest.raises(NotReadyError, match="GREENROOM_LINK_KEY must have at least 32 characters"):
        Links(settings(link_key="k" * length))
