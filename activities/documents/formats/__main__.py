"""One file, read or redlined: what is asked for comes in, and what came of it goes out.

a line of JSON, then the file ─▶ read | redline ─▶ a line of JSON, then a DOCX if there is one
"""

import json
import os
import sys
from typing import Any

from activities.documents import tracked
from activities.documents.formats import docx, pdf, plain
from activities.documents.ports import Edit, UnreadableFileError
from schemas.documents import FileKind

_READ = {FileKind.PDF: pdf.read, FileKind.DOCX: docx.read, FileKind.TEXT: plain.read}
_TOO_LARGE = "The file takes more memory than there is for one; send it without its pictures, or in parts."
_DAMAGED = "The file is damaged, or made in a way that we cannot read; save it again as PDF, DOCX or text."


def main() -> None:
    # Whatever a library prints goes nowhere: what goes out is the answer alone.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    head, data = _answer()
    out.write(json.dumps(head, ensure_ascii=False).encode() + b"\n" + data)
    out.close()


def _answer() -> tuple[dict[str, Any], bytes]:
    try:
        asked = json.loads(sys.stdin.buffer.readline())
        return _done(asked, sys.stdin.buffer.read())
    except UnreadableFileError as error:
        return {"sentence": error.sentence}, b""
    except MemoryError:
        return {"sentence": _TOO_LARGE}, b""
    except Exception as error:  # noqa: BLE001 - a file may do anything to those who read it
        return {"sentence": _TOO_LARGE if "emory" in str(error) else _DAMAGED, "error": type(error).__name__}, b""


def _done(asked: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    kind = FileKind(asked["kind"])
    if "edits" in asked:
        edits = [Edit(**edit) for edit in asked["edits"]]
        return {}, tracked.redline(data, kind, asked["text"], edits, asked["at"])
    read = _READ[kind](data)
    return {"text": read.text, "pages": read.pages, "tracked": read.tracked}, b""


if __name__ == "__main__":
    main()
