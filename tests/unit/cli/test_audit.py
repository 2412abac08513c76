"""`tradedeck audit verify`: chain, anchored head, approvals and books of a state folder."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.model.approvals import Approval
from engine.model.ids import TicketId
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.journal import open_journal
from storage.keyfile import ApprovalKey, make_or_read_key

NAME = "journal-simulation-replay.db"
BODY = '{"id":"T"}'
SHA256 = hashlib.sha256(BODY.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "state"
    found.mkdir(mode=0o700)
    return found


@pytest.fixture
def key(folder: Path) -> ApprovalKey:
    return make_or_read_key(folder / "approval.key")


@pytest.fixture
def hashes(folder: Path, key: ApprovalKey) -> list[str]:
    """Three lines, the second of them an approval; the hash of each."""
    approval = Approval(TicketId("T"), SHA256, "n1", "ann on pts/1", 1000, 50, 8.37)
    signature = key.sign(approval.canonical())
    ticket = {
        "id": "T",
        "number": 18,
        "state": "submitted",
        "body": BODY,
        "sha256": SHA256,
        "approved_by": "ann on pts/1",
        "approved_us": 50,
        "approved_uid": 1000,
        "approved_px": "8.37",
        "approval_sig": signature,
    }
    rows = [
        JournalRow("meta", {"k": "initial_cash", "v": "10000"}),
        JournalRow("ticket", ticket),
        JournalRow("nonce", {"nonce": "n1", "ticket": "T", "used_us": 50}),
    ]
    audit = [
        AuditEntry(1, "engine", "started", "", {}),
        AuditEntry(50, "ann on pts/1", "approved", "C", {"ticket": "T", "signature": signature}),
        AuditEntry(60, "engine", "stopped", "", {}),
    ]
    with open_journal(folder / NAME, "replay", AccountKind.SIMULATION) as journal:
        journal.commit(rows, audit)
        return [str(line["h"]) for line in journal.audit()]


@pytest.fixture
def verify(deck: Any, folder: Path) -> Callable[..., Any]:
    return lambda *arguments: deck("audit", "verify", *arguments, "--state", str(folder))


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for sql in statements:
            connection.execute(sql)


def test_a_whole_journal_says_what_was_proved(verify: Any, hashes: list[str]) -> None:
    ended = verify()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{NAME}: 3 rows, chain whole, head 3:{hashes[-1]}",
        f"{NAME}: approvals 1, signatures right 1",
        f"{NAME}: books follow from the fills: cash 10,000.00, realised 0.00, fees 0.00",
    ]
    document = json.loads(verify("--json").out)[NAME]
    assert (document["ok"], document["rows"], document["head"]) == (True, 3, hashes[-1])
    assert (document["cash"], document["approvals"]["checked"]) == ("10000", 1)


def test_the_first_broken_row_is_named_and_nothing_behind_it_is_believed(
    verify: Any, hashes: list[str], folder: Path
) -> None:
    change(folder, "UPDATE audit SET actor = 'bob' WHERE seq = 2")
    ended = verify()
    assert ended.code == 65
    assert ended.out == ""
    assert "audit row 2 does not fit the chain. 1 rows before it are whole" in ended.err
    assert "Keep the file, and restore a backup" in ended.err
    document = json.loads(verify("--json").out)[NAME]
    assert (document["ok"], document["first_broken_seq"], document["approvals"]) == (False, 2, None)


def test_a_log_that_was_cut_short_is_told_by_its_anchored_head(
    verify: Any, hashes: list[str], folder: Path
) -> None:
    for seq, digest in enumerate(hashes, 1):
        assert verify("--head", f"{seq}:{digest}").code == 0
    assert verify("--head", f"3:{hashes[2][:8].upper()}").code == 0
    change(folder, "DELETE FROM audit WHERE seq = 3")
    assert verify().code == 0
    ended = verify("--head", f"3:{hashes[2]}")
    assert ended.code == 65
    assert "the audit log was cut short: row 3 was anchored, it ends at row 2" in ended.err


def test_a_log_that_was_written_anew_is_told_by_its_anchored_head(verify: Any, hashes: list[str]) -> None:
    ended = verify("--head", f"2:{'0' * 64}")
    assert ended.code == 65
    assert "audit row 2 is not the one that was anchored" in ended.err


def test_an_empty_log_has_a_head_too(verify: Any, hashes: list[str]) -> None:
    assert verify("--head", f"0:{'0' * 64}").code == 0


def test_behind_a_broken_row_an_anchor_says_nothing_more(
    verify: Any, hashes: list[str], folder: Path
) -> None:
    change(folder, "UPDATE audit SET actor = 'bob' WHERE seq = 2")
    ended = verify("--head", f"3:{hashes[2]}")
    assert ended.err.count(NAME) == 1


def test_with_several_accounts_one_must_hold_the_anchored_head(
    verify: Any, hashes: list[str], folder: Path
) -> None:
    with open_journal(folder / "journal-paper-other.db", "other", AccountKind.PAPER) as journal:
        journal.commit([], [AuditEntry(1, "engine", "started", "", {})])
    assert verify("--head", f"3:{hashes[2]}").code == 0
    assert verify("--head", f"9:{hashes[2]}").code == 65


@pytest.mark.parametrize("head", ["", "3", "x:ab", "3:short", "3:" + "g" * 64, "-1:" + "a" * 64])
def test_a_head_that_is_none_is_refused(verify: Any, hashes: list[str], head: str) -> None:
    ended = verify("--head", head)
    assert ended.code == 2
    assert "is not SEQ:HASH" in ended.err


def test_a_changed_approval_is_named(verify: Any, hashes: list[str], folder: Path) -> None:
    change(folder, "UPDATE ticket SET approved_by = 'bob on pts/2'")
    ended = verify()
    assert ended.code == 65
    assert f"{NAME}: T-18: its approval was changed, the signature does not fit" in ended.err


def test_an_approval_without_its_key_is_not_taken_for_checked(
    verify: Any, hashes: list[str], folder: Path
) -> None:
    (folder / "approval.key").unlink()
    ended = verify()
    assert ended.code == 65
    assert "1 approvals were signed with a key that is not here: not checked" in ended.err


def test_a_fill_that_the_log_does_not_tell_is_named(verify: Any, hashes: list[str], folder: Path) -> None:
    change(folder, "INSERT INTO fill VALUES ('US', 'X1', 'td', 'C', 'ABC.US', 'buy', '1', '1', '0', 1)")
    ended = verify()
    assert ended.code == 65
    assert "fill X1 is not in the audit log" in ended.err
