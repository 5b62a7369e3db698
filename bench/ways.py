"""The two ways to make a brief: durable, by a workflow; plain, by the script."""

import asyncio
from pathlib import Path
from typing import Protocol

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from bench.orders import Order
from bench.plain import DONE
from starter import start
from starter.words import FailedError
from workflows import ids


class Way(Protocol):
    """`servers` are the processes whose CPU time it costs."""

    name: str
    servers: tuple[str, ...]

    async def brief(self, order: Order) -> None: ...


class Durable:
    """As the command line starts it, until the workflow has ended."""

    name: str = "durable"
    servers: tuple[str, ...] = ("worker", "temporal", "postgres")

    def __init__(self, client: Client) -> None:
        self._client = client

    async def brief(self, order: Order) -> None:
        handle = await start.research(self._client, order.tenant, order.occasion)
        await handle.result()

    async def history(self, order: Order) -> tuple[int, int]:
        """Events and bytes that the server keeps of a brief's run and its children."""
        root = self._client.get_workflow_handle(ids.research(order.tenant.id, order.occasion.research_id))
        children = [
            self._client.get_workflow_handle(child.workflow_id, run_id=child.run_id) for child in await _children(root)
        ]
        sizes = [await _size(handle) for handle in (root, *children)]
        return sum(events for events, _ in sizes), sum(size for _, size in sizes)


class Plain:
    """As the script does it, until it says that the brief is stored."""

    name: str = "plain"
    servers: tuple[str, ...] = ("plain", "postgres")

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def brief(self, order: Order) -> None:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        writer.write(order.request.model_dump_json().encode() + b"\n")
        said = await reader.readline()
        writer.close()
        if said != DONE:
            raise FailedError("The plain script failed at a brief")


async def _children(root: WorkflowHandle[object, object]) -> list[WorkflowExecution]:
    events = (await root.fetch_history()).events
    started = [one for one in events if one.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED]
    return [one.child_workflow_execution_started_event_attributes.workflow_execution for one in started]


async def _size(handle: WorkflowHandle[object, object]) -> tuple[int, int]:
    described = await handle.describe()
    return described.history_length, described.raw_description.workflow_execution_info.history_size_bytes
