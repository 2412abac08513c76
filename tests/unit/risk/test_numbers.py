"""The worked examples of SPEC 12 for the risk formulas, to the tolerance that it names."""

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.risk.drawdown import Drawdown, step
from engine.risk.kelly import binary_kelly, kelly_share, lower_bound, uncertain_kelly
from engine.risk.kupiec import kupiec
from engine.risk.limits import RiskConfig
from engine.risk.sizing import SizeCap, size_position
from engine.risk.var import value_at_risk


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], tuple[dict[str, Any], Any]]:
    repository = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TRADEDECK_TEST_DATA", repository.parent / "shared" / "data"))
    path = folder.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    rows = {f"{row['section']}/{row['id']}": row for row in json.loads(path.read_text())}
    return lambda name: (rows[name]["input"], rows[name]["expected"])


def test_no_multiplier_leaves_the_smallest_cap() -> None:
    caps = (SizeCap("cash", Decimal(900)), SizeCap("risk", Decimal(500)))
    sizing = size_position(Decimal(7), caps, (), Decimal(1))
    assert (sizing.quantity, sizing.value, sizing.binding) == (Decimal(71), Decimal(500), "risk")


@pytest.mark.parametrize(
    ("price", "caps", "multipliers"),
    [
        (Decimal(7), (), ()),
        (Decimal(0), (SizeCap("cash", Decimal(900)),), ()),
        (Decimal(7), (SizeCap("cash", Decimal(900)),), (Decimal("1.01"),)),
        (Decimal(7), (SizeCap("cash", Decimal(900)),), (Decimal("-0.01"),)),
    ],
    ids=["no cap", "no price", "multiplier above one", "multiplier below zero"],
)
def test_what_cannot_be_sized_is_refused(
    price: Decimal, caps: tuple[SizeCap, ...], multipliers: tuple[Decimal, ...]
) -> None:
    with pytest.raises(ValueError, match="cannot size"):
        size_position(price, caps, multipliers, Decimal(1))


def test_kelly(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("4/kelly")
    full = binary_kelly(lower_bound(given["p"], given["se"], given["z"]), given["G"], given["L"])
    assert full == pytest.approx(expected["full"], rel=1e-6)
    assert kelly_share(full, given["fraction"], given["cap"]) == pytest.approx(expected["sized"], rel=1e-6)


def test_kelly_under_uncertainty(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("5/uncertain_kelly")
    share = uncertain_kelly(
        given["p"], given["se"], given["G"], given["L"], given["annual_vol"], given["regime_mult"]
    )
    assert share == pytest.approx(expected, rel=1e-6)
    given, expected = oracle("5/uncertain_kelly_below_break_even")
    assert uncertain_kelly(given["p"], given["se"], given["G"], given["L"], 0.2) == expected == 0.0


def test_value_at_risk(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("4/var95")
    i = np.arange(250)
    found = value_at_risk(0.01 * np.sin(1.7 * i) + 0.004 * np.cos(0.3 * i) - given["d"], given["V"])
    assert found is not None
    assert found.historical == pytest.approx(expected["historical"], rel=1e-6)
    assert found.parametric == pytest.approx(expected["parametric"], rel=1e-6)
    assert found.larger == found.parametric


def test_breaker_path(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("4/breaker_path")
    state, path = Drawdown(Decimal(100)), []
    for equity in given["equity"]:
        state = step(state, Decimal(str(equity)), RiskConfig())
        path.append([round(float(state.ratio), 6), int(state.level)])
    assert path == expected


def test_kupiec(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("4/kupiec")
    found = kupiec(given["n"], given["exceptions"], given["p"])
    assert found.ratio == pytest.approx(expected["lr"], rel=1e-6)
    assert found.p_value == pytest.approx(expected["p_value"], rel=1e-6)


def test_size_is_the_smallest_cap_times_the_multipliers(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("11/size_min")
    names = ("kelly_cap", "corr_room", "liquidity_room", "cash")
    strategy = SizeCap("strategy", Decimal(str(given["equity"])) * Decimal(str(given["pct"])))
    caps = [strategy, *(SizeCap(name, Decimal(str(given[name]))) for name in names)]
    multipliers = [Decimal(str(given["regime_mult"])), Decimal(str(given["breaker_mult"]))]
    sizing = size_position(Decimal(1), caps, multipliers, Decimal(1))
    assert (sizing.binding, float(sizing.value)) == (expected["binding"], expected["value"])
