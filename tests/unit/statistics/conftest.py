import json
from collections.abc import Callable
from math import cos, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def oracle(market_data: Path) -> Callable[[str], tuple[dict[str, Any], Any]]:
    """Input and expected answer of a worked example, by `section/id`."""
    rows = json.loads((market_data.parent / "oracles" / "oracles.json").read_text())
    by_name = {f"{row['section']}/{row['id']}": row for row in rows}
    return lambda name: (by_name[name]["input"], by_name[name]["expected"])


@pytest.fixture
def returns() -> np.ndarray:
    """The returns of the worked example `9/perf`."""
    signs = [-1 if i % 7 == 0 else 1 for i in range(120)]
    return np.array([0.004 * sin(0.9 * i) + 0.0012 + 0.003 * cos(2.3 * i) * signs[i] for i in range(120)])
