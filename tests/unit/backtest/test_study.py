"""The study of the full rule on a small panel: gates one by one, funnel, costs, sensitivity, evidence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.backtest.costs import Costs
from engine.backtest.full import REGIMES, Decisions, FullRule, Rows
from engine.backtest.study import THRESHOLDS, Terms, run_study, variants
from engine.backtest.study_document import study_document
from engine.model.candidates import Regime
from engine.risk.limits import RiskConfig
from engine.strategies.gaps_config import GapsConfig

Make = Callable[..., Any]
TERMS = Terms(GapsConfig(), RiskConfig(), Costs(), 10_000.0, 29)


def rule_of(rows: Rows, config: GapsConfig | None = None) -> FullRule:
    return FullRule(rows, config or GapsConfig(), RiskConfig(), 10.0)


def with_value(rows: Rows, name: str, value: float) -> Rows:
    values = {**rows.panel.values, name: np.full(len(rows.panel), value)}
    return replace(rows, panel=replace(rows.panel, values=values))


def test_the_small_panel_passes_every_gate(small_rows: Rows) -> None:
    rule = rule_of(small_rows)
    assert {name: gate.all() for name, gate in rule.fixed.items()} == dict.fromkeys(rule.fixed, True)
    gates, _ = rule.judge(np.arange(len(small_rows.panel)), 10_000.0)
    assert all(gate.all() for gate in gates.values())


@pytest.mark.parametrize(
    ("feature", "good", "bad", "gate"),
    [
        ("gap_dn", -0.05, -0.0499, "gap"),
        ("gap_dn", -0.25, -0.2501, "gap"),
        ("adv_usd_20", 5e6, 4.99e6, "ADV"),
        ("knife_share_63", 0.30, 0.31, "knife"),
        ("rsi2", 10.0, 10.1, "rsi2"),
        ("dist_200", -0.119, -0.12, "dist 200"),
        ("liquidity_delta_pct", -40.0, -40.1, "volume"),
        ("volume_fade", 0.0, 1.0, "volume fade"),
    ],
)
def test_each_limit_decides_at_its_value(
    small_rows: Rows, feature: str, good: float, bad: float, gate: str
) -> None:
    assert rule_of(with_value(small_rows, feature, good)).fixed[gate].all()
    assert not rule_of(with_value(small_rows, feature, bad)).fixed[gate].any()
    assert not rule_of(with_value(small_rows, feature, np.nan)).fixed[gate].any()


def test_splits_regime_and_forecast_keep_out(small_rows: Rows) -> None:
    count = len(small_rows.panel)
    yes = np.ones(count, dtype=bool)
    assert not rule_of(replace(small_rows, is_split_today=yes)).fixed["split"].any()
    assert not rule_of(replace(small_rows, was_split=yes)).fixed["split"].any()
    stress = replace(small_rows, regime=np.full(count, REGIMES.index(Regime.SPY_STRESS)))
    assert not rule_of(stress).fixed["regime"].any()
    assert rule_of(stress, GapsConfig(allow_in_spy_stress=True)).fixed["regime"].all()
    unknown = replace(small_rows, regime=np.full(count, REGIMES.index(Regime.UNKNOWN)))
    assert not rule_of(unknown).fixed["regime"].any()
    outlook = replace(small_rows.outlook, outside=np.full(count, 2))
    assert not rule_of(replace(small_rows, outlook=outlook)).fixed["in range"].any()
    blind = replace(small_rows.outlook, p_touch=np.full(count, np.nan), q_bounce=np.full(count, np.nan))
    rule = rule_of(replace(small_rows, outlook=blind))
    assert not rule.fixed["forecast"].any()
    assert not rule.fixed["q_bounce"].any()


def test_a_nervous_market_asks_for_more_and_takes_half(small_rows: Rows) -> None:
    high = replace(small_rows, regime=np.full(len(small_rows.panel), REGIMES.index(Regime.HIGH_VIX)))
    outlook = replace(high.outlook, q_bounce=np.full(len(high.panel), 0.67))
    assert not rule_of(replace(high, outlook=outlook)).fixed["q_bounce"].any()
    assert rule_of(replace(small_rows, outlook=outlook)).fixed["q_bounce"].all()
    assert rule_of(high).share.tolist() == [0.006] * len(high.panel)


def test_a_larger_account_slips_more(small_rows: Rows) -> None:
    rule, at = rule_of(small_rows), np.array([0])
    small, large = rule.scores(at, 1e4), rule.scores(at, 1e8)
    assert small.slippage[0] < large.slippage[0]
    assert small.ev[0] > large.ev[0]
    gates, _ = rule.judge(at, 1e12)
    assert not gates["slippage"].any()


def test_entries_go_by_expected_value_then_symbol(small_rows: Rows) -> None:
    for name, value in (("realized_vol_20", 0.3), ("adv_usd_20", 2e7)):
        small_rows = with_value(small_rows, name, value)
    decide = Decisions(rule_of(small_rows), small_rows.tape)
    session = small_rows.tape.session[int(small_rows.place[0])]
    together = np.flatnonzero([small_rows.tape.session[p] == session for p in small_rows.place.tolist()])
    wishes = decide(session, (), 10_000.0)
    assert [wish.place for wish in wishes] == sorted(small_rows.place[together].tolist())
    better = small_rows.outlook.q_bounce.copy()
    better[together[-1]] += 0.05
    outlook = replace(small_rows.outlook, q_bounce=better)
    decide = Decisions(rule_of(replace(small_rows, outlook=outlook)), small_rows.tape)
    assert decide(session, (), 10_000.0)[0].place == small_rows.place[together[-1]]
    assert decide(session + 1_000, (), 10_000.0) == ()


def test_a_study_tells_costs_funnel_and_evidence(small_study: Make) -> None:
    document = study_document(small_study(), with_rows=True)
    once, twice = (document["results"][name]["trades"] for name in ("1x", "2x"))
    assert once["rate"]["n"] == twice["rate"]["n"] == len(document["rows"]) > 0
    assert twice["mean"] < once["mean"]
    assert document["funnel"][0]["total"] >= document["funnel"][-1]["total"] == once["rate"]["n"]
    totals = [step["total"] for step in document["funnel"][1:]]
    assert totals == sorted(totals, reverse=True)
    assert all(sum(step["by_year"].values()) == step["total"] for step in document["funnel"])
    assert document["evidence"]["is_shown"] is False
    assert document["evidence"]["opened"] is None
    assert document["results"]["1x"]["account"]["deflated"]["trials"] == 29
    assert document["warnings"][0].startswith("survivorship-biased universe")


def test_the_evidence_of_a_day_knows_only_what_had_ended(small_study: Make) -> None:
    study = small_study()
    counts = [one.evidence.n for one in study.path]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == len(study.results[1].trades)


def test_each_threshold_is_moved_both_ways(small_study: Make) -> None:
    study = small_study()
    assert [(one.key, round(one.factor, 1)) for one in study.moved] == [
        (key, factor) for key in THRESHOLDS for factor in (0.8, 1.2)
    ]
    moved = {(one.key, round(one.factor, 1)): one for one in study.moved}
    assert moved["q_min", 1.2].table.rate.n == 0
    assert moved["max_sessions", 1.2].value == 6
    assert moved["size_pct", 1.2].total != moved["size_pct", 0.8].total


def test_thresholds_of_a_nervous_market_move_along() -> None:
    found = {(key, round(factor, 1)): config for key, factor, config in variants(GapsConfig())}
    assert found["q_min", 0.8].q_min_highvix == pytest.approx(0.68 * 0.8)
    assert found["bcs_min", 1.2].bcs_min_highvix == pytest.approx(6.0 * 1.2)
    assert len(found) == 2 * len(THRESHOLDS)


def test_a_study_says_how_far_it_is(small_rows: Rows) -> None:
    seen: list[tuple[int, int]] = []
    run_study(
        small_rows, small_rows.tape, (), None, TERMS, (), lambda done, total: seen.append((done, total))
    )
    assert seen == [(number, 31) for number in range(1, 32)]
