import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE
from engine.features.history import StoredHistory
from engine.model.candidates import MissingReason, Regime, Vote
from engine.model.ids import instrument_id
from engine.model.market import Instrument
from engine.model.tickets import canonical_json
from engine.risk.limits import DATASET, NONE, RiskConfig
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig

MakeGaps = Callable[..., Gaps]
CENT = Decimal("0.01")


def _reasons(verdicts: Any) -> dict[str, str]:
    return {verdict.candidate.instrument.removesuffix(".US"): verdict.reason for verdict in verdicts}


def test_a_gap_within_the_rule_becomes_a_sized_bracket(scene: Any, make_gaps: MakeGaps) -> None:
    name = scene.stock("ABC", 9.40)
    context = scene.context(instruments={name: Instrument(name, tick_size=CENT)})
    (verdict,) = make_gaps().propose(context)
    proposal = verdict.proposal
    assert proposal is not None
    assert (proposal.limit_price, proposal.quantity) == (Decimal("9.40"), Decimal(12))
    plan = proposal.exit_plan
    assert (plan.stop_price, plan.target_price, plan.max_sessions) == (Decimal("8.64"), Decimal("9.96"), 5)
    assert (proposal.size_binding, proposal.priority) == ("strategy", verdict.candidate.gap)
    assert proposal.entry_ttl_us == proposal.approval_ttl_us == 600_000_000
    assert proposal.candidate is verdict.candidate
    assert verdict.reason == ""
    assert make_gaps().exit_plan(proposal) is plan


def test_a_candidate_carries_what_the_decision_saw(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    context = scene.context()
    (verdict,) = make_gaps().propose(context)
    candidate = verdict.candidate
    assert candidate.gap == 9.40 / 10.0 - 1
    assert (candidate.prev_close, candidate.decision_price) == (10.0, 9.40)
    assert (candidate.session, candidate.decided_us) == (context.session, context.now_us)
    assert candidate.regime is Regime.NORMAL
    assert tuple(value.id for value in candidate.features) == tuple(make_gaps().required_features())
    assert candidate.feature("gap_dn") == candidate.gap
    assert candidate.feature("vix_regime") == 0.0
    assert all(value.ts_known <= context.now_us for value in candidate.features)
    assert {value.id for value in candidate.features} <= set(CATALOGUE)
    canonical_json(candidate)


def test_six_agents_report_and_two_abstain(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    (verdict,) = make_gaps().propose(scene.context())
    votes = {report.agent: report.vote for report in verdict.reports}
    assert list(votes) == ["sentinel", "screener", "forecaster", "riskofficer", "newssentry", "trader"]
    assert [agent for agent, vote in votes.items() if vote is Vote.ABSTAIN] == ["forecaster", "newssentry"]
    assert all(report.reasons for report in verdict.reports)


@pytest.mark.parametrize(
    ("price", "is_candidate"),
    [(9.70, True), (9.700000005, True), (9.7000001, False), (9.71, False), (10.5, False)],
)
def test_a_gap_of_exactly_three_percent_is_a_candidate(
    scene: Any, make_gaps: MakeGaps, price: float, is_candidate: bool
) -> None:
    scene.stock("ABC", price)
    assert bool(make_gaps().propose(scene.context())) is is_candidate


def test_what_fails_the_rule_stays_visible_with_its_reason(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("GOOD", 9.40)
    scene.stock("DEAR", 34.2, prev_close=40.0)
    scene.stock("PENNY", 0.41, prev_close=0.5)
    scene.stock("THIN", 9.40, volume=120_000)
    scene.stock("NEW", 9.40, bars=12)
    verdicts = make_gaps().propose(scene.context())
    assert _reasons(verdicts) == {
        "GOOD": "",
        "DEAR": "price 34 > 20",
        "PENNY": "price .41 < .5",
        "THIN": "ADV 1.2M < 5M",
        "NEW": "bars 12 < 20",
    }
    assert [verdict.proposal is not None for verdict in verdicts].count(True) == 1


@pytest.mark.parametrize(("price", "prev_close"), [(0.50, 0.55), (20.0, 22.0)])
def test_the_price_limits_are_inside_the_rule(
    scene: Any, make_gaps: MakeGaps, price: float, prev_close: float
) -> None:
    scene.stock("ABC", price, prev_close, volume=5e7)
    assert _reasons(make_gaps().propose(scene.context())) == {"ABC": ""}


def test_twenty_bars_and_five_million_are_inside_the_rule(scene: Any, make_gaps: MakeGaps) -> None:
    name = scene.stock("ABC", 9.40, bars=20)
    bars = scene.bars[name]
    scene.bars[name] = replace(bars, volume=5e6 / bars.close)
    (verdict,) = make_gaps().propose(scene.context())
    assert verdict.candidate.adv_usd_20 == pytest.approx(5e6, rel=1e-12)
    assert verdict.reason == ""


def test_a_split_today_is_no_gap(scene: Any, make_gaps: MakeGaps) -> None:
    name = scene.stock("ABC", 4.95)
    assert len(make_gaps().propose(scene.context())) == 1
    assert make_gaps().propose(scene.context(ratios={name: 0.5})) == []
    (verdict,) = make_gaps().propose(scene.context(ratios={name: 0.52}))
    assert verdict.candidate.prev_close == 5.2


def test_the_deepest_gap_comes_first_then_the_symbol(scene: Any, make_gaps: MakeGaps) -> None:
    for symbol, price in (("BBB", 9.4), ("AAA", 9.4), ("CCC", 9.2), ("DDD", 9.6)):
        scene.stock(symbol, price)
    verdicts = make_gaps().propose(scene.context(switches=NONE))
    assert list(_reasons(verdicts)) == ["CCC", "AAA", "BBB", "DDD"]
    assert [verdict.candidate.correlation for verdict in verdicts] == ["C0", "C1", "C2", "C3"]


def test_slots_entries_and_cash_go_to_the_deepest_gaps(scene: Any, make_gaps: MakeGaps) -> None:
    for number in range(5):
        scene.stock(f"S{number}", 9.0 + 0.1 * number)
    gaps = make_gaps()
    verdicts = gaps.propose(scene.context())
    assert list(_reasons(verdicts).values()) == ["", "", "", "entries 3/3", "entries 3/3"]
    verdicts = gaps.propose(scene.context(switches=DATASET, open_in_strategy=6))
    assert list(_reasons(verdicts).values()) == ["", "", "open 8/8", "open 8/8", "open 8/8"]
    verdicts = gaps.propose(scene.context(switches=DATASET, cash=Decimal(200)))
    assert [str(v.proposal.quantity) for v in verdicts if v.proposal] == ["13", "9"]
    assert list(_reasons(verdicts).values())[2:] == ["too small"] * 3


def test_without_limits_every_candidate_is_its_own_trade(scene: Any, make_gaps: MakeGaps) -> None:
    names = [scene.stock(f"S{number:02d}", 9.0) for number in range(12)]
    context = scene.context(
        switches=NONE,
        open_in_strategy=50,
        entries_this_session=9,
        open_instruments=frozenset(names),
        cash=Decimal(-500),
        vix=None,
        spy=None,
    )
    verdicts = make_gaps().propose(context)
    assert all(verdict.proposal is not None for verdict in verdicts)
    assert {str(verdict.proposal.quantity) for verdict in verdicts if verdict.proposal} == {"6"}


def test_a_held_instrument_is_not_bought_again(scene: Any, make_gaps: MakeGaps) -> None:
    name = scene.stock("ABC", 9.40)
    verdicts = make_gaps().propose(scene.context(open_instruments=frozenset({name})))
    assert _reasons(verdicts) == {"ABC": "held"}


def test_an_unknown_regime_stops_entries(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    (verdict,) = make_gaps().propose(scene.context(vix=None))
    assert (verdict.reason, verdict.candidate.regime) == ("regime unknown", Regime.UNKNOWN)
    assert verdict.candidate.features[-1].missing is MissingReason.MISSING


def test_a_high_vix_halves_the_size(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    (verdict,) = make_gaps().propose(scene.context(vix=scene.index("VIX", 40.0)))
    assert verdict.proposal is not None
    assert verdict.proposal.quantity == 6


def test_the_bar_of_the_session_itself_is_invisible(
    scene: Any, make_gaps: MakeGaps, make_bars: Callable[..., Any]
) -> None:
    name = scene.stock("ABC", 9.40)
    before = make_gaps().propose(scene.context())
    future = np.append(scene.bars[name].close, [25.0, 1.0])
    longer = make_bars("ABC", future, session=date(2016, 1, 6))
    assert longer.day[-2] == np.datetime64("2016-01-04")
    history = StoredHistory({name: longer}, date(2016, 1, 4))
    assert make_gaps().propose(scene.context(history=history)) == before


def test_a_quote_that_is_not_known_yet_is_invisible(scene: Any, make_gaps: MakeGaps) -> None:
    name = scene.stock("ABC", 9.40)
    late = replace(scene.quotes[name], ts_known=scene.context().now_us + 1)
    assert make_gaps().propose(scene.context(quotes={name: late})) == []


def test_an_instrument_without_price_or_past_is_no_candidate(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("FRESH", 9.40, bars=0)
    scene.stock("MUTE", 9.40)
    scene.quote("MUTE", None, None)
    assert make_gaps().propose(scene.context()) == []


def test_a_quote_without_a_side_is_a_candidate_that_cannot_be_bought(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    scene.quote("ABC", 9.35, None)
    (verdict,) = make_gaps().propose(scene.context())
    assert (verdict.proposal, verdict.candidate.decision_price) == (None, 9.35)
    assert {report.agent for report in verdict.reports if report.vote is Vote.VETO} == {
        "riskofficer",
        "trader",
    }


def test_the_universe_is_what_trades_enough(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("GOOD", 9.40)
    scene.stock("THIN", 9.40, volume=1000)
    scene.stock("NEW", 9.40, bars=19)
    assert make_gaps().universe(scene.context()) == [instrument_id("GOOD")]


def test_the_same_context_gives_the_same_verdicts(scene: Any, make_gaps: MakeGaps) -> None:
    for symbol, price in (("AAA", 9.4), ("BBB", 8.8), ("DEAR", 34.2)):
        scene.stock(symbol, price, prev_close=40.0 if symbol == "DEAR" else 10.0)
    gaps = make_gaps()
    assert gaps.propose(scene.context()) == gaps.propose(scene.context())


def test_a_policy_is_named_by_its_settings(scene: Any, make_gaps: MakeGaps) -> None:
    context = scene.context()
    first, other = make_gaps().policy_id(context), make_gaps(size_pct=0.01).policy_id(context)
    assert first == make_gaps().policy_id(context)
    assert first != other
    assert first.startswith("gaps-naive-1-")


def test_atr_is_given_in_dollars_of_the_decision(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    scene.stock("NEW", 9.40, bars=5)
    verdicts = make_gaps().propose(scene.context())
    by_name = {verdict.candidate.instrument: verdict.candidate for verdict in verdicts}
    candidate = by_name[instrument_id("ABC")]
    percent = candidate.feature("atr_14_pct")
    assert percent is not None
    assert candidate.atr == pytest.approx(percent * 9.40 / 100)
    assert by_name[instrument_id("NEW")].atr is None


def test_agents_are_timed_by_the_clock_that_is_passed_in(scene: Any) -> None:
    ticks = itertools.count(step=7)
    scene.stock("ABC", 9.40)
    (verdict,) = Gaps(GapsConfig(), RiskConfig(), lambda: next(ticks)).propose(scene.context())
    assert {report.elapsed_us for report in verdict.reports} == {7}
