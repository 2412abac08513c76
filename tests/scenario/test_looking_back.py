"""The engine looks back on its days: memory, shadow book, policy, compliance, freeze, weekly report."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.agents.past import counted_trades, followed_trades, real_trades
from engine.agents.retelling import retell
from engine.execution.policies import PolicyName
from engine.model.commands import AcceptPolicy, Actor, ReleaseStrategy, RevertPolicy
from engine.model.events import Alarm, MarketMoved, PolicyMoved
from engine.model.ids import InstrumentId, StrategyName, instrument_id
from engine.model.policy import StepState
from engine.model.positions import ExitReason
from engine.ports import BarColumns
from engine.risk.limits import DATASET
from engine.sources.sessions import ExchangeSessions
from storage.memory import open_memory
from tui.restrictions import restrictions
from tui.wiring.runtime import Runtime

NINA = Actor("nina", "pts/7")
GAPS = StrategyName("gaps")
FIRST = date(2016, 2, 8)
FLAT_DAYS = 25
Row = tuple[float, float, float, float]
CALM: Row = (9.5, 9.6, 9.4, 9.5)
WON: Row = (9.5, 10.2, 9.4, 10.1)
LOST: Row = (9.5, 9.6, 8.0, 8.5)


@dataclass(frozen=True)
class Market:
    """Bars by instrument and the two indices."""

    bars: dict[InstrumentId, BarColumns]
    vix: BarColumns
    spy: BarColumns


@pytest.fixture
def market(sessions: ExchangeSessions) -> Callable[..., Market]:
    """Stocks that lie flat at 10.00, then have the rows given from a session on; calm indices."""

    def columns(name: str, days: list[date], rows: list[Row]) -> BarColumns:
        table = np.array(rows, dtype=np.float64).T.copy()
        return BarColumns(
            instrument_id(name),
            np.array(days, dtype="datetime64[D]"),
            *table,
            np.full(len(rows), 1e6),
            np.ones(len(rows)),
        )

    def make(rows: dict[str, tuple[int, list[Row]]]) -> Market:
        before = [session.day for session in sessions.between(date(2014, 10, 1), FIRST)][:-1]
        after = [session.day for session in sessions.between(FIRST, date(2016, 6, 30))]
        flat: Row = (10.0, 10.0, 10.0, 10.0)
        bars = {}
        for name, (start, tail) in rows.items():
            days = [*before[-FLAT_DAYS:], *after[: start + len(tail)]]
            found = columns(name, days, [*[flat] * (FLAT_DAYS + start), *tail])
            bars[found.instrument] = found
        index = [*before, *after]
        level: list[Row] = [(15.0, 15.0, 15.0, 15.0)] * len(index)
        return Market(bars, columns("VIX", index, level), columns("SPY", index, level))

    return make


@pytest.fixture
def begin(options: Callable[..., Any], runtime: Callable[[Any, Any], Runtime]) -> Callable[..., Runtime]:
    """A replay from FIRST on that is remembered, approved by policy."""

    def make(market: Market, **more: Any) -> Runtime:
        policy = more.pop("policy", PolicyName.PAPER_AUTO)
        run = options(FIRST, None, DATASET, policy=policy, remember=True, **more)
        return runtime(run, market)

    return make


async def run_to_end(runtime: Runtime) -> Runtime:
    await runtime.start()
    await runtime.run_until_done()
    return runtime


def auditor_of(runtime: Runtime) -> Any:
    assert runtime.backward is not None
    return runtime.backward.auditor


def many(rows: list[Row], count: int, every: int = 1) -> dict[str, tuple[int, list[Row]]]:
    """Stocks that gap on days of their own."""
    return {f"A{n:02d}": (n * every, rows) for n in range(count)}


async def test_each_trade_is_remembered_whole_and_found_as_demanded(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = await run_to_end(begin(market({"AAA": (0, [WON, CALM]), "BBB": (0, [LOST, CALM])})))
    journal = runtime.engine.parts.journal
    real = {trade.instrument: trade for trade in real_trades(journal)}
    won, lost = real[instrument_id("AAA")], real[instrument_id("BBB")]
    assert (won.exit_reason, lost.exit_reason) == (ExitReason.TARGET, ExitReason.STOP)
    assert won.exit_session == FIRST
    assert won.mae is not None
    assert lost.mae == pytest.approx(float(lost.exit_price / lost.entry_price) - 1)
    assert won.votes["riskofficer"] == "approve"
    rows = journal.rows("compliance")
    assert [row["ok"] for row in rows] == [1, 1]
    assert all(len(json.loads(str(row["checks"]))) == 12 for row in rows)
    await runtime.stop()
    with open_memory(runtime.state.memory, read_only=True) as memory:
        kept = {trade.id: trade for trade in memory.trades()}
        assert kept[won.id] == won
        assert {signal.policy_id is None for signal in memory.signals()} == {False}


async def test_vetoed_candidates_and_proposals_are_followed_to_their_ends(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    stocks = market({f"A{n:02d}": (0, [CALM, WON]) for n in range(10)})
    runtime = await run_to_end(begin(stocks))
    journal = runtime.engine.parts.journal
    followed = followed_trades(journal)
    assert len(followed) == 10
    assert sum(trade.proposed for trade in followed) == 8
    assert {trade.exit_reason for trade in followed} == {ExitReason.TARGET}
    assert len(counted_trades(journal)) == 8
    evidence = auditor_of(runtime).evidence(GAPS)
    assert (evidence.n, evidence.sessions, evidence.bound) == (8, 1, None)
    accuracy = auditor_of(runtime).policy(GAPS).accuracy
    assert accuracy["trader"] == (1.0, 10), "it approved all, and all won"
    assert accuracy["riskofficer"] == (0.8, 10), "two vetoes kept winners out"
    await runtime.stop()


async def test_proposal_that_nobody_took_is_evidence_like_any_other(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = await run_to_end(begin(market({"AAA": (0, [CALM, LOST])}), policy=PolicyName.HOLD))
    journal = runtime.engine.parts.journal
    (followed,) = counted_trades(journal)
    assert (followed.exit_reason, followed.proposed) == (ExitReason.STOP, True)
    assert real_trades(journal) == ()
    await runtime.stop()


async def test_losses_raise_the_thresholds_and_a_person_takes_it_back(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    stocks = market(many([LOST], 22))
    runtime = begin(stocks)
    moved: list[PolicyMoved] = []
    runtime.bus.subscribe_call(PolicyMoved, moved.append, "moved")
    await run_to_end(runtime)
    auditor = auditor_of(runtime)
    (step,) = auditor.book.steps()
    assert (step.state, step.decided_by) == (StepState.APPLIED, "engine")
    assert auditor.policy(GAPS).q_min == 0.63
    assert auditor.policy(GAPS).bcs_min == 5.75
    assert len(step.trades) == 20, "reviewed after the twentieth"
    assert moved[0].text.startswith(
        "P-1 applied: bcs_min 5.5 -> 5.75, bcs_min_highvix 6 -> 6.25, q_min 0.62 -> 0.63"
    )
    answer = runtime.engine.give(RevertPolicy("P-1", NINA))
    assert answer.ok, answer
    assert auditor.policy(GAPS).q_min == 0.62
    assert runtime.engine.give(RevertPolicy("1", NINA)).code == "reverted"
    assert runtime.engine.give(AcceptPolicy("P-1", NINA)).code == "not_waiting"
    assert runtime.engine.give(AcceptPolicy("P-9", NINA)).code == "unknown_step"
    lines = [line["kind"] for line in runtime.engine.parts.journal.audit("")]
    assert lines.count("policy_applied") == lines.count("policy_reverted") == 1
    await runtime.stop()
    with open_memory(runtime.state.memory, read_only=True) as memory:
        rows = memory.policies()
    assert [(row.param, row.old, row.new) for row in rows if row.step == step.id][2:3] == [
        ("q_min", 0.62, 0.63)
    ]
    assert len(rows) == 8, "going back is a row of its own"
    assert len(rows[0].evidence) == 20
    again = begin(stocks)
    await again.start()
    assert auditor_of(again).policy(GAPS) == auditor.policy(GAPS)
    await again.stop()


async def test_step_waits_for_a_person_where_they_asked_for_that(
    market: Callable[..., Market], begin: Callable[..., Runtime], settings: Any
) -> None:
    runtime = begin(market(many([LOST], 21)))
    gaps = replace(settings.config.gaps, auto_adapt=False)
    config = replace(settings.config, gaps=gaps)
    runtime.options = replace(runtime.options, settings=replace(settings, config=config))
    await run_to_end(runtime)
    auditor = auditor_of(runtime)
    (step,) = auditor.book.waiting()
    assert auditor.policy(GAPS).q_min == 0.62
    assert runtime.engine.give(AcceptPolicy("p-1", NINA)).ok
    assert auditor.policy(GAPS).q_min == 0.63
    (made,) = auditor.book.steps()
    assert (made.state, made.decided_by) == (StepState.APPLIED, "nina on pts/7")
    assert step.number == 1
    await runtime.stop()


async def test_deviation_that_concerned_risk_freezes_until_a_person_releases(
    market: Callable[..., Market], begin: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is made to send twice the shares that its rules allow."""
    import engine.strategies.gaps as strategy

    real = strategy.size_entry

    def doubled(*arguments: Any) -> Any:
        sizing = real(*arguments)
        return replace(sizing, quantity=sizing.quantity * 2)

    monkeypatch.setattr(strategy, "size_entry", doubled)
    stocks = market({"AAA": (0, [WON]), "BBB": (1, [CALM, CALM, CALM]), "CCC": (3, [CALM, CALM])})
    runtime = begin(stocks)
    alarms: list[Alarm] = []
    runtime.bus.subscribe_call(Alarm, alarms.append, "alarms")
    await run_to_end(runtime)
    engine, journal = runtime.engine, runtime.engine.parts.journal
    (row,) = journal.rows("compliance")
    wrong = [check for check in json.loads(str(row["checks"])) if not check["ok"]]
    assert [check["name"] for check in wrong] == ["size"]
    assert [line["kind"] for line in journal.audit() if line["kind"] == "compliance"] == ["compliance"]
    assert {alarm.kind for alarm in alarms} >= {"compliance", "freeze"}
    assert [alarm.page for alarm in alarms if alarm.kind == "freeze"] == [True]
    whynot = {str(found["instrument"]): found for found in journal.rows("whynot")}
    assert whynot["AAA.US"]["outcome"] == "approved"
    for name in ("BBB.US", "CCC.US"):
        assert whynot[name]["outcome"] == "gated_out"
        assert "the strategy is frozen: B-1: size" in str(whynot[name]["reason"])
    assert "size" in engine.learned.frozen()[GAPS]  # type: ignore[union-attr]
    told = [limit.text for limit in restrictions(engine)]
    assert any("gaps FROZEN" in text for text in told)
    await runtime.stop()

    again = begin(stocks)
    await again.start()
    assert GAPS in again.engine.learned.frozen()  # type: ignore[union-attr]
    assert again.engine.give(ReleaseStrategy(StrategyName("gems"), NINA)).code == "not_frozen"
    assert again.engine.give(ReleaseStrategy(GAPS, NINA)).ok
    assert again.engine.learned.frozen() == {}  # type: ignore[union-attr]
    await again.stop()


async def test_week_ends_with_a_report(market: Callable[..., Market], begin: Callable[..., Runtime]) -> None:
    runtime = await run_to_end(
        begin(market({"AAA": (0, [WON, *[CALM] * 9]), "BBB": (5, [LOST, CALM, CALM])}))
    )
    await runtime.stop()
    names = sorted(path.name for path in runtime.state.reports.iterdir())
    assert names == [
        "weekly-2016-W06.json",
        "weekly-2016-W06.txt",
        "weekly-2016-W07.json",
        "weekly-2016-W07.txt",
    ]
    document = json.loads((runtime.state.reports / names[0]).read_text())
    assert (document["first"], document["last"]) == ("2016-02-08", "2016-02-12")
    assert document["closed"]["n"] == document["followed"]["n"] == 1
    assert document["compliance"] == {"checked": 1, "deviations": []}
    assert document["gates"]["screener"]["asked"] >= 1
    text = (runtime.state.reports / names[1]).read_text()
    assert "Closed      1, 1 won, mean net +6.00%: 1 target" in text
    assert "Review      1 trades closed at target or stop, 20 are needed" in text
    assert "Evidence    shows no edge: 1 proposals on 1 sessions" in text


async def test_ended_process_loses_nothing_of_what_it_follows(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    stocks = market({"AAA": (0, [CALM, CALM, WON]), "BBB": (0, [CALM, CALM, LOST])})
    whole = await run_to_end(begin(stocks, state="whole"))
    expected = followed_trades(whole.engine.parts.journal)
    await whole.stop()
    cut = begin(stocks, state="cut")
    await cut.start()
    cut.drive.stop()
    await cut.run_until_done()
    await cut.stop()
    for _ in range(3):
        part = begin(stocks, state="cut")
        seen: list[int] = []

        def leave(event: Any, part: Runtime = part, seen: list[int] = seen) -> None:
            seen.append(1)
            if len(seen) == 2:
                part.drive.stop()

        part.bus.subscribe_call(MarketMoved, leave, "leaver")
        await part.start()
        await part.run_until_done()
        await part.stop()
    last = await run_to_end(begin(stocks, state="cut"))
    found = followed_trades(last.engine.parts.journal)
    assert [(t.instrument, t.exit_reason, t.exit_us, t.net) for t in found] == [
        (t.instrument, t.exit_reason, t.exit_us, t.net) for t in expected
    ]
    await last.stop()


async def test_memory_is_told_again_from_the_journal_alone(
    market: Callable[..., Market], begin: Callable[..., Runtime], tmp_path: Path
) -> None:
    stocks = market(many([LOST], 22))
    runtime = await run_to_end(begin(stocks))
    with open_memory(tmp_path / "again.db") as again:
        counts = retell(runtime.engine.parts.journal, again)
        nothing = retell(runtime.engine.parts.journal, again)
        told = (again.signals(), again.actions(), again.outcomes(), again.policies())
    await runtime.stop()
    with open_memory(runtime.state.memory, read_only=True) as memory:
        kept = (memory.signals(), memory.actions(), memory.outcomes(), memory.policies())
    assert told == kept
    assert (counts.signals, counts.outcomes, counts.steps) == (len(kept[0]), len(kept[2]), 1)
    assert (nothing.signals, nothing.actions, nothing.outcomes, nothing.steps) == (0, 0, 0, 0)
