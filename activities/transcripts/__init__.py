"""The effects that reading a call needs: take it, have its parts read, write what came of it, say how it ended.

begin:  take the call, and see whether its transcript is there
part:   what is kept ─▶ (kept answer | pace ─▶ reserve ─▶ ask the model ─▶ keep and settle) ─▶ check every quote
finish: what is kept of all parts ─▶ merged ─▶ findings, status, history and event
"""

from temporalio import activity

from activities import errors
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.ports import LanguageModel, ModelAnswer, Prompt
from activities.spending import Purchase, Treasurer
from activities.transcripts import reading
from activities.transcripts.asking import follow
from activities.transcripts.ports import ReadBy, Readings
from schemas.transcripts import CallBegun, CallDone, CallEnding, CallFailed, CallFailure, CallStart, PartOrder, PartRead


class TranscriptActivities:
    def __init__(self, readings: Readings, model: LanguageModel, pacing: Pacing, treasurer: Treasurer) -> None:
        self._readings = readings
        self._model = model
        self._pacing = pacing
        self._treasurer = treasurer

    @activity.defn(name="transcripts.begin")
    async def begin(self, start: CallStart) -> CallBegun:
        """Safe to run twice: a run takes its call once."""
        standing = await self._readings.begin(start)
        spoken = standing.spoken
        return CallBegun(
            version=standing.version,
            done=standing.done,
            heard=spoken is not None,
            parts=len(reading.split(spoken)) if spoken else 0,
            recorded=standing.recorded,
        )

    @activity.defn(name="transcripts.read_part")
    async def read_part(self, order: PartOrder) -> PartRead:
        """Safe to run twice: an answer to this ask is bought once and kept."""
        async with heartbeating():
            clock = Clock()
            heard = await self._readings.heard(order, order.version, sandbox=self._model.sandbox)
            part = reading.split(heard.spoken)[order.part - 1]
            read = follow(part, heard)
            if read.extract is not None or read.asked >= order.ask:
                return PartRead(problem=None if read.extract is not None else read.problem)
            answer = await self._ask(order, read.prompt, clock)
            extract = reading.read(answer, part, held_on=heard.held_on)
            return PartRead(problem=extract if isinstance(extract, str) else None)

    @activity.defn(name="transcripts.finish")
    async def finish(self, ending: CallEnding) -> CallDone:
        """Safe to run twice: a version is finished once."""
        heard = await self._readings.heard(ending, ending.version, sandbox=self._model.sandbox)
        read = [follow(part, heard) for part in reading.split(heard.spoken)]
        extracts = [one.extract for one in read if one.extract is not None]
        if len(extracts) < len(read):
            raise errors.unfinished("a part of the call is not read")
        model = next((one.model for one in read), "")
        sandbox = bool(read) and self._model.sandbox
        return await self._readings.finish(ending, reading.merge(extracts), model, sandbox=sandbox)

    @activity.defn(name="transcripts.fail")
    async def fail(self, failure: CallFailure) -> CallFailed:
        """Safe to run twice: the same words on the same row, one event for each run."""
        return await self._readings.fail(failure)

    async def _ask(self, order: PartOrder, prompt: Prompt, clock: Clock) -> ModelAnswer:
        await (await self._pacing.turn(self._model.name)).come()
        purchase = Purchase(order.tenant_id, order.call_id, order.version, f"part/{order.part}/{order.ask}")
        offer = self._treasurer.offer(self._model, self._model.size(prompt))
        async with self._treasurer.paying(purchase, [offer], clock.now):
            answer = await self._model.write(prompt)
        await surely(self._readings.keep_answer(purchase, prompt, answer, self._by(clock)))
        return answer

    def _by(self, clock: Clock) -> ReadBy:
        info = activity.info()
        return ReadBy(
            provider=self._model.name,
            sandbox=self._model.sandbox,
            prompt=f"transcript/{reading.VERSION}",
            workflow_id=info.workflow_id or "",
            run_id=info.workflow_run_id or "",
            now=clock.now(),
        )
