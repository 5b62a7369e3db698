"""The channels of a user on their preferences: added, switched on, removed; addresses never shown, others' never there."""

from html import unescape
from uuid import uuid4

import pytest

from activities.store.user_channels import MOST_CHANNELS
from tests.web.house import NOW, House, Visitor

PAGE, ADD = "/preferences", "/preferences/channels"
HOOK = "http://127.0.0.1:8900/slack/services/T0001/B0001/hushhushhush"


@pytest.fixture
async def robin(house: House) -> Visitor:
    return await house.sign_in()


async def test_channels_are_added_and_shown_without_their_addresses(house: House, robin: Visitor) -> None:
    got = await robin.send(ADD, PAGE, kind="telegram", address=" 420142014201 ", label="My <phone>")
    assert (got.status, got.to) == (303, "/preferences?note=channel-added")
    assert (await robin.send(ADD, PAGE, kind="slack", address=HOOK, label="")).status == 303
    page = await robin.get(PAGE)
    assert page.says("My <phone>") and "My <phone>" not in page.text
    assert page.says("Slack") and "420142014201" not in page.text and "hush" not in page.text
    there = {one.kind: one for one in await house.channels.list(house.tenant.id, house.user.id)}
    assert {kind: one.label for kind, one in there.items()} == {"telegram": "My <phone>", "slack": "Slack"}
    opened = await house.channels.channel(house.tenant.id, there["telegram"].id)
    assert opened is not None and opened.address == "420142014201"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "telegram", "address": "Robin"}, "A chat is a number"),
        ({"kind": "telegram", "address": "@greenroom_news"}, "is read by everybody"),
        ({"kind": "telegram", "address": ""}, "A chat is a number"),
        ({"kind": "slack", "address": "https://evil.example/services/T0/B0/x"}, "looks like"),
        ({"kind": "pigeon", "address": "42"}, "Choose one of the kinds"),
        ({}, "Choose one of the kinds"),
        ({"kind": "telegram", "address": "42", "label": "x" * 61}, "at most 60 letters"),
    ],
    ids=["a name", "a public channel", "nothing", "another host", "another kind", "no fields", "a long label"],
)
async def test_what_is_no_channel_comes_back_with_a_sentence(
    house: House, robin: Visitor, fields: dict[str, str], said: str
) -> None:
    got = await robin.send(ADD, PAGE, **fields)
    assert got.status == 400 and got.says(said)
    assert unescape(got.text).count(fields.get("address") or "Told elsewhere too") >= 1, "it is theirs to correct"
    assert got.says('list="zones" value="Europe/Berlin"'), "the other form stands as it is"
    assert await house.channels.list(house.tenant.id, house.user.id) == ()


async def test_there_are_not_many(house: House, robin: Visitor) -> None:
    for number in range(MOST_CHANNELS):
        assert (await robin.send(ADD, PAGE, kind="telegram", address=str(100 + number))).status == 303
    got = await robin.send(ADD, PAGE, kind="telegram", address="99")
    assert (got.status, got.says("There are 10 channels already")) == (400, True)
    assert (await robin.send(ADD, PAGE, kind="telegram", address="100", label="Newer")).status == 303
    assert len(await house.channels.list(house.tenant.id, house.user.id)) == MOST_CHANNELS


async def test_one_that_was_switched_off_says_why_and_comes_on_again(house: House, robin: Visitor) -> None:
    await robin.send(ADD, PAGE, kind="telegram", address="42", label="Phone")
    (one,) = await house.channels.list(house.tenant.id, house.user.id)
    await house.channels.off(house.tenant.id, one.id, "the bot was blocked there", NOW)
    assert (await robin.get(PAGE)).says("the bot was blocked there")
    got = await robin.send(f"{ADD}/{one.id}/on", PAGE)
    assert got.to == "/preferences?note=channel-on"
    assert [line.status for line in await house.channels.list(house.tenant.id, house.user.id)] == ["on"]
    assert not (await robin.get(PAGE)).says("the bot was blocked there")


async def test_one_is_removed(house: House, robin: Visitor) -> None:
    await robin.send(ADD, PAGE, kind="telegram", address="42")
    (one,) = await house.channels.list(house.tenant.id, house.user.id)
    assert (await robin.send(f"{ADD}/{one.id}/remove", PAGE)).to == "/preferences?note=channel-removed"
    assert await house.channels.list(house.tenant.id, house.user.id) == ()
    assert (await robin.send(f"{ADD}/{one.id}/remove", PAGE)).status == 404


@pytest.mark.parametrize("verb", ["remove", "on"])
async def test_somebody_elses_is_not_there(house: House, robin: Visitor, verb: str) -> None:
    theirs = await house.channels.add(house.other_tenant.id, house.stranger.id, "telegram", "42", "Theirs", NOW)
    await house.channels.off(house.other_tenant.id, theirs, "x", NOW)
    for wanted in (theirs, str(uuid4()), "nonsense", "%00"):
        assert (await robin.send(f"{ADD}/{wanted}/{verb}", PAGE)).status == 404
    assert not (await robin.get(PAGE)).says("Theirs")
    assert [one.status for one in await house.channels.list(house.other_tenant.id, house.stranger.id)] == ["off"]


async def test_a_colleagues_is_not_there_either(house: House, robin: Visitor) -> None:
    await house.run(
        "INSERT INTO users (tenant_id, id, email, name, time_zone, created_at) "
        "VALUES (current_tenant(), $1, 'kim@harbour.example', 'Kim', 'UTC', $2)",
        *(colleague := str(uuid4()), NOW),
    )
    theirs = await house.channels.add(house.tenant.id, colleague, "telegram", "42", "Kims", NOW)
    assert (await robin.send(f"{ADD}/{theirs}/remove", PAGE)).status == 404
    assert not (await robin.get(PAGE)).says("Kims")
    assert len(await house.channels.list(house.tenant.id, colleague)) == 1


async def test_what_is_written_is_mailed_unless_it_is_not_wanted(house: House, robin: Visitor) -> None:
    fields = {"time_zone": "Europe/Berlin", "deliver_before_min": "60", "briefs_by_mail": "on"}
    for more, wanted in (({}, False), ({"skills_by_mail": "on"}, True)):
        await robin.send(PAGE, PAGE, **fields, **more)
        member = await house.tenants.member(house.tenant.id, house.user.id)
        assert member is not None and member.skills_by_mail is wanted
        assert ('name="skills_by_mail" checked' in (await robin.get(PAGE)).text) is wanted


async def test_a_form_of_another_site_does_nothing(house: House, robin: Visitor) -> None:
    fields = {"kind": "telegram", "address": "42", "csrf": "x"}
    assert (await robin.post(ADD, fields)).status == 403
    assert (await robin.post(ADD, fields, Origin="https://evil.example")).status == 403
    assert await house.channels.list(house.tenant.id, house.user.id) == ()
