"""The order journal as a file: its owner, its constraints, its chain."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import ConfigError, InvariantBroken, StorageError
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.audit import FIRST_PREVIOUS, chain
from storage.database import Schema
from storage.journal import SqliteJournal, open_journal, read_journal, verify_audit
from storage.journal_schema import JOURNAL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal-paper-paper.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with open_journal(path, "paper", AccountKind.PAPER) as opened:
        yield opened


def entry(kind: str = "order", correlation: str = "X", **body: object) -> AuditEntry:
    return AuditEntry(1_451_917_800_000_000, "engine", kind, correlation, body)


def order(
    cid: str, bracket: str, state: OrderState, role: OrderRole = OrderRole.ENTRY, n: int = 1
) -> JournalRow:
    return JournalRow(
        "ord", {"cid": cid, "bracket": bracket, "role": role.value, "n": n, "state": state.value}
    )


def tamper(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TRIGGER audit_no_update")
        other.execute("DROP TRIGGER audit_no_delete")
        other.execute(sql)


def test_column_that_does_not_exist_cannot_be_asked_for(journal: SqliteJournal) -> None:
    with pytest.raises(InvariantBroken, match="no column"):
        journal.rows("ord", **{"cid = '' OR 1=1 --": "x"})


def test_chain_is_that_of_the_oracle(market_data: Path) -> None:
    oracle = json.loads((market_data.parent / "oracles" / "oracles.json").read_text())
    (case,) = (case for case in oracle if (case["section"], case["id"]) == ("11", "audit_chain"))
    head = FIRST_PREVIOUS
    assert head == case["input"]["first_prev"]
    found = []
    for row in case["input"]["rows"]:
        head = chain(head, json.dumps(row, sort_keys=True, separators=(",", ":")))
        found.append(head)
    assert found == case["expected"]


def test_chain_of_the_worked_example() -> None:
    first = chain(FIRST_PREVIOUS, '{"id":1,"kind":"approve","px":"8.37"}')
    assert first == "a69987ed9aef9473bce20fd9f5c48d52471ca7c8de8f9da1afd1cb6e47051188"
    second = chain(first, '{"id":2,"kind":"fill","px":"8.38"}')
    assert second == "13d1787bffbaf9f5271fef56d6985b73c22bbf46de4755ca179f3e5826389d10"


def test_new_journal_knows_its_account_and_counts_its_openings(path: Path) -> None:
    with open_journal(path, "paper", AccountKind.PAPER, new_instance=lambda: "i1") as journal:
        assert (journal.epoch, journal.meta("instance_uuid"), journal.meta("kind")) == (1, "i1", "paper")
        assert (journal.meta("account_id"), journal.meta("schema_version")) == ("paper", str(JOURNAL.version))
    with open_journal(path, "paper", AccountKind.PAPER, new_instance=lambda: "i2") as journal:
        assert (journal.epoch, journal.meta("epoch"), journal.meta("instance_uuid")) == (2, "2", "i1")


def test_file_is_private_and_pays_for_durability(path: Path, journal: SqliteJournal, tmp_path: Path) -> None:
    journal.set_meta("a", "b")
    assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
        path.name: 0o600,
        f"{path.name}-wal": 0o600,
        f"{path.name}-shm": 0o600,
    }
    settings = {name: journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in
                ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")}  # fmt: skip
    assert settings == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1}


def test_simulation_does_not_wait_for_the_disk(path: Path) -> None:
    with open_journal(path, "sim", AccountKind.SIMULATION) as journal:
        assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 1


@pytest.mark.parametrize(
    ("account", "kind", "words"),
    [
        ("other", AccountKind.PAPER, "account 'paper', not 'other'"),
        ("paper", AccountKind.LIVE, "kind 'paper', not"),
    ],
)
def test_journal_of_another_account_is_refused_untouched(
    path: Path, account: str, kind: AccountKind, words: str
) -> None:
    open_journal(path, "paper", AccountKind.PAPER).close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=words) as refusal:
        open_journal(path, account, kind)
    assert refusal.value.exit_code == 78
    assert path.read_bytes() == before


def test_journal_cannot_change_hands_by_a_row(journal: SqliteJournal) -> None:
    for key in ("account_id", "kind", "epoch", "instance_uuid", "schema_version"):
        with pytest.raises(InvariantBroken, match=key):
            journal.set_meta(key, "x")


def test_process_that_lost_the_journal_to_another_writes_nothing(path: Path, journal: SqliteJournal) -> None:
    with open_journal(path, "paper", AccountKind.PAPER):
        with pytest.raises(InvariantBroken, match="took over"):
            journal.commit([JournalRow("halt", {"scope": "all"})], [entry()])
        assert journal.rows("halt") == ()


def test_second_live_entry_of_a_bracket_is_impossible(journal: SqliteJournal) -> None:
    journal.commit([order("A1", "A", OrderState.WORKING)], [])
    with pytest.raises(InvariantBroken, match=r"ord\.bracket"):
        journal.commit([order("A2", "A", OrderState.NEW, n=2)], [entry()])
    assert (len(journal.rows("ord")), len(journal.audit())) == (1, 0)


@pytest.mark.parametrize("state", list(OrderState))
def test_entry_is_live_in_exactly_the_states_that_are_not_terminal(
    journal: SqliteJournal, state: OrderState
) -> None:
    journal.commit([order("A1", "A", state), order("A0", "A", OrderState.NEW, OrderRole.STOP)], [])
    if state.is_terminal:
        journal.commit([order("A2", "A", OrderState.NEW, n=2)], [])
    else:
        with pytest.raises(InvariantBroken):
            journal.commit([order("A2", "A", OrderState.NEW, n=2)], [])


def test_role_and_number_of_an_order_are_used_once(journal: SqliteJournal) -> None:
    journal.commit([order("S1", "A", OrderState.CANCELED, OrderRole.STOP)], [])
    with pytest.raises(InvariantBroken, match="UNIQUE"):
        journal.commit([order("S2", "A", OrderState.NEW, OrderRole.STOP)], [])


def test_bracket_without_a_ticket_is_refused(journal: SqliteJournal) -> None:
    with pytest.raises(InvariantBroken, match="FOREIGN KEY"):
        journal.commit([JournalRow("bracket", {"id": "A"})], [entry()])
    assert (journal.rows("bracket"), journal.audit()) == ((), ())


@pytest.mark.parametrize(
    "values",
    [
        {"scope": "all", "why'; DROP TABLE halt; --": "x"},
        {"scope": "all", "Why ": "x"},
        {"scope": "all", "since_us": "soon"},
        {"scope": "all", "since_us": 2**63},
        {"scope": "all", "why": "\ud800"},
    ],
    ids=["injection", "misspelt", "text for a number", "beyond 64 bits", "lone surrogate"],
)
def test_column_or_value_outside_the_schema_is_refused(
    journal: SqliteJournal, values: dict[str, str | int | None]
) -> None:
    with pytest.raises(InvariantBroken):
        journal.commit([JournalRow("halt", values)], [entry()])
    assert (journal.rows("halt"), journal.audit()) == ((), ())
    journal.commit([JournalRow("halt", {"scope": "all"})], [entry()])


@pytest.mark.parametrize("sql", ["UPDATE audit SET body = '{}'", "DELETE FROM audit"])
def test_audit_lines_can_neither_be_changed_nor_deleted(path: Path, journal: SqliteJournal, sql: str) -> None:
    journal.commit([], [entry(px="8.37")])
    with closing(sqlite3.connect(path)) as other, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(sql)


def test_head_of_the_chain_goes_on_after_a_restart(path: Path) -> None:
    for n in range(3):
        with open_journal(path, "paper", AccountKind.PAPER) as journal:
            journal.commit([], [entry(n=n), entry("fill", n=n)])
    verdict = verify_audit(path)
    assert (verdict.rows, verdict.ok, verdict.first_broken_seq) == (6, True, None)
    with read_journal(path) as reader:
        assert verdict.head == reader.audit()[-1]["h"]


def test_empty_log_is_whole(journal: SqliteJournal) -> None:
    assert journal.verify().ok
    assert journal.verify().head == FIRST_PREVIOUS


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        ('UPDATE audit SET body = \'{"px": "8.37"}\' WHERE seq = 3', 3),
        ("UPDATE audit SET body = replace(body, '7', '8') WHERE seq = 3", 3),
        ("UPDATE audit SET body = CAST(X'7BFF7D' AS TEXT) WHERE seq = 3", 3),
        ("UPDATE audit SET ts_us = ts_us + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET actor = 'engina' WHERE seq = 3", 3),
        ("UPDATE audit SET kind = 'fill' WHERE seq = 3", 3),
        ("UPDATE audit SET correlation = 'Y' WHERE seq = 3", 3),
        ("UPDATE audit SET h = upper(h) WHERE seq = 3", 3),
        ("UPDATE audit SET prev = replace(prev, 'a', 'b') WHERE seq = 3", 3),
        ("UPDATE audit SET seq = 9 WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
    ],
)
def test_change_of_any_part_of_a_row_is_found_at_its_place(path: Path, sql: str, broken: int) -> None:
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        journal.commit([], [entry(px="8.37", n=n) for n in range(5)])
    tamper(path, sql)
    verdict = verify_audit(path)
    assert (verdict.ok, verdict.first_broken_seq, verdict.rows) == (False, broken, broken - 1)


def test_changed_journal_is_not_opened_for_trading(path: Path) -> None:
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        for _ in range(3):
            journal.commit((), [entry()])
    tamper(path, "UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    with pytest.raises(StorageError, match="audit row 2 does not fit the chain"):
        open_journal(path, "paper", AccountKind.PAPER)
    with read_journal(path) as journal:
        assert journal.meta("epoch") == "1"


def test_newest_rows_can_be_checked_alone(path: Path) -> None:
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        journal.commit([], [entry(n=n) for n in range(5)])
        assert (journal.verify(3).rows, journal.verify(3).ok) == (3, True)
        assert (journal.verify(9).rows, journal.verify(9).head) == (5, journal.audit()[-1]["h"])
    tamper(path, "UPDATE audit SET kind = 'fill' WHERE seq = 2")
    with read_journal(path) as reader:
        assert reader.verify(3).ok
        assert reader.verify(4).first_broken_seq == 2


def test_trace_gives_every_row_of_one_candidate_by_time(journal: SqliteJournal) -> None:
    rows = [
        JournalRow("ticket", {"id": "T1", "correlation": "X", "created_us": 10, "state": "pending"}),
        JournalRow("ticket", {"id": "T2", "correlation": "Y", "created_us": 11, "state": "pending"}),
        JournalRow("ord", {"cid": "tdT1E01", "bracket": "T1", "correlation": "X", "first_send_us": 30}),
        JournalRow("proposal_seen", {"key": "gaps|d|ABC.US", "correlation": "X"}),
    ]
    audit = [
        AuditEntry(10, "engine", "proposed", "X", {}),
        AuditEntry(20, "me", "approve", "X", {}),
        AuditEntry(20, "me", "approve", "Y", {}),
    ]
    journal.commit(rows, audit)
    expected = [(None, "proposal_seen"), (10, "ticket"), (10, "audit"), (20, "audit"), (30, "ord")]
    for identifier in ("X", "T1", "tdT1E01"):
        assert [(line.ts, line.table) for line in journal.trace(identifier)] == expected
    assert journal.trace("nobody") == ()


def test_price_is_kept_as_the_text_of_its_decimal(journal: SqliteJournal) -> None:
    price = Decimal("8.3700")
    journal.commit([JournalRow("fill", {"venue": "US", "exec_id": "1", "px": format(price, "f")})], [])
    assert str(Decimal(str(journal.rows("fill")[0]["px"]))) == "8.3700"


def test_schema_grows_by_steps_and_keeps_what_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        journal.commit([JournalRow("halt", {"scope": "all"})], [])
    newer = Schema(
        JOURNAL.name, JOURNAL.application_id, (*JOURNAL.steps, "ALTER TABLE halt ADD COLUMN note TEXT;")
    )
    monkeypatch.setattr("storage.journal.JOURNAL", newer)
    with pytest.raises(StorageError, match=f"schema {JOURNAL.version} of the .*reads {JOURNAL.version + 1}"):
        read_journal(path)
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        assert journal.rows("halt")[0]["note"] is None
        assert journal.meta("schema_version") == str(JOURNAL.version + 1)


def test_the_log_is_read_page_by_page_from_its_newest_line(journal: SqliteJournal) -> None:
    journal.commit([], [entry(n=n) for n in range(5)])
    assert [line["seq"] for line in journal.audit_page(None, 2)] == [5, 4]
    assert [line["seq"] for line in journal.audit_page(4, 2)] == [3, 2]
    assert [line["seq"] for line in journal.audit_page(2, 9)] == [1]
    assert journal.audit_page(1, 9) == ()
    assert journal.audit_page(None, 9) == journal.audit()[::-1]


def test_how_long_commits_take_is_measured_and_refused_ones_are_counted(journal: SqliteJournal) -> None:
    before = journal.writes.count
    journal.commit([], [entry(n=1)])
    assert (journal.writes.count, journal.writes.failures) == (before + 1, 0)
    with pytest.raises(InvariantBroken):
        journal.commit([JournalRow("ticket", {"id": "T1", "number": "no"})], [])
    assert (journal.writes.count, journal.writes.failures) == (before + 2, 1)
    assert journal.writes.quantile(0.95) is not None
