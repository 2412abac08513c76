"""What is remembered of the engine's jobs: the table `job` of the memory, in rows of one account each.

Two engines may share a PostgreSQL; their jobs have the same names and nothing else in common.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import StorageError
from engine.model.ids import AccountId
from engine.model.jobs import JobRecord, JobResult
from storage.database import reason_of, storage_errors
from storage.sql import NAME, describe, sql_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from storage.tables import Job


_COLUMNS = tuple(field.name for field in fields(JobRecord) if field.name != "name")


class SqlJobs:
    """`engine.ports.JobStore` on SQLite or PostgreSQL."""

    def __init__(self, engine: "Engine", account: AccountId) -> None:
        self._engine = engine
        self._prefix = f"{account}/"

    def load(self) -> Mapping[str, JobRecord]:
        """Every job of the account. Raises StorageError."""
        from sqlmodel import Session, col, select  # loaded with the database

        from storage.tables import Job

        query = select(Job).where(col(Job.name).startswith(self._prefix, autoescape=True)).order_by(Job.name)
        with sql_errors(self._engine, "reading"), Session(self._engine) as session:
            rows = session.exec(query).all()
        try:
            records = [self._record(row) for row in rows]
        except (ValueError, TypeError) as error:
            raise StorageError(
                f"the {NAME} {describe(self._engine)} holds a job that makes no sense: {reason_of(error)}",
                "Keep the database, and restore the last backup",
            ) from error
        return {record.name: record for record in records}

    def put(self, record: JobRecord) -> None:
        """Keep it in the place of the older one. Raises StorageError."""
        from sqlalchemy.dialects import postgresql, sqlite  # loaded with the database

        from storage.tables import Job

        values = asdict(record) | {"name": f"{self._prefix}{record.name}"}
        changed = {name: value for name, value in values.items() if name != "name"}
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with sql_errors(self._engine, "writing"), self._engine.begin() as connection:
            connection.execute(
                insert(Job).values(**values).on_conflict_do_update(index_elements=["name"], set_=changed)
            )

    def _record(self, row: "Job") -> JobRecord:
        return _record(row.name.removeprefix(self._prefix), {name: getattr(row, name) for name in _COLUMNS})


def read_jobs(path: Path, account: AccountId) -> Mapping[str, JobRecord]:
    """The same of a file that an engine may have open, without the half second that SQLAlchemy takes to load.

    Empty where there is no file, or one from before there were jobs. Raises StorageError.
    """
    if not path.is_file():
        return {}
    prefix = f"{account}/"
    query = f"SELECT name, {', '.join(_COLUMNS)} FROM job WHERE substr(name, 1, ?) = ? ORDER BY name"  # noqa: S608 - our own names
    place = f"{path.absolute().as_uri()}?mode=ro"
    with (
        storage_errors(path, f"reading the {NAME}"),
        closing(sqlite3.connect(place, uri=True)) as connection,
    ):
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'job'").fetchall():
            return {}
        rows = connection.execute(query, (len(prefix), prefix)).fetchall()
    try:
        records = [
            _record(row[0].removeprefix(prefix), dict(zip(_COLUMNS, row[1:], strict=True))) for row in rows
        ]
    except (ValueError, TypeError) as error:
        raise StorageError(f"{path} holds a job that makes no sense: {reason_of(error)}") from error
    return {record.name: record for record in records}


def _record(name: str, row: Mapping[str, Any]) -> JobRecord:
    result = row["last_result"]
    plain = {**row, "last_result": None if result is None else JobResult(result)}
    return JobRecord(name, **plain | {"last_error": row["last_error"] or ""})
