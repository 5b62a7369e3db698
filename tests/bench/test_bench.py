"""The bench's arithmetic is right, and a small run of it measures something and leaves nothing behind."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from bench import cpu, figures
from bench.__main__ import arguments
from bench.history import setbacks
from bench.report import least_possible_s
from bench.scenarios import REAL, Pacing, schedule

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]


def call(provider: str, about: str, started: float, ended: float) -> dict[str, Any]:
    return {"provider": provider, "about": about, "started": started, "ended": ended}


JOURNAL = [
    call("perplexity", "person:ada@b1-mills.example", 10.0, 13.0),
    call("perplexity", "company:b1-mills.example", 10.1, 12.0),
    # Nobody found, so asked another way: the second question comes after the first.
    call("perplexity", "person:kim.b1", 10.0, 12.0),
    call("perplexity", "person:kim.b1", 12.5, 14.0),
    call("anthropic", "brief:b1-mills.example,b1-freight.example", 15.0, 25.0),
    call("perplexity", "company:b2-mills.example", 0.0, 60.0),
]


def test_the_critical_path_is_the_slowest_subject_with_all_its_questions_and_then_the_writing() -> None:
    calls = figures.by_tag(JOURNAL, ["b1", "b2"])

    assert figures.critical_path_s(calls["b1"]) == pytest.approx((2.0 + 1.5) + 10.0)
    assert figures.critical_path_s(calls["b2"]) == pytest.approx(60.0)


def test_a_brief_of_fresh_people_has_only_its_writing_for_a_path() -> None:
    writing = [call("anthropic", "brief:b1.example", 0.0, 4.0), call("anthropic", "brief:b1.example", 5.0, 6.0)]

    assert figures.critical_path_s(writing) == pytest.approx(5.0)


def test_a_call_that_names_nobody_is_no_briefs() -> None:
    assert figures.by_tag([{**JOURNAL[0], "about": None}], ["b1"]) == {"b1": []}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.0], 95, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([4.0, 3.0, 2.0, 1.0], 50, 2.0),
        # The 19th of 20 is not exceeded by 95 %.
        ([float(n) for n in range(1, 21)], 95, 19.0),
        ([float(n) for n in range(1, 7)], 95, 6.0),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_a_percentile_is_a_value_that_occurred(values: list[float], percent: float, expected: float) -> None:
    assert figures.percentile(values, percent) == expected


def test_a_spread_is_a_share_of_the_median_and_unknown_of_one_value() -> None:
    assert figures.spread([8.0, 10.0, 12.0]) == pytest.approx(0.4)
    assert figures.spread([8.0]) is None


def test_a_window_counts_the_starts_that_it_can_hold_at_most() -> None:
    assert figures.most_in_window([0.0, 0.5, 1.0, 1.9, 2.0, 5.0], 2.0) == 4
    assert figures.most_in_window([3.0, 0.0, 2.0, 1.0], 1.0) == 1
    assert figures.most_in_window([], 1.0) == 0


def test_the_least_gap_is_between_neighbours_in_time() -> None:
    assert figures.least_gap_s([5.0, 1.0, 1.25, 3.0]) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("pace", "look_ups", "seconds"),
    [
        ("2/1s", 5, 2.0),
        ("10/60s+1s", 10, 9.0),
        # Ten within nine seconds; the eleventh comes a minute after the first.
        ("10/60s+1s", 11, 60.0),
    ],
)
def test_the_least_possible_time_follows_from_window_and_gap(pace: str, look_ups: int, seconds: float) -> None:
    assert least_possible_s(Pacing(pace=pace), look_ups) == pytest.approx(seconds)


def test_setbacks_are_what_went_wrong_and_attempts_beyond_the_first() -> None:
    third = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    third.activity_task_started_event_attributes.attempt = 3
    first = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    first.activity_task_started_event_attributes.attempt = 1
    late = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
    good = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)

    assert setbacks([first, third, late, good]) == {"activity tried again": 2, "workflow task timed out": 1}
    assert setbacks([first, good]) == {}


def test_cpu_time_of_children_that_are_gone_is_not_lost() -> None:
    burn = "import time; [0 for _ in iter(lambda: time.process_time() < 0.3, False)]"
    script = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print('x', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert cpu.tree_s(parent.pid) >= 0.28
        parent.communicate(b"\n")


def test_a_schedule_holds_what_was_asked_for() -> None:
    both = schedule(200, quick=False, groups="bc")

    assert [one.delays for one in both.scenarios] == [REAL, REAL]
    assert [one.briefs for one in both.scenarios] == [1, 200]
    assert both.pacing == Pacing()
    assert schedule(2, quick=True, groups="a").pacing is None


@pytest.mark.parametrize("words", [["--briefs", "0"], ["--briefs", "many"], ["--only", "abx"], ["--only", ""]])
def test_bad_input_is_a_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)

    assert ended.value.code == 2
    assert "write" in capsys.readouterr().err


@pytest.fixture
def scratch() -> Iterator[str]:
    """A folder for temporary folders; its name is short, because sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="gr-") as folder:
        yield folder


def test_a_small_run_measures_both_ways_and_leaves_nothing_behind(tmp_path: Path, scratch: str) -> None:
    words = ("-m", "bench", "--briefs", "2", "--quick", "--only", "a", "--json", "--results", str(tmp_path / "kept"))
    environment = {**os.environ, "TMPDIR": scratch}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)

    assert [row["way"] for row in document["rows"]] == ["plain", "durable", "plain", "durable"]
    for row in document["rows"]:
        _is_measured(row)
    assert all(ratio["cpu"] > 1 and ratio["p50"] > 1 for ratio in document["ratios"])
    assert set(document["machine"]) >= {"cores", "python", "temporalio", "temporal", "postgres", "others_share"}
    assert document["pacing"] is None
    assert not list(Path(scratch).glob("greenroom-bench-*"))
    assert [json.loads(path.read_text()) for path in (tmp_path / "kept").iterdir()] == [document]


def _is_measured(row: dict[str, Any]) -> None:
    durable, fresh = row["way"] == "durable", "fresh" in row["scenario"]
    assert row["briefs"] == 2
    assert row["briefs_per_s"] > 0
    assert 0 < row["critical_path_p50_ms"] < row["p50_ms"] <= row["p95_ms"]
    assert set(row["cpu_ms"]) == {"worker", "temporal", "postgres"}
    assert row["cpu_ms"]["worker"] > 0
    assert (row["cpu_ms"]["temporal"] > 0) is durable
    assert row["cpu_ms_in_all"] >= row["cpu_ms"]["worker"]
    # Three prospects as children, or nobody to look up.
    assert (10 if fresh else 50) * durable <= row["history_events"] <= (40 if fresh else 120) * durable
    assert (row["history_bytes"] > 0) is durable
    # Five look-ups and the writing, or the writing alone: nothing is bought twice.
    assert row["provider_calls"] == (1 if fresh else 6)
