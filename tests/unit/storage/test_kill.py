"""SIGKILL at any point of a commit leaves either all of it or nothing."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model.positions import AccountKind
from storage.journal import open_journal, verify_audit

COMMIT = """
import os, signal, sqlite3, sys
from pathlib import Path
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.journal import open_journal

class Dying:
    # Passes everything on, and dies like the power before or after its n-th statement.
    def __init__(self, connection, n, after):
        self._connection, self._left, self._after = connection, n, after
    def __getattr__(self, name):
        return getattr(self._connection, name)
    def execute(self, *args):
        self._left -= 1
        if self._left == 0 and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = self._connection.execute(*args)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

journal = open_journal(Path(sys.argv[1]), "paper", AccountKind.PAPER)
journal.commit([JournalRow("ticket", {"id": "T1"})], [AuditEntry(1, "engine", "ticket", "X", {})])
journal._connection = Dying(journal._connection, int(sys.argv[2]), sys.argv[3] == "after")
rows = [JournalRow("ticket", {"id": "T2"}), JournalRow("bracket", {"id": "T2", "phase": "entering"})]
journal.commit(rows, [AuditEntry(2, "engine", "ticket", "X", {}), AuditEntry(3, "engine", "order", "X", {})])
print("lived")
"""


@pytest.mark.parametrize(
    ("statement", "when", "committed"),
    [(n, when, False) for n in range(1, 8) for when in ("before", "after")]
    + [(8, "before", False), (8, "after", True), (9, "before", True)],
)
def test_commit_is_whole_or_absent(
    tmp_path: Path,
    start_python: Callable[..., "subprocess.Popen[str]"],
    statement: int,
    when: str,
    committed: bool,
) -> None:
    path = tmp_path / "journal.db"
    process = start_python(COMMIT, str(path), str(statement), when)
    output = process.communicate()[0]
    assert process.returncode == (0 if statement == 9 else -signal.SIGKILL), output
    verdict = verify_audit(path)
    assert (verdict.ok, verdict.rows) == (True, 3 if committed else 1)
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        assert [row["id"] for row in journal.rows("ticket")] == (["T1", "T2"] if committed else ["T1"])
        assert len(journal.rows("bracket")) == int(committed)
        assert journal.epoch == 2


CREATE = """
import os, signal, sqlite3, sys
from pathlib import Path
from engine.model.positions import AccountKind
import storage.database
from storage.journal import open_journal
left = int(sys.argv[2])
def statements(script, real=storage.database._statements):
    global left
    for statement in real(script):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
storage.database._statements = statements
open_journal(Path(sys.argv[1]), "paper", AccountKind.PAPER)
"""


@pytest.mark.parametrize("statement", [1, 5, 14])
def test_journal_killed_while_it_is_made_is_made_at_the_next_start(
    tmp_path: Path, start_python: Callable[..., "subprocess.Popen[str]"], statement: int
) -> None:
    path = tmp_path / "journal.db"
    process = start_python(CREATE, str(path), str(statement))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        assert (journal.epoch, journal.rows("ticket")) == (1, ())


IMPORT = """
import os, signal, sys
from pathlib import Path
import numpy as np
from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from storage.bars import open_bars
store = open_bars(Path(sys.argv[1]))
n = 600
day = np.datetime64("2015-06-01") + np.arange(n).astype("timedelta64[D]")
close = 10 + np.arange(n) / 8
for k in range(int(sys.argv[2])):
    store.put_daily(BarColumns(InstrumentId(f"S{k}.US"), day, close, close, close, close, close, close), "a")
store._connection.set_progress_handler(lambda: os.kill(os.getpid(), signal.SIGKILL), 40)
store.put_daily(BarColumns(InstrumentId("LAST.US"), day, close, close, close, close, close, close), "a")
"""


def test_import_killed_in_the_middle_keeps_whole_instruments(
    tmp_path: Path, start_python: Callable[..., "subprocess.Popen[str]"]
) -> None:
    from storage.bars import open_bars

    path = tmp_path / "bars.db"
    process = start_python(IMPORT, str(path), "3")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with open_bars(path) as store:
        found = store.all_daily()
    assert re.fullmatch(r"S0\.US S1\.US S2\.US", " ".join(found))
    assert {len(bars) for bars in found.values()} == {600}
