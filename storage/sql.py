"""The SQLAlchemy side: opens `tradedeck.db` or a PostgreSQL database, checked and brought up to our schema.

SQLAlchemy and alembic cost about half a second to import, so nothing here imports them before it connects;
alembic is not imported at all while the schema is current.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ConfigError, DeckError, InvariantBroken, StorageError
from storage.audit import canonical
from storage.database import (
    BUSY_TIMEOUT_S,
    error_hint,
    make_private_file,
    quick_check,
    reason_of,
    require_file,
    storage_errors,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

NAME = "agents' memory"
REVISIONS = ("0001", "0002")
"""Every schema version this program knows, oldest first; a test holds it equal to `migrations/versions`."""
_CONNECT_TIMEOUT_S = 10
_UPGRADE_LOCK = 0x7464_4D31


def open_engine(target: Path | str, *, read_only: bool = False) -> "Engine":
    """Connect to a SQLite file (a Path) or to the PostgreSQL URL `postgresql+psycopg://…` (a str).

    A missing file and a missing schema are made unless `read_only`. Raises StorageError, and ConfigError for
    a URL that names another kind of database.
    """
    engine = _sqlite_engine(target, read_only) if isinstance(target, Path) else _postgres_engine(target)
    try:
        with sql_errors(engine, "opening"):
            _bring_up(engine, read_only)
    except DeckError:
        engine.dispose()
        raise
    return engine


@contextmanager
def sql_errors(engine: "Engine", doing: str) -> Iterator[None]:
    """Turn SQLAlchemy's errors into ours: a broken constraint is our own bug, all else is trouble outside."""
    from sqlalchemy import exc  # loaded with the engine

    try:
        yield
    except exc.IntegrityError as error:
        raise InvariantBroken(f"{doing} the {NAME} {describe(engine)}: {error.orig}") from error
    except exc.StatementError as error:
        if isinstance(error.orig, DeckError):
            raise error.orig from error
        cause = error.orig if isinstance(error.orig, Exception) else error
        hint = error_hint(cause) if isinstance(cause, sqlite3.Error) else ""
        raise StorageError(
            f"{doing} the {NAME} {describe(engine)} failed: {reason_of(cause)}", hint
        ) from error


def describe(engine: "Engine") -> str:
    """Where it is, without a password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(query={}).render_as_string(hide_password=True)


def _sqlite_engine(path: Path, read_only: bool) -> "Engine":
    from sqlalchemy import URL, create_engine, event  # 0.3 s

    if read_only:
        require_file(path, NAME)
    else:
        make_private_file(path, NAME)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            if not read_only:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")  # a projection: the journal is the truth
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    with storage_errors(path, f"opening the {NAME}"), closing(connect()) as connection:
        quick_check(connection, path, NAME)
    engine = create_engine(
        URL.create("sqlite", database=str(path)), creator=connect, json_serializer=canonical
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _postgres_engine(url: str) -> "Engine":
    from sqlalchemy import create_engine, exc, make_url  # 0.3 s

    hint = "Set engine.db to postgresql+psycopg://user@host/database, or leave it empty"
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError("engine.db is not a database URL", hint) from error
    if parsed.drivername != "postgresql+psycopg":
        raise ConfigError(f"engine.db names {parsed.drivername!r}, which is not supported", hint)
    try:
        return create_engine(
            parsed,
            json_serializer=canonical,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _CONNECT_TIMEOUT_S},
        )
    except ImportError as error:
        raise ConfigError(
            "engine.db names a PostgreSQL database, but its driver is not installed",
            "Install tradedeck with the extra postgres",
        ) from error


def _bring_up(engine: "Engine", read_only: bool) -> None:
    with engine.connect() as connection, connection.begin():
        found = _revision(connection)
    newest = REVISIONS[-1]
    if found not in (*REVISIONS, None):
        raise StorageError(
            f"the {NAME} {describe(engine)} holds schema {found}, this program knows {newest}",
            "It was written by a newer tradedeck: upgrade, or use another database",
        )
    if found == newest:
        return
    if read_only:
        raise StorageError(
            f"the {NAME} {describe(engine)} holds schema {found or 'none'}, this program reads {newest}",
            "Start tradedeck once to bring it up",
        )
    with engine.connect() as connection, connection.begin():
        _migrate(connection)


def _revision(connection: "Connection") -> str | None:
    from sqlalchemy import inspect, text  # loaded with the engine

    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def _migrate(connection: "Connection") -> None:
    from alembic import command  # 0.3 s, and only when there is something to do
    from alembic.config import Config
    from sqlalchemy import text

    if connection.dialect.name == "postgresql":
        # Two daemons with accounts of their own may share the database: the second waits, then finds it done.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
