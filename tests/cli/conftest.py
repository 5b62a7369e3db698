"""The command line as a person has it: an empty folder, an environment of its own, and words that come back."""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from starter.cli import main
from tests.stage import KEY, TOKEN_KEYS, Stage


@dataclass
class Said:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What --json printed: one document, and nothing else."""
        return json.loads(self.out)


Greenroom = Callable[..., Said]
Beside = Callable[..., Awaitable[Said]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and nothing of ours in the environment."""
    for name in list(os.environ):
        if name.startswith(("GREENROOM_", "DATABASE_", "TEMPORAL_", "PERPLEXITY_", "ANTHROPIC_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def greenroom(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Greenroom]:
    """Run a command on a thread of its own: it has an event loop of its own too."""
    handlers = logging.root.handlers[:]

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["greenroom", *words])
        codes: list[object] = []

        def command() -> None:
            try:
                main()
            except SystemExit as end:
                codes.append(end.code)

        capsys.readouterr()
        thread = threading.Thread(target=command)
        thread.start()
        thread.join()
        captured = capsys.readouterr()
        (code,) = codes
        assert isinstance(code, int)
        return Said(code, captured.out, captured.err)

    yield run
    # A command that serves logs to the stderr of its test, which is closed now.
    logging.root.handlers[:] = handlers


@pytest.fixture
def wired(stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The environment of a stage: its tenant, database, Temporal and sandbox."""
    for name, value in environment(stage).items():
        monkeypatch.setenv(name, value)
    return stage


def environment(stage: Stage) -> dict[str, str]:
    return {
        "DATABASE_URL": stage.urls.application,
        "DATABASE_CROSSING_URL": stage.urls.crossing,
        "DATABASE_OWNER_URL": stage.urls.owner,
        "TEMPORAL_ADDRESS": stage.temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": stage.temporal.namespace,
        "GREENROOM_HASH_KEY": KEY,
        "GREENROOM_LINK_KEY": KEY,
        "GREENROOM_SESSION_KEY": KEY,
        "GREENROOM_TOKEN_KEYS": TOKEN_KEYS,
        "GREENROOM_PAYLOAD_CODEC": "off",
        "GREENROOM_SANDBOX": "1",
        "GREENROOM_SANDBOX_URL": stage.sandbox.url,
        "GREENROOM_SANDBOX_SMTP_URL": f"smtp://127.0.0.1:{stage.sandbox.smtp_port}",
        "GREENROOM_TENANT": stage.tenant.slug,
    }


@pytest.fixture
def beside(greenroom: Greenroom) -> Beside:
    """Run a command while this loop goes on: workers and the sandbox live on it."""

    async def run(*words: str) -> Said:
        return await asyncio.to_thread(greenroom, *words)

    return run
