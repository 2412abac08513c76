"""`tradedeck whynot`: what a person reads, at 80 columns, beside the daemon that owns the journal."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.model.positions import AccountKind
from engine.ports import JournalRow
from storage.journal import SqliteJournal, open_journal

MONDAY, TUESDAY = date(2016, 1, 4), date(2016, 1, 5)
AT_US = 1_451_917_800_000_000
Judge = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "state"
    found.mkdir(mode=0o700)
    return found


@pytest.fixture
def journal(folder: Path) -> Iterator[SqliteJournal]:
    """Open while the command reads, as a daemon has it."""
    path = folder / "journal-simulation-replay.db"
    with open_journal(path, "replay", AccountKind.SIMULATION) as found:
        yield found


@pytest.fixture
def judge(journal: SqliteJournal) -> Judge:
    def keep(
        symbol: str, outcome: str = "vetoed", session: date = MONDAY, **changes: str | int | None
    ) -> None:
        name, instrument = f"{symbol}-{session}", f"{symbol}.US"
        row: dict[str, str | int | None] = {
            "correlation": name,
            "strategy": "gaps",
            "instrument": instrument,
            "session": session.isoformat(),
            "judged_us": AT_US,
            "outcome": outcome,
            "who": "screener",
            "reason": "price 3.12 is below the limit 5",
            "value": "price 3.12",
            "bound": ">= 5",
            "margin": "needs 1.88 more",
            "number": None,
            "decided_us": AT_US,
        }
        key = f"gaps|{session.isoformat()}|{instrument}"
        seen = JournalRow("proposal_seen", {"key": key, "correlation": name})
        journal.commit([JournalRow("whynot", row | changes), seen], [])

    return keep


@pytest.fixture
def ask(deck: Any, folder: Path) -> Callable[..., Any]:
    return lambda *arguments: deck("whynot", *arguments, "--state", str(folder))


def test_a_veto_is_told_with_value_limit_and_what_was_missing(judge: Judge, ask: Any) -> None:
    judge("ORVX")
    ended = ask("ORVX")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "ORVX  2016-01-04  vetoed by screener",
        "  price 3.12, limit >= 5: needs 1.88 more",
        "  price 3.12 is below the limit 5",
    ]
    assert ask("orvx").out == ask("ORVX.US").out == ended.out


@pytest.mark.parametrize(
    ("outcome", "changes", "line"),
    [
        ("gated_out", {"who": "G8 positions"}, "gated out by G8 positions"),
        ("waiting", {"number": 3, "who": "", "decided_us": None}, "waits as T-3 for a decision"),
        (
            "approved",
            {"number": 3, "who": "nina on pts/7"},
            "approved as T-3 by nina on pts/7, 14:30:00Z",
        ),
        ("rejected", {"number": 3, "who": "nina on pts/7"}, "rejected as T-3 by nina on pts/7, 14:30:00Z"),
        ("expired", {"number": 3, "who": "engine"}, "expired as T-3, 14:30:00Z"),
        ("vetoed", {"who": ""}, "vetoed"),
    ],
)
def test_every_end_has_its_words(
    judge: Judge, ask: Any, outcome: str, changes: dict[str, Any], line: str
) -> None:
    judge("ORVX", outcome, **changes)
    assert ask("ORVX").out.splitlines()[0] == f"ORVX  2016-01-04  {line}"


def test_a_person_s_reason_stands_alone(judge: Judge, ask: Any) -> None:
    judge("ORVX", "rejected", reason="too wide", value="", bound="", margin="", who="nina", number=3)
    judge("ORVX", session=TUESDAY)
    assert ask("ORVX").out.splitlines() == [
        "ORVX  2016-01-05  vetoed by screener",
        "  price 3.12, limit >= 5: needs 1.88 more",
        "ORVX  2016-01-04  rejected as T-3 by nina, 14:30:00Z",
        "  too wide",
    ]


def test_no_line_is_wider_than_eighty_columns_and_no_control_reaches_the_terminal(
    judge: Judge, ask: Any
) -> None:
    judge("ORVX", who="x" * 99, reason="\x1b]52;c;evil\x07 " + "word " * 60, value="y " * 60)
    ended = ask("ORVX")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "\x1b" not in ended.out
    assert ended.out.splitlines()[0].endswith("…")


def test_only_the_newest_sessions_are_told(judge: Judge, ask: Any) -> None:
    for day in range(4, 11):
        judge("ORVX", session=date(2016, 1, day))
    ended = ask("ORVX")
    assert ended.out.count("vetoed") == 5
    assert ended.err == "2 older: --json shows all, --session one of them\n"
    assert len(json.loads(ask("ORVX", "--json").out)) == 7
    assert ask("ORVX", "--session", "2016-01-04").out.count("vetoed") == 1


def test_a_symbol_that_was_no_candidate_is_one_clear_line(judge: Judge, ask: Any) -> None:
    judge("ORVX")
    assert ask("NONE").out == "NONE was no candidate: no strategy had reason to judge it\n"
    other = ask("ORVX", "--session", "2016-01-05")
    assert (other.code, other.err) == (0, "")
    assert other.out == (
        "ORVX was no candidate on 2016-01-05: no strategy had reason to judge it; it was one on 2016-01-04"
        " last\n"
    )
    assert json.loads(ask("NONE", "--json").out) == []


def test_json_holds_every_field(judge: Judge, ask: Any) -> None:
    judge("ORVX")
    (row,) = json.loads(ask("ORVX", "--json").out)
    assert row == {
        "correlation": "ORVX-2016-01-04",
        "strategy": "gaps",
        "instrument": "ORVX.US",
        "symbol": "ORVX",
        "session": "2016-01-04",
        "judged_us": AT_US,
        "outcome": "vetoed",
        "who": "screener",
        "reason": "price 3.12 is below the limit 5",
        "value": "price 3.12",
        "limit": ">= 5",
        "margin": "needs 1.88 more",
        "number": None,
        "decided_us": AT_US,
    }


def test_the_summary_counts_every_session_to_nothing_left(judge: Judge, ask: Any) -> None:
    judge("A")
    judge("B", "approved", TUESDAY, who="nina")
    judge("C", "gated_out", TUESDAY, who="G8 positions")
    lines = ask("--summary").out.splitlines()
    heads = "session judged approved rejected expired vetoed gated waits left"
    assert " ".join(lines[0].split()) == heads
    assert [line.split() for line in lines[1:]] == [
        ["2016-01-04", "1", "0", "0", "0", "1", "0", "0", "0"],
        ["2016-01-05", "2", "1", "0", "0", "0", "1", "0", "0"],
    ]
    one = ask("--summary", "--session", "2016-01-05").out.splitlines()
    assert (len(one), one[-1]) == (3, "first to say no: G8 positions 1")
    document = json.loads(ask("--summary", "--session", "2016-01-05", "--json").out)
    assert document["blocked_by"] == {"G8 positions": 1}
    assert document["sessions"][0]["residual"] == 0


def test_what_does_not_add_up_is_an_audit_break(judge: Judge, ask: Any, journal: SqliteJournal) -> None:
    judge("A")
    journal.commit([JournalRow("proposal_seen", {"key": "gaps|2016-01-04|B.US", "correlation": "B"})], [])
    ended = ask("--summary")
    assert ended.code == 65
    assert "1 do not add up" in ended.err


def test_an_empty_journal_says_that_nothing_was_judged(journal: SqliteJournal, ask: Any) -> None:
    assert ask("--summary").out == "no candidate was judged\n"
    assert ask("--summary", "--session", "2016-01-04").out == "no candidate was judged on 2016-01-04\n"


@pytest.mark.parametrize("arguments", [(), ("ORVX", "--summary")])
def test_one_question_at_a_time(journal: SqliteJournal, ask: Any, arguments: tuple[str, ...]) -> None:
    ended = ask(*arguments)
    assert ended.code == 2
    assert "whynot needs a SYMBOL or --summary" in ended.err


def test_a_folder_without_a_journal_is_told(ask: Any, folder: Path) -> None:
    ended = ask("ORVX")
    assert ended.code == 2
    assert "no engine ever ran there" in ended.err
