"""What is told of skills: a run that has ended, one that takes long, and a channel that was switched off."""

import re

from schemas.notices import Matter
from schemas.skills import LONGEST_PREVIEW
from starter.show import written
from starter.show.blocks import short
from starter.show.messages import Letter

# Of emphasis, and of code.
UNCLOSED = re.compile(r"(?<!\w)(?:\*{1,3}|_{1,3}|~~|`+)(?=\S)|[*`]+$")


def ended(matter: Matter, web: str) -> Letter:
    """The beginning of what was written, or why nothing was."""
    skill, page = short(matter.skill), f"{web}/skills/runs/{matter.skill_run_id}"
    if matter.run == "failed":
        why = matter.failure_reason.removeprefix(f"{matter.failed_step}: ")
        return Letter(
            subject=f"Nothing was written: {skill}",
            headline=f"{skill} came to nothing",
            paragraphs=("Nothing was written.", f"The reason: {why}"),
            button=("See the run", page),
        )
    return Letter(
        subject=f"Written for you: {skill}",
        headline=f"{skill} is written",
        paragraphs=_beginning(matter.preview),
        button=("Read all of it", page),
    )


def slow(matter: Matter, web: str) -> Letter:
    skill = short(matter.skill)
    return Letter(
        subject=f"Takes longer than usual: {skill}",
        headline=f"{skill} takes longer than usual",
        paragraphs=(
            "It is still being written. You need do nothing: you hear of it when it ends, one way or the other.",
        ),
        button=("See how far it is", f"{web}/skills/runs/{matter.skill_run_id}"),
    )


def channel_off(matter: Matter, web: str) -> Letter:
    kind, label = matter.channel.title(), short(matter.channel_label)
    of = f"{kind} channel" + (f" ({label})" if label not in ("", kind) else "")
    return Letter(
        subject=f"Switched off: your {of}",
        headline=f"Your {of} was switched off",
        paragraphs=(
            f"Nothing can be sent there any more. The reason: {matter.channel_reason}",
            "When that is mended, switch it on again.",
        ),
        button=("See your channels", f"{web}/preferences"),
    )


def _beginning(preview: str) -> tuple[str, ...]:
    """In plain words: a mail and a message show no Markdown. Where it was cut, a mark may stand that was never closed."""
    lines = [line for line in written.said(preview) if line.strip()]
    if len(preview) < LONGEST_PREVIEW or not lines:
        return tuple(lines)
    return (*lines[:-1], UNCLOSED.sub("", lines[-1]), "…")
