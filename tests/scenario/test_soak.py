"""A short soak on every run; `./run sim --soak 24` is the whole of it (RELIABILITY R9)."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "sim"))
    return importlib.import_module("soak")


def test_nothing_grows_in_two_halves_of_a_day(soak: Any) -> None:
    report = soak.run(hours=3)
    # Memory is judged over days: in the first hours caches fill.
    assert [problem for problem in report.problems if "memory" not in problem] == []
    assert report.reconnects == 11
    assert report.second.round_trips > 20


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rss": 10**9}, "memory grew by"),
        ({"tasks": 99}, "tasks grew from"),
        ({"descriptors": 99}, "descriptors grew from"),
        ({"timers": 99}, "timers grew from"),
        ({"unread": 99}, "unread grew from"),
        ({"open_brackets": 99}, "open_brackets grew from"),
        ({"round_trips": 0}, "nothing was soaked"),
    ],
)
def test_what_grew_is_named(soak: Any, changes: dict[str, int], words: str) -> None:
    first = soak.Sample(10**7, 5, 10, 1, 0, 0, 50, 100, 300, 200)
    good = soak.SoakReport(24, first, replace(first, round_trips=400), 47, 1.0, 1.0, ())
    assert good.ok
    report = replace(good, second=replace(good.second, **changes))
    assert not report.ok
    assert words in report.problems[0]
    assert f"PROBLEM {report.problems[0]}" in report.lines()
    assert replace(good, troubles=("broke",)).problems == ("broke",)
