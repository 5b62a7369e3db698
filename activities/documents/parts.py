"""A document in parts that a model reads at once: whole clauses, in their order, each in one part alone."""

from collections.abc import Sequence

from schemas.documents import LONGEST_PART, Clause


def parts(clauses: Sequence[Clause]) -> tuple[tuple[Clause, ...], ...]:
    """As many clauses a part as have LONGEST_PART letters at most."""
    made: list[list[Clause]] = []
    letters = 0
    for clause in clauses:
        length = clause.end - clause.start
        if not made or letters + length > LONGEST_PART:
            made.append([])
            letters = 0
        made[-1].append(clause)
        letters += length
    return tuple(tuple(part) for part in made)
