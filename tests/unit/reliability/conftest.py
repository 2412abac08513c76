"""Worked examples, and one step at a time of a clock that tests move."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.clock import TestClock


@pytest.fixture
def example(market_data: Path) -> Callable[[str], dict[str, Any]]:
    """Input and expected output of one worked example of SPEC 10, by its id."""
    rows = json.loads((market_data.parent / "oracles" / "oracles.json").read_text())
    by_id = {row["id"]: row for row in rows if row["section"] == "10"}

    def find(identifier: str) -> dict[str, Any]:
        found: dict[str, Any] = by_id[identifier]
        return found

    return find


@pytest.fixture
def clock() -> TestClock:
    return TestClock(1_700_000_000_000_000)
