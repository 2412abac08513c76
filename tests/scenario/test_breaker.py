"""The account's own limits in a running engine: what a fall does to sizes, to new orders and to a restart."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.execution.policies import PolicyName
from engine.model.commands import Actor, ReleaseBreaker, Resume
from engine.model.events import BreakerMoved
from engine.model.ids import instrument_id
from engine.model.positions import ExitReason
from engine.model.tickets import ProposalState
from engine.parts import EngineState
from engine.ports import BarColumns
from engine.risk.limits import DATASET, FULL, LimitSwitches, RiskConfig
from engine.sources.sessions import ExchangeSessions
from tui.books import positions, status
from tui.restrictions import restrictions
from tui.showing.desk import bracket_view
from tui.wiring.market import MarketData
from tui.wiring.runtime import Runtime

NINA = Actor("nina", "pts/7")
FIRST = date(2016, 2, 8)
BEFORE = 100
Row = tuple[float, float, float, float]
CALM: Row = (9.5, 9.6, 9.4, 9.5)
CRASH: Row = (2.0, 2.1, 1.9, 2.0)
"""Opens 79 % under yesterday: a position of 1.2 % of the account loses nearly 1 % of it."""
LOW: Row = (2.0, 2.1, 1.9, 2.0)
TIGHT = RiskConfig(dd_levels=(0.002, 0.005, 0.009), dd_release=(0.001, 0.003))


@pytest.fixture
def begin(
    options: Callable[..., Any],
    sessions: ExchangeSessions,
    runtime: Callable[[Any, Any], Runtime],
) -> Callable[..., Runtime]:
    """A replay under these limits; each stock was at 10.00 for 100 sessions, a little up and down."""

    def columns(name: str, days: list[date], rows: list[Row]) -> BarColumns:
        table = np.array(rows, dtype=np.float64).T.copy()
        volume = np.full(len(rows), 1e6)
        return BarColumns(
            instrument_id(name), np.array(days, dtype="datetime64[D]"), *table, volume, np.ones(len(rows))
        )

    def make(
        rows: dict[str, list[Row]], risk: RiskConfig, switches: LimitSwitches = FULL, **more: Any
    ) -> Runtime:
        before = [session.day for session in sessions.between(date(2014, 10, 1), FIRST)][:-1]
        after = [session.day for session in sessions.between(FIRST, date(2016, 6, 30))]
        bars = {}
        for number, (name, tail) in enumerate(sorted(rows.items())):
            walk = np.random.default_rng(number).standard_normal(BEFORE)
            flat: list[Row] = [(10.0, 10.1, 9.9, 10 + 0.05 * float(step)) for step in walk]
            flat[-1] = (10.0, 10.0, 10.0, 10.0)
            found = columns(name, [*before[-BEFORE:], *after[: len(tail)]], [*flat, *tail])
            bars[found.instrument] = found
        days = [*before, *after]
        level: list[Row] = [(15.0, 15.0, 15.0, 15.0)] * len(days)
        run = options(FIRST, None, switches, policy=PolicyName.PAPER_AUTO, **more)
        settings = run.options.settings
        limited = replace(settings, config=replace(settings.config, risk=risk))
        run = replace(run, options=replace(run.options, settings=limited))
        return runtime(run, MarketData(bars, columns("VIX", days, level), columns("SPY", days, level), ()))

    return make


def moves(runtime: Runtime) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    runtime.bus.subscribe_call(BreakerMoved, lambda event: found.append((event.was, event.level)), "moves")
    return found


async def test_a_fall_halves_sizes_and_a_third_level_stops_until_it_is_released(
    begin: Callable[..., Runtime],
) -> None:
    rows = {"AAA": [CALM, CRASH, LOW], "BBB": [(10.0,) * 4, (9.5,) * 4, (9.5,) * 4]}
    runtime = begin(rows, TIGHT)
    moved = moves(runtime)
    await runtime.start()
    await runtime.run_until_done()
    engine = runtime.engine
    assert moved == [(0, 3)]
    assert engine.state is EngineState.HALTED
    assert engine.reason.startswith("by engine (drawdown breaker L3: equity")
    assert [bracket.instrument for bracket in engine.brackets] == ["AAA.US"]  # BBB came after the fall
    gated = [entry for entry in engine.tickets if entry.state is ProposalState.GATED_OUT]
    assert gated == []  # 0 of a share: the officer vetoes before the gates are asked
    resumed = engine.give(Resume(NINA))
    assert resumed.ok
    assert resumed.text == (
        "No longer halted; no entries: the drawdown breaker is at L3,"
        " to end it: tradedeck accounts release replay."
    )
    assert engine.gatekeeper.risk.view().level == 3
    (stop,) = restrictions(engine)
    assert stop.text.endswith("stopped, no new orders.")
    assert (stop.command, stop.is_stop) == ("tradedeck accounts release replay", True)
    assert status(engine)["restrictions"] == [f"{stop.text} To end it: {stop.command}"]
    assert engine.give(ReleaseBreaker(NINA, "Replay")).code == "wrong_name"
    assert engine.give(ReleaseBreaker(NINA, "replay")).ok
    assert moved == [(0, 3), (3, 0)]
    assert restrictions(engine) == ()
    assert engine.peak_equity == engine.equity()
    await runtime.stop()


async def test_the_level_survives_the_end_of_the_process(begin: Callable[..., Runtime]) -> None:
    rows = {"AAA": [CALM, CRASH, LOW]}
    first = begin(rows, TIGHT)
    await first.start()
    await first.run_until_done()
    high, level = first.engine.peak_equity, first.engine.risk.view().level
    await first.stop()
    second = begin(rows, TIGHT)
    await second.start()
    assert (
        (second.engine.peak_equity, second.engine.risk.view().level) == (high, level) == (Decimal(10_000), 3)
    )
    assert second.engine.state is EngineState.HALTED
    await second.stop()


async def test_flatten_at_the_third_level_sells_what_is_left(begin: Callable[..., Runtime]) -> None:
    rows = {
        "AAA": [CALM, CRASH, LOW, LOW],
        "BBB": [(9.5, 9.6, 9.4, 9.5)] * 4,
    }
    runtime = begin(rows, replace(TIGHT, dd_flatten_at_l3=True))
    await runtime.start()
    await runtime.run_until_done()
    reasons = {
        row["instrument"]: row["exit_reason"] for row in runtime.engine.parts.journal.rows("round_trip")
    }
    assert reasons.keys() == {"AAA.US", "BBB.US"}
    assert reasons["BBB.US"] == ExitReason.EMERGENCY.value
    assert runtime.engine.brackets.open() == ()
    await runtime.stop()


@pytest.mark.parametrize(("switches", "shares"), [(FULL, 6), (DATASET, 12)])
async def test_the_first_level_halves_a_size_only_where_the_limits_are_on(
    begin: Callable[..., Runtime], switches: LimitSwitches, shares: int
) -> None:
    rows = {"AAA": [CALM, CRASH, LOW, LOW], "BBB": [(10.0,) * 4, (10.0,) * 4, (9.5,) * 4, (9.5,) * 4]}
    runtime = begin(rows, RiskConfig(dd_levels=(0.002, 0.5, 0.9), dd_release=(0.001, 0.003)), switches)
    await runtime.start()
    await runtime.run_until_done()
    (second,) = [bracket for bracket in runtime.engine.brackets if bracket.instrument == "BBB.US"]
    assert second.quantity == shares
    limits = [(limit.text.partition(": ")[2], limit.is_stop) for limit in restrictions(runtime.engine)]
    assert limits == ([("new sizes halved until below 0.1%.", False)] if switches is FULL else [])
    await runtime.stop()


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        (
            RiskConfig(dd_levels=(0.001, 0.002, 0.9), dd_release=(0.0005, 0.001)),
            "cautious entries only, sizes halved, until below 0.1%.",
        ),
        (RiskConfig(daily_loss_max=0.002), "no entries for the rest of the day."),
    ],
)
async def test_a_limit_that_ends_by_itself_is_told_without_a_command(
    begin: Callable[..., Runtime], risk: RiskConfig, words: str
) -> None:
    runtime = begin({"AAA": [CALM, CRASH]}, risk)
    await runtime.start()
    await runtime.run_until_done()
    (limit,) = restrictions(runtime.engine)
    assert (limit.text.partition(": ")[2], limit.command) == (words, "")
    await runtime.stop()


async def test_shares_that_the_venue_has_not_are_not_shown_as_protected(
    begin: Callable[..., Runtime],
) -> None:
    runtime = begin({"AAA": [CALM, CALM]}, RiskConfig())
    await runtime.start()
    await runtime.run_until_done()
    (bracket,) = runtime.engine.brackets.open()
    assert bracket_view(runtime.engine, bracket).protected
    gone = replace(bracket, missing=bracket.position)
    view = bracket_view(runtime.engine, gone)
    assert (view.held, view.protected, view.pnl_ratio) == (0, False, None)
    (row,) = positions([gone], lambda instrument: None)
    assert (row["quantity"], row["at_venue"], row["protected"]) == (str(bracket.position), "0", "0")
    await runtime.stop()
