"""The hash chain of the audit log (SPEC 11.9): a hash covers the one before it and the bytes of its row."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import InvariantBroken
from engine.model.tickets import to_plain

FIRST_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Result of checking a chain: `first_broken_seq` is None when `ok`; `head` is the last good hash."""

    rows: int
    ok: bool
    first_broken_seq: int | None
    head: str


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces, ASCII only, so that any tool can compute the same hash.

    Raises InvariantBroken for a value that JSON cannot hold, NaN and infinities included.
    """
    try:
        return _ENCODER.encode(to_plain(value))
    except (TypeError, ValueError) as error:
        raise InvariantBroken(f"an audit body cannot be written as JSON: {error}") from error


def chain(previous: str, text: str) -> str:
    """Hexadecimal hash of a row: SHA-256 of the previous hash in hexadecimal and the row's canonical JSON."""
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


def row_text(seq: int, ts: int, actor: str, kind: str, correlation: str, body: str) -> str:
    """Canonical JSON of {actor, body, correlation, kind, seq, ts}; `body` is canonical JSON already.

    The stored body goes in byte for byte: a changed byte that reads as the same JSON still breaks the chain.
    """
    text = _ENCODER.encode
    return (
        f'{{"actor":{text(actor)},"body":{body},"correlation":{text(correlation)},'
        f'"kind":{text(kind)},"seq":{seq},"ts":{ts}}}'
    )


def verify_rows(connection: sqlite3.Connection, last: int | None = None) -> AuditVerdict:
    """Check the rows in order: all of them, or the newest `last` from the hash that precedes them."""
    start = 1
    if last is not None:
        newest = connection.execute("SELECT max(seq) FROM audit").fetchone()[0] or 0
        start = max(1, newest - last + 1)
    before = connection.execute("SELECT h FROM audit WHERE seq = ?", (start - 1,)).fetchone()
    head = FIRST_PREVIOUS if before is None else str(before[0])
    # Raw bytes: a damaged row may hold anything, text that is not UTF-8 too.
    rows = connection.execute(
        "SELECT seq, ts_us, CAST(actor AS BLOB), CAST(kind AS BLOB), CAST(correlation AS BLOB),"
        " CAST(body AS BLOB), CAST(prev AS BLOB), CAST(h AS BLOB) FROM audit WHERE seq >= ? ORDER BY seq",
        (start,),
    )
    return _verify(rows, start, head)


def _verify(rows: Iterable[tuple[object, ...]], start: int, head: str) -> AuditVerdict:
    count = 0
    for seq, ts, *texts in rows:
        expected = start + count
        try:
            actor, kind, correlation, body, previous, stored = (_text(value) for value in texts)
        except ValueError:
            return AuditVerdict(count, False, expected, head)
        if seq != expected or not isinstance(ts, int) or previous != head:
            return AuditVerdict(count, False, expected, head)
        if chain(head, row_text(expected, ts, actor, kind, correlation, body)) != stored:
            return AuditVerdict(count, False, expected, head)
        head = stored
        count += 1
    return AuditVerdict(count, True, None, head)


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        raise ValueError(f"expected text, found {type(value).__name__}")
    return value.decode()
