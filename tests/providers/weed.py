"""SeaweedFS: a store that speaks S3's language and is somebody else's, with signatures checked."""

import asyncio
import json
import shutil
import socket
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from activities.providers.objects import ObjectStore

ACCESS, SECRET, BUCKET = "app", "the-secret-of-the-store", "audio"
SOON_S = 30
GRANTED = ["Admin", "Read", "Write", "List"]


@dataclass
class Weed:
    """One server, and how to reach it."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: _free_ports(8))
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def objects(self, **changes: str) -> ObjectStore:
        given = {"endpoint": self.endpoint, "region": "us-east-1", "access_key": ACCESS, "secret_key": SECRET}
        url = changes.pop("url", f"s3://{BUCKET}/a/prefix")
        return ObjectStore.at(url, **(given | changes))

    async def start(self) -> None:
        s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc = self.ports
        identity = {"name": "app", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}], "actions": GRANTED}
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (self.folder / "data").mkdir(exist_ok=True)
        flags = [
            *(f"-dir={self.folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=5"),
            *("-master.volumeSizeLimitMB=64", "-s3", f"-s3.port={s3}", f"-s3.config={self.folder}/s3.json"),
            *(f"-master.port={master}", f"-master.port.grpc={master_grpc}", f"-volume.port={volume}"),
            *(f"-volume.port.grpc={volume_grpc}", f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}"),
            *(f"-s3.port.grpc={s3_grpc}", "-s3.iam=false"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
            *(f"-filer.localSocket={self.folder}/filer.sock", f"-s3.localSocket={self.folder}/s3.sock"),
        ]
        with (self.folder / "weed.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
                [str(Path(sysconfig.get_path("scripts")) / "weed"), "server", *flags],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        await self._ready()

    async def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
            self.process = None

    async def _ready(self) -> None:
        async with asyncio.timeout(SOON_S), aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{self.endpoint}/status") as response:
                        if response.status == 200:
                            return
                assert self.process is not None
                assert self.process.poll() is None, (self.folder / "weed.log").read_text()[-2000:]
                await asyncio.sleep(0.1)


@asynccontextmanager
async def growing(folder: Path) -> AsyncIterator[Weed]:
    """With a bucket."""
    weed = Weed(folder)
    try:
        await weed.start()
        # Its buckets come with what is first put there.
        await weed.objects().put("first", b"", "text/plain")
        yield weed
    finally:
        await weed.stop()
        shutil.rmtree(folder / "data", ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
