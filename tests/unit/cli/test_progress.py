"""The line that tells how far a long piece of work is."""

import sys

import pytest

from tui.commands import output
from tui.commands.output import Progress


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on a terminal whose clock gains two seconds at each look."""
    lines: list[str] = []
    seconds = iter(range(0, 1000, 2))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(output.typer, "echo", lambda text, **_: lines.append(text))
    monkeypatch.setattr(output.time, "monotonic", lambda: next(seconds))
    return lines


def test_it_says_rate_and_time_left(shown: list[str]) -> None:
    progress = Progress()
    progress.pace("quarters", 0, 41)
    progress.pace("quarters", 10, 41)
    assert shown[0] == "0 of 41 quarters   ctrl-c stops"
    assert shown[-1] == "10 of 41 quarters   5.0 quarters/s   0m 06s left   ctrl-c stops"


def test_another_kind_of_work_has_a_pace_of_its_own(shown: list[str]) -> None:
    progress = Progress()
    progress.pace("quarters", 41, 41)
    progress.pace("runs", 1, 31)
    progress.pace("runs", 2, 31)
    assert shown[-1].startswith("2 of 31 runs   1.0 runs/s   0m 29s left")


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().pace("runs", 1, 31)
    assert capsys.readouterr().err == ""
