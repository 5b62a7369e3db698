"""What a skill may look at: its own files always, and of its tenant what it says that it wants to read."""

import re

import structlog

from activities.skills.ports import Folder, Library, ToolCall, ToolKind
from activities.skills.prompts import LONGEST_MATERIAL, harmless
from schemas.base import RowId, TenantId
from schemas.skills import Tool

log = structlog.get_logger("skills")

NOT_ALLOWED = "That is not allowed: this skill has no such tool."
NOT_FOUND = "Not found."

_ROW_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}


def _one(name: str, description: str) -> dict[str, object]:
    said = {name: {"type": "string", "description": description}}
    return {"type": "object", "properties": said, "required": [name], "additionalProperties": False}


READ_FILE = ToolKind("read_file", "Read a file of the skill.", _one("path", "Its path, as the skill names it."))
KINDS = {
    Tool.BRIEFS: (
        ToolKind("list_briefs", "List the newest briefs: their ids, and whom they are about.", _NOTHING),
        ToolKind("read_brief", "Read a brief about the people of a meeting.", _one("id", "The id of a brief.")),
    ),
    Tool.CALLS: (
        ToolKind("list_calls", "List the newest calls: their ids, when and with whom they were.", _NOTHING),
        ToolKind("read_call", "Read what was found in a call.", _one("id", "The id of a call.")),
    ),
    Tool.DOCUMENTS: (
        ToolKind("list_documents", "List the newest documents: their ids, and how risky they are.", _NOTHING),
        ToolKind("read_document", "Read what was found in a document.", _one("id", "The id of a document.")),
    ),
}


class Toolbox:
    """The tools of one run. Nothing in it changes anything, and nothing of another tenant can be had by it."""

    def __init__(self, folder: Folder, library: Library, tenant_id: TenantId, user_id: RowId) -> None:
        self._folder = folder
        self._whose = tenant_id, user_id
        self._lists = {
            "list_briefs": library.briefs,
            "list_calls": library.calls,
            "list_documents": library.documents,
        }
        self._reads = {
            "read_brief": library.brief,
            "read_call": library.call,
            "read_document": library.document,
        }
        self.kinds = (READ_FILE, *(kind for tool in Tool if tool in folder.skill.tools for kind in KINDS[tool]))

    async def use(self, call: ToolCall) -> dict[str, object]:
        """What a tool returned, as the next turn has it."""
        text = await self._returned(call)
        refused = text in (NOT_ALLOWED, NOT_FOUND)
        return {"type": "tool_result", "tool_use_id": call.id, "content": text[:LONGEST_MATERIAL], "is_error": refused}

    async def _returned(self, call: ToolCall) -> str:
        if call.name not in {kind.name for kind in self.kinds}:
            log.warning("a skill asked for a tool that it has not", skill=self._folder.skill.name)
            return NOT_ALLOWED
        text = await self._read(call)
        return NOT_FOUND if text is None else text

    async def _read(self, call: ToolCall) -> str | None:
        """Nothing when there is no such thing. What is of a tenant is data, and begins no tag."""
        if call.name == READ_FILE.name:
            return self._file(str(call.input.get("path", "")).removeprefix("./"))
        if (lists := self._lists.get(call.name)) is not None:
            return harmless(await lists(*self._whose))
        row_id = _row_id(call)
        text = await self._reads[call.name](*self._whose, row_id) if row_id else None
        return None if text is None else harmless(text)

    def _file(self, path: str) -> str | None:
        data = self._folder.files.get(path)
        try:
            return None if data is None else data.decode("utf-8-sig").replace("\0", "\ufffd")
        except UnicodeDecodeError:
            return "This file is no text."


def _row_id(call: ToolCall) -> RowId | None:
    """Whatever a model says is one id of ours, or none."""
    said = call.input.get("id")
    return said if isinstance(said, str) and _ROW_ID.fullmatch(said) else None
