"""Why a candidate was not traded is answered from the journal, and the count of a session closes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from engine.errors import StorageError
from engine.model.positions import AccountKind
from engine.model.whynot import Outcome
from engine.ports import AuditEntry, JournalRow
from storage.database import Schema
from storage.journal import SqliteJournal, open_journal
from storage.journal_schema import JOURNAL
from storage.whynot import WhyNotReader, read_whynot

MONDAY, TUESDAY = date(2016, 1, 4), date(2016, 1, 5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with open_journal(path, "paper", AccountKind.PAPER) as found:
        yield found


@pytest.fixture
def reader(journal: SqliteJournal, path: Path) -> Iterator[WhyNotReader]:
    """Beside the writer."""
    with read_whynot(path) as found:
        yield found


def judged(
    name: str, outcome: str = "vetoed", instrument: str = "ABC.US", session: date = MONDAY
) -> list[JournalRow]:
    key = f"gaps|{session.isoformat()}|{instrument}"
    row = {
        "correlation": name,
        "strategy": "gaps",
        "instrument": instrument,
        "session": session.isoformat(),
        "judged_us": 100,
        "outcome": outcome,
        "who": "screener",
        "reason": "too cheap",
        "value": "price 3.12",
        "bound": ">= 5",
        "margin": "needs 1.88 more",
        "decided_us": 101,
    }
    return [
        JournalRow("whynot", row),
        JournalRow("proposal_seen", {"key": key, "correlation": name}),
    ]


def test_a_symbol_is_answered_newest_session_first(journal: SqliteJournal, reader: WhyNotReader) -> None:
    journal.commit([*judged("A"), *judged("B", session=TUESDAY), *judged("C", instrument="ABCD.US")], [])
    found = reader.of_symbol("ABC")
    assert [(row.correlation, row.session) for row in found] == [("B", TUESDAY), ("A", MONDAY)]
    assert reader.of_symbol("ABC.US") == found
    assert [row.correlation for row in reader.of_symbol("ABC", MONDAY)] == ["A"]
    (row, _) = found
    assert (row.outcome, row.who, row.value, row.limit) == (Outcome.VETOED, "screener", "price 3.12", ">= 5")
    assert (row.margin, row.reason, row.judged_us, row.decided_us) == (
        "needs 1.88 more",
        "too cheap",
        100,
        101,
    )
    assert row.number is None
    assert reader.of_symbol("AB") == ()
    assert reader.of_symbol("XYZ", MONDAY) == ()


def test_a_symbol_with_a_dot_is_not_the_symbol_before_it(
    journal: SqliteJournal, reader: WhyNotReader
) -> None:
    journal.commit([*judged("A", instrument="BRK.B.US"), *judged("B", instrument="BRK.US")], [])
    assert [row.correlation for row in reader.of_symbol("BRK")] == ["B"]
    assert [row.correlation for row in reader.of_symbol("BRK.B")] == ["A"]


def test_the_count_of_every_session_closes(journal: SqliteJournal, reader: WhyNotReader) -> None:
    journal.commit(
        [*judged("A"), *judged("B", instrument="B.US"), *judged("C", "approved", "C.US", TUESDAY)], []
    )
    monday, tuesday = reader.tallies()
    assert (monday.session, monday.judged, monday.outcomes) == (MONDAY, 2, {Outcome.VETOED: 2})
    assert (tuesday.session, tuesday.judged, tuesday.outcomes) == (TUESDAY, 1, {Outcome.APPROVED: 1})
    assert (monday.residual, tuesday.residual) == (0, 0)
    assert reader.tallies(TUESDAY) == (tuesday,)
    assert reader.tallies(date(2016, 1, 6)) == ()
    assert [row.correlation for row in reader.of_session(TUESDAY)] == ["C"]


def test_a_candidate_without_an_end_and_an_end_without_a_candidate_do_not_cancel_out(
    journal: SqliteJournal, reader: WhyNotReader
) -> None:
    journal.commit([judged("A")[0], judged("B", instrument="B.US")[1]], [])
    (tally,) = reader.tallies()
    assert (tally.judged, sum(tally.outcomes.values())) == (1, 1)
    assert tally.residual == 2


def test_an_end_without_any_candidate_of_its_session_is_counted(
    journal: SqliteJournal, reader: WhyNotReader
) -> None:
    journal.commit([judged("A")[0]], [])
    (tally,) = reader.tallies()
    assert (tally.judged, tally.residual) == (0, 1)


@pytest.mark.parametrize(
    ("state", "outcome", "wrong"),
    [
        ("pending", "waiting", 0),
        ("pending", "approved", 1),
        ("rejected", "rejected", 0),
        ("expired", "expired", 0),
        ("gated_out", "gated_out", 0),
        ("submitted", "approved", 0),
        ("closed", "approved", 0),
        ("failed", "approved", 0),
        ("closed", "waiting", 1),
    ],
)
def test_an_end_that_its_ticket_contradicts_is_left_over(
    journal: SqliteJournal, reader: WhyNotReader, state: str, outcome: str, wrong: int
) -> None:
    ticket = JournalRow("ticket", {"id": "T", "correlation": "A", "state": state})
    journal.commit([*judged("A", outcome), ticket], [])
    (tally,) = reader.tallies()
    assert (tally.contradicted, tally.residual) == (wrong, wrong)


def test_an_end_that_is_none_is_refused(journal: SqliteJournal, reader: WhyNotReader) -> None:
    journal.commit(judged("A", "asleep"), [])
    with pytest.raises(StorageError, match="'asleep', which is no end"):
        reader.of_symbol("ABC")
    with pytest.raises(StorageError, match="which is no end"):
        reader.tallies()


def test_a_damaged_table_is_told(journal: SqliteJournal, reader: WhyNotReader, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE whynot")
    for question in (lambda: reader.of_symbol("ABC"), reader.tallies):
        with pytest.raises(StorageError, match="no such table"):
            question()


def test_candidates_of_an_older_journal_get_their_ends_when_it_is_brought_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = next(n for n, step in enumerate(JOURNAL.steps) if "CREATE TABLE whynot" in step)
    older = Schema(JOURNAL.name, JOURNAL.application_id, JOURNAL.steps[:place])
    states = {"A": "pending", "B": "rejected", "C": "expired", "D": "gated_out", "E": "filled", "F": None}
    with monkeypatch.context() as patch:
        patch.setattr("storage.journal.JOURNAL", older)
        with open_journal(path, "paper", AccountKind.PAPER) as journal:
            for number, (name, state) in enumerate(states.items(), 1):
                rows = [judged(name, instrument=f"{name}.US")[1]]
                if state is not None:
                    ticket = {
                        "id": name,
                        "correlation": name,
                        "state": state,
                        "number": number,
                        "reason": "r",
                    }
                    rows.append(JournalRow("ticket", ticket))
                told = [AuditEntry(number, "gaps", "candidate", name, {"reason": "ADV 1M < 5M"})]
                journal.commit(rows, [*told, AuditEntry(9, "engine", "pending", name, {})])
    with open_journal(path, "paper", AccountKind.PAPER):
        pass
    with read_whynot(path) as reader:
        found = {row.correlation: row for row in reader.of_session(MONDAY)}
        (tally,) = reader.tallies()
    assert [found[name].outcome.value for name in sorted(found)] == [
        "waiting",
        "rejected",
        "expired",
        "gated_out",
        "approved",
        "vetoed",
    ]
    assert (found["F"].reason, found["F"].instrument, found["F"].judged_us) == ("ADV 1M < 5M", "F.US", 6)
    assert (found["B"].reason, found["B"].number, found["B"].strategy) == ("r", 2, "gaps")
    assert (tally.judged, tally.residual) == (6, 0)
