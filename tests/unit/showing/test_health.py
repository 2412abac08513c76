"""How sources do, and what the process measures of itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.metrics import Timings
from engine.model.market import FeedState
from tui.showing.gauges import Gauges
from tui.showing.health import process_rows, source_rows
from tui.shown.health import HealthRow, SourceWord

NOW_US = 1_451_917_800_000_000


def timings(*milliseconds: float) -> Timings:
    found = Timings(lambda: 0.0)
    for value in milliseconds:
        found.add(value / 1000)
    return found


@pytest.fixture
def gauges() -> Callable[..., Gauges]:
    """A process that does well."""
    well = Gauges(
        loop_lag=timings(3.04),
        writes=timings(*[1.0] * 19, 1.94),
        trouble=lambda: "",
        log_head=lambda: (118_204, NOW_US),
        checked=10_000,
        disk_free=lambda: 38_200_000_000,
        memory=lambda: 212_000_000,
        up_us=lambda: 5 * US_PER_S,
        pid=4112,
        version="0.4.2",
        schema=4,
    )
    return lambda **changes: replace(well, **changes)


def rows(gauges: Gauges) -> dict[str, HealthRow]:
    return {row.name: row for row in process_rows(gauges)}


def test_a_process_that_does_well(gauges: Callable[..., Gauges]) -> None:
    assert list(process_rows(gauges())) == [
        HealthRow("loop lag", "p95 3.0 ms", "< 50 ms", True, pytest.approx(3.04), "ms"),
        HealthRow("journal write", "p95 1.9 ms, 0 failed", "< 50 ms", True, pytest.approx(1.94), "ms"),
        HealthRow("audit chain", "118,204 rows, head 14:30:00Z", "last 10k checked", True, 118_204, "rows"),
        HealthRow("disk", "38.2 GB free", "> 500 MB", True, 38_200_000_000, "bytes"),
        HealthRow("memory", "212 MB", "< 600 MB", True, 212_000_000, "bytes"),
        HealthRow("version", "0.4.2, schema 4", "", True, None, ""),
    ]


def test_a_log_that_was_checked_from_its_first_line_says_so(gauges: Callable[..., Gauges]) -> None:
    assert rows(gauges(log_head=lambda: (10_000, NOW_US)))["audit chain"].limit == "checked at start"


@pytest.mark.parametrize(
    ("changes", "name", "figure", "ok"),
    [
        ({"loop_lag": timings()}, "loop lag", "not measured yet", None),
        ({"loop_lag": timings(49.99)}, "loop lag", "p95 50 ms", True),
        ({"loop_lag": timings(50.0)}, "loop lag", "p95 50 ms", False),
        ({"loop_lag": timings(1250)}, "loop lag", "p95 1,250 ms", False),
        (
            {"trouble": lambda: "the disk is full"},
            "journal write",
            "p95 1.9 ms, 0 failed: the disk is full",
            False,
        ),
        ({"log_head": lambda: (0, None)}, "audit chain", "0 rows", True),
        ({"disk_free": lambda: 500_000_000}, "disk", "500 MB free", False),
        ({"disk_free": lambda: None}, "disk", "not known", False),
        ({"memory": lambda: 600_000_000}, "memory", "600 MB", False),
        ({"memory": lambda: None}, "memory", "not known", None),
    ],
)
def test_a_figure_at_its_limit_is_not_ok_and_one_that_is_not_known_is_not_0(
    gauges: Callable[..., Gauges], changes: dict[str, Any], name: str, figure: str, ok: bool | None
) -> None:
    row = rows(gauges(**changes))[name]
    assert (row.figure, row.ok) == (figure, ok)


def test_refused_commits_are_counted(gauges: Callable[..., Gauges]) -> None:
    writes = timings(1.0)
    writes.failures = 3
    row = rows(gauges(writes=writes))["journal write"]
    assert (row.figure, row.ok) == ("p95 1.0 ms, 3 failed", True)


@pytest.mark.parametrize(
    ("silent_s", "word"),
    [
        (0, SourceWord.OK),
        (60, SourceWord.OK),
        (61, SourceWord.MUTE),
        (None, SourceWord.WAITING),
        (-2, SourceWord.OK),
    ],
)
def test_a_source_is_mute_once_it_is_silent_for_longer_than_it_may_be(
    silent_s: int | None, word: SourceWord
) -> None:
    last_us = None if silent_s is None else NOW_US - silent_s * US_PER_S
    (row,) = source_rows([FeedState("posts", last_us, 60 * US_PER_S, 7, "1 of 8")], NOW_US)
    assert (row.word, row.messages, row.note, row.budget_ratio) == (word, 7, "1 of 8", None)
    assert row.age_us == (None if silent_s is None else max(0, silent_s) * US_PER_S)
