"""Rows as a skill reads them: plain lines, each quote beside what it proves. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from typing import TypeAlias

import asyncpg

Rows: TypeAlias = Sequence[asyncpg.Record]

# A text that goes on is cut: a model is told no more than this of one thing.
LONGEST = 30_000

PRETENDED = " (sandbox data: pretended)"


def brief(row: asyncpg.Record, subjects: Rows, claims: Rows, zone: tzinfo) -> str:
    """Its headline first, as it stands in the brief."""
    who = "; ".join(_subject(one) for one in subjects)
    sections = [
        line
        for section, group in groupby(claims, key=lambda one: one["section"])
        for line in ("", f"{section.replace('_', ' ').capitalize()}:", *map(_claim, group))
    ]
    return _cut([f"Brief {brief_line(row, zone)}", f"About: {who or 'nobody'}", *sections])


def brief_line(row: asyncpg.Record, zone: tzinfo) -> str:
    title = _line(row["title"] or row["people"] or "without a title")
    met = f", meeting {when(row['starts_at'], zone)}" if row["starts_at"] else ""
    return (
        f"{row['id']}: {title}{met}, written {row['written_at'].astimezone(zone):%Y-%m-%d}, confidence"
        f" {row['confidence']}{PRETENDED if row['sandbox'] else ''}"
    )


def call(row: asyncpg.Record, speakers: Rows, findings: Rows, zone: tzinfo) -> str:
    there = "; ".join(_speaker(one) for one in speakers)
    return _cut([f"Call {call_line(row, zone)}", f"There: {there or 'nobody known'}", *map(_finding, findings)])


def call_line(row: asyncpg.Record, zone: tzinfo) -> str:
    began = f", {when(row['started_at'], zone)}" if row["started_at"] else ""
    deal = f", about {_line(row['opportunity'])}" if row["opportunity"] else ""
    return f"{row['id']}: {_line(row['title']) or 'without a title'}{began}{deal}{PRETENDED if row['sandbox'] else ''}"


def document(row: asyncpg.Record, findings: Rows, zone: tzinfo) -> str:
    """What is missing has no quote."""
    if row["run_id"] is None:
        return _cut([f"Document {document_line(row, zone)}"])
    summary = [_line(one) for one in row["summary"]]
    return _cut([f"Document {document_line(row, zone)}", *summary, "Found:", *map(_found, findings)])


def document_line(row: asyncpg.Record, zone: tzinfo) -> str:
    role = "" if row["role"] == "review" else f", a {row['role']}"
    if row["run_id"] is None:
        reviewed = ", not reviewed"
    else:
        reviewed = f", reviewed {row['ended_at'].astimezone(zone):%Y-%m-%d}, risk {row['risk'] or 'none'}"
    return f"{row['id']}: {_line(row['name'])}{role}{reviewed}{PRETENDED if row['sandbox'] else ''}"


def meeting(row: asyncpg.Record, attendees: Rows, zone: tzinfo) -> str:
    there = [f"- {_named(one['name'], one['email'])}, {one['standing']}" for one in attendees]
    off = ", which is off" if row["off"] else ""
    return "\n".join([f"Meeting: {_line(row['title'])}, {when(row['starts_at'], zone)}{off}", "Invited:", *there])


def company(row: asyncpg.Record) -> str:
    return f"Company: {_named(row['profile'].get('name') or '', row['domain'])}"


def when(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _claim(row: asyncpg.Record) -> str:
    if row["quote"] is None:
        return f"- {_line(row['text'])} [{row['nature']}]"
    dated = f", {row['as_of']}" if row["as_of"] else ""
    return f'- {_line(row["text"])} [fact{dated}: "{_line(row["quote"])}", {_line(row["url"])}]'


def _subject(row: asyncpg.Record) -> str:
    sure = f", {row['identity'].replace('_', ' ')}" if row["identity"] else ""
    return _named(row["name"], row["detail"]) + sure


def _speaker(row: asyncpg.Record) -> str:
    side = "" if row["ours"] is None else ", ours" if row["ours"] else ", theirs"
    role = f", {_line(row['role'])}" if row["role"] else ""
    return _named(row["name"] or row["key"], row["email"] or "") + role + side


def _finding(row: asyncpg.Record) -> str:
    owner = f" ({_line(row['owner'])})" if row["owner"] else ""
    due = f", until {row['due']}" if row["due"] else ""
    minute, second = divmod(row["at_ms"] // 1000, 60)
    said = f'{_line(row["who"])} at {minute}:{second:02}: "{_line(row["quote"])}"'
    return f"- {row['kind'].replace('_', ' ')}: {_line(row['text'])}{owner}{due} [{said}]"


def _found(row: asyncpg.Record) -> str:
    proof = f'"{_line(row["quote"])}"' if row["quote"] else "it is not in the text"
    return f"- {row['topic']}, risk {row['risk']}: {_line(row['said'])} [{proof}]"


def _named(name: str, detail: str) -> str:
    name, detail = _line(name), _line(detail)
    return f"{name} ({detail})" if name and detail else name or detail


def _line(text: str) -> str:
    """On one line: what somebody else wrote begins none of its own."""
    return " ".join(text.split())


def _cut(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n(It goes on; this is where it was cut.)"
