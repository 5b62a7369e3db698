"""Users are added on the command line: whoever is there may sign in."""

import pytest

from tests.cli.conftest import Beside
from tests.stage import Stage


async def test_a_user_is_added_once_and_listed(wired: Stage, beside: Beside) -> None:
    address = f"kim.ito@{wired.tenant.id[:8]}.example"
    added = await beside("user", "add", address.upper(), "--time-zone", "asia/tokyo", "--json")
    again = await beside("user", "add", address)
    listed = await beside("user", "list", "--json")

    assert (added.code, added.err) == (0, "")
    assert added.document == {**added.document, "email": address, "name": "Kim Ito", "time_zone": "Asia/Tokyo"}
    assert again.code == 2
    assert f"{address} is a user already; greenroom user list shows them" in again.err
    assert [one["email"] for one in listed.document] == [wired.user.email, address]
    assert await wired.tenants.with_address(address) == [(wired.tenant.id, added.document["id"])]


async def test_whoever_is_added_is_told_where_to_sign_in(wired: Stage, beside: Beside) -> None:
    address = f"lee@{wired.tenant.id[:8]}.example"
    said = await beside("user", "add", address, "--name", "Lee")

    assert said.out.strip() == f"{address} may sign in: http://127.0.0.1:8080/sign-in"
    assert "Lee" in (await beside("user", "list")).out


async def test_an_account_is_forgotten_so_that_another_may_sign_in(wired: Stage, beside: Beside) -> None:
    assert await wired.tenants.bind(wired.tenant.id, wired.user.id, "first")
    said = await beside("user", "forget-account", wired.user.email.upper())
    nobody = await beside("user", "forget-account", "nobody@nowhere.example")

    assert (said.code, said.out.startswith(f"{wired.user.email} is signed out")) == (0, True), said
    assert await wired.tenants.bind(wired.tenant.id, wired.user.id, "second")
    assert (nobody.code, "There is no user" in nobody.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("nobody",), "is no e-mail address"), (("a@b.example", "--time-zone", "Mars"), "is no time zone")],
)
async def test_a_user_that_cannot_be_is_refused(
    wired: Stage, beside: Beside, words: tuple[str, ...], sentence: str
) -> None:
    said = await beside("user", "add", *words)

    assert said.code == 2
    assert sentence in said.err
    assert len(await wired.tenants.users(wired.tenant.id)) == 1
