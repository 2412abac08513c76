"""Whatever a replay does, every candidate has one end and every cent a reason: counts and books close."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.execution.ledger import read_ledger
from engine.execution.matching import GapFill
from engine.execution.policies import PolicyName
from engine.model.events import CandidatesJudged
from engine.model.whynot import Outcome
from engine.money import ZERO
from engine.risk.limits import DATASET, FULL, NONE, LimitSwitches
from storage.whynot import SessionTally, read_whynot
from tui.auditing import verify
from tui.wiring.market import BarInputs
from tui.wiring.replay import build
from tui.wiring.runtime import Runtime

FIRST, LAST = date(2016, 1, 4), date(2016, 3, 31)


async def run_out(runtime: Runtime) -> Counter[date]:
    """The candidates that were judged, by session, as the engine told them while it ran to the end."""
    judged: set[tuple[date, str]] = set()

    def hear(event: CandidatesJudged) -> None:
        judged.update((v.candidate.session, v.candidate.correlation) for v in event.verdicts)

    await runtime.start()
    runtime.bus.subscribe_call((CandidatesJudged,), hear, "test")  # type: ignore[arg-type]
    await runtime.run_until_done()
    assert_books(runtime)
    await runtime.stop()
    return Counter(session for session, _ in judged)


def assert_books(runtime: Runtime) -> None:
    """Rebuilt from the journal: the engine's cash, the venue's positions, and the invariant of SPEC 6.7."""
    engine = runtime.engine
    ledger = read_ledger(engine.parts.journal)
    assert abs(ledger.cash - engine.books.cash) < Decimal("1e-6")
    held: Counter[str] = Counter()
    for bracket in engine.brackets.open():
        held[bracket.instrument] += bracket.held  # type: ignore[assignment]
    assert {name: h.quantity for name, h in ledger.holdings.items() if h.quantity != ZERO} == {
        name: quantity for name, quantity in held.items() if quantity != ZERO
    }
    marks = dict.fromkeys(ledger.holdings, Decimal("12.34"))
    total, unrealised = ledger.total(marks), ledger.unrealised(marks)
    assert total is not None
    assert unrealised is not None
    left = total - ledger.initial - ledger.deposits - ledger.realised - unrealised
    assert abs(left) < Decimal("1e-6")


def tallies_of(runtime: Runtime) -> tuple[SessionTally, ...]:
    (file,) = runtime.state.journals()
    with read_whynot(file.path) as reader:
        return reader.tallies()


def assert_closed(runtime: Runtime, judged: Counter[date]) -> Counter[Outcome]:
    """Every candidate ended as exactly one thing, none waits any more, and the journal proves its books."""
    tallies = tallies_of(runtime)
    assert {tally.session: tally.judged for tally in tallies} == judged
    ends: Counter[Outcome] = Counter()
    for tally in tallies:
        assert sum(tally.outcomes.values()) == tally.judged
        assert tally.residual == 0
        ends.update(tally.outcomes)
    (report,) = verify(runtime.state).values()
    assert list(report.problems) == []
    assert report.ok
    return ends


@pytest.mark.parametrize("switches", [NONE, DATASET, FULL], ids=lambda switches: switches.name)
@pytest.mark.parametrize("policy", [PolicyName.PAPER_AUTO, PolicyName.HOLD])
async def test_generated_days_leave_nothing_over(
    switches: LimitSwitches,
    policy: PolicyName,
    generated_market: Any,
    options: Callable[..., Any],
    runtime: Callable[[Any, Any], Runtime],
) -> None:
    market = generated_market
    run = options(market.days[30], market.days[60], switches, policy=policy)
    found = runtime(run, market)
    ends = assert_closed(found, await run_out(found))
    assert ends[Outcome.WAITING] == 0
    assert sum(ends.values()) > 0
    if policy is PolicyName.HOLD:
        assert ends[Outcome.APPROVED] == 0


async def test_a_quarter_of_real_days_leaves_nothing_over(
    data_folder: Path, options: Callable[..., Any]
) -> None:
    inputs = BarInputs(
        (data_folder / "a_us_daily_raw_2015_2017.parquet",),
        data_folder / "a_vix_daily.parquet",
        data_folder / "a_spy_daily.parquet",
    )
    run = options(FIRST, LAST, DATASET, inputs=inputs, fill=GapFill.GAP)
    found = build(run.options, run.replay, lambda line: None)
    ends = assert_closed(found, await run_out(found))
    assert ends[Outcome.APPROVED] > 200
    assert ends[Outcome.VETOED] > 2000
    assert ends[Outcome.WAITING] == 0
