"""What the fictional papers write: of the companies of the world, and of whatever else somebody is interested in.

All of it is made up, always in the same way for the same interest and day, and says so.
"""

import hashlib
import random
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sandbox.world import AboutCompany, World

OUTLETS = {
    "Halden Courier": "haldencourier.example",
    "Harbour Gazette": "harbourgazette.example",
    "Civic Ledger": "civicledger.example",
    "Northern Wire": "northernwire.example",
    "Moss Morning Post": "mossmorningpost.example",
}
TOWNS = ("Halvik", "Moss Harbour", "Carrow", "Brightwater Bay", "Lower Lindal")
NOTE = "This report is sandbox data, and nothing in it is real."

# Title, another paper's title for the same, and what is written. Each sentence stands by itself.
STORIES = (
    (
        "{town} council votes for a plan on {topic}",
        "Council of {town} votes for {topic} plan",
        (
            "The council of {town} voted for a new plan on {topic} by {few} votes to {fewer}. The plan sets aside {many} million"
            " crowns over four years and names one office that answers for it. Work is to begin in the spring, and the first"
            " results are to be published before the summer. Members who voted against it said that the money would be missed"
            " elsewhere."
        ),
    ),
    (
        "Auditors count the cost of {topic} in {town}",
        "What {topic} costs {town}: auditors count",
        (
            "Auditors in {town} found that spending on {topic} has grown by {percent} percent within three years. Their report"
            " names late decisions as the main reason and asks for one timetable for all departments. The town answered that it"
            " would publish such a timetable within {few} weeks. The report will be discussed in public next month."
        ),
    ),
    (
        "University of {town} opens a centre for {topic}",
        "New centre for {topic} opens at {town} university",
        (
            "The University of {town} opened a research centre for {topic} with {few} places for doctoral students. It is paid"
            " for by the region and by {fewer} foundations for six years. The centre will publish its data for everybody, its"
            " director said at the opening. A first study on prices and waiting times is under way."
        ),
    ),
    (
        "Trial on {topic} in {town} is extended",
        "{town} extends its trial on {topic}",
        (
            "A trial on {topic} in {town} will run for {few} more months, the town said. It began last year with {many}"
            " households, and most of them asked to stay in it. Volunteers will visit every household once before the winter"
            " ends. Whether it becomes permanent will be decided after a vote in the autumn."
        ),
    ),
    (
        "Hearing on {topic} in {town} lasts until midnight",
        "Long hearing on {topic} divides {town}",
        (
            "A public hearing on {topic} in {town} lasted until midnight, with {many} people in the hall. Most speakers asked for"
            " clearer rules and for a person whom they can call. The mayor promised a written answer to each question within"
            " {few} days. A second hearing is planned for those who could not get in."
        ),
    ),
)
# What papers add to any of them.
BESIDE = (
    "A spokeswoman for the town said that letters from residents had changed the first draft more than once.",
    "The opposition asked for the figures to be checked by somebody from outside, and was promised an answer.",
    "Shops near the station expect more visitors, and some of their owners fear the noise of the works.",
    "A similar plan in a neighbouring town was given up because its costs had not been known in time.",
    "Schools and clubs may apply for small grants until the end of the winter, the office for culture said.",
    "Three readers wrote to this paper to say that they had waited for it for {fewer} years.",
)
ADDED = 3
FEWEST_STORIES, MOST_STORIES = 3, 4
# Of this nobody reports anything.
QUIET = "nothing at all"


@dataclass(frozen=True)
class Report:
    outlet: str
    host: str
    path: str
    title: str
    text: str
    day: date
    topic: str


def reports(world: World, question: str, days: int) -> list[Report]:
    """The newest first. Every story of the papers is of today or yesterday; a company's pages are as old as they are."""
    topic = " ".join(question.split())
    if topic.lower() == QUIET:
        return []
    of_companies = [one for one in _of_companies(world, topic) if (world.clock.today() - one.day).days <= days]
    return of_companies or _stories(topic, world.clock.today())


def result(report: Report, now: datetime) -> dict[str, Any]:
    """As a search returns it: the first words with marks around what was asked for, the rest in snippets."""
    sentences = re.split(r"(?<=[.]) ", report.text)
    age = datetime.combine(report.day, now.time().replace(microsecond=0)) - timedelta(hours=2)
    described = re.sub(
        rf"({re.escape(report.topic)})", r"<strong>\1</strong>", " ".join(sentences[:2]), flags=re.IGNORECASE
    )
    return {
        "type": "news_result",
        "title": report.title,
        "url": f"https://www.{report.host}/{report.path}",
        "description": described,
        "age": "2 hours ago",
        "page_age": age.isoformat(),
        "source": {"name": report.outlet, "url": f"https://www.{report.host}"},
        "meta_url": {"hostname": f"www.{report.host}", "path": f"/{report.path}"},
        "extra_snippets": [" ".join(sentences[2:])] if sentences[2:] else [],
    }


def _of_companies(world: World, topic: str) -> list[Report]:
    """Pages about a company that is asked for by its name; somebody else's pages are its news."""
    known = next((one for one in world.companies if one.name and one.name.lower() in topic.lower()), None)
    if known is None:
        return []
    pages = [
        page
        for page in world.find(AboutCompany(kind="company", domain=known.domain)).pages
        if known.domain not in page.url
    ]
    return [
        Report(
            outlet=page.url.split("/")[2].removeprefix("www."),
            host=page.url.split("/")[2].removeprefix("www."),
            path=page.url.split("/", 3)[3],
            title=page.title,
            text=f"{page.snippet.strip()} {NOTE}",
            day=world.clock.today(),
            topic=known.name or "",
        )
        for page in sorted(pages, key=lambda page: page.date, reverse=True)[:MOST_STORIES]
    ]


def _stories(topic: str, today: date) -> list[Report]:
    seed = hashlib.sha256(f"{topic.lower()} {today.isoformat()}".encode()).hexdigest()
    dice = random.Random(seed)
    chosen = dice.sample(STORIES, dice.randint(FEWEST_STORIES, MOST_STORIES))
    return [report for n, story in enumerate(chosen) for report in _told(story, topic, today, dice, n)]


def _told(story: tuple[str, str, str], topic: str, today: date, dice: random.Random, number: int) -> list[Report]:
    """One story in one paper, or in two."""
    words = {
        "town": dice.choice(TOWNS),
        "topic": topic,
        "few": dice.randint(8, 19),
        "fewer": dice.randint(3, 7),
        "many": dice.randint(24, 90),
        "percent": dice.randint(11, 39),
    }
    papers = dice.sample(sorted(OUTLETS), 2 if number % 2 == 0 else 1)
    day = today - timedelta(days=number % 2)
    text = " ".join((story[2], *dice.sample(BESIDE, ADDED))).format(**words)
    slug = re.sub(r"[^a-z0-9]+", "-", topic.lower()).strip("-")[:40] or "news"
    return [
        Report(
            outlet=paper,
            host=OUTLETS[paper],
            path=f"{day.isoformat()}/{slug}-{number + 1}",
            title=title.format(**words),
            text=f"{text} {NOTE}",
            day=day,
            topic=topic,
        )
        for paper, title in zip(papers, story, strict=False)
    ]
