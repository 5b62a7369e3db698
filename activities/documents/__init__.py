"""The effects that work on a document needs: take its run, read its file, draw what is proposed, say how it ended.

begin:  take the run, and see which documents are not read yet
parse:  seat ─▶ file ─▶ (a process of its own) text ─▶ clauses ─▶ rows
draw:   seat ─▶ file and proposals ─▶ (a process of its own) a DOCX with tracked changes ─▶ where files are kept
finish: what the parts came to ─▶ a conclusion by rule ─▶ its end and event
"""

import asyncio
from dataclasses import replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.documents import clauses, keys
from activities.documents.parts import parts
from activities.documents.ports import GENERATION, PARSING, Edit, Parser, Runs, Text, UnreadableFileError
from activities.documents.summary import conclusion
from activities.liveness import heartbeating, surely
from activities.ports import Objects
from activities.seats import Seats
from schemas.documents import DocumentStep, Read, RunBegun, RunDone, RunEnding, RunFailure, RunStart, Work

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class DocumentActivities:
    """Without a place to keep files none is read or drawn, and whoever asks for it is told so."""

    def __init__(self, runs: Runs, objects: Objects | None, parser: Parser, seats: Seats) -> None:
        self._runs = runs
        self._objects = objects
        self._parser = parser
        self._seats = seats

    @activity.defn(name="documents.begin")
    async def begin(self, start: RunStart) -> RunBegun:
        """Safe to run twice: a run takes its row once."""
        return await self._runs.begin(start)

    @activity.defn(name="documents.parse")
    async def parse(self, step: DocumentStep) -> Read:
        """Safe to run twice: what is read stays as it is. `step.document_id` is the document that is read."""
        async with heartbeating():
            text = await self._runs.text(step) or await self._read(step)
            return Read(clauses=len(text.clauses), parts=len(parts(text.clauses)))

    @activity.defn(name="documents.draw")
    async def draw(self, step: DocumentStep) -> None:
        """Safe to run twice: the same proposals go under the same key. Without proposals nothing is drawn.

        Whose run came to nothing meanwhile takes back what it put away.
        """
        async with heartbeating(), self._seats.seat(GENERATION, step.tenant_id):
            drawn = await self._drawn(step)
            if drawn is None:
                return
            try:
                await self._kept().put(_redline(step), drawn, DOCX)
                await self._runs.stored(step)
            except (ApplicationError, asyncio.CancelledError) as error:
                if _is_over(error):
                    await surely(self._kept().delete([_redline(step)]))
                raise

    @activity.defn(name="documents.finish")
    async def finish(self, ending: RunEnding) -> RunDone:
        """Safe to run twice: a run ends once, and how it ended is told again."""
        material = await self._runs.material(ending)
        result = await self._runs.result(ending)
        end = await asyncio.to_thread(conclusion, ending.work, material, result)
        if ending.work is Work.REDLINE and result.proposals:
            end = replace(end, object_key=_redline(ending))
        return await self._runs.finish(ending, end)

    @activity.defn(name="documents.fail")
    async def fail(self, failure: RunFailure) -> RunDone:
        """Safe to run twice: a run ends once, and how it ended is told again."""
        return await self._runs.fail(failure)

    async def _read(self, step: DocumentStep) -> Text:
        async with self._seats.seat(PARSING, step.tenant_id):
            stored = await self._runs.stored(step)
            data = await self._file(stored.object_key)
            try:
                parsed = await self._parser.parse(data, stored.kind)
            except UnreadableFileError as error:
                raise errors.unreadable(error.sentence) from None
            found = await asyncio.to_thread(clauses.split, parsed.text)
            await surely(self._runs.store_text(step, parsed, found))
        text = await self._runs.text(step)
        if text is None:
            raise errors.unfinished("the text of the document is not kept")
        return text

    async def _drawn(self, step: DocumentStep) -> bytes | None:
        """The file with what is proposed; None when nothing is."""
        proposals = (await self._runs.result(step)).proposals
        if not proposals:
            return None
        text, stored = await self._runs.text(step), await self._runs.stored(step)
        if text is None:
            raise errors.unfinished("the document is not read")
        edits = [Edit(one.passage.start, one.passage.end, one.replacement, one.reason) for one in proposals]
        data, at = await self._file(stored.object_key), step.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            return await self._parser.redline(data, stored.kind, text.text, edits, at)
        except UnreadableFileError as error:
            raise errors.unreadable(error.sentence) from None

    async def _file(self, key: str) -> bytes:
        data = await self._kept().get(key)
        if data is None:
            raise errors.unreadable("The file is not there any more; upload it again.")
        return data

    def _kept(self) -> Objects:
        if self._objects is None:
            raise errors.impossible("the file", "there is nowhere to keep it: set GREENROOM_OBJECTS_URL")
        return self._objects


def _redline(step: DocumentStep) -> str:
    return keys.redline(step.tenant_id, step.document_id, step.run_id, step.version)


def _is_over(error: BaseException) -> bool:
    """Nobody will ever want what this run makes."""
    return not isinstance(error, ApplicationError) or error.type in {"Superseded", "NotFound"}
