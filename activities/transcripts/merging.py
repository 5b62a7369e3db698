"""What the parts of a call tell, as one: each thing once, in the order in which it is read."""

from collections import defaultdict
from collections.abc import Sequence

from activities.plain import fold, tokens
from activities.transcripts.checks import Extract
from schemas.transcripts import Finding, FindingKind, Reading

# Of a kind, for a reader with five minutes before a call.
MOST = defaultdict(lambda: 40, {FindingKind.SUMMARY: 8})
# From this share of common words on, two sentences about one turn say the same.
ALIKE = 0.6

_ORDER = {kind: place for place, kind in enumerate(FindingKind)}


def merge(extracts: Sequence[Extract]) -> Reading:
    """The parts in their order, as one reading. Of what overlaps twice, the first is kept."""
    kept = [finding for kind in FindingKind for finding in _chosen(kind, extracts)]
    roles: dict[str, str] = {}
    for extract in extracts:
        roles = extract.roles | roles
    return Reading(
        findings=tuple(sorted(kept, key=lambda one: (_ORDER[one.kind], one.at_ms))),
        roles=roles,
        claimed=sum(extract.claimed for extract in extracts),
    )


def _chosen(kind: FindingKind, extracts: Sequence[Extract]) -> list[Finding]:
    """Every part has its say: the first of each comes before the second of any, when there is no room for all."""
    seen = _Seen()
    ranked: list[tuple[int, Finding]] = []
    for extract in extracts:
        new = [finding for finding in extract.findings if finding.kind is kind and seen.first_time(finding)]
        ranked += enumerate(new)
    ranked.sort(key=lambda one: one[0])
    return [finding for _, finding in ranked[: MOST[kind]]]


class _Seen:
    """What has been told of one kind."""

    def __init__(self) -> None:
        self._quotes: set[str] = set()
        self._texts: dict[tuple[str, int], list[set[str]]] = defaultdict(list)

    def first_time(self, finding: Finding) -> bool:
        """Not with this quote yet, nor in nearly these words about what was said at this moment."""
        quote, text = fold(finding.quote), set(tokens(finding.text))
        about = self._texts[finding.speaker, finding.at_ms]
        if quote in self._quotes or any(_alike(text, other) for other in about):
            return False
        self._quotes.add(quote)
        about.append(text)
        return True


def _alike(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= ALIKE * max(len(one | other), 1)
