"""Reads why candidates were not traded, beside the daemon that may own the journal."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import StorageError
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.whynot import Outcome, WhyNot
from storage.database import open_for_reading, storage_errors
from storage.journal_schema import JOURNAL

_COLUMNS = (
    "correlation, strategy, instrument, session, judged_us, outcome, who, reason, value, bound, margin,"
    " number, decided_us"
)
_DAY = "substr(key, instr(key, '|') + 1, 10)"
"""Of a decision instant, `strategy|YYYY-MM-DD|instrument`."""
_JUDGED = f"SELECT {_DAY} AS day, count(*) FROM proposal_seen WHERE ?1 = '' OR day = ?1 GROUP BY day"  # noqa: S608
_ENDED = (
    "SELECT session, outcome, count(*) FROM whynot WHERE ?1 = '' OR session = ?1 GROUP BY session, outcome"
)
_UNMATCHED = (
    f"SELECT day, count(*) FROM (SELECT {_DAY} AS day FROM proposal_seen"  # noqa: S608
    " WHERE correlation NOT IN (SELECT correlation FROM whynot)"
    " UNION ALL SELECT session FROM whynot WHERE correlation NOT IN (SELECT correlation FROM proposal_seen))"
    " WHERE ?1 = '' OR day = ?1 GROUP BY day"
)
_CONTRADICTED = (
    "SELECT w.session, count(*) FROM ticket AS t JOIN whynot AS w USING (correlation)"
    " WHERE (?1 = '' OR w.session = ?1) AND t.state <> 'superseded'"
    " AND w.outcome <> CASE t.state WHEN 'pending' THEN 'waiting'"
    " WHEN 'rejected' THEN 'rejected' WHEN 'expired' THEN 'expired' WHEN 'gated_out' THEN 'gated_out'"
    " ELSE 'approved' END GROUP BY w.session"
)


@dataclass(frozen=True, slots=True)
class SessionTally:
    """How the candidates of one session ended. `judged` is counted where instants are marked as handled."""

    session: date
    judged: int
    outcomes: Mapping[Outcome, int]
    unmatched: int
    """Candidates without an end, and ends without a candidate."""
    contradicted: int
    """Ends whose ticket stands elsewhere than they say."""

    @property
    def residual(self) -> int:
        """What the count leaves open; 0 when it closes."""
        return self.unmatched + self.contradicted


class WhyNotReader:
    """Answers from the table `whynot`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def of_symbol(self, symbol: str, session: date | None = None) -> tuple[WhyNot, ...]:
        """Every judged candidate of a symbol, or of a whole instrument id, newest first."""
        # An instrument is `symbol.venue`: the symbols themselves may hold dots, venues may not.
        where = "(instrument = ?1 OR (instrument >= ?1 || '.' AND instrument < ?1 || '/'))"
        values = [symbol]
        if session is not None:
            where += " AND session = ?2"
            values.append(session.isoformat())
        found = self._read(where, tuple(values))
        return tuple(row for row in found if symbol in (row.instrument, row.instrument.rpartition(".")[0]))

    def of_session(self, session: date) -> tuple[WhyNot, ...]:
        """Every judged candidate of a session, newest decision first."""
        return self._read("session = ?", (session.isoformat(),))

    def last_session(self) -> date | None:
        """The newest session with a candidate; None before the first."""
        with storage_errors(self._path, "reading why candidates were not traded"):
            found = self._connection.execute("SELECT max(session) FROM whynot").fetchone()[0]
        return None if found is None else date.fromisoformat(found)

    def tallies(self, session: date | None = None) -> tuple[SessionTally, ...]:
        """The count of each session, or of one, oldest first; empty where nothing was judged."""
        only = "" if session is None else session.isoformat()
        with storage_errors(self._path, "counting how candidates ended"):
            judged, ended, unmatched, against = (
                self._connection.execute(sql, (only,)).fetchall()
                for sql in (_JUDGED, _ENDED, _UNMATCHED, _CONTRADICTED)
            )
        seen, lone, wrong = dict(judged), dict(unmatched), dict(against)
        outcomes: dict[str, dict[Outcome, int]] = {day: {} for day in seen}
        for day, outcome, count in ended:
            outcomes.setdefault(day, {})[_outcome(outcome)] = count
        return tuple(
            SessionTally(
                date.fromisoformat(day), seen.get(day, 0), outcomes[day], lone.get(day, 0), wrong.get(day, 0)
            )
            for day in sorted(outcomes)
        )

    def _read(self, where: str, values: tuple[str, ...]) -> tuple[WhyNot, ...]:
        sql = f"SELECT {_COLUMNS} FROM whynot WHERE {where} ORDER BY session DESC, judged_us DESC, instrument"  # noqa: S608 - the texts above
        with storage_errors(self._path, "reading why candidates were not traded"):
            return tuple(_whynot(row) for row in self._connection.execute(sql, values))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_whynot(path: Path) -> WhyNotReader:
    """Open the journal at `path` for these questions. Raises StorageError."""
    return WhyNotReader(open_for_reading(path, JOURNAL), path)


def _whynot(row: tuple[str | int | None, ...]) -> WhyNot:
    correlation, strategy, instrument, session, judged, outcome, who, *words, number, decided = row
    reason, value, limit, margin = (str(word or "") for word in words)
    return WhyNot(
        CorrelationId(str(correlation)),
        StrategyName(str(strategy)),
        InstrumentId(str(instrument)),
        date.fromisoformat(str(session)),
        judged if isinstance(judged, int) else None,
        _outcome(outcome),
        str(who or ""),
        reason,
        value,
        limit,
        margin,
        number if isinstance(number, int) else None,
        decided if isinstance(decided, int) else None,
    )


def _outcome(word: object) -> Outcome:
    try:
        return Outcome(str(word))
    except ValueError as error:
        raise StorageError(f"a candidate ended as {word!r}, which is no end", "Restore a backup") from error
