"""The circuit breaker: what opens it, what closes it, and whose word counts."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.reliability.breaker import Breaker, BreakerConfig, BreakerState, Permit
from engine.reliability.config import ReliabilityConfig, ServiceKind

CEX = BreakerConfig(5, 30, 2)


def at(seconds: float) -> int:
    return round(seconds * US_PER_S)


def call(breaker: Breaker, second: float, ok: bool) -> bool:
    """Whether it was let through."""
    permit = breaker.admit(at(second))
    if permit is None:
        return False
    if ok:
        breaker.succeeded(permit)
    else:
        breaker.failed(permit, at(second))
    breaker.let_go(permit)
    return True


def admitted(breaker: Breaker, second: float) -> Permit:
    permit = breaker.admit(at(second))
    assert permit is not None
    return permit


def opened(config: BreakerConfig = CEX) -> Breaker:
    breaker = Breaker(config)
    for second in range(config.failures):
        call(breaker, second, False)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_worked_example(example: Callable[[str], dict[str, Any]]) -> None:
    row = example("breaker_cex")
    breaker = Breaker(CEX)
    seen = []
    for second, event in row["input"]["events"]:
        passed = call(breaker, second, event == "ok")
        seen.append([second, event if passed else "REJECT", breaker.state.value])
    assert seen == row["expected"]


def test_one_success_forgives_all_failures_before_it() -> None:
    breaker = Breaker(CEX)
    for second, ok in enumerate([False] * 4 + [True] + [False] * 4):
        call(breaker, second, ok)
    assert breaker.state is BreakerState.CLOSED
    call(breaker, 9, False)
    assert breaker.state is BreakerState.OPEN


def test_open_until_exactly_its_time_is_over() -> None:
    breaker = opened()
    assert breaker.admit(at(34) - 1) is None
    assert breaker.admit(at(34)) is not None
    assert breaker.state is BreakerState.HALF_OPEN


def test_half_open_lets_one_probe_through_at_a_time() -> None:
    breaker = opened()
    probe = admitted(breaker, 40)
    assert breaker.admit(at(40)) is None
    breaker.succeeded(probe)
    assert breaker.state is BreakerState.HALF_OPEN
    call(breaker, 41, True)
    assert breaker.state is BreakerState.CLOSED


def test_failed_probe_opens_again_with_the_whole_time() -> None:
    breaker = opened()
    call(breaker, 40, True)
    call(breaker, 41, False)
    assert breaker.state is BreakerState.OPEN
    assert breaker.admit(at(70.9)) is None
    call(breaker, 71, True)
    assert breaker.state is BreakerState.HALF_OPEN, "the success before the failure no longer counts"


def test_probe_that_says_nothing_leaves_room_for_the_next() -> None:
    breaker = opened()
    breaker.let_go(admitted(breaker, 40))
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.admit(at(40)) is not None


@pytest.mark.parametrize("ok", [True, False])
def test_call_from_before_it_opened_moves_nothing(ok: bool) -> None:
    breaker = Breaker(CEX)
    late = admitted(breaker, 0)
    for second in range(5):
        call(breaker, second, False)
    if ok:
        breaker.succeeded(late)
    else:
        breaker.failed(late, at(33))
    assert breaker.state is BreakerState.OPEN
    assert breaker.next_probe_us() == at(34)


def test_call_from_before_does_not_end_a_probe() -> None:
    breaker = Breaker(CEX)
    late = admitted(breaker, 0)
    for second in range(5):
        call(breaker, second, False)
    admitted(breaker, 40)
    breaker.let_go(late)
    assert breaker.admit(at(40)) is None


def test_exits_pass_an_open_breaker_and_do_not_move_it() -> None:
    breaker = opened()
    breaker.failed(breaker.admit_exit(), at(20))
    breaker.succeeded(breaker.admit_exit())
    assert breaker.state is BreakerState.OPEN
    assert breaker.next_probe_us() == at(34)


def test_exits_count_while_it_is_closed() -> None:
    breaker = Breaker(BreakerConfig(1, 30, 1))
    breaker.failed(breaker.admit_exit(), at(0))
    assert breaker.state is BreakerState.OPEN


def test_table_of_kinds() -> None:
    config = ReliabilityConfig()
    table = {
        kind.value: (line.failures, line.open_s, line.successes)
        for kind in ServiceKind
        for line in [config.breaker(kind)]
    }
    assert table == {
        "cex": (5, 30, 2),
        "dex": (10, 60, 3),
        "twitter": (3, 120, 1),
        "broker": (3, 30, 2),
        "default": (5, 60, 2),
    }
