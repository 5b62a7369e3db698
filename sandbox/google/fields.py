"""Partial answers: `fields=items(id,start/dateTime),nextPageToken`."""

import re

from sandbox.brand import Json
from sandbox.google.errors import ApiError

Tree = dict[str, "Tree"]
DEEPEST = 20


def only(document: Json, fields: str | None) -> Json:
    """The document without what was not asked for; all of it when nothing was."""
    return document if fields is None else _cut(document, parsed(fields))


def parsed(fields: str) -> Tree:
    """Names, and what is wanted within each; nothing within means all."""
    parts = re.findall(r"[A-Za-z0-9_$.-]+|\*|.", fields)
    tree = _list(parts, fields, 0)
    if parts:
        raise _invalid(fields)
    return tree


def _list(parts: list[str], fields: str, depth: int) -> Tree:
    tree: Tree = {}
    while True:
        name, inner = _one(parts, fields, depth)
        tree.setdefault(name, {}).update(inner)
        if not parts or parts[0] != ",":
            return tree
        parts.pop(0)


def _one(parts: list[str], fields: str, depth: int) -> tuple[str, Tree]:
    name = parts.pop(0) if parts else ""
    if depth > DEEPEST or not re.fullmatch(r"[A-Za-z0-9_$.-]+|\*", name):
        raise _invalid(fields)
    if parts and parts[0] == "/":
        parts.pop(0)
        inside, inner = _one(parts, fields, depth + 1)
        return name, {inside: inner}
    if parts and parts[0] == "(":
        parts.pop(0)
        inner = _list(parts, fields, depth + 1)
        if not parts or parts.pop(0) != ")":
            raise _invalid(fields)
        return name, inner
    return name, {}


def _cut(value: Json, tree: Tree) -> Json:
    if not tree or ("*" in tree and not tree["*"]):
        return value
    if isinstance(value, list):
        return [_cut(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _cut(inner, tree.get(name, tree.get("*", {}))) for name, inner in value.items() if {name, "*"} & set(tree)
    }


def _invalid(fields: str) -> ApiError:
    return ApiError(400, "invalidParameter", f"Invalid field selection {fields:.60}", "fields")
