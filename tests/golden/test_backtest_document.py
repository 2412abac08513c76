"""The documents of two back-tests on generated bars, byte by byte. `UPDATE_GOLDEN=1` writes them anew."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.backtest.document import build_document
from engine.backtest.limits import PortfolioRule
from engine.backtest.naive import NaiveRule
from engine.backtest.run import Limits, backtest_naive

GOLDEN = Path(__file__).parent


@pytest.mark.parametrize("name", ["free", "limited"])
def test_document_is_the_one_kept(generated_market: Any, name: str) -> None:
    limits = Limits(PortfolioRule(), {}) if name == "limited" else None
    run = backtest_naive(generated_market.bars, NaiveRule(), limits=limits)
    document = build_document(run.rows, run.truncated, generated_market.vix, with_rows=name == "limited")
    text = json.dumps(document, indent=1) + "\n"
    golden = GOLDEN / f"backtest_{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
