"""Logs on stderr: structured, one line an event, nothing personal and no secret in them.

What our code logs is facts by name. What a provider's failure says is our own words (`activities.errors`); of any other
exception the type and the place are logged, never its text, which may quote a row or an answer.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_FROM_TEMPORAL = ("workflow_id", "workflow_type", "activity_type", "attempt")


def configure(log_format: str, level: int = logging.INFO) -> None:
    """Send everything, structlog's and the libraries', through one formatter. `log_format` is console or json."""
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_errors,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log_format, shared))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Libraries log what they send and to whom; that they work is no news.
    for name in ("httpx2", "httpcore2", "anthropic", "aiohttp", "asyncio", "googleapiclient"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def silent() -> Iterator[None]:
    """For a command that says itself, in a sentence, what a server would log."""
    was = structlog.get_config()
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(**{**was, "wrapper_class": nothing, "cache_logger_on_first_use": False})
    try:
        yield
    finally:
        structlog.configure(**was)


def _formatter(log_format: str, shared: list[Processor]) -> logging.Formatter:
    last: Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[_from_temporal, structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )


def _from_temporal(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Which workflow and activity a line of the SDK's loggers is about."""
    record = event.get("_record")
    for part in ("temporal_workflow", "temporal_activity"):
        told: dict[str, Any] = getattr(record, part, None) or {}
        event.update({key: told[key] for key in _FROM_TEMPORAL if key in told})
    return event


def _tell_errors(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """An exception in words that may be kept: ours as it is, another's by its type and its place."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[1] is not None:
        event["error"] = _said(info)
    return event


def _said(info: ExcInfo) -> str:
    error = info[1]
    if isinstance(error, ApplicationError):
        return f"{error.type}: {error.message}"
    place = traceback.extract_tb(info[2])[-1:]
    return " ".join([type(error).__name__, *(f"at {frame.name}:{frame.lineno}" for frame in place)])
