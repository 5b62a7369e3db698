"""The effects that a skill's run needs: execute it, put away what came of it, say how it ended and how it stands.

execute: seat ─▶ it is running ─▶ folder ─▶ conversation with a model ─▶ a text in its row
store:   the text ─▶ where files are kept ─▶ output, end and event
"""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.ports import Objects
from activities.seats import Seats
from activities.skills import keys
from activities.skills.executing import Execution
from activities.skills.folders import UnfitSkillError
from activities.skills.ports import Folder, Library, Runs, Shelf, Talker
from activities.spending import Treasurer
from schemas.skills import RunStatus, SkillDone, SkillExecuted, SkillFailure, SkillStanding, SkillStep, SkillTold

# Runs of a tenant have so many seats of this name.
SEATS = "skills"
KIND = "text/markdown; charset=utf-8"


class SkillActivities:
    """Without a place to keep outputs nothing is put away, and whoever asks for it is told so."""

    def __init__(  # noqa: PLR0917 - its clients, each once
        self,
        runs: Runs,
        shelf: Shelf,
        talker: Talker,
        library: Library,
        objects: Objects | None,
        seats: Seats,
        pacing: Pacing,
        treasurer: Treasurer,
    ) -> None:
        self._runs = runs
        self._shelf = shelf
        self._talker = talker
        self._library = library
        self._objects = objects
        self._seats = seats
        self._pacing = pacing
        self._treasurer = treasurer

    @activity.defn(name="skills.execute")
    async def execute(self, step: SkillStep) -> SkillExecuted:
        """Safe to run twice: an answer is bought once and kept, and what is written stays."""
        async with heartbeating(), self._seats.seat(SEATS, step.tenant_id):
            clock = Clock()
            task = await self._runs.begin(step, sandbox=self._talker.sandbox)
            written = await self._runs.written(step) if task.written else None
            if written is None:
                execution = Execution(
                    step,
                    task,
                    runs=self._runs,
                    talker=self._talker,
                    pacing=self._pacing,
                    treasurer=self._treasurer,
                    clock=clock,
                )
                written = await execution.write(await self._folder(task.skill), self._library)
                await surely(self._runs.write(step, written))
            return SkillExecuted(tokens_in=written.tokens_in, tokens_out=written.tokens_out)

    @activity.defn(name="skills.store")
    async def store(self, step: SkillStep) -> SkillDone:
        """Safe to run twice: the same text goes under the same key, and a run ends once."""
        async with heartbeating():
            done = await self._runs.done(step)
            if done is not None and done.status is RunStatus.COMPLETED:
                return done
            if done is not None:
                await self._take_back(step)
                raise errors.superseded()
            written = await self._runs.written(step)
            if written is None:
                raise errors.unfinished("nothing is written")
            key = keys.output(step.tenant_id, step.run_id)
            await self._kept().put(key, written.text.encode(), KIND)
            try:
                done = await surely(self._runs.finish(step, written, key))
                if done.status is not RunStatus.COMPLETED:
                    raise errors.superseded()
            except ApplicationError as error:
                if error.type in ("Superseded", "NotFound"):
                    await self._take_back(step)
                raise
            return done

    @activity.defn(name="skills.fail")
    async def fail(self, failure: SkillFailure) -> SkillDone:
        """Safe to run twice: a run ends once, and how it ended is told again."""
        return await self._runs.fail(failure)

    @activity.defn(name="skills.standing")
    async def standing(self, step: SkillStep) -> SkillStanding:
        """Only reads."""
        return await self._runs.standing(step)

    @activity.defn(name="skills.slow")
    async def slow(self, step: SkillStep) -> SkillTold | None:
        """Safe to run twice: it is said once that a run is slow."""
        return await self._runs.slow(step)

    async def _folder(self, name: str) -> Folder:
        try:
            folder = await self._shelf.folder(name)
        except UnfitSkillError as unfit:
            raise errors.impossible(f"the skill {name}", unfit.sentence) from None
        if folder is None:
            raise errors.not_found(f"skill as {name}")
        return folder

    async def _take_back(self, step: SkillStep) -> None:
        """Its run came to nothing meanwhile: of what it wrote nothing stays, which a try before this may have put away."""
        await surely(self._kept().delete([keys.output(step.tenant_id, step.run_id)]))

    def _kept(self) -> Objects:
        if self._objects is None:
            raise errors.impossible("the output", "there is nowhere to keep it: set GREENROOM_OBJECTS_URL")
        return self._objects
