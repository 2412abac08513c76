"""Databases that are missing, damaged, foreign, newer, held by another or not ours to read."""

import os
import random
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import ConfigError, StorageError
from engine.model.ids import InstrumentId
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, BarColumns, JournalRow
from storage.bars import open_bars, read_bars
from storage.journal import open_journal, read_journal, verify_audit
from storage.memory import open_memory
from storage.paper_book import open_paper_book

Open = Callable[[Path], object]


def write_journal(path: Path) -> None:
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        for n in range(60):
            rows = [JournalRow("ticket", {"id": f"T{n}", "body": "x" * 500})]
            journal.commit(rows, [AuditEntry(n, "engine", "ticket", "X", {"text": "y" * 400})])


def write_book(path: Path) -> None:
    with open_paper_book(path) as book:
        book.put({f"order:{n}": "x" * 500 for n in range(100)})


def write_memory(path: Path) -> None:
    with open_memory(path) as memory:
        for n in range(60):
            memory.record_action("X", n, "approve", "me", {"text": "y" * 400})


def write_bars(path: Path) -> None:
    open_bars(path).close()


KINDS: dict[str, tuple[Callable[[Path], None], Open, Open]] = {
    "journal": (write_journal, lambda path: open_journal(path, "paper", AccountKind.PAPER), read_journal),
    "paper book": (write_book, open_paper_book, open_paper_book),
    "memory": (write_memory, open_memory, lambda path: open_memory(path, read_only=True)),
    "bars": (write_bars, open_bars, read_bars),
}
EVERY_KIND = pytest.mark.parametrize("kind", list(KINDS))


def refusal_of(call: Open, path: Path) -> StorageError:
    with pytest.raises(StorageError) as refusal:
        call(path)
    assert str(path) in refusal.value.message
    assert "\n" not in str(refusal.value)
    assert refusal.value.hint
    assert refusal.value.exit_code == 65
    return refusal.value


@EVERY_KIND
def test_missing_file_is_made_by_the_writer_only(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    write, _, read = KINDS[kind]
    if kind != "paper book":
        refusal_of(read, path)
        assert list(tmp_path.iterdir()) == []
    write(path)
    assert path.stat().st_mode & 0o777 == 0o600


@EVERY_KIND
def test_folder_in_the_place_of_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    path.mkdir()
    for call in KINDS[kind][1:]:
        assert "it is a folder" in str(refusal_of(call, path))


@EVERY_KIND
def test_text_in_the_place_of_a_database(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    path.write_text("date,open,high,low,close\n" * 300)
    before = path.read_bytes()
    for call in KINDS[kind][1:]:
        assert "not a database" in str(refusal_of(call, path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["journal", "paper book", "bars"])
def test_database_of_another_program_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    for call in KINDS[kind][1:]:
        assert "not a tradedeck" in str(refusal_of(call, path))
    assert path.read_bytes() == before


def test_our_files_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    write_bars(tmp_path / "deck.db")
    assert "not a tradedeck order journal" in str(refusal_of(KINDS["journal"][1], tmp_path / "deck.db"))


@pytest.mark.parametrize("kind", ["journal", "paper book", "bars"])
def test_newer_schema_is_refused_untouched(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    KINDS[kind][0](path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for call in KINDS[kind][1:]:
        assert re.search(r"schema 99 .* knows \d+.*newer tradedeck", str(refusal_of(call, path)))
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["journal", "paper book", "memory"])
def test_file_cut_short_is_noticed_when_it_is_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    write, open_it, _ = KINDS[kind]
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "restore the last backup" in str(refusal_of(open_it, path))


@pytest.mark.parametrize("kind", ["journal", "paper book", "memory"])
def test_overwritten_page_is_noticed_when_it_is_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deck.db"
    write, open_it, _ = KINDS[kind]
    write(path)
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(content)
    assert "restore the last backup" in str(refusal_of(open_it, path))


def test_flipped_byte_of_an_audit_text_is_found_by_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "deck.db"
    write_journal(path)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"y" * 400) + 200] ^= 1
    path.write_bytes(content)
    verdict = verify_audit(path)
    assert not verdict.ok
    assert verdict.first_broken_seq is not None


def test_no_flipped_byte_leads_to_anything_but_our_own_errors(tmp_path: Path) -> None:
    path = tmp_path / "deck.db"
    write_journal(path)
    whole = path.read_bytes()
    chance = random.Random(7)
    refused = 0
    for position in [*range(0, 100, 7), *(chance.randrange(len(whole)) for _ in range(70))]:
        content = bytearray(whole)
        content[position] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            with open_journal(path, "paper", AccountKind.PAPER) as journal:
                assert journal.verify().ok
                for table in ("ticket", "ord", "audit"):
                    journal.rows(table)
            read_journal(path).close()
        except (StorageError, ConfigError):
            refused += 1
    assert refused >= 10


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("free", flush=True)
sys.stdin.read()
"""


def test_commit_against_a_lock_of_another_process_fails_whole_and_works_later(
    tmp_path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    path = tmp_path / "deck.db"
    with open_journal(path, "paper", AccountKind.PAPER, busy_timeout_s=0.05) as journal:
        holder = start_python(HOLD, str(path))
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        rows, audit = [JournalRow("halt", {"scope": "all"})], [AuditEntry(1, "me", "halt", "", {})]
        with pytest.raises(StorageError, match=r"locked.*Another program holds"):
            journal.commit(rows, audit)
        assert (journal.rows("halt"), journal.audit()) == ((), ())
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "free\n"
        journal.commit(rows, audit)
        assert len(journal.rows("halt")) == 1


def test_journal_is_read_while_another_process_writes_it(
    tmp_path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    path = tmp_path / "deck.db"
    write_journal(path)
    holder = start_python(HOLD, str(path))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert verify_audit(path).rows == 60


def test_full_disk_leaves_nothing_of_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "deck.db"
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StorageError, match="disk is full"):
            journal.commit(
                [JournalRow("ticket", {"id": "T", "body": "x" * 100_000})], [AuditEntry(1, "me", "x", "", {})]
            )
        assert (journal.rows("ticket"), journal.audit()) == ((), ())
        journal._connection.execute("PRAGMA max_page_count = 1000000")
        journal.commit([JournalRow("ticket", {"id": "T"})], [])
        assert len(journal.rows("ticket")) == 1


def let_others_through(folder: Path) -> None:
    """Open the test run's own folders above `folder` for passing: how many there are is up to the runner."""
    for above in (folder, *folder.parents):
        if "pytest-of-" in str(above) and above.stat().st_uid == os.geteuid():
            above.chmod(0o711)


AS_NOBODY = """
import os, sys, urllib.parse  # the interpreter's own files may be closed to others
from pathlib import Path
from engine.errors import StorageError
from engine.model.positions import AccountKind
from storage.journal import open_journal, read_journal
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for call in (lambda path: open_journal(path, "paper", AccountKind.PAPER), read_journal):
    try:
        call(Path(sys.argv[1]))
    except StorageError as error:
        print(error)
"""


def test_file_we_may_not_read_is_said_in_one_line(
    tmp_path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    path = tmp_path / "deck.db"
    write_journal(path)
    path.chmod(0o000)
    let_others_through(tmp_path)
    process = start_python(AS_NOBODY, str(path))
    lines = process.communicate()[0].splitlines()
    path.chmod(0o600)
    assert len(lines) == 2
    assert all("deck.db" in line and "permissions" in line for line in lines)


READ_ONLY = """
import os, sys, urllib.parse
from pathlib import Path
from storage.journal import verify_audit
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(verify_audit(path).rows)
"""


def test_copy_in_a_folder_we_may_not_write_can_be_verified(
    tmp_path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    path = tmp_path / "archive" / "deck.db"
    path.parent.mkdir()
    write_journal(path)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    let_others_through(tmp_path)
    output = start_python(READ_ONLY, str(path)).communicate()[0]
    path.parent.chmod(0o755)
    assert output == "60\n"


def test_reading_makes_no_folder_and_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "deck.db"
    write_journal(path)
    read_journal(path).close()
    assert {file.name for file in tmp_path.iterdir()} <= {"deck.db", "deck.db-wal", "deck.db-shm"}


def test_bars_are_read_while_others_are_imported(tmp_path: Path, bars: BarColumns) -> None:
    path = tmp_path / "bars.db"
    with open_bars(path) as writer, read_bars(path) as reader:
        assert reader.daily(InstrumentId("ABC.US")) is None
        writer.put_daily(bars, "a.csv")
        found = reader.daily(InstrumentId("ABC.US"))
        assert found is not None
        assert len(found) == len(bars)
