"""What the server keeps of a brief: how many events and bytes, and how many of them tell of something done again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

# A good run has none of these.
SETBACKS = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: "workflow task timed out",
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: "workflow task failed",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "activity timed out",
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "activity failed",
}
TRIED_AGAIN = "activity tried again"


@dataclass(frozen=True)
class History:
    """Of a run and its children: how long it is, and its setbacks by kind."""

    events: int = 0
    bytes: int = 0
    setbacks: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "History") -> "History":
        return History(self.events + other.events, self.bytes + other.bytes, self.setbacks + other.setbacks)


async def kept(client: Client, workflow_id: str, run_id: str | None = None) -> History:
    """The history of a run, and of the children that it started."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    described, history = await handle.describe(), await handle.fetch_history()
    size = described.raw_description.workflow_execution_info.history_size_bytes
    total = History(len(history.events), size, setbacks(history.events))
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            child = event.child_workflow_execution_started_event_attributes.workflow_execution
            total += await kept(client, child.workflow_id, child.run_id)
    return total


def setbacks(events: Sequence[HistoryEvent]) -> Counter[str]:
    """What went wrong, and each attempt of an activity beyond its first, of which history keeps only the number."""
    found = Counter(SETBACKS[event.event_type] for event in events if event.event_type in SETBACKS)
    started = [event for event in events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED]
    again = sum(event.activity_task_started_event_attributes.attempt - 1 for event in started)
    return found + Counter({TRIED_AGAIN: again})
