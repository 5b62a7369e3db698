"""A skill's folder, read and checked: the same wherever it lies.

files ─▶ SKILL.md: front matter ─▶ what it says of itself; the rest ─▶ instructions; all bytes ─▶ version
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator

from activities.plain import clean
from activities.skills import inputs
from activities.skills.ports import Folder
from schemas.base import Inbound
from schemas.skills import Limits, Skill, Tool

MAIN = "SKILL.md"
LONGEST_MAIN, MOST_FILES, MOST_BYTES = 256 * 1024, 200, 5 * 1024 * 1024
# Of what is said above the instructions: YAML of this size is read in a moment.
LONGEST_FRONT = 32 * 1024
LONGEST_PATH = 200

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FENCE = "---"
# A tool's name, with what is said behind it in brackets: Bash(git add:*).
_TOOL = re.compile(r"[^\s,()]+(?:\([^()]*\))?")
# Ours, at the top or under metadata.greenroom.
_OURS = ("model", "limits", "inputs", "output")

# What YAML and JSON make of what is no skill of anybody's.
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, ArithmeticError, RecursionError)


class UnfitSkillError(Exception):
    """A folder that is no skill: `sentence` says why, in words for whoever wrote it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class _Front(Inbound):
    """What stands above the instructions. What we do not know is let be."""

    name: str
    description: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    model: Annotated[str, StringConstraints(max_length=100)] = ""
    limits: Limits = Limits()
    tools: tuple[str, ...] = Field(default=(), alias="allowed-tools", max_length=100)
    inputs: dict[str, Any] | None = None
    output: Literal["markdown"] = "markdown"

    @field_validator("tools", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """A list, or one string with spaces or commas between them."""
        return _TOOL.findall(value) if isinstance(value, str) else value or ()


class _Loader(yaml.SafeLoader):
    """YAML as JSON could say it. An alias can make a page of a few lines as large as it likes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
            raise yaml.YAMLError("aliases and tags are not read")
        return super().compose_node(parent, index)


# A date is what was written.
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(folder: Path) -> Folder:
    """The skill that lies in a folder of this machine. UnfitSkillError says what is wrong with it."""
    return parse(folder.resolve().name if folder.name in ("", ".", "..") else folder.name, on_disk(folder))


def notes(skill: Skill) -> list[str]:
    """What its user may want to know of a skill that is fit."""
    if not skill.foreign:
        return []
    named = ", ".join(skill.foreign)
    return [f"{skill.name} asks for tools that there are not here, and is run without them: {named}."]


def parse(name: str, files: Mapping[str, bytes]) -> Folder:
    """The skill of that name that these files are."""
    _bounded(name, files)
    front, instructions = _divided(files[MAIN])
    said = _said(front)
    if said.name != name:
        raise UnfitSkillError(f"Its {MAIN} calls it {clean(said.name, 80)!r}, and its folder is called {name!r}.")
    ours = tuple(tool for tool in Tool if tool in said.tools)
    skill = Skill(
        name=name,
        description=clean(said.description, 2000),
        version=_version(files),
        model=said.model,
        limits=said.limits,
        tools=ours,
        foreign=tuple(dict.fromkeys(clean(one, 100) for one in said.tools if one not in ours)),
        inputs=_schema(said.inputs),
        output=said.output,
        files=tuple(sorted(set(files) - {MAIN})),
    )
    return Folder(skill, instructions, {path: data for path, data in files.items() if path != MAIN})


def on_disk(folder: Path) -> dict[str, bytes]:
    """Its files by their paths. What is hidden is not of the skill."""
    files, left = dict[str, bytes](), MOST_BYTES
    try:
        base = folder.resolve(strict=True)
        for path in _walked(base):
            known = path.relative_to(base).as_posix()
            if len(files) == MOST_FILES:
                raise UnfitSkillError(f"It has more than {MOST_FILES} files.")
            files[known] = _bytes(path, base, left)
            left -= len(files[known])
    except (OSError, RuntimeError) as error:
        raise UnfitSkillError(f"It cannot be read ({type(error).__name__}).") from None
    return files


def _walked(base: Path) -> Iterator[Path]:
    """In an order that is always the same. A link to a folder is not followed: it may lead around for ever."""
    for where, folders, names in os.walk(base, onerror=_raised):
        folders[:] = sorted(one for one in folders if not hidden(one))
        for link in (Path(where, one) for one in folders if Path(where, one).is_symlink()):
            _inside(link, base)
        yield from (Path(where, one) for one in sorted(names) if not hidden(one))


def _bytes(path: Path, base: Path, most: int) -> bytes:
    real = _inside(path, base)
    if not real.is_file():
        raise UnfitSkillError(f"{clean(path.name, 80)} is no file that can be read.")
    with real.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UnfitSkillError(f"It has more than {MOST_BYTES // 1024 // 1024} MiB.")
    return data


def _inside(path: Path, base: Path) -> Path:
    real = path.resolve(strict=True)
    if not real.is_relative_to(base):
        raise UnfitSkillError(f"{clean(path.name, 80)} is a link that leads out of the folder.")
    return real


def hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _raised(error: OSError) -> None:
    raise error


def _bounded(name: str, files: Mapping[str, bytes]) -> None:
    if not NAME.fullmatch(name):
        raise UnfitSkillError("A skill's folder is named with small letters, digits and hyphens, 64 at most.")
    if MAIN not in files:
        raise UnfitSkillError(f"There is no {MAIN} in it.")
    if len(files[MAIN]) > LONGEST_MAIN:
        raise UnfitSkillError(f"Its {MAIN} has more than {LONGEST_MAIN // 1024} KiB.")
    if len(files) > MOST_FILES:
        raise UnfitSkillError(f"It has more than {MOST_FILES} files.")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise UnfitSkillError(f"It has more than {MOST_BYTES // 1024 // 1024} MiB.")
    if any(not _plain(path) for path in files):
        raise UnfitSkillError("A file in it has a name that is none of a plain file below it.")


def _plain(path: str) -> bool:
    parts = path.split("/")
    spelt = clean(path, LONGEST_PATH) == path and "\\" not in path and "\ufffd" not in path
    return spelt and not any(part in ("", ".", "..") for part in parts)


def _divided(data: bytes) -> tuple[str, str]:
    """The front matter, and the instructions below it."""
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\0", "\ufffd").split("\n")
    except UnicodeDecodeError:
        raise UnfitSkillError(f"Its {MAIN} is not written in UTF-8.") from None
    fences = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE]
    if len(fences) < 2 or fences[0] != 0:
        raise UnfitSkillError(f"Its {MAIN} does not begin with front matter between two lines of ---.")
    instructions = "\n".join(lines[fences[1] + 1 :]).strip()
    if not instructions:
        raise UnfitSkillError(f"Its {MAIN} has no instructions below its front matter.")
    return "\n".join(lines[1 : fences[1]]), instructions


def _said(front: str) -> _Front:
    try:
        found = _loaded(front)
        return _Front.model_validate({**found, **_own(found)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where, what = ".".join(map(str, first["loc"])) or "it", first["msg"]
        raise UnfitSkillError(f"Its front matter does not fit: {clean(f'{where}: {what}', 300)}.") from None


def _loaded(front: str) -> dict[str, Any]:
    """As JSON has it: what no JSON could say is not said."""
    if len(front) > LONGEST_FRONT:
        raise UnfitSkillError(f"Its front matter has more than {LONGEST_FRONT // 1024} KiB.")
    try:
        # A subclass of the safe one.
        found = json.loads(json.dumps(yaml.load(front, _Loader), allow_nan=False))  # noqa: S506
    except _UNREADABLE:
        raise UnfitSkillError("Its front matter cannot be read as plain YAML (no aliases, no tags).") from None
    if not isinstance(found, dict):
        raise UnfitSkillError("Its front matter is no list of names with what they are.")
    return found


def _own(found: Mapping[str, Any]) -> dict[str, Any]:
    """Ours among the metadata of others: it goes before what stands at the top."""
    metadata = found.get("metadata")
    said = metadata.get("greenroom") if isinstance(metadata, dict) else None
    return {name: said[name] for name in _OURS if name in said} if isinstance(said, dict) else {}


def _schema(said: dict[str, Any] | None) -> dict[str, Any] | None:
    if said is not None and (problem := inputs.unfit_schema(said)):
        raise UnfitSkillError(problem)
    return said


def _version(files: Mapping[str, bytes]) -> str:
    """The same for the same files, wherever they lie."""
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        name = path.encode()
        digest.update(len(name).to_bytes(8) + name + len(data).to_bytes(8) + data)
    return digest.hexdigest()
