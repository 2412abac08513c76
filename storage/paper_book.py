"""The paper venue's own book, apart from the journal: what the venue knows, which the engine must ask for."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.database import Schema, Synchronous, open_for_writing, storage_errors, transaction

PAPER_BOOK = Schema(
    "paper venue's book", 0x7464_5031, ("CREATE TABLE venue(k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT;",)
)


class SqlitePaperBook:
    """Key -> JSON text. `engine.ports.VenueStore`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection

    def load(self) -> Mapping[str, str]:
        """Everything, by key."""
        with storage_errors(self.path, "reading the paper venue's book"):
            return dict(self._connection.execute("SELECT k, v FROM venue ORDER BY k"))

    def get(self, key: str) -> str | None:
        """One value; None where nothing was put."""
        with storage_errors(self.path, "reading the paper venue's book"):
            found = self._connection.execute("SELECT v FROM venue WHERE k = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def put(self, changed: Mapping[str, str]) -> None:
        """Write all of `changed` in one durable transaction. Raises StorageError, and nothing is written."""
        with (
            storage_errors(self.path, "writing the paper venue's book"),
            transaction(self._connection),
        ):
            self._connection.executemany(
                "INSERT INTO venue (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
                changed.items(),
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_paper_book(path: Path, synchronous: Synchronous = Synchronous.FULL) -> SqlitePaperBook:
    """Open the book, making it where it is missing. Raises StorageError."""
    return SqlitePaperBook(open_for_writing(path, PAPER_BOOK, synchronous), path)
