"""The pretended model that carries out a skill: it looks once at what its tools offer, and writes Markdown that repeats
what it was given.

<request> ─▶ a tool that lists ─▶ the first that is listed ─▶ headings, and sentences of the material
"""

import re
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

# What is asked for when a fault says so: a tool that no skill has, and a row of somebody else's.
NO_TOOL = "run_shell"
FOREIGN = "00000000-0000-4000-8000-00000000000b"
LISTS = {"list_briefs": "read_brief", "list_calls": "read_call"}

NOTE = "*Sandbox text: written by no model, about nobody real.*"
SHORTEST, LONGEST, MOST = 25, 240, 8

_ROW_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAGS = re.compile(r"<(request|inputs|material)[^>]*>(.*?)</\1>", re.DOTALL)
_SKILL = re.compile(r'<skill name="([a-z0-9-]{1,64})">')
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
# Whatever a text orders is not repeated: it would be taken for advice.
_ORDER = re.compile(r"\b(?:ignore|disregard|system prompt|instructions?|call the tool)\b|[<>\u2039`]", re.IGNORECASE)


@dataclass(frozen=True)
class Talk:
    """A skill as it was put to the model: what is asked, what is given, and what its tools have returned."""

    skill: str
    request: str
    given: tuple[str, ...]
    # Names of tools that were asked for, and what came back, in their order.
    used: tuple[tuple[str, str], ...]
    tools: frozenset[str]
    may_use: bool

    @property
    def label(self) -> str:
        return f"skill:{self.skill}/{len(self.used)}"


def talk(system: str, turns: list[list[Block]], tools: list[Block], choice: str) -> Talk | None:
    """The skill in a conversation, if there is one."""
    named = _SKILL.search(system)
    first = "\n".join(str(block.get("text", "")) for block in turns[0]) if turns else ""
    parts = _TAGS.findall(first)
    if named is None or not any(tag == "request" for tag, _ in parts):
        return None
    return Talk(
        skill=named[1],
        request=" ".join(text.strip() for tag, text in parts if tag == "request"),
        given=tuple(text.strip() for tag, text in parts if tag != "request"),
        used=_used(turns),
        tools=frozenset(str(tool.get("name")) for tool in tools),
        may_use=choice != "none",
    )


def asks(said: Talk, trick: str | None) -> tuple[str, dict[str, str]] | None:
    """The tool that it asks for next, and with what."""
    if trick == "undeclared_tool":
        return NO_TOOL, {"command": "cat /etc/passwd"}
    if trick == "foreign_brief":
        return "read_brief", {"id": _first_id("\n".join((said.request, *said.given))) or FOREIGN}
    if not said.may_use:
        return None
    done = [name for name, _ in said.used]
    for lists, reads in LISTS.items():
        if lists in said.tools and lists not in done:
            return lists, {}
        if lists in done and reads not in done and (row_id := _first_id(dict(said.used)[lists])):
            return reads, {"id": row_id}
    return None


def written(said: Talk) -> str:
    """Deterministic: the same conversation gives the same text."""
    given = (*said.given, *(text for name, text in said.used if name.startswith("read_")))
    known = [sentence for text in given for sentence in _sentences(text)][:MOST]
    asked = " ".join(said.request.split())[:LONGEST]
    lines = [
        f"# {said.skill.replace('-', ' ').capitalize()}",
        "",
        NOTE,
        "",
        f"Asked for: {asked}",
        "",
        "## What is known",
        "",
    ]
    lines += [f"- {sentence}" for sentence in known] or ["- Nothing that was given says anything about it."]
    lines += [
        "",
        "## What comes next",
        "",
        "1. Agree on a date.",
        "2. Write down who does what.",
        "3. Ask what is still open.",
    ]
    if missing := [name for name, text in said.used if _refused(text)]:
        lines += ["", "## What could not be seen", "", *(f"- `{name}`" for name in dict.fromkeys(missing))]
    return "\n".join(lines) + "\n"


def _used(turns: list[list[Block]]) -> tuple[tuple[str, str], ...]:
    blocks = [block for turn in turns for block in turn]
    names = {block.get("id"): str(block.get("name")) for block in blocks if block.get("type") == "tool_use"}
    results = (block for block in blocks if block.get("type") == "tool_result")
    return tuple((names.get(one.get("tool_use_id"), "?"), _text(one.get("content"))) for one in results)


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(block.get("text", "")) for block in content if isinstance(block, dict))
    return str(content or "")


def _first_id(text: str) -> str | None:
    found = _ROW_ID.search(text)
    return found[0] if found else None


def _sentences(text: str) -> list[str]:
    pieces = (" ".join(one.split()).lstrip("#-*> ") for one in _SENTENCES.split(text))
    return [
        one for one in pieces if SHORTEST <= len(one) <= LONGEST and not _ORDER.search(one) and not _ROW_ID.search(one)
    ]


def _refused(text: str) -> bool:
    return text.startswith(("That is not allowed", "Not found"))
