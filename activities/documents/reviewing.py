"""The effects that going through a document by parts needs: review it, compare it, propose changes to it.

analyse: seat ─▶ material ─▶ (kept answer | pace ─▶ reserve ─▶ ask the model ─▶ keep and settle) ─▶ check every quote ─▶ rows
compare: the same of pairs of clauses; what is the same needs no model
propose: the same of what was found, with the words that are to be replaced
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel
from temporalio import activity

from activities import errors
from activities.documents import checks, differing, pairing, prompts, proposing
from activities.documents.asking import Task, follow, parsed
from activities.documents.parts import parts
from activities.documents.ports import ANALYSIS, COMPARISON, GENERATION, BoughtBy, Extract, Material, Runs
from activities.documents.said import Compared, Proposals, Reviewed
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.ports import LanguageModel, ModelAnswer, Prompt
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from schemas.documents import Clause, PartDone, PartStep

Shape = TypeVar("Shape", bound=BaseModel)
Plan = Callable[[Material, Sequence[Clause]], Task | Extract]

# How far a run is before its parts, and with the last of them.
BEFORE, AFTER = 30, 90


class ReviewActivities:
    def __init__(self, runs: Runs, model: LanguageModel, pacing: Pacing, treasurer: Treasurer, seats: Seats) -> None:
        self._runs = runs
        self._model = model
        self._pacing = pacing
        self._treasurer = treasurer
        self._seats = seats

    @activity.defn(name="documents.analyse")
    async def analyse(self, step: PartStep) -> PartDone:
        """Safe to run twice: an answer to this ask is bought once and kept, and what came of it replaces itself."""
        return await self._go_through(step, ANALYSIS, review)

    @activity.defn(name="documents.compare")
    async def compare(self, step: PartStep) -> PartDone:
        """Safe to run twice: an answer to this ask is bought once and kept, and what came of it replaces itself."""
        return await self._go_through(step, COMPARISON, comparison)

    @activity.defn(name="documents.propose")
    async def propose(self, step: PartStep) -> PartDone:
        """Safe to run twice: an answer to this ask is bought once and kept, and what came of it replaces itself."""
        return await self._go_through(step, GENERATION, changes)

    async def _go_through(self, step: PartStep, seat: str, plan: Plan) -> PartDone:
        async with heartbeating(), self._seats.seat(seat, step.tenant_id):
            clock = Clock()
            material = await self._runs.material(step)
            pages = parts(material.text.clauses)
            if not 1 <= step.part <= len(pages):
                raise errors.superseded()
            task = plan(material, pages[step.part - 1])
            extract = task if isinstance(task, Extract) else await self._answer(step, task, material, clock)
            if isinstance(extract, str):
                return PartDone(problem=extract)
            await surely(self._runs.write(step, extract, _percent(step, material, len(pages))))
            return PartDone()

    async def _answer(self, step: PartStep, task: Task, material: Material, clock: Clock) -> Extract | str:
        """What came of the part, or what was wrong with the answer to this ask. Pretended answers serve no real run."""
        kept = {asked: one for asked, one in material.kept.items() if one.sandbox == self._model.sandbox}
        answered = follow(task, kept, step.version)
        if answered.extract is not None:
            return answered.extract
        if answered.asked >= step.ask:
            return answered.problem
        return task.read(await self._ask(step, answered.prompt, clock))

    async def _ask(self, step: PartStep, prompt: Prompt, clock: Clock) -> ModelAnswer:
        await (await self._pacing.turn(self._model.name)).come()
        purchase = Purchase(step.tenant_id, step.run_id, step.version, f"part/{step.part}/{step.ask}")
        offer = self._treasurer.offer(self._model, self._model.size(prompt))
        async with self._treasurer.paying(purchase, [offer], clock.now):
            answer = await self._model.write(prompt)
        info = activity.info()
        by = BoughtBy(self._model.name, info.workflow_id or "", info.workflow_run_id or "", self._model.sandbox)
        await surely(self._runs.keep(step, prompt.asked, answer, purchase, by))
        return answer


def review(material: Material, part: Sequence[Clause]) -> Task:
    text = material.text
    return Task(
        prompt=lambda problem: prompts.review(text, part, problem),
        read=_reader(Reviewed, lambda said: checks.reviewed(said, text, part)),
    )


def comparison(material: Material, part: Sequence[Clause]) -> Task | Extract:
    text, pairs = material.text, pairing.of_part(part, material.pairs)
    asked = differing.asked(pairs, text)
    if not asked:
        return differing.compared(Compared(differences=[]), text, pairs)
    return Task(
        prompt=lambda problem: prompts.compare(text, asked, problem),
        read=_reader(Compared, lambda said: differing.compared(said, text, pairs)),
    )


def changes(material: Material, part: Sequence[Clause]) -> Task | Extract:
    text, asked = material.text, proposing.asked(material, part)
    if not asked:
        return Extract()
    return Task(
        prompt=lambda problem: prompts.propose(text, part, asked, problem),
        read=_reader(Proposals, lambda said: proposing.proposed(said, text, part, asked)),
    )


def _reader(shape: type[Shape], checked: Callable[[Shape], Extract]) -> Callable[[ModelAnswer], Extract | str]:
    def read(answer: ModelAnswer) -> Extract | str:
        said = parsed(answer, shape)
        return said if isinstance(said, str) else checked(said)

    return read


def _percent(step: PartStep, material: Material, pages: int) -> int:
    """By the parts that are gone through, whichever they are, and whether or not a model was asked about them."""
    done = material.done | {step.part}
    return BEFORE + (AFTER - BEFORE) * min(len(done), pages) // pages
