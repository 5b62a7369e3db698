"""The long call: two hours, eight speakers, made of the same pieces in the same order each time."""

import random
from collections.abc import Iterator
from datetime import timedelta

from sandbox.calls.script import InventedCall, Sentence, Voice, spoken

WORDS = 18_000

NORTHWIND = "northwind-robotics.example"
SPEAKERS = (
    Voice("Robin Marsh", "robin.marsh@harbour.example", ours=True),
    Voice("Kim Berg", "kim.berg@harbour.example", ours=True),
    Voice("Noa Feld", "noa.feld@harbour.example", ours=True),
    Voice("Sam Rivera", f"sam.rivera@{NORTHWIND}", ours=False),
    Voice("Ingrid Solheim", f"ingrid.solheim@{NORTHWIND}", ours=False),
    Voice("Lasse Thorn", f"lasse.thorn@{NORTHWIND}", ours=False),
    Voice("Dana Quill", f"dana.quill@{NORTHWIND}", ours=False),
    Voice("Emre Vale", None, ours=False),
)
ROBIN, KIM, NOA, SAM, INGRID, LASSE, DANA, EMRE = (voice.name for voice in SPEAKERS)

OPENING = (
    (ROBIN, "Welcome to the workshop, everybody. I am Account Executive at Harbour Software, and we have two hours."),
    (KIM, "I am Solutions Engineer at Harbour Software, and I will draw while you talk."),
    (NOA, "I am Delivery Lead at Harbour Software. I will be the one you call when it does not work."),
    (SAM, "I am Head of Deployments at Northwind Robotics, and these are my sites."),
    (INGRID, "I am Chief Financial Officer at Northwind Robotics. What it costs is my part of this."),
    (LASSE, "I am Head of Field Service at Northwind Robotics. My people drive to the robots that stand still."),
    (DANA, "I am Data Engineer at Northwind Robotics, so every export that we talk about comes from me."),
    (EMRE, "I am Site Manager at the warehouse in Antwerp. I rent the robots, and I am here as a guest."),
)
# What is worth writing down, spread over the two hours.
PLANTED = (
    (SAM, "The sites order spare grippers by hand, and we lose two days whenever a shelf is moved."),
    (EMRE, "Honestly, a robot that stands still is a colleague who looks at you all day."),
    (LASSE, "My crews work overtime on every second weekend, and nobody plans it before Thursday."),
    (INGRID, "We looked at Stockwise for the field crews, and its price per robot was the end of that."),
    (DANA, "I am worried that the exports change their columns with each release of the robots."),
    (NOA, "I will send you the list of columns that we read, and nothing beside it, by Friday."),
    (INGRID, "There is a budget of 120,000 euros for planning tools in the coming year, spread over two halves."),
    (DANA, "I will prepare an export of the Antwerp site without any names of people by next Wednesday."),
    (
        INGRID,
        "Every contract that runs longer than two years comes across my desk, and our board approves it in spring.",
    ),
    (SAM, "A pilot with three sites for eight weeks is what I could start without asking anybody."),
    (LASSE, "One risk is that two of my crew leads go on leave in the same month."),
    (KIM, "I will share a drawing of how the plan reaches a crew on the road by Monday."),
    (EMRE, "My concern is the night shift, since nobody there reads a plan that is longer than a hand."),
    (ROBIN, "I will write down what the three sites are measured by, and send it to Sam and Ingrid by Tuesday."),
    (SAM, "Planwell showed us a forecast that arrived too late for the morning crews, twice."),
    (INGRID, "The discount is hard to justify if we only learn in autumn whether it worked."),
    (DANA, "I will ask legal whether the exports may be kept for longer than ninety days."),
    (LASSE, "The truth is that my people trust the van, the coffee and each other, in this order."),
    (EMRE, "There is a freeze on new screens in the warehouse until the insurance has been renewed."),
    (NOA, "I will book a call with the Antwerp night shift for next Thursday, at their time and not at ours."),
    (SAM, "I will check which of the three sites can spare a crew lead for an hour each week."),
    (ROBIN, "I will come back with one page for the board by the end of next week."),
)
PLACES = ("Antwerp", "Ghent", "Lille", "Malmo", "Porto Verde", "Halvik", "Carrow", "Linden Quay")
THINGS = (
    "the morning plan",
    "the gripper stock",
    "the aisle map",
    "the shift list",
    "the battery room",
    "the test aisle",
    "the service van",
    "the return dock",
    "the handheld",
    "the tray sorter",
    "the weekly report",
    "the spare cart",
)
WHEN = (
    "Last week",
    "In the summer",
    "On a normal day",
    "Before the change",
    "During stocktaking",
    "When it rains",
    "After the audit",
    "At the end of a shift",
    "In the first month",
    "With the new crew",
    "On the old floor",
)
WHAT_HAPPENED = (
    "{thing} in {place} took {n} minutes longer than anybody had written down",
    "{n} trays went past {thing} in {place} before somebody asked why",
    "we counted {n} changes to {thing} in {place}, and most of them were small",
    "{thing} in {place} was right {n} times out of a hundred and nobody complained",
    "the crew in {place} moved {thing} twice and told the other crew after {n} minutes",
    "{place} asked for {thing} at noon and had it {n} minutes after that",
)
AND_THEN = (
    "That is why I would rather talk about {thing} than about the software.",
    "The people there found their own way around it, and it is a good way.",
    "It reads worse on paper than it feels on the floor.",
    "If you draw it, put {thing} to the left, since that is where the day begins.",
    "I am telling you because it looks the same in {place}, only with other names.",
    "We kept the old sheet beside it for a while, and then nobody opened it.",
    "Somebody will say that this is a detail, and on most days it is.",
)
ANSWERS = (
    "Let us stay with {place} for a moment.",
    "May I ask how {thing} looks on a day without trouble?",
    "That matches what we have seen in {place}.",
    "I would put that next to {thing} on the drawing.",
    "Who in {place} would notice it first?",
    "Thank you, that is clearer than the slide.",
)


def call() -> InventedCall:
    return InventedCall("7408215530004", "Northwind Robotics: planning workshop", timedelta(days=3), SPEAKERS, _said())


def _said() -> tuple[Sentence, ...]:
    return spoken(_turns())


def _turns() -> Iterator[tuple[str, str]]:
    """Talk until all the words are said; what is planted comes at even distances."""
    dice = random.Random("northwind workshop")
    yield from OPENING
    words, planted = _words(OPENING), list(PLANTED)
    due = WORDS // (len(PLANTED) + 1)
    while words < WORDS:
        if planted and words >= due * (len(PLANTED) - len(planted) + 1):
            turn = planted.pop(0)
        else:
            turn = dice.choice(SPEAKERS).name, _talk(dice)
        words += _words((turn,))
        yield turn


def _words(turns: tuple[tuple[str, str], ...]) -> int:
    return sum(len(text.split()) for _, text in turns)


def _talk(dice: random.Random) -> str:
    """An answer, or a story of some sentences."""
    if dice.random() < 0.3:
        return _filled(dice, dice.choice(ANSWERS))
    stories = (
        f"{dice.choice(WHEN)}, {_filled(dice, dice.choice(WHAT_HAPPENED))}. {_filled(dice, dice.choice(AND_THEN))}"
        for _ in range(dice.randint(1, 4))
    )
    return " ".join(stories)


def _filled(dice: random.Random, text: str) -> str:
    return text.format(thing=dice.choice(THINGS), place=dice.choice(PLACES), n=dice.randint(3, 97))
