"""`tradedeck policy evidence`: what is kept of a walk-forward, and what it is worth."""

import json
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError, StorageError
from engine.strategies.evidence import other_gates
from engine.strategies.gaps_config import GapsConfig
from storage.past_proposals import FILE, keep_report, kept_proposals, read_report


@pytest.fixture
def report(tmp_path: Path) -> Any:
    """A report of the full rule with one trade a day."""

    def write(count: int = 120, net: float = 0.01, **changes: Any) -> Path:
        first = date(2015, 1, 1)
        rows = [{"date": (first + timedelta(days=n)).isoformat(), "net": net} for n in range(count)]
        thresholds = json.loads(json.dumps(asdict(GapsConfig())))
        document = {"rule": "full", "thresholds": thresholds, "rows": rows, **changes}
        path = tmp_path / "gaps-full.json"
        path.write_text(json.dumps(document))
        return path

    return write


def test_nothing_is_no_evidence(deck: Any, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    ended = deck("policy", "evidence", "--state", str(tmp_path / "state"))
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "gaps: no evidence of an edge: 0 proposals on 0 sessions",
        "  0 of a walk-forward, 0 followed on paper",
        "  needed: 100 on 60 sessions with a bound above 0",
    ]


def test_walk_forward_is_kept_and_counted(deck: Any, report: Any, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    ended = deck("policy", "evidence", str(report()), "--state", str(tmp_path / "state"))
    assert (ended.code, ended.err) == (0, "")
    assert "gaps: shows an edge: 120 proposals on 120 sessions" in ended.out
    found = json.loads(deck("policy", "evidence", "--state", str(tmp_path / "state"), "--json").out)
    assert (found["walk_forward"], found["is_shown"], found["other_gates"]) == (120, True, [])


def test_walk_forward_of_other_gates_says_nothing(deck: Any, report: Any, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    thresholds = json.loads(json.dumps(asdict(GapsConfig(q_min=0.60, auto_adapt=False))))
    ended = deck("policy", "evidence", str(report(thresholds=thresholds)), "--state", str(tmp_path / "state"))
    assert "0 of a walk-forward" in ended.out
    assert "made with another q_min: not counted" in ended.out


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "naive"},
        {"rows": [{"date": "2015-01-01"}]},
        {"rows": [{"date": "yesterday", "net": 0.1}]},
        {"rows": [{"date": "2015-01-01", "net": "nan"}]},
        {"thresholds": 3},
        {"rows": None},
    ],
)
def test_what_is_no_report_is_refused(deck: Any, report: Any, changes: dict[str, Any]) -> None:
    ended = deck("policy", "evidence", str(report(**changes)))
    assert (ended.code, ended.out) == (65, "")
    assert "is no report of the full rule" in ended.err


def test_file_that_is_not_there_is_refused(deck: Any, tmp_path: Path) -> None:
    assert deck("policy", "evidence", str(tmp_path / "none.json")).code == 65


def test_kept_file_is_private_and_says_when_it_is_damaged(report: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert kept_proposals(folder) is None
    kept = keep_report(report(count=3), folder)
    assert kept_proposals(folder) == kept
    path = folder / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    with pytest.raises(StorageError, match="Take the report over again"):
        kept_proposals(folder)
    with pytest.raises(DataError):
        read_report(path)


def test_only_what_lets_candidates_pass_is_a_gate() -> None:
    thresholds = json.loads(json.dumps(asdict(GapsConfig())))
    assert other_gates(thresholds, GapsConfig(auto_adapt=False, live_without_evidence=True)) == ()
    assert other_gates(thresholds, GapsConfig(q_min=0.63, stop_pct=0.07)) == ("q_min", "stop_pct")
    assert other_gates({}, GapsConfig()) != ()
