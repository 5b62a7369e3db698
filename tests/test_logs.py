"""Logs say what happened, to which run, and nothing that a person or a provider said."""

import json
import subprocess
import sys
import textwrap

import pytest

CANARY = "ada@lovelace.example sk-canary-0123456789"

START = """
import logging
from datetime import timedelta
import structlog
from activities import errors
from starter import logs
logs.configure("json")
"""


def lines(script: str) -> list[dict[str, object]]:
    """What a process of its own logs: handlers of the test runner would be in the way."""
    text = START + textwrap.dedent(script).replace("CANARY", repr(CANARY))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("logger", ['structlog.get_logger("ours")', 'logging.getLogger("temporalio.activity")'])
def test_another_s_exception_is_told_by_type_and_place(logger: str) -> None:
    (line,) = lines(f"""
        try:
            raise ValueError(CANARY)
        except ValueError:
            {logger}.warning("Completing activity as failed", exc_info=True)
    """)
    assert line["error"] == "ValueError at <module>:10"
    assert "canary" not in json.dumps(line)


def test_our_own_errors_are_told_in_their_own_words() -> None:
    (line,) = lines("""
        try:
            raise errors.answered("search", 503, CANARY, {}, timedelta())
        except errors.ApplicationError:
            logging.getLogger("temporalio.activity").warning("failed", exc_info=True)
    """)
    assert line["error"] == "ProviderDown: search said 503"


def test_libraries_do_not_log_what_they_send() -> None:
    assert lines('logging.getLogger("httpx2").info("HTTP Request: POST https://x?key=%s", CANARY)') == []
