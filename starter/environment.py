"""From the environment to what the starters need: settings, a Temporal client, and sentences when something is amiss."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import SettingsError
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from activities import coding
from activities.store.database import Database
from schemas.settings import STACK_FILE, Settings
from starter.words import NotReadyError, UsageError

DEFAULT_TEMPORAL = "localhost:7233"
NEW_PAYLOAD_KEY = "make one with: greenroom keys new (or set GREENROOM_PAYLOAD_CODEC=off to have nothing encrypted)"


def environment() -> Mapping[str, str]:
    """The environment as settings see it: the stack's file, then `.env`, then the process's own."""
    files = [dotenv_values(path) for path in (STACK_FILE, Path(".env")) if path.exists()]
    merged = {key: value for file in files for key, value in file.items() if value is not None}
    return {**merged, **os.environ}


def load_settings() -> Settings:
    """The settings, or one sentence about the first that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "the settings"
        raise UsageError(f"{name}: {first['msg'].removeprefix('Value error, ')}.") from None
    except SettingsError as error:
        # It names the field, and not the value.
        raise UsageError(f"A setting is no JSON: {str(error).partition(' from ')[0]}") from None


async def connect(settings: Settings, *, lazy: bool = False, metrics_port: int = 0) -> Client:
    """The Temporal client of the standard TEMPORAL_* variables and profiles, speaking pydantic, encrypted.

    With a port, the SDK's metrics of this process are served there for Prometheus.
    """
    converter = data_converter(settings)
    config = ClientConfig.load_client_connect_config(override_env_vars=dict(environment()))
    config.setdefault("target_host", DEFAULT_TEMPORAL)
    try:
        return await Client.connect(**config, data_converter=converter, lazy=lazy, runtime=_runtime(metrics_port))
    except (RPCError, RuntimeError) as error:
        raise NotReadyError(
            f"No Temporal server answers at {config['target_host']} ({_short(error)})",
            "start the stack with: make dev (or set TEMPORAL_ADDRESS)",
        ) from None


def data_converter(settings: Settings) -> DataConverter:
    """How we speak with Temporal, or the sentence that says which key is missing."""
    try:
        return coding.data_converter(settings)
    except ValueError as error:
        raise NotReadyError(str(error).partition(";")[0], NEW_PAYLOAD_KEY) from None


def _runtime(metrics_port: int) -> Runtime | None:
    if not metrics_port:
        return None
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{metrics_port}", durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings, or a sentence that says which URL is missing."""
    for name, url in (
        ("DATABASE_URL", settings.database_url),
        ("DATABASE_CROSSING_URL", settings.database_crossing_url),
    ):
        if not url:
            raise NotReadyError(f"{name} is not set", "start the stack with: make dev (or set it)")
    async with Database.opened(settings.database_url, settings.database_crossing_url) as database:
        yield database


def _short(error: Exception) -> str:
    """What it says before it quotes the library below it."""
    return str(error).split("\n", 1)[0].split(": ", 1)[0][:120]
