"""Sample numbers of every chart, and its text beside a golden file."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from tui.format import NEW_YORK, US_PER_S
from tui.widgets.charts.gauge import GaugeStep
from tui.widgets.ink import Line, width_of


@dataclass(frozen=True, slots=True)
class Bar:
    """What `engine.model.market.Bar` has of it."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    ts_open: int


@pytest.fixture
def make_bar() -> Callable[..., Bar]:
    def make(
        open: float, high: float, low: float, close: float, volume: float = 0.0, ts_open: int = 0
    ) -> Bar:
        return Bar(open, high, low, close, volume, ts_open)

    return make


@pytest.fixture
def text() -> Callable[[Sequence[Line]], list[str]]:
    """The characters of each line."""
    return lambda lines: ["".join(span.text for span in line) for line in lines]


@pytest.fixture
def equity() -> list[float]:
    """Ninety days of an account of 25,000."""
    chance = Random(4)
    values = [25_000.0]
    while len(values) < 90:
        values.append(values[-1] * math.exp(chance.gauss(0.0012, 0.006)))
    return values


@pytest.fixture
def bars() -> list[Bar]:
    """Eight bars of Thursday afternoon, a gap down, and thirteen of Friday morning."""
    chance = Random(7)
    opened = datetime(2024, 11, 21, 14, 0, tzinfo=NEW_YORK)
    found: list[Bar] = []
    price = 9.03
    for at in range(21):
        if at == 8:
            price, opened = 8.5, datetime(2024, 11, 22, 9, 30, tzinfo=NEW_YORK)
        close = price + chance.gauss(-0.05 if 8 <= at < 13 else 0.03, 0.06)
        high = max(price, close) + abs(chance.gauss(0, 0.04))
        low = min(price, close) - abs(chance.gauss(0, 0.04))
        volume = 1000 * abs(chance.gauss(1, 0.3)) * (2.5 if at >= 8 else 1)
        found.append(Bar(price, high, low, close, volume, int(opened.timestamp()) * US_PER_S))
        price = close
        opened += timedelta(minutes=5)
    return found


@pytest.fixture
def returns() -> list[float]:
    """A year of daily returns with one far outside."""
    chance = Random(3)
    return [chance.gauss(0.0004, 0.007) for _ in range(250)] + [-0.09]


@pytest.fixture
def steps() -> tuple[GaugeStep, ...]:
    return (
        GaugeStep(0.05, "L1", "sizes halved"),
        GaugeStep(0.10, "L2", "conservative only"),
        GaugeStep(0.15, "L3", "stop", "-danger"),
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, Sequence[Line]], None]:
    """Compare a chart with its file, or write it under --update-golden. Every line has the same width."""
    folder = Path(__file__).parent / "golden"

    def check(name: str, lines: Sequence[Line]) -> None:
        assert len({width_of(line) for line in lines}) == 1
        drawn = "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)
        path = folder / f"{name}.txt"
        if request.config.getoption("--update-golden"):
            path.write_text(drawn, encoding="utf-8")
        assert drawn == path.read_text(encoding="utf-8"), (
            f"{name} differs; read the diff, then --update-golden"
        )

    return check
