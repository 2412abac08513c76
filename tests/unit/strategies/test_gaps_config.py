import math
from dataclasses import fields
from typing import Any

import pytest

from engine.strategies.gaps_config import RANGES, GapsConfig, GapsRule
from engine.strategies.stage import Stage


def test_defaults_are_the_naive_rule_on_paper() -> None:
    config = GapsConfig()
    assert (config.rule, config.stage, config.z5_max) == (GapsRule.AUTO, Stage.PAPER, None)
    assert (config.stop_pct, config.target_pct, config.max_sessions) == (0.08, 0.06, 5)


def test_every_number_has_a_range() -> None:
    numbers = {
        field.name
        for field in fields(GapsConfig)
        if type(getattr(GapsConfig(), field.name)) in (int, float) or field.name == "z5_max"
    }
    assert numbers == set(RANGES)


@pytest.mark.parametrize("key", sorted(RANGES))
def test_a_number_outside_its_range_is_named_with_the_range(key: str) -> None:
    low, high = RANGES[key]
    for value in (low - 1, high + 1, math.nan):
        with pytest.raises(ValueError, match=rf"gaps\.{key} = .*: allowed is {low:g} to ") as caught:
            GapsConfig(**{key: value})
        assert f"{value}" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("rule", "clever", "auto or naive or full"),
        ("stage", "real", "shadow or paper or canary or live"),
        ("earnings_unknown", "ignore", "veto or note"),
        ("liquidity_delta_mode", "none", "one or both"),
    ],
)
def test_a_word_that_does_not_exist_is_named_with_those_that_do(key: str, value: str, allowed: str) -> None:
    settings: dict[str, Any] = {key: value}
    with pytest.raises(ValueError, match=f"gaps.{key} = '{value}': allowed is {allowed}"):
        GapsConfig(**settings)


@pytest.mark.parametrize(("low", "high"), [("price_min", "price_max"), ("gap_min", "gap_max")])
def test_a_lower_limit_must_lie_below_its_upper(low: str, high: str) -> None:
    with pytest.raises(ValueError, match=f"gaps.{low} = 0.9: allowed is less than {high}, which is 0.9"):
        GapsConfig(**{low: 0.9, high: 0.9})


@pytest.mark.parametrize("text", ["9:45", "24:00", "09:60", "0945", ""])
def test_a_decision_time_must_be_a_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"gaps\.decision_time_et"):
        GapsConfig(decision_time_et=text)


def test_z5_may_be_required() -> None:
    assert GapsConfig(z5_max=-1.5).z5_max == -1.5
