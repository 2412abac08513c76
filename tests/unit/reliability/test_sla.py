"""What is expected of a service, and when somebody is told that it does not keep it."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.reliability.config import SLAS, ServiceKind
from engine.reliability.sla import Sla, SlaConfig, SlaStatus, quantile

CEX = SLAS[ServiceKind.CEX]


class Told:
    """A monitor and the changes it told."""

    def __init__(self, config: SlaConfig = CEX) -> None:
        self.changes: list[tuple[str, str]] = []
        self.sla = Sla(config, lambda before, after: self.changes.append((before.value, after.value)))

    def calls(self, ms: float, ok: bool, count: int = 1) -> None:
        for _ in range(count):
            self.sla.add(ms / 1000, ok)


def test_worked_example(example: Callable[[str], dict[str, Any]]) -> None:
    row = example("sla_p95")
    told = Told()
    for i in range(100):
        told.calls(100 + (37 * i) % 900, True)
    assert told.sla.p95_ms == pytest.approx(row["expected"]["p95"], rel=1e-6)
    assert told.sla.p99_ms == pytest.approx(row["expected"]["p99"], rel=1e-6)


def test_quantile_of_one_value_is_that_value() -> None:
    assert quantile([7.0], 0.99) == 7.0


def test_nothing_is_known_and_nothing_broken_before_the_first_call() -> None:
    told = Told()
    assert (told.sla.p95_ms, told.sla.success_ratio, told.sla.broken()) == (None, None, ())
    assert told.sla.status is SlaStatus.OK


def test_good_calls_tell_nothing() -> None:
    told = Told()
    told.calls(50, True, 150)
    assert told.changes == []


def test_slow_calls_degrade_it_once_and_quick_ones_mend_it_once() -> None:
    told = Told()
    told.calls(50, True, 100)
    told.calls(1500, True, 7)
    assert told.changes == [("OK", "DEGRADED")]
    assert "p95 1,500 ms, limit 1,000" in told.sla.broken()
    told.calls(50, True, 100)
    assert told.changes == [("OK", "DEGRADED"), ("DEGRADED", "OK")]


def test_too_many_failures_in_a_row_fail_it_and_one_success_ends_that() -> None:
    told = Told()
    told.calls(50, True, 97)
    told.calls(50, False, 3)
    assert told.sla.status is SlaStatus.FAILED
    assert "3 failures in a row, limit 3" in told.sla.broken()
    told.calls(50, True)
    assert told.sla.status is SlaStatus.OK, "97 of 100 were answered"
    assert told.changes == [("OK", "FAILED"), ("FAILED", "OK")]


def test_share_of_answers_at_its_limit_is_kept_and_below_it_not() -> None:
    told = Told()
    for _ in range(5):
        told.calls(50, True, 19)
        told.calls(50, False)
    assert told.sla.success_ratio == 0.95
    assert told.sla.status is SlaStatus.OK
    told.calls(50, False)
    assert told.sla.status is SlaStatus.DEGRADED


def test_table_of_kinds() -> None:
    table = {
        kind.value: (one.p95_ms, one.p99_ms, one.success_ratio, one.failures) for kind, one in SLAS.items()
    }
    assert table["cex"] == (1000, 2000, 0.95, 3)
    assert table["dex"] == (3000, 5000, 0.90, 5)
    assert table["twitter"] == (5000, 10000, 0.85, 3)
    assert table["broker"] == (2000, 5000, 0.99, 2)
    assert set(SLAS) == set(ServiceKind)
