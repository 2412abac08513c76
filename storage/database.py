"""How a SQLite file of ours is opened: checked first, and every fault said in one line with what to do.

A file carries its kind in `application_id` and its schema version in `user_version`. A file of another kind
or of a newer version is refused untouched; an older one is brought up step by step in one transaction.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.errors import InvariantBroken, StorageError

PRIVATE_FILE = 0o600
BUSY_TIMEOUT_S = 5.0


class Synchronous(StrEnum):
    """What a commit waits for: FULL the disk (money), NORMAL the operating system (simulations, copies)."""

    FULL = "FULL"
    NORMAL = "NORMAL"


@dataclass(frozen=True, slots=True)
class Schema:
    """One kind of database file. `steps[i]` is the SQL script that leads from version i to i + 1."""

    name: str
    application_id: int
    steps: tuple[str, ...]

    @property
    def version(self) -> int:
        """The version that this program reads and writes."""
        return len(self.steps)


def open_for_writing(
    path: Path,
    schema: Schema,
    synchronous: Synchronous,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    check: bool = True,
    any_thread: bool = False,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Open `path`, making it (0600, WAL) where it is missing. `check` runs SQLite's quick_check first.

    The connection is in autocommit mode: write inside `transaction`. `factory`: a connection class whose
    statements fail at will, for tests. Raises StorageError.
    """
    make_private_file(path, schema.name)
    with _closed_on_error(path, schema) as hold:
        connection = sqlite3.connect(
            path,
            timeout=busy_timeout_s,
            isolation_level=None,
            check_same_thread=not any_thread,
            factory=factory,
        )
        hold.append(connection)
        found = _check_kind(connection, path, schema)
        if check and found:
            quick_check(connection, path, schema.name)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous.value}")
        connection.execute("PRAGMA foreign_keys=ON")
        _upgrade(connection, path, schema)
    return connection


def make_private_file(path: Path, name: str) -> None:
    """Make the file 0600 where it is missing, close an existing one to other users. Raises StorageError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
        if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FILE:
            path.chmod(PRIVATE_FILE)
    except OSError as error:
        raise _cannot_open(path, name, error.strerror or str(error)) from error


def open_for_reading(
    path: Path,
    schema: Schema,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    any_thread: bool = False,
    least: int | None = None,
) -> sqlite3.Connection:
    """Open an existing `path` for queries only: nothing is made, locked or upgraded. Raises StorageError.

    `least`: the oldest schema that will do; None: this program's own.
    """
    require_file(path, schema.name)
    with _closed_on_error(path, schema) as hold:
        # Without a write-ahead log nobody has it open, and a read-only folder has no place for a new one.
        unshared = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{'immutable=1' if unshared else 'mode=ro'}",
            uri=True,
            timeout=busy_timeout_s,
            isolation_level=None,
            check_same_thread=not any_thread,
        )
        hold.append(connection)
        found = _check_kind(connection, path, schema)
        if found < (schema.version if least is None else least):
            raise StorageError(
                f"{path} holds schema {found} of the {schema.name}, this program reads {schema.version}",
                "Start tradedeck once on this state to bring it up",
            )
    return connection


def require_file(path: Path, name: str) -> None:
    """Raises StorageError when there is nothing at `path`, or a folder."""
    if path.is_dir():
        raise _cannot_open(path, name, "")
    if not path.exists():
        raise StorageError(
            f"there is no {name} at {path}", "Check the path, or start tradedeck once to make it"
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the write lock from the start: a deferred transaction cannot wait for it later."""
    if connection.in_transaction:  # a rollback of before failed: that transaction is not this one
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # not so after a full disk: SQLite has rolled back by itself
            connection.execute("ROLLBACK")


_OUR_BUGS = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeEncodeError,
)


@contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn SQLite's errors into ours: a broken constraint is our own bug, all else the database's trouble."""
    try:
        yield
    except _OUR_BUGS as error:
        raise InvariantBroken(f"{doing}: {path} refused the values: {error}") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StorageError(f"{doing}: {path}: {reason_of(error)}", error_hint(error)) from error


_NO_ROOM = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,  # a limit on the size of a file is told like this
        sqlite3.SQLITE_IOERR_SHMSIZE,  # the index of the write-ahead log could not grow
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)


def is_out_of_room(error: StorageError) -> bool:
    """Whether free bytes on the disk might have made this write succeed."""
    return getattr(error.__cause__, "sqlite_errorcode", None) in _NO_ROOM


@contextmanager
def _closed_on_error(path: Path, schema: Schema) -> Iterator[list[sqlite3.Connection]]:
    hold: list[sqlite3.Connection] = []
    try:
        yield hold
    except BaseException as error:
        for connection in hold:
            connection.close()
        if isinstance(error, sqlite3.Error | UnicodeDecodeError):
            raise _cannot_open(path, schema.name, reason_of(error), error_hint(error)) from error
        raise


def _cannot_open(path: Path, name: str, why: str, hint: str = "") -> StorageError:
    if path.is_dir():
        why = "it is a folder"
    return StorageError(f"cannot open the {name} {path}: {why}", hint or "Check the path and its permissions")


def reason_of(error: Exception) -> str:
    """The error as one printable line: SQLite quotes what it finds in a damaged file, whatever that is."""
    if isinstance(error, UnicodeDecodeError):
        return "it holds bytes that are no text"
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(error).split()))


def error_hint(error: Exception) -> str:
    """What a person can do about an error of SQLite; "" where only the message helps."""
    damaged = isinstance(error, UnicodeDecodeError)
    code = sqlite3.SQLITE_CORRUPT if damaged else getattr(error, "sqlite_errorcode", 0) & 0xFF
    return {
        sqlite3.SQLITE_BUSY: "Another program holds the database: close it and try again",
        sqlite3.SQLITE_LOCKED: "Another program holds the database: close it and try again",
        sqlite3.SQLITE_FULL: "The disk is full: make room, nothing of this write was kept",
        sqlite3.SQLITE_IOERR: "The disk reports an error: check it, nothing of this write was kept",
        sqlite3.SQLITE_READONLY: "The file or its folder cannot be written: check permissions",
        sqlite3.SQLITE_CANTOPEN: "Check the path and its permissions",
        sqlite3.SQLITE_CORRUPT: "The file is damaged: keep it, and restore the last backup",
        sqlite3.SQLITE_NOTADB: "The file is damaged or not a database: keep it, and restore the last backup",
    }.get(code, "")


def _check_kind(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """The schema version found, 0 for a new file."""
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    is_empty = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]
    if is_empty and version == 0:
        return 0
    if application_id != schema.application_id:
        raise StorageError(f"{path} is not a tradedeck {schema.name}", "It was left as it is: check the path")
    if version > schema.version:
        raise StorageError(
            f"{path} holds schema {version} of the {schema.name}, this program knows {schema.version}",
            "It was written by a newer tradedeck: upgrade, or use another state folder",
        )
    return version


def quick_check(connection: sqlite3.Connection, path: Path, name: str) -> None:
    """Let SQLite look through the whole file. Raises StorageError for a damaged one."""
    result: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        found = " ".join(result.split())
        raise StorageError(
            f"the {name} {path} is damaged: {found}", "Keep the file, and restore the last backup"
        )


def _upgrade(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    with transaction(connection):
        version = _check_kind(connection, path, schema)  # again: another process may have been first
        for step in schema.steps[version:]:
            for statement in _statements(step):
                connection.execute(statement)
        if version < schema.version:
            connection.execute(f"PRAGMA application_id={schema.application_id:d}")
            connection.execute(f"PRAGMA user_version={schema.version:d}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would end the transaction around them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise InvariantBroken(f"a schema script ends inside a statement: {statement.strip()[:60]}")
