"""20,000 bent payloads through the strict reader; the nightly and `./run sim --fuzz` run a million."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from brokers.wire import v1
from brokers.wire.reading import read_json
from engine.model.orders import VenueOrder


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "sim"))
    return importlib.import_module("fuzz")


def test_no_payload_kills_or_fools_the_reader(fuzz: Any) -> None:
    report = fuzz.run(20_000, seed=1)
    assert report.ok, "\n".join(report.lines())
    assert report.count == 20_000 == report.read + report.unread + sum(report.refused.values())
    assert report.read > 1_000, "bent so hard that nothing gets past the first check"
    assert len(report.refused) > 15


def test_one_seed_is_one_run(fuzz: Any) -> None:
    first, second = fuzz.run(2_000, seed=3), fuzz.run(2_000, seed=3)
    assert (first.read, first.refused) == (second.read, second.refused)
    assert fuzz.run(2_000, seed=4).refused != first.refused


def _raises(data: bytes) -> object:
    return int(read_json(data, 1_000_000)["v"])


def _shows(data: bytes) -> object:
    found = read_json(data, 1_000_000).get("order")
    return found["state"] if isinstance(found, dict) and "state" in found else None


def _believes(data: bytes) -> object:
    found = read_json(data, 1_000_000).get("order")
    return v1.order_of(found) if isinstance(found, dict) else None


def _unchecked(data: bytes) -> object:
    found = _believes(data)
    if isinstance(found, VenueOrder):
        object.__setattr__(found, "cum_filled", -found.quantity)
    return found


@pytest.mark.parametrize(
    ("reader", "kind"),
    [(_raises, "unhandled"), (_shows, "unsafe"), (_believes, "fooled"), (_unchecked, "fooled")],
)
def test_reader_that_is_wrong_is_found(
    fuzz: Any, monkeypatch: pytest.MonkeyPatch, reader: Any, kind: str
) -> None:
    monkeypatch.setitem(fuzz.READERS, "order", reader)
    report = fuzz.run(5_000, seed=1)
    assert not report.ok
    assert getattr(report, kind)
    assert all(line.isascii() for line in report.lines())
