"""The two ways to make a brief: durable, by a workflow; plain, by the script."""

import asyncio
from pathlib import Path
from typing import Protocol

from temporalio.client import Client

from bench.history import History, kept
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

    async def history(self, order: Order) -> History:
        """What the server keeps of a brief's run and its children."""
        return await kept(self._client, ids.research(order.tenant.id, order.occasion.research_id))


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
