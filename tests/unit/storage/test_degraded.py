"""What is protective survives a disk that takes nothing; nothing else does, until all of it is durable."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError, InvariantBroken, StorageError
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.degraded import LastingJournal, open_lasting_journal
from storage.journal import open_journal, read_journal, verify_audit
from storage.reserve import Reserve, reserve_path

SIZE = 64 * 1024


class Failing(sqlite3.Connection):
    """Every write fails with `error` while it is set."""

    error: tuple[int, str] | None = None

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        error = type(self).error
        if error is not None and sql.startswith("BEGIN"):
            raised = sqlite3.OperationalError(error[1])
            raised.sqlite_errorcode = error[0]
            raise raised
        return super().execute(sql, *values)


FULL = (sqlite3.SQLITE_FULL, "database or disk is full")
IOERR = (sqlite3.SQLITE_IOERR, "disk I/O error")
BUSY = (sqlite3.SQLITE_BUSY, "database is locked")


@pytest.fixture
def failing() -> Iterator[type[Failing]]:
    """The connection class; set its `error`."""
    yield Failing
    Failing.error = None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def reserve(path: Path) -> Reserve:
    return Reserve(reserve_path(path), size=SIZE, room=0)


@pytest.fixture
def journal(path: Path, failing: type[Failing]) -> Iterator[LastingJournal]:
    """Of a simulation: it holds no reserve."""
    with open_lasting_journal(path, "lasting", AccountKind.SIMULATION, factory=failing) as opened:
        yield opened


@pytest.fixture
def guarded(path: Path, failing: type[Failing], reserve: Reserve) -> Iterator[LastingJournal]:
    """Of a paper account: it holds a small reserve."""
    with open_lasting_journal(path, "lasting", AccountKind.PAPER, factory=failing, reserve=reserve) as opened:
        yield opened


def order(cid: str, **values: Any) -> JournalRow:
    return JournalRow("ord", {"cid": cid, **values})


def line(ts: int, kind: str = "fact", correlation: str = "C") -> AuditEntry:
    return AuditEntry(ts, "engine", kind, correlation, {"n": ts})


@pytest.mark.parametrize("error", [FULL, IOERR, BUSY])
def test_protective_commits_are_kept_in_order_and_written_through_when_the_disk_takes_them(
    error: tuple[int, str], journal: LastingJournal, failing: type[Failing], path: Path
) -> None:
    journal.commit([order("a", state="sending")], [line(1)])
    failing.error = error
    journal.commit([order("a", state="working")], [line(2)], True)
    journal.commit([order("b", state="sending")], [line(3), line(4)], True)
    journal.commit([order("a", state="filled")], [], protective=True)
    assert journal.kept == 3
    assert [row["state"] for row in journal.rows("ord", cid="a")] == ["filled"]
    assert [row["cid"] for row in journal.rows("ord", state="sending")] == ["b"]
    with read_journal(path) as file:
        assert [row["state"] for row in file.rows("ord")] == ["sending"]
    failing.error = None
    assert journal.mend() == ""
    assert journal.kept == 0
    with read_journal(path) as file:
        assert [(row["cid"], row["state"]) for row in file.rows("ord")] == [("a", "filled"), ("b", "sending")]
        assert [found["ts_us"] for found in file.audit()] == [1, 2, 3, 4]
    assert verify_audit(path).ok


def test_reads_are_what_they_will_be_once_everything_is_written(
    journal: LastingJournal, failing: type[Failing]
) -> None:
    journal.commit([order("b", state="sending", px="1"), JournalRow("meta", {"k": "m", "v": "1"})], [line(1)])
    failing.error = FULL
    journal.commit([order("a", n=0), order("b", state="working")], [line(2), line(3, correlation="D")], True)
    journal.commit(
        [JournalRow("meta", {"k": "m", "v": None}), JournalRow("meta", {"k": "x", "v": "2"})],
        [line(4)],
        True,
    )
    journal.commit(
        [
            JournalRow("fill", {"venue": "v", "exec_id": "2"}),
            JournalRow("fill", {"venue": "v", "exec_id": "10"}),
        ],
        [],
        True,
    )
    before = look(journal)
    assert before["meta"] == (None, "2", None)
    assert before["latest"] == 4
    assert [[row["seq"] for row in page] for page in before["pages"]] == [
        [4, 3],
        [4, 3, 2, 1],
        [2, 1],
        [3],
        [],
    ]
    failing.error = None
    assert journal.mend() == ""
    assert look(journal) == before
    assert [row["cid"] for row in journal.rows("ord")] == ["a", "b"]
    assert journal.rows("ord")[0]["cum"] == "0"


def look(journal: LastingJournal) -> dict[str, Any]:
    return {
        "rows": {name: journal.rows(name) for name in ("ord", "fill", "meta", "ticket")},
        "audit": (journal.audit(), journal.audit("C"), journal.audit("D")),
        "pages": [journal.audit_page(*page) for page in ((None, 2), (None, 9), (3, 9), (4, 1), (1, 9))],
        "meta": (journal.meta("m"), journal.meta("x"), journal.meta("none")),
        "latest": journal.latest_us(),
    }


def test_nothing_new_is_taken_until_what_was_kept_is_durable(
    journal: LastingJournal, failing: type[Failing], path: Path
) -> None:
    failing.error = IOERR
    journal.commit([order("a")], [line(1)], protective=True)
    with pytest.raises(
        StorageError, match=r"takes nothing new: 1 changes are only in memory: .*disk I/O error"
    ):
        journal.commit([order("entry")], [line(2)])
    assert [row["cid"] for row in journal.rows("ord")] == ["a"]
    failing.error = None
    journal.commit([order("entry")], [line(3)])
    with read_journal(path) as file:
        assert [found["ts_us"] for found in file.audit()] == [1, 3]


def test_what_is_not_protective_is_refused_by_a_full_disk_and_never_kept(
    guarded: LastingJournal, failing: type[Failing], reserve: Reserve
) -> None:
    failing.error = FULL
    with pytest.raises(StorageError, match="disk is full"):
        guarded.commit([order("entry")], [line(1)])
    assert guarded.kept == 0
    assert reserve.is_whole, "entries do not spend what is kept for exits"


def test_a_broken_rule_is_raised_at_once_also_behind_others(
    journal: LastingJournal, failing: type[Failing]
) -> None:
    failing.error = FULL
    journal.commit([order("a")], [line(1)], True)
    with pytest.raises(InvariantBroken, match="no column"):
        journal.commit([order("b", nonsense=1)], [], True)
    with pytest.raises(InvariantBroken, match="JSON"):
        journal.commit([], [AuditEntry(1, "engine", "fact", "", {"x": float("nan")})], True)
    assert journal.kept == 1


def test_a_journal_that_another_process_took_over_keeps_nothing(
    path: Path, journal: LastingJournal, failing: type[Failing]
) -> None:
    open_journal(path, "lasting", AccountKind.SIMULATION).close()
    with pytest.raises(InvariantBroken, match="took over"):
        journal.commit([order("a")], [], True)
    assert journal.kept == 0


def test_each_trouble_is_told_once_and_again_when_it_comes_back(
    journal: LastingJournal, failing: type[Failing]
) -> None:
    told: list[str] = []
    journal.watch(told.append)
    for _ in range(2):
        failing.error = IOERR
        for n in range(3):
            journal.commit([order(f"o{n}")], [], True)
            assert journal.mend() == journal.trouble != ""
        failing.error = None
        assert journal.mend() == journal.trouble == ""
    assert len(told) == 4
    assert told[0].startswith("1 changes are only in memory: writing the order journal")
    assert told[1] == told[3] == ""


def test_locks_are_waited_for_only_shortly_while_commits_are_in_memory(path: Path) -> None:
    with (
        open_lasting_journal(path, "lasting", AccountKind.SIMULATION, busy_timeout_s=0.2) as journal,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        patience = "PRAGMA busy_timeout"
        other.execute("BEGIN IMMEDIATE")
        journal.commit([order("a")], [line(1)], True)
        assert journal._connection.execute(patience).fetchone()[0] == 50
        journal.commit([order("b")], [line(2)], True)
        assert journal.kept == 2
        assert "locked" in journal.trouble
        other.execute("ROLLBACK")
        assert journal.mend() == ""
        assert journal._connection.execute(patience).fetchone()[0] == 200
        assert verify_audit(path).rows == 2


HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
print("free", flush=True)
"""


@pytest.mark.parametrize(("held_s", "patience_s", "kept"), [(0.2, 30.0, 0), (30.0, 0.2, 1)])
def test_a_lock_of_another_process_is_waited_for_as_long_as_was_agreed(
    held_s: float,
    patience_s: float,
    kept: int,
    path: Path,
    start_python: Callable[..., "subprocess.Popen[str]"],
) -> None:
    with open_lasting_journal(path, "lasting", AccountKind.SIMULATION, busy_timeout_s=patience_s) as journal:
        holder = start_python(HOLD, str(path), str(held_s))
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        journal.commit([order("a")], [line(1)], True)
        assert journal.kept == kept
        holder.kill()
        holder.wait()
        assert journal.mend() == ""
        assert [row["cid"] for row in journal.rows("ord")] == ["a"]


def test_what_is_kept_at_the_end_is_tried_once_more(
    path: Path, journal: LastingJournal, failing: type[Failing]
) -> None:
    failing.error = FULL
    journal.commit([order("a")], [line(1)], True)
    failing.error = None
    journal.close()
    with read_journal(path) as file:
        assert [row["cid"] for row in file.rows("ord")] == ["a"]


def limit_pages(journal: LastingJournal, more: int) -> None:
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count={pages + more}")


def fill_up(journal: LastingJournal, protective: bool) -> None:
    """Commits until the file takes no more."""
    for n in range(200):
        journal.commit([order(f"{n:04d}", reason="x" * 500)], [line(n)], protective)
        if journal.trouble:
            return
    raise AssertionError("it never was full")


def test_a_full_file_gives_the_reserve_back_and_keeps_the_rest_in_memory(
    guarded: LastingJournal, reserve: Reserve, path: Path
) -> None:
    """The limit of SQLite's own stands for a disk on which the reserve's bytes do not help."""
    told: list[str] = []
    guarded.watch(told.append)
    limit_pages(guarded, 3)
    fill_up(guarded, protective=True)
    assert guarded.kept == 1
    assert not reserve.path.exists()
    limit_pages(guarded, 100)
    assert guarded.mend() == ""
    assert reserve.is_whole
    assert verify_audit(path).ok
    assert [text.partition(":")[0] for text in told] == [
        "1 changes are only in memory",
        "the disk is full",
        "",
    ]


def test_entries_stay_blocked_until_the_reserve_is_whole_again(path: Path, failing: type[Failing]) -> None:
    reserve = Reserve(reserve_path(path), size=SIZE, room=0)
    with open_lasting_journal(
        path, "lasting", AccountKind.PAPER, factory=failing, reserve=reserve
    ) as journal:
        told: list[str] = []
        journal.watch(told.append)
        failing.error = FULL
        journal.commit([order("a")], [line(1)], True)
        failing.error = None
        reserve._room = 1 << 60
        with pytest.raises(StorageError, match="reserve"):
            journal.commit([order("entry")], [])
        assert journal.kept == 0, "exits are durable: only the reserve is missing"
        journal.commit([order("b")], [line(2)], True)
        with read_journal(path) as file:
            assert [row["cid"] for row in file.rows("ord")] == ["a", "b"]
        reserve._room = 0
        journal.commit([order("entry")], [])
        assert len(told) == 3, told
        assert told[-1] == ""


def test_a_start_without_room_for_the_reserve_begins_nothing_and_says_so(path: Path) -> None:
    reserve = Reserve(reserve_path(path), size=SIZE, room=1 << 60)
    with open_lasting_journal(path, "lasting", AccountKind.LIVE, reserve=reserve) as journal:
        told: list[str] = []
        journal.watch(told.append)
        assert len(told) == 1
        with pytest.raises(StorageError, match="needed for the reserve"):
            journal.commit([order("entry")], [])
        journal.commit([order("a")], [line(1)], True)
        assert journal.kept == 0


@pytest.mark.parametrize("kind", list(AccountKind))
def test_money_waits_for_the_disk_and_holds_a_reserve(kind: AccountKind, path: Path) -> None:
    with open_lasting_journal(path, "lasting", kind) as journal:
        (synchronous,) = journal._connection.execute("PRAGMA synchronous").fetchone()
    is_money = kind is not AccountKind.SIMULATION
    assert synchronous == (2 if is_money else 1)
    assert reserve_path(path).exists() == is_money


def test_a_file_of_another_account_is_closed_and_refused(path: Path) -> None:
    open_journal(path, "other", AccountKind.PAPER).close()
    with pytest.raises(ConfigError, match="belongs to account 'other'"):
        open_lasting_journal(path, "lasting", AccountKind.PAPER)


LIMITED = """
import resource, sys
from pathlib import Path
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.degraded import open_lasting_journal
from storage.reserve import Reserve, reserve_path

path = Path(sys.argv[1])
journal = open_lasting_journal(path, "p", AccountKind.PAPER, reserve=Reserve(reserve_path(path), 65536, 0))
wal = path.with_name(path.name + "-wal")
resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 20_000, resource.RLIM_INFINITY))
told = []
journal.watch(told.append)
for n in range(60):
    rows = [JournalRow("ord", {"cid": f"{n:03d}", "reason": "x" * 800})]
    journal.commit(rows, [AuditEntry(n, "engine", "fact", "", {"n": n})], True)
kept = journal.kept
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
left = journal.mend()
print(kept, repr(left), len(journal.rows("ord")), journal.verify().ok, len(told))
"""


def test_a_limit_on_the_file_s_size_is_lived_through(
    path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = start_python(LIMITED, str(path))
    output = process.communicate()[0].split()
    assert process.returncode == 0
    assert int(output[0]) > 20
    assert output[1:] == ["''", "60", "True", "3"]


TMPFS = """
import os, sys
from pathlib import Path
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.degraded import open_lasting_journal
from storage.reserve import Reserve, reserve_path

folder = Path(sys.argv[1])
path = folder / "journal.db"
reserve = Reserve(reserve_path(path), 1 << 20, 1 << 21)
journal = open_lasting_journal(path, "p", AccountKind.PAPER, reserve=reserve)
with (folder / "ballast").open("wb", buffering=0) as ballast:
    try:
        while True:
            ballast.write(b"x" * 4096)
    except OSError:
        pass
durable = kept_first = None
for n in range(2000):
    rows = [JournalRow("ord", {"cid": f"{n:04d}", "reason": "x" * 2000})]
    journal.commit(rows, [AuditEntry(n, "engine", "fact", "", {"n": n})], True)
    if durable is None and "reserve was given back" in journal.trouble:
        durable = n
    if journal.kept:
        kept_first = n
        break
(folder / "ballast").unlink()
left = journal.mend()
print(durable is not None, kept_first - durable > 30, repr(left), len(journal.rows("ord")) == kept_first + 1,
      journal.verify().ok, reserve_path(path).exists())
"""


def test_a_disk_that_is_really_full_takes_exits_on_the_reserve_s_bytes(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--mount", "sh", "-c", mounted, "sh", str(tmp_path), sys.executable, TMPFS]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("needs unshare to mount a small disk of its own")
    if "ermission" in finished.stderr or "not permitted" in finished.stderr:
        pytest.skip("needs the right to mount a small disk of its own")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == ["True", "True", "''", "True", "True", "True"]


DIES = """
import os, signal, sqlite3, sys
from pathlib import Path
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.degraded import open_lasting_journal

path = Path(sys.argv[1])
journal = open_lasting_journal(path, "p", AccountKind.SIMULATION, busy_timeout_s=0.0)
journal.commit([JournalRow("ord", {"cid": "a"})], [AuditEntry(1, "engine", "fact", "", {})])
other = sqlite3.connect(path, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
journal.commit([JournalRow("ord", {"cid": "b"})], [AuditEntry(2, "engine", "fact", "", {})], True)
print(journal.kept, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_only_in_memory_is_lost_with_the_process_and_the_file_is_whole(
    path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = start_python(DIES, str(path))
    assert process.communicate()[0] == "1\n"
    assert process.returncode == -signal.SIGKILL
    with open_lasting_journal(path, "p", AccountKind.SIMULATION) as journal:
        assert [row["cid"] for row in journal.rows("ord")] == ["a"]
        assert journal.verify().ok
