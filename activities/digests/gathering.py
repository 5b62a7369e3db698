"""Of all that was found for a morning, what a digest tells of: each thing once, what matters most first.

found ─▶ fit to be told ─▶ not told before ─▶ each report once ─▶ a fair share of each kind ─▶ items in their order
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import zip_longest
from urllib.parse import urlsplit

from activities.digests.ports import News
from activities.digests.spoken import before_orders, speakable
from activities.plain import clean, tokens
from schemas.digests import Item, ItemKind

# What three to five minutes have room for.
MOST_ITEMS = 10
LONGEST_TITLE, LONGEST_TEXT = 200, 3000

# In the order in which they are told, and how many of each there are when there is too much of everything.
SHARES = {ItemKind.MEETING: 4, ItemKind.CHANGE: 2, ItemKind.BILL: 2, ItemKind.NEWS: 2}

# Two reports are the same when their titles share so many of their words, or their texts so many.
ALIKE, COPIED = 0.6, 0.8

# Words that say nothing of what a report is about.
_COMMON = frozenset(
    [
        "a",
        "after",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "into",
        "is",
        "it",
        "its",
        "new",
        "of",
        "on",
        "or",
        "over",
        "says",
        "than",
        "that",
        "the",
        "to",
        "up",
        "with",
    ]
)
# What an outlet puts behind its titles: its own name.
_OUTLET = re.compile(r"\s+[|\u2013\u2014-]\s+([^|\u2013\u2014]{2,60})$")
_TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|ref|source)=", re.IGNORECASE)


def gather(found: Iterable[Item], told: Collection[str] = ()) -> tuple[Item, ...]:
    """At most MOST_ITEMS, none of which was told before; of reports that are alike, the one with most to say."""
    fit = (item for one in found if (item := _fit(one)) is not None and item.key not in told)
    return _shared(_once(list(fit)))


def reported(topic: str, found: Sequence[News]) -> tuple[Item, ...]:
    """What a search for an interest returned, as items."""
    return tuple(
        Item(
            kind=ItemKind.NEWS,
            key=news_key(news.url),
            topic=topic,
            title=news.title,
            text=news.text,
            url=news.url,
            source=news.source,
            published=news.published,
        )
        for news in found
    )


def news_key(url: str) -> str:
    """The same for the same page, however somebody came to its address."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("amp.")
    query = "&".join(sorted(one for one in parts.query.split("&") if one and not _TRACKING.match(one)))
    page = f"{host}{parts.path.rstrip('/')}?{query}"
    return f"news/{hashlib.sha256(page.encode(errors='replace')).hexdigest()[:32]}"


def alike(one: str, other: str, share: float = ALIKE) -> bool:
    """Both tell of the same: most of their words are shared, and none of them has a number of its own."""
    ours, theirs = _telling(one), _telling(other)
    if {word for word in ours if word.isdigit()} != {word for word in theirs if word.isdigit()}:
        return False
    return len(ours & theirs) >= share * len(ours | theirs) > 0


def _fit(item: Item) -> Item | None:
    """The item as far as it may be told. Whose title gives orders, nothing of it is believed."""
    title = speakable(_without_outlet(item), LONGEST_TITLE)
    if not title or before_orders(title) != title or not item.key:
        return None
    text = before_orders(clean(item.text, LONGEST_TEXT))
    return item.model_copy(update={"title": title, "text": text})


def _without_outlet(item: Item) -> str:
    behind = _OUTLET.search(item.title)
    named = behind is not None and set(tokens(behind[1])) <= set(tokens(item.source))
    return item.title[: behind.start()] if behind is not None and named else item.title


def _once(items: list[Item]) -> list[Item]:
    """By key, and reports by their titles too: the first stands for all, with the words of the one that says most."""
    kept: dict[str, Item] = {}
    for item in items:
        known = next((key for key, other in kept.items() if _same(item, other)), None)
        if known is None:
            kept[item.key] = item
        elif len(item.text) > len(kept[known].text):
            kept[known] = item
    return list(kept.values())


def _same(one: Item, other: Item) -> bool:
    if one.key == other.key:
        return True
    if not one.kind is other.kind is ItemKind.NEWS:
        return False
    return alike(one.title, other.title) or alike(one.text, other.text, COPIED)


def _shared(items: list[Item]) -> tuple[Item, ...]:
    """Each kind has its share, and what one leaves the others have, in the order of the kinds."""
    by_kind = {kind: _in_turn(one for one in items if one.kind is kind) for kind in SHARES}
    sure = [item for kind, some in by_kind.items() for item in some[: SHARES[kind]]]
    rest = [item for kind, some in by_kind.items() for item in some[SHARES[kind] :]]
    chosen = {item.key for item in (sure + rest)[:MOST_ITEMS]}
    return tuple(item for some in by_kind.values() for item in some if item.key in chosen)


def _in_turn(items: Iterable[Item]) -> list[Item]:
    """One of each interest, then the next of each; the newest first, meetings as they come."""
    by_topic: dict[str, list[Item]] = {}
    for item in sorted(items, key=_matters):
        by_topic.setdefault("" if item.kind is ItemKind.MEETING else item.topic, []).append(item)
    return [item for row in _rows(by_topic.values()) for item in row]


def _rows(lists: Iterable[list[Item]]) -> Iterator[list[Item]]:
    for row in zip_longest(*lists):
        yield [item for item in row if item is not None]


def _matters(item: Item) -> tuple[datetime, int, str]:
    """The smallest first."""
    starts = item.starts_at or datetime.max.replace(tzinfo=UTC)
    return starts, -(item.published or date.min).toordinal(), item.key


@lru_cache(maxsize=4096)
def _telling(text: str) -> frozenset[str]:
    """Looked at once for each text, however many others it is compared with."""
    return frozenset(tokens(text)) - _COMMON
