"""The power fails: the write-ahead log ends at any sector, the sector after it holds noise, pages are torn.

`run_powerloss` lives one life on a durable file, then opens copies of that file as a failure of the power may
have left them. A commit whose bytes are whole is there; one whose bytes are not is gone, as if it never was.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crashes import durable
from lives import ACCOUNT, LIVES, Life

from engine.errors import StorageError
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.degraded import LastingJournal
from storage.journal import JournalReader, open_journal, read_journal, verify_audit

SECTOR = 512
TABLES = ("ticket", "bracket", "ord", "fill", "halt", "nonce", "round_trip", "proposal_seen")
Picture = tuple[int, Mapping[str, object]]


@dataclass(frozen=True)
class PowerReport:
    """`cuts`: copies that were opened; `commits`: how many different commits they ended with."""

    cuts: int
    commits: int
    violations: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        text = (
            f"{self.cuts} power losses, {self.commits} commits last, {len(self.violations)} violations, "
            f"{self.seconds:.1f} s"
        )
        return "\n".join((text, *self.violations))


@dataclass(frozen=True)
class _Recorded:
    """The files before any checkpoint, and what the journal held when the log had so many bytes."""

    database: bytes
    log: bytes
    pictures: tuple[tuple[int, Picture], ...]

    def at(self, size: int) -> Picture:
        """What a log of `size` bytes must give."""
        return max((end, picture) for end, picture in self.pictures if end <= size)[1]


def run_powerloss(kilobytes: int = 16, life: Life = LIVES[0]) -> PowerReport:
    """Cut the log's last `kilobytes` at every sector, also with noise behind the cut; tear a checkpoint."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="power-") as folder:
        place = Path(folder)
        recorded = _record(place / "life", life)
        noise = random.Random(1).randbytes(SECTOR)
        first, size = recorded.pictures[0][0], len(recorded.log)
        violations: list[str] = []
        seen: set[int] = set()
        cuts = 0
        for end in range(max(first, (size - kilobytes * 1024) // SECTOR * SECTOR), size + 1, SECTOR):
            for tail in (b"", noise):
                wanted = recorded.at(end)
                found = _opened(place / "cut", recorded.database, recorded.log[:end] + tail)
                violations += _compared(f"cut at {end} of {size}", found, wanted)
                seen.add(wanted[0])
                cuts += 1
        whole = _checkpointed(place / "whole", recorded)
        pages = range(0, len(whole), 4096)
        for torn in pages[:: max(1, len(pages) // kilobytes)]:
            mixed = whole[:torn] + recorded.database[torn:]
            found = _opened(place / "torn", mixed, recorded.log)
            violations += _compared(f"checkpoint torn at {torn}", found, recorded.at(size))
            cuts += 1
    return PowerReport(cuts, len(seen), tuple(violations), time.perf_counter() - began)


def _record(folder: Path, life: Life) -> _Recorded:
    folder.mkdir()
    path = folder / "journal.db"
    log = path.with_name("journal.db-wal")
    pictures: list[tuple[int, Picture]] = []
    files: list[bytes] = []
    stage = durable(folder, life)
    real_open = stage.open_journal

    def open_it(path: Path) -> LastingJournal:
        journal = real_open(path)
        real = journal.commit

        def commit(rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False) -> None:
            if not pictures:
                note()
            real(rows, audit, protective)
            note()

        journal.commit = commit  # type: ignore[method-assign]
        return journal

    def note() -> None:
        with read_journal(path) as reader:
            pictures.append((log.stat().st_size, _picture(reader)))
        files[:] = [path.read_bytes(), log.read_bytes()]

    stage.open_journal = open_it
    asyncio.run(stage.run())
    return _Recorded(files[0], files[1], tuple(pictures))


def _picture(reader: JournalReader) -> Picture:
    audit = reader.audit()
    return len(audit), {"audit": audit, **{table: reader.rows(table) for table in TABLES}}


def _laid(folder: Path, database: bytes, log: bytes) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / "journal.db"
    path.write_bytes(database)
    path.with_name("journal.db-wal").write_bytes(log)
    return path


def _checkpointed(folder: Path, recorded: _Recorded) -> bytes:
    """The database file once the whole log is folded in."""
    path = _laid(folder, recorded.database, recorded.log)
    open_journal(path, ACCOUNT, AccountKind.PAPER).close()
    return path.read_bytes()


def _opened(folder: Path, database: bytes, log: bytes) -> Picture | str:
    path = _laid(folder, database, log)
    try:
        with open_journal(path, ACCOUNT, AccountKind.PAPER) as journal:
            picture = _picture(journal)
        if not verify_audit(path).ok:
            return "the audit chain is broken"
    except StorageError as error:
        return str(error)
    return picture


def _compared(where: str, found: Picture | str, wanted: Picture) -> list[str]:
    if isinstance(found, str):
        return [f"{where}: {found}"]
    if found != wanted:
        return [f"{where}: {found[0]} audit lines, the whole commits hold {wanted[0]}"]
    return []
