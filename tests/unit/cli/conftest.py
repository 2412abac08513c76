"""The command line as a function: arguments in, exit code, stdout and stderr out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui import cli, logs


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Deck = Callable[..., Ended]


@pytest.fixture
def deck(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Deck:
    """Run `tradedeck ARGUMENTS` in an empty working folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tradedeck", *arguments])
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as done:
            found = capsys.readouterr()
            return Ended(int(done.code or 0), found.out, found.err)
        finally:
            logs.stop()
        raise AssertionError("main always exits")

    return run
