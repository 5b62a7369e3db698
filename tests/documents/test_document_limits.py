"""Whatever a file does, it does within bounds of memory and time, and whoever sent it is told in a sentence."""

import asyncio
import io
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest
from fpdf import FPDF
from PIL import Image
from temporalio.exceptions import ApplicationError

from activities.documents.formats import docx, pdf, plain
from activities.documents.parsing import Subprocess
from activities.documents.ports import Edit, Parsed, UnreadableFileError
from schemas.documents import FileKind
from tests.documents import files
from tests.documents.files import p, r
from tests.waiting import until

MEMORY_MB = 768
PARSER = Subprocess(memory_mb=MEMORY_MB, timeout=timedelta(seconds=60))


def children() -> list[psutil.Process]:
    """Readers of files that this process has begun."""
    return [one for one in psutil.Process().children() if "activities.documents.formats" in " ".join(_said(one))]


def _said(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


async def begun() -> list[psutil.Process]:
    return children()


async def watched(data: bytes, kind: FileKind) -> tuple[str, int, float]:
    """What it is told, the most memory that its reader held in MiB, and how long it took."""
    began, most = time.monotonic(), 0

    async def look() -> None:
        nonlocal most
        while True:
            for one in children():
                try:
                    most = max(most, one.memory_info().rss >> 20)
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        parsed = await PARSER.parse(data, kind)
        said = f"{parsed.pages} pages, {len(parsed.text)} letters"
    except UnreadableFileError as refused:
        said = refused.sentence
    finally:
        looking.cancel()
    return said, most, time.monotonic() - began


def bomb() -> bytes:
    """What it unpacks to is said as it is: a hundred thousand times its size."""
    made = io.BytesIO(files.docx(p(r("x"))))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/media/a.bin", "w") as part:
        for _ in range(300):
            part.write(b"\0" * 1024**2)
    return made.getvalue()


def lying_bomb() -> bytes:
    """It says that it is small."""
    whole = files.docx("<w:p/>" * 3_000_000)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    return whole.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def many_pages(count: int) -> bytes:
    return files.pdf(
        [f"{n}. Clause {n} of a fictional agreement, which says what {n} clauses say."] for n in range(count)
    )


def encrypted(document: FPDF) -> None:
    document.set_encryption(owner_password="fictional-owner", user_password="fictional-user")


def scanned(document: FPDF) -> None:
    document.add_page()
    document.image(Image.new("RGB", (60, 60), "grey"), w=100)


def entities() -> bytes:
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    body = f"<!DOCTYPE w:document [{lines}]>" + "<w:document xmlns:w='x'><w:body>&e9;</w:body></w:document>"
    with zipfile.ZipFile(io.BytesIO(files.docx(p()))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return files.packed(parts | {"word/document.xml": body.encode()})


MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
DOCX, PDF, TEXT = FileKind.DOCX, FileKind.PDF, FileKind.TEXT
# What could take more than there is, and so is given to a process of its own.
HOSTILE: dict[str, tuple[Callable[[], bytes], FileKind, str]] = {
    "300 pages": (lambda: many_pages(300), PDF, "300 pages,"),
    "zip bomb": (bomb, DOCX, "The file unpacks to far more than a document holds;"),
    "zip bomb that lies": (lying_bomb, DOCX, "The DOCX is damaged;"),
    "large part": (
        lambda: files.docx("<w:p/>" * 6_000_000),
        DOCX,
        "The file unpacks to far more than a document holds;",
    ),
    "nested tables": (
        lambda: files.docx("<w:tbl><w:tr><w:tc>" * 10**5 + p(r("x")) + "</w:tc></w:tr></w:tbl>" * 10**5),
        DOCX,
        "The tables of the file are nested too deeply;",
    ),
    "many tables": (
        lambda: files.docx(f"<w:tbl><w:tr><w:tc>{p(r('x'))}</w:tc></w:tr></w:tbl>" * 10**5),
        DOCX,
        "None pages, 199999 letters",
    ),
    "entities": (entities, DOCX, "The DOCX is damaged;"),
    "endless text": (lambda: b"word " * 500_000, TEXT, "The document has more than 2 million letters;"),
}


@pytest.mark.parametrize("which", list(HOSTILE))
async def test_a_file_is_read_within_bounds_or_refused_in_a_sentence(which: str) -> None:
    make, kind, expected = HOSTILE[which]

    said, memory_mb, seconds = await watched(make(), kind)

    sys.stdout.write(f"{which}: {said} ({memory_mb} MiB, {seconds:.1f} s)\n")
    assert said.startswith(expected)
    assert memory_mb < MEMORY_MB
    assert seconds < 30
    assert children() == []


@pytest.mark.parametrize(
    ("read", "data", "expected"),
    [
        (pdf.read, many_pages(501), "The document has more than 500 pages; send it in parts."),
        (pdf.read, files.pdf([["Secret."]], encrypted), "The PDF is protected by a password; remove it"),
        (pdf.read, files.pdf([], scanned), "The PDF is a scan:"),
        (pdf.read, many_pages(2)[:300], "The PDF is damaged;"),
        (pdf.read, b"%PDF-1.7\n" + bytes(range(256)) * 20, "The PDF is damaged;"),
        (docx.read, files.docx(p(r("x")), main=MACROS), "The file is made for macros;"),
        (docx.read, files.docx(p(r("x" * 3000)))[:-60], "The DOCX is damaged;"),
        (docx.read, files.packed({"[Content_Types].xml": "<a/>", "word/x.xml": ""}), "The DOCX is damaged;"),
        (docx.read, files.docx("<w:p>"), "The DOCX is damaged;"),
        (docx.read, files.docx(p() * 10), "The file holds no text;"),
        (plain.read, bytes(range(128, 256)) * 50, "The file is no text that we can read;"),
        (plain.read, b" \n\t\n", "The file holds no text;"),
    ],
    ids=[
        *("too many pages", "encrypted PDF", "scan", "cut off PDF", "no PDF at all", "macros", "cut off DOCX"),
        *("no document", "broken XML", "nothing in it", "no text", "white space"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    read: Callable[[bytes], Parsed], data: bytes, expected: str
) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read(data)

    assert refused.value.sentence.startswith(expected)


async def test_memory_that_is_not_there_is_not_taken() -> None:
    parser = Subprocess(memory_mb=160, timeout=timedelta(seconds=60))

    with pytest.raises(UnreadableFileError, match=r"memory|too large"):
        await parser.parse(files.docx(p(r("x")) * 400_000), DOCX)


async def test_time_that_is_not_there_is_not_taken() -> None:
    worker = Subprocess(memory_mb=MEMORY_MB, timeout=timedelta(seconds=2))

    with pytest.raises((UnreadableFileError, ApplicationError), match=r"takes too long|not read within"):
        await worker.redline(b"", TEXT, "x\n" * 900_000, [Edit(0, 1, "y", "")], "2026-11-23T10:00:00Z")
    assert children() == []


async def test_a_machine_that_is_slow_is_no_fault_of_the_file() -> None:
    hurried = Subprocess(memory_mb=MEMORY_MB, timeout=timedelta(seconds=0.01))

    with pytest.raises(ApplicationError, match="not read within") as failed:
        await hurried.parse(b"Two years.", TEXT)
    assert failed.value.non_retryable is False


async def test_who_is_cancelled_leaves_no_process_behind() -> None:
    reading = asyncio.create_task(
        PARSER.redline(b"", TEXT, "x\n" * 400_000, [Edit(0, 1, "y", "")], "2026-11-23T10:00:00Z")
    )
    await until(begun)

    began = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert children() == []
    assert time.monotonic() - began < 2


async def test_no_more_files_are_read_at_once_than_may_be() -> None:
    parser, seen = Subprocess(memory_mb=MEMORY_MB, timeout=timedelta(seconds=60), at_once=2), []

    async def count() -> None:
        while True:
            seen.append(len(children()))
            await asyncio.sleep(0.01)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(parser.parse(b"Two years.", TEXT) for _ in range(5)))
    counting.cancel()

    assert max(seen) == 2


async def test_a_reader_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SECRET", "canary-in-the-environment")
    reading = asyncio.create_task(PARSER.parse(files.nda("bonterms-mutual-nda.pdf"), PDF))
    await until(begun)

    known = children()[0].environ()
    await reading

    assert "canary-in-the-environment" not in known.values()
    assert set(known) <= {"PYTHONPATH", "PYTHONUTF8", "MALLOC_ARENA_MAX", "LC_CTYPE"}
