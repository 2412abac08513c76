"""The worked examples of SPEC 2, read from the oracle file."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.scoring.confidence import Confidence, gem_confidence
from engine.scoring.flags import FlagLimits, judge_flag, signals_of
from engine.scoring.gemscore import (
    SUB_SCORES,
    GemWeights,
    gem_score,
    s_accumulation,
    s_liquidity_depth,
    s_onchain,
    s_tokenomics,
)
from engine.scoring.safety import Safety, Severity, contract_safety

Oracle = Callable[[str], Any]
WEIGHTS = GemWeights().as_row()


def parts(given: dict[str, float]) -> tuple[float, ...]:
    return tuple(given[name] for name in SUB_SCORES)


def test_gem_score(oracle: Oracle) -> None:
    case = oracle("gem_score")
    score = gem_score(parts(case["input"]), WEIGHTS)
    assert score.score == pytest.approx(case["expected"], rel=1e-6)
    assert sum(score.points) == pytest.approx(case["expected"], rel=1e-6)


def test_flag(oracle: Oracle) -> None:
    case = oracle("flag")
    assert case["input"]["blocked"] is False
    found = parts(case["input"]["sub_scores"])
    score = gem_score(found, WEIGHTS)
    safety = Safety(case["input"]["sub_scores"]["s_contract_safety"], (), None)
    judged = judge_flag(score, safety, Confidence(80, 0.8, 0.8, 80), FlagLimits())
    assert {"flag": judged.passes, "signals": judged.signals} == case["expected"]
    assert signals_of(found, 0.6) == (case["expected"]["signals"], True)


def test_gem_confidence(oracle: Oracle) -> None:
    case = oracle("gem_confidence")
    assert gem_confidence(**case["input"]) == pytest.approx(case["expected"], rel=1e-6)


def test_s_accumulation(oracle: Oracle) -> None:
    case = oracle("s_accumulation")
    given = case["input"]
    values = {
        "dex_flow_imbalance_h24": given["dex_flow_imbalance_h24"],
        "whale_netflow_24h_usd": given["whale_netflow"],
        "volume_24h_usd": given["volume_24h"],
        "unique_buyers_h24": given["buyers"],
        "unique_sellers_h24": given["sellers"],
    }
    assert s_accumulation(values) == pytest.approx(case["expected"], rel=1e-6)


def test_s_onchain(oracle: Oracle) -> None:
    case = oracle("s_onchain")
    given = case["input"]
    values = {
        "tx_count_24h": given["tx"],
        "unique_traders_24h": given["traders"],
        "holder_growth_7d_pct": given["holder_growth_7d_pct"],
    }
    assert s_onchain(values) == pytest.approx(case["expected"], rel=1e-6)


def test_s_tokenomics(oracle: Oracle) -> None:
    case = oracle("s_tokenomics")
    values = {name: float(value) for name, value in case["input"].items()}
    assert s_tokenomics(values) == pytest.approx(case["expected"], rel=1e-6)


def test_s_liquidity_depth(oracle: Oracle) -> None:
    case = oracle("s_liquidity_depth")
    assert s_liquidity_depth(case["input"]) == pytest.approx(case["expected"], rel=1e-6)


def test_s_contract_safety(oracle: Oracle) -> None:
    case = oracle("s_contract_safety")
    given = case["input"]
    found = contract_safety(given["flags"], Severity(given["severity"]))
    assert found == pytest.approx(case["expected"], rel=1e-6)


def test_no_example_of_this_section_is_left_out(section_2: dict[str, Any]) -> None:
    """Every id of section 2 has a test of its name here."""
    assert section_2
    assert set(section_2) <= {name.removeprefix("test_") for name in globals()}
