import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def now_us(look_us: int) -> int:
    """The instant of scoring."""
    return look_us


@pytest.fixture(scope="session")
def section_2(market_data: Path) -> dict[str, Any]:
    """Worked examples of SPEC 2 by id, of the oracle file beside the market data."""
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    return {entry["id"]: entry for entry in json.loads(path.read_text()) if entry["section"] == "2"}


@pytest.fixture(scope="session")
def oracle(section_2: dict[str, Any]) -> Callable[[str], Any]:
    """The worked example of an id."""
    return section_2.__getitem__
