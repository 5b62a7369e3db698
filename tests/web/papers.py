"""Documents for pages and for the door to them: a twin of their rows and of the desk."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from activities.store.event_keys import KeyRow, digest
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView, RunView
from schemas.documents import (
    ENDED,
    Against,
    AskedRun,
    Change,
    Clause,
    Difference,
    Finding,
    NewRun,
    Passage,
    Proposal,
    Risk,
    Role,
    RunStatus,
    TakenDocument,
    Topic,
    Work,
)
from starter.words import UsageError
from tests.web.house import NOW

KEY = "grk_of_these_documents"
TEXT = (
    "Mutual Non-Disclosure Agreement\n\n"
    "1. Term\nThis Agreement lasts for five years. Its duties survive for ten years after it ends.\n\n"
    "2. Governing law\nThe laws of Freedonia govern this Agreement.\n"
)
THEIRS = "This Agreement lasts for two years."
LETTER = "Subject: Our changes to the agreement\n\nHello,\n\nplease find our changes attached.\n"


def clauses(text: str = TEXT) -> tuple[Clause, ...]:
    edges = [0, *(at for at in range(1, len(text)) if text[at - 2 : at] == "\n\n"), len(text)]
    heads = {"1": ("1.", "Term"), "2": ("2.", "Governing law")}
    made = []
    for ordinal, (start, end) in enumerate(pairwise(edges)):
        number, heading = heads.get(text[start], ("", ""))
        made.append(Clause(ordinal=ordinal, start=start, end=end, number=number, heading=heading))
    return tuple(made)


def passage(quote: str, text: str = TEXT, clause: int = 1) -> Passage:
    start = text.index(quote)
    return Passage(clause=clause, start=start, end=start + len(quote), quote=quote)


def finding(said: str, risk: Risk, quote: str | None, **more: Any) -> Finding:
    found = passage(quote) if quote else None
    return Finding.model_validate(
        {"id": str(uuid4()), "topic": Topic.TERM, "risk": risk, "said": said} | {"passage": found} | more
    )


FINDINGS = (
    finding(
        "It lasts for five years.",
        Risk.MEDIUM,
        "This Agreement lasts for five years.",
        rule="A term beyond three years",
    ),
    finding("The duties survive for ten years.", Risk.HIGH, "five years. Its duties survive for ten years"),
    finding("The law of Freedonia governs it.", Risk.NONE, "laws of Freedonia", topic=Topic.GOVERNING_LAW),
    finding("It does not say what is to be returned.", Risk.LOW, None, topic=Topic.RETURN),
)


@dataclass
class Papers:
    """Twins of the rows, the desk and the keys, of one user of one tenant."""

    tenant_id: str
    user_id: str
    documents: dict[str, DocumentView] = field(default_factory=dict)
    differences: dict[str, tuple[Difference, ...]] = field(default_factory=dict)
    proposals: dict[str, tuple[Proposal, ...]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: list[tuple[str | None, Role, str, bytes]] = field(default_factory=list)
    wanted: list[NewRun] = field(default_factory=list)
    retried: list[tuple[str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    # What is raised, where something is.
    fails: Exception | None = None
    blind: Exception | None = None
    # What a document is waited for, where it is.
    stalled: asyncio.Event | None = None
    views: int = 0

    async def find(self, name: str) -> KeyRow | None:
        return KeyRow(self.tenant_id, "key") if name == digest(KEY) else None

    async def holds(self, tenant_id: str, key_id: str) -> bool:
        return True

    async def secret(self, tenant_id: str, key_id: str) -> str | None:
        return None

    def put(self, text: str = TEXT, **more: Any) -> DocumentView:
        said: dict[str, Any] = {
            "id": str(uuid4()),
            "user_id": self.user_id,
            "name": "Freedonia NDA.docx",
            "role": Role.REVIEW,
            "kind": "docx",
            "size_bytes": 20_480,
            "pages": 3,
            "tracked": False,
            "created_at": NOW - timedelta(minutes=5),
            "text": text,
            "clauses": clauses(text) if text else (),
            "runs": (),
            "findings": (),
            "sandbox": True,
        }
        found = DocumentView.model_validate(said | more)
        self.documents[found.id] = found
        return found

    def run(self, document: DocumentView, **more: Any) -> RunView:
        """A run of a document, or the same changed."""
        said: dict[str, Any] = {
            "id": str(uuid4()),
            "document_id": document.id,
            "work": Work.ANALYSIS,
            "status": RunStatus.RUNNING,
            "step": "parsing",
            "percent": 5,
            "message": "Reading the file",
            "version": 1,
            "created_at": NOW - timedelta(minutes=4),
            "started_at": NOW - timedelta(minutes=3),
            "ended_at": None,
            "sandbox": True,
        }
        here = self.documents[document.id]
        known = next((run.model_dump() for run in here.runs if run.id == more.get("id")), {})
        made = RunView.model_validate(said | known | more)
        others = tuple(run for run in here.runs if run.id != made.id)
        self.documents[document.id] = here.model_copy(update={"runs": (made, *others)})
        return made

    def reviewed(self, text: str = TEXT, **more: Any) -> DocumentView:
        document = self.put(text, **{"findings": FINDINGS} | more)
        summary = ("It is a mutual agreement.", "Its duties survive for ten years.")
        spent = {"cost_micro_usd": 12_300, "dropped": 2, "notes": ("Similar clauses cannot be searched.",)}
        self.run(
            document, status=RunStatus.COMPLETED, percent=100, ended_at=NOW, risk=Risk.HIGH, summary=summary, **spent
        )
        return self.documents[document.id]

    def compared(self, document: DocumentView, **more: Any) -> RunView:
        ended = {"status": RunStatus.COMPLETED, "percent": 100, "ended_at": NOW, "against": Against.PLAYBOOK}
        run = self.run(document, work=Work.COMPARISON, **ended | {"other_name": "Our playbook.txt"} | more)
        theirs = Passage(clause=4, start=0, end=len(THEIRS), quote=THEIRS)
        lasts = passage("This Agreement lasts for five years.", document.text) if document.text == TEXT else None
        said: dict[str, Any] = {"topic": Topic.TERM, "said": "Theirs is longer.", "ours": lasts, "theirs": theirs}
        self.differences[run.id] = (
            Difference.model_validate(said | {"id": str(uuid4()), "change": Change.CHANGED, "matters": Risk.HIGH}),
            Difference.model_validate(
                said | {"id": str(uuid4()), "change": Change.MISSING, "matters": Risk.LOW, "ours": None}
            ),
            Difference.model_validate(said | {"id": str(uuid4()), "change": Change.SAME, "matters": Risk.NONE}),
        )
        return run

    def redlined(self, document: DocumentView, **more: Any) -> RunView:
        ended = {"status": RunStatus.COMPLETED, "percent": 100, "ended_at": NOW, "letter": LETTER}
        run = self.run(document, work=Work.REDLINE, **ended | {"file_name": "Freedonia „NDA“-redline.docx"} | more)
        changed = Proposal(
            id=str(uuid4()),
            passage=passage("This Agreement lasts for five years."),
            replacement=THEIRS,
            reason="Two years are what we agree to.",
        )
        self.proposals[run.id] = (changed,)
        self.files[run.id] = b"PK\x03\x04 a redline"
        return run

    def _sees(self, tenant_id: str, user_id: str | None, found: DocumentView | None) -> bool:
        of_theirs = found is not None and (user_id in (None, found.user_id) or found.user_id is None)
        return tenant_id == self.tenant_id and of_theirs

    async def list(self, tenant_id: str, user_id: str | None, role: Role | None, most: int) -> tuple[DocumentLine, ...]:
        there = [one for one in list(self.documents.values())[::-1] if self._sees(tenant_id, user_id, one)]
        return tuple(self._line(one) for one in there if role in (None, one.role))[:most]

    def _line(self, one: DocumentView) -> DocumentLine:
        newest = next((run for run in one.runs if run.work is Work.ANALYSIS), None)
        said = one.model_dump(include=set(DocumentLine.model_fields) - {"clauses"})
        if newest:
            said |= newest.model_dump(include={"status", "step", "percent", "risk"})
        return DocumentLine.model_validate(said | {"clauses": len(one.clauses)})

    async def view(self, tenant_id: str, user_id: str | None, document_id: str) -> DocumentView | None:
        self.views += 1
        if self.stalled:
            await self.stalled.wait()
        found = self.documents.get(document_id)
        return found if self._sees(tenant_id, user_id, found) else None

    async def run_view(self, tenant_id: str, user_id: str | None, run_id: str) -> RunView | None:
        self.views += 1
        if self.blind:
            raise self.blind
        for one in self.documents.values():
            for run in one.runs:
                if run.id == run_id and self._sees(tenant_id, user_id, one):
                    return run
        return None

    async def comparison(self, tenant_id: str, user_id: str | None, run_id: str) -> ComparisonView | None:
        run = await self.run_view(tenant_id, user_id, run_id)
        if run is None or run.work is not Work.COMPARISON:
            return None
        other = self.documents.get(run.other_id or "")
        differences = self.differences.get(run.id, ())
        return ComparisonView(run=run, document=self.documents[run.document_id], other=other, differences=differences)

    async def redline(self, tenant_id: str, user_id: str | None, run_id: str) -> RedlineView | None:
        run = await self.run_view(tenant_id, user_id, run_id)
        if run is None or run.work is not Work.REDLINE:
            return None
        return RedlineView(run=run, proposals=self.proposals.get(run.id, ()))

    async def upload(self, tenant_id: str, user_id: str | None, role: Role, name: str, data: bytes) -> TakenDocument:
        if data.startswith(b"PK"):
            raise UsageError("This Word file is broken and cannot be opened")
        known = (user_id, role, name, data)
        if known in self.uploads:
            return TakenDocument(id=list(self.documents)[self.uploads.index(known)], fresh=False)
        self.uploads.append(known)
        return TakenDocument(id=self.put("", user_id=user_id, role=role, name=name).id, fresh=True)

    async def ask(self, tenant_id: str, wanted: NewRun) -> AskedRun:
        if self.fails:
            raise self.fails
        self.wanted.append(wanted)
        said = wanted.model_dump(include={"work", "against", "other_id"})
        run = self.run(self.documents[wanted.document_id], status=RunStatus.QUEUED, percent=0, message="", **said)
        return AskedRun(run_id=run.id, document_id=run.document_id, work=run.work, status=run.status, fresh=True)

    async def retry(self, tenant_id: str, run_id: str, reason: str) -> AskedRun:
        run = await self.run_view(tenant_id, None, run_id)
        assert run is not None
        self.retried.append((run_id, reason))
        return AskedRun(run_id=run_id, document_id=run.document_id, work=run.work, status=RunStatus.QUEUED, fresh=True)

    async def cancel(self, tenant_id: str, run_id: str) -> bool:
        if self.fails:
            raise self.fails
        self.stopped.append(run_id)
        run = await self.run_view(tenant_id, None, run_id)
        return run is not None and run.status not in ENDED

    async def delete(self, tenant_id: str, document_id: str) -> bool:
        self.deleted.append(document_id)
        return self.documents.pop(document_id, None) is not None

    async def file(self, tenant_id: str, found: RunView) -> bytes | None:
        if self.fails:
            raise self.fails
        return self.files.get(found.id)

    def parts(self) -> dict[str, Any]:
        return {"documents": self, "document_desk": self, "event_keys": self}
