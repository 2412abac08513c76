"""What is remembered of the engine's jobs: the table `job` of the memory, in rows of one account each.

Two engines may share a PostgreSQL; their jobs have the same names and nothing else in common.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from engine.errors import StorageError
from engine.model.ids import AccountId
from engine.model.jobs import JobRecord, JobResult
from storage.database import reason_of
from storage.sql import NAME, describe, sql_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from storage.tables import Job


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
        result = None if row.last_result is None else JobResult(row.last_result)
        return JobRecord(
            name=row.name.removeprefix(self._prefix),
            next_us=row.next_us,
            last_us=row.last_us,
            last_result=result,
            last_error=row.last_error or "",
            runs=row.runs,
            failures=row.failures,
            running_us=row.running_us,
        )
