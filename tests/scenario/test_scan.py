"""`tradedeck scan gaps`: one session of stored bars, judged and printed; nothing is kept."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tui import cli, logs


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def scan(
    replay_arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Callable[..., Ended]:
    """Run `tradedeck scan gaps ARGUMENTS` on the generated market's files."""
    monkeypatch.chdir(tmp_path)
    files = replay_arguments[2:]

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tradedeck", "scan", "gaps", *files, *arguments])
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


def test_a_session_is_scanned_and_every_candidate_is_lost_once(
    scan: Any, generated_market: Any, tmp_path: Path
) -> None:
    day = generated_market.days[30].isoformat()
    ended = scan("--date", day, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert (document["session"], document["rule"]) == (day, "naive")
    steps = {step["name"]: step for step in document["funnel"]}
    candidates = document["candidates"]
    assert steps["opened lower"]["left"] == len(candidates) > 0
    tickets = sum(one["ticket"] for one in candidates)
    assert steps["tickets"]["left"] == document["proposals"] == tickets
    lost = sum(step["lost"] for step in document["funnel"][2:])
    assert lost + tickets == len(candidates)
    for one in candidates:
        assert one["gap_ratio"] <= -0.03 + 1e-9
        assert one["ticket"] or one["reason"]
    kept = [path for path in tmp_path.rglob("*") if path.suffix == ".db" and "journal" in path.name]
    assert kept == []


def test_the_same_scan_gives_the_same_words(scan: Any, generated_market: Any) -> None:
    day = generated_market.days[30].isoformat()
    first, second = scan("--date", day), scan("--date", day)
    assert first.out == second.out
    assert first.out.splitlines()[0].startswith(f"{day}, rule naive: ")
    assert "opened lower" in first.out
    assert "what it lacks" in first.out


def test_without_a_date_the_newest_session_is_scanned(scan: Any, generated_market: Any) -> None:
    ended = scan("--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["session"] == generated_market.days[-1].isoformat()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--date", "2016-13-01"), "is not a day"),
        (("--date", "1999-01-04"), "begin on"),
        (("--rule", "clever"), "clever"),
    ],
)
def test_a_wrong_line_is_refused(arguments: tuple[str, ...], words: str, scan: Any) -> None:
    ended = scan(*arguments)
    assert ended.code in (2, 78)
    assert words in ended.err
