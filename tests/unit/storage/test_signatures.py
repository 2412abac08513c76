"""Every approval in a journal is one that was given: nothing of it can be changed, added or taken back."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.model.approvals import Approval
from engine.model.ids import TicketId
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.journal import SqliteJournal, open_journal
from storage.keyfile import ApprovalKey
from storage.signatures import verify_signatures

KEY, OTHER = ApprovalKey(b"k" * 32), ApprovalKey(b"l" * 32)
BODY = '{"id":"T"}'
SHA256 = hashlib.sha256(BODY.encode()).hexdigest()
Store = Callable[..., None]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with open_journal(tmp_path / "journal.db", "paper", AccountKind.PAPER) as found:
        yield found


@pytest.fixture
def store(journal: SqliteJournal) -> Store:
    """An approved ticket as the engine stores it; `changes` are of its row afterwards."""

    def keep(key: ApprovalKey | None = KEY, price: float | None = 8.37, **changes: str | int | None) -> None:
        approval = Approval(TicketId("T"), SHA256, "n1", "ann on pts/1", 1000, 50, price)
        signature = "" if key is None else key.sign(approval.canonical())
        row: dict[str, str | int | None] = {
            "id": "T",
            "number": 18,
            "state": "submitted",
            "body": BODY,
            "sha256": SHA256,
            "approved_by": "ann on pts/1",
            "approved_us": 50,
            "approved_uid": 1000,
            "approved_px": None if price is None else repr(price),
            "approval_sig": signature,
        }
        nonce = JournalRow("nonce", {"nonce": "n1", "ticket": "T", "used_us": 50})
        told = AuditEntry(50, "ann on pts/1", "approved", "C", {"ticket": "T", "signature": signature})
        journal.commit([JournalRow("ticket", row | changes), nonce], [told])

    return keep


def test_a_given_approval_is_right(journal: SqliteJournal, store: Store) -> None:
    store()
    verdict = verify_signatures(journal, KEY)
    assert (verdict.approvals, verdict.checked, verdict.ok) == (1, 1, True)


def test_a_policy_that_saw_no_price_signs_too(journal: SqliteJournal, store: Store) -> None:
    store(price=None)
    assert verify_signatures(journal, KEY).checked == 1


@pytest.mark.parametrize("key", [None, OTHER])
def test_without_its_key_nothing_is_said_of_an_approval(
    journal: SqliteJournal, store: Store, key: ApprovalKey | None
) -> None:
    store()
    verdict = verify_signatures(journal, key)
    assert (verdict.checked, verdict.other_key, verdict.ok) == (0, 1, True)
    assert verdict.has_key is (key is not None)


def test_an_approval_without_a_key_is_counted_as_unsigned(journal: SqliteJournal, store: Store) -> None:
    store(None)
    verdict = verify_signatures(journal, KEY)
    assert (verdict.unsigned, verdict.ok) == (1, True)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("approved_by", "bob on pts/1"),
        ("approved_us", 51),
        ("approved_uid", 0),
        ("approved_uid", None),
        ("approved_px", "8.38"),
        ("approved_px", None),
        ("approved_px", "nan"),
        ("approved_px", "cheap"),
    ],
)
def test_no_field_of_an_approval_can_be_changed(
    journal: SqliteJournal, store: Store, column: str, value: str | int | None
) -> None:
    store(**{column: value})
    verdict = verify_signatures(journal, KEY)
    assert verdict.forged == ("T-18: its approval was changed, the signature does not fit",)
    assert (verdict.checked, verdict.ok) == (0, False)


def test_another_text_is_found_also_with_its_own_hash(journal: SqliteJournal, store: Store) -> None:
    other = '{"id":"T","quantity":"90"}'
    store(body=other)
    assert "not the one that its hash" in verify_signatures(journal, KEY).forged[0]
    journal.commit(
        [JournalRow("ticket", {"id": "T", "sha256": hashlib.sha256(other.encode()).hexdigest()})], []
    )
    assert "does not fit" in verify_signatures(journal, KEY).forged[0]


@pytest.mark.parametrize("signature", ["", None, "0:0", OTHER.sign(b"x"), KEY.sign(b"x")])
def test_another_signature_is_not_the_one_that_was_told(
    journal: SqliteJournal, store: Store, signature: str | None
) -> None:
    store(approval_sig=signature)
    assert verify_signatures(journal, KEY).forged == ("T-18: its signature is not the one in the audit log",)


def test_a_ticket_that_was_sent_without_an_approval_is_named(journal: SqliteJournal) -> None:
    row = {"id": "T", "number": 18, "state": "filled", "body": BODY, "sha256": SHA256}
    journal.commit([JournalRow("ticket", row)], [])
    assert verify_signatures(journal, KEY).forged == ("T-18 is filled, and nobody approved it",)


@pytest.mark.parametrize("state", ["pending", "rejected", "expired", "gated_out", "new"])
def test_a_ticket_that_was_not_sent_needs_no_approval(journal: SqliteJournal, state: str) -> None:
    row = {"id": "T", "number": 0, "state": state, "body": BODY, "sha256": SHA256}
    journal.commit([JournalRow("ticket", row)], [])
    verdict = verify_signatures(journal, KEY)
    assert (verdict.approvals, verdict.ok) == (0, True)


def test_an_approval_without_a_used_nonce_is_named(journal: SqliteJournal, store: Store) -> None:
    store()
    row = {"id": "U", "number": 0, "state": "submitted", "body": BODY, "sha256": SHA256, "approved_us": 9}
    journal.commit([JournalRow("ticket", row)], [])
    assert verify_signatures(journal, KEY).forged == (
        "ticket U: its approval was never used up, it has no nonce",
    )
