"""What every journal promises (engine.ports.Journal)."""

import hashlib
import json

import pytest

from engine.errors import InvariantBroken
from engine.ports import AuditEntry, Journal, JournalRow

AUDIT_ROW = {
    "seq": 9,
    "ts_us": 1,
    "actor": "me",
    "kind": "x",
    "correlation": "",
    "body": "{}",
    "prev": "",
    "h": "",
}


def ticket(identifier: str, **values: str | int | None) -> JournalRow:
    return JournalRow("ticket", {"id": identifier, **values})


def test_row_is_read_back_with_every_value(journal: Journal) -> None:
    journal.commit([ticket("A", number=7, state="pending", created_us=2**52, reason=None)], [])
    (row,) = journal.rows("ticket")
    assert (row["id"], row["number"], row["state"], row["created_us"]) == ("A", 7, "pending", 2**52)
    assert row.get("reason") is None


def test_second_row_of_a_key_changes_only_the_columns_it_names(journal: Journal) -> None:
    journal.commit([ticket("A", number=7, state="pending")], [])
    journal.commit([ticket("A", state="approved")], [])
    (row,) = journal.rows("ticket")
    assert (row["number"], row["state"]) == (7, "approved")


def test_row_of_nothing_but_its_key_is_kept_and_may_come_again(journal: Journal) -> None:
    seen = JournalRow("proposal_seen", {"key": "gaps|2016-01-04|ABC.US"})
    journal.commit([seen], [])
    journal.commit([seen, seen], [])
    assert [row["key"] for row in journal.rows("proposal_seen")] == ["gaps|2016-01-04|ABC.US"]


def test_rows_come_in_key_order(journal: Journal) -> None:
    journal.commit([ticket("C"), ticket("A"), ticket("B")], [])
    assert [row["id"] for row in journal.rows("ticket")] == ["A", "B", "C"]


def test_rows_with_a_text_in_a_column(journal: Journal) -> None:
    fills = [("1", "A", "5"), ("2", "B", "7"), ("3", "A", "7")]
    rows = [
        JournalRow("fill", {"venue": "US", "exec_id": n, "cid": cid, "qty": qty}) for n, cid, qty in fills
    ]
    journal.commit(rows, [])
    assert [row["exec_id"] for row in journal.rows("fill", cid="A")] == ["1", "3"]
    assert [row["exec_id"] for row in journal.rows("fill", cid="A", qty="7")] == ["3"]
    assert not journal.rows("fill", cid="' OR 1=1 --")


def test_key_of_two_columns_tells_rows_apart(journal: Journal) -> None:
    for venue, exec_id, quantity in (("US", "1", "5"), ("US", "2", "7"), ("XX", "1", "9"), ("US", "1", "6")):
        journal.commit([JournalRow("fill", {"venue": venue, "exec_id": exec_id, "qty": quantity})], [])
    assert [(row["venue"], row["exec_id"], row["qty"]) for row in journal.rows("fill")] == [
        ("US", "1", "6"),
        ("US", "2", "7"),
        ("XX", "1", "9"),
    ]


def test_bracket_may_come_before_its_ticket_in_one_commit(journal: Journal) -> None:
    journal.commit([JournalRow("bracket", {"id": "A", "phase": "entering"}), ticket("A")], [])
    assert [row["phase"] for row in journal.rows("bracket")] == ["entering"]


def test_audit_lines_are_numbered_from_one_and_filtered_by_correlation(journal: Journal) -> None:
    journal.commit(
        [], [AuditEntry(1, "engine", "started", "", {}), AuditEntry(2, "engine", "order", "X", {})]
    )
    journal.commit([], [AuditEntry(3, "me", "approve", "X", {"px": "8.37"})])
    assert [row["seq"] for row in journal.audit()] == [1, 2, 3]
    assert [(row["seq"], row["kind"], row["body"]) for row in journal.audit("X")] == [
        (2, "order", "{}"),
        (3, "approve", '{"px":"8.37"}'),
    ]


def test_audit_hash_is_made_as_the_specification_says(journal: Journal) -> None:
    entries = [
        AuditEntry(
            5, "me on tty1", "approve", "01X", {"z": 1.5, "a": ["é", None, True], "n": {"y": 1, "x": 2}}
        ),
        AuditEntry(6, 'q"uote\\', "fill", "", {}),
    ]
    journal.commit([], entries)
    previous = "0" * 64
    for seq, (entry, row) in enumerate(zip(entries, journal.audit(), strict=True), 1):
        document = {
            "seq": seq,
            "ts": entry.ts,
            "actor": entry.actor,
            "kind": entry.kind,
            "correlation": entry.correlation,
            "body": entry.body,
        }
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        expected = hashlib.sha256((previous + text).encode()).hexdigest()
        assert (row["prev"], row["h"]) == (previous, expected)
        previous = expected


def test_value_never_set_in_meta_is_none(journal: Journal) -> None:
    assert journal.meta("market_us") is None
    journal.commit([JournalRow("meta", {"k": "market_us", "v": "17"})], [])
    assert journal.meta("market_us") == "17"


@pytest.mark.parametrize(
    ("rows", "audit"),
    [
        ([JournalRow("no_such_table", {"id": "A"})], []),
        ([JournalRow("ticket", {"state": "pending"})], []),
        ([JournalRow("audit", AUDIT_ROW)], []),
        ([], [AuditEntry(1, "me", "approve", "", {"px": float("nan")})]),
        ([], [AuditEntry(1, "me", "approve", "", {"px": {1, 2}})]),
    ],
    ids=["unknown table", "no key", "audit as a row", "NaN in a body", "a set in a body"],
)
def test_commit_that_breaks_a_rule_writes_nothing(
    journal: Journal, rows: list[JournalRow], audit: list[AuditEntry]
) -> None:
    good = AuditEntry(1, "me", "approve", "", {})
    with pytest.raises(InvariantBroken):
        journal.commit([ticket("A"), *rows], [good, *audit])
    assert (len(journal.rows("ticket")), len(journal.audit())) == (0, 0)


def test_unknown_table_cannot_be_read(journal: Journal) -> None:
    with pytest.raises(InvariantBroken, match="no_such_table"):
        journal.rows("no_such_table")
