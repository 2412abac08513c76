"""What a store of jobs promises, on every database it runs on and in memory (engine.ports.JobStore)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.errors import StorageError
from engine.model.ids import AccountId
from engine.model.jobs import JobRecord, JobResult
from engine.ports import JobStore
from storage.jobs import SqlJobs, read_jobs
from storage.sql import open_engine

SINCE = 1_764_081_900_000_000
FULL = JobRecord(
    "scan",
    1_764_081_900_000_000,
    1_764_081_900_000_001,
    JobResult.FAILED,
    "no answer in 5 s",
    7,
    3,
    1_764_081_900_000_002,
)
Open = Callable[[str], JobStore]


class MemoryJobs:
    """The fake that the tests of the scheduler use."""

    def __init__(self) -> None:
        self._records: dict[str, JobRecord] = {}

    def load(self) -> Mapping[str, JobRecord]:
        return dict(sorted(self._records.items()))

    def put(self, record: JobRecord) -> None:
        self._records[record.name] = record


@pytest.fixture(params=["sqlite", "postgres", "fake"])
def open_jobs(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open the store of an account; the same one again for the same account."""
    if request.param == "fake":
        fakes: dict[str, MemoryJobs] = {}
        yield lambda account: fakes.setdefault(account, MemoryJobs())
        return
    target = _target(request)
    opened = []

    def open_one(account: str) -> JobStore:
        opened.append(open_engine(target))
        return SqlJobs(opened[-1], AccountId(account))

    yield open_one
    for engine in opened:
        engine.dispose()


def _target(request: pytest.FixtureRequest) -> Path | str:
    """As `memory_target`, of the kind that is asked for here."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        return folder / "tradedeck.db"
    return str(request.getfixturevalue("postgres_url"))


def test_a_new_store_knows_no_job(open_jobs: Open) -> None:
    assert dict(open_jobs("paper").load()) == {}


def test_a_job_is_read_back_as_it_was_kept(open_jobs: Open) -> None:
    bare = JobRecord("retention")
    store = open_jobs("paper")
    store.put(FULL)
    store.put(bare)
    assert dict(open_jobs("paper").load()) == {"retention": bare, "scan": FULL}


def test_a_job_that_is_kept_again_takes_the_place_of_the_older_one(open_jobs: Open) -> None:
    store = open_jobs("paper")
    for record in (
        FULL,
        replace(FULL, running_us=None, last_result=JobResult.DONE, last_error="", failures=0),
    ):
        store.put(record)
        assert dict(open_jobs("paper").load()) == {"scan": record}


@pytest.mark.parametrize("result", JobResult)
def test_every_result_is_kept(open_jobs: Open, result: JobResult) -> None:
    open_jobs("paper").put(replace(FULL, last_result=result))
    assert open_jobs("paper").load()["scan"].last_result is result


def test_accounts_that_share_a_database_share_no_job(open_jobs: Open) -> None:
    open_jobs("paper").put(FULL)
    open_jobs("paper_2").put(replace(FULL, runs=1))
    open_jobs("paperx2").put(replace(FULL, runs=2))
    assert [open_jobs(name).load()["scan"].runs for name in ("paper", "paper_2", "paperx2")] == [7, 1, 2]
    assert set(open_jobs("paper").load()) == {"scan"}
    assert dict(open_jobs("p").load()) == {}


def test_a_file_is_read_the_quick_way_too(tmp_path: Path) -> None:
    path, paper = tmp_path / "tradedeck.db", AccountId("paper")
    assert dict(read_jobs(path, paper)) == {}
    engine = open_engine(path)
    assert dict(read_jobs(path, paper)) == {}
    SqlJobs(engine, paper).put(FULL)
    SqlJobs(engine, AccountId("paper_2")).put(replace(FULL, name="other"))
    assert dict(read_jobs(path, paper)) == {"scan": FULL}
    with engine.begin() as connection:
        connection.execute(text("UPDATE job SET last_result = 'maybe'"))
    with pytest.raises(StorageError, match="makes no sense"):
        read_jobs(path, paper)
    engine.dispose()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StorageError):
        read_jobs(path, paper)


def test_a_database_from_before_there_were_jobs_holds_none(tmp_path: Path) -> None:
    path = tmp_path / "tradedeck.db"
    engine = open_engine(path)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE job"))
    engine.dispose()
    assert dict(read_jobs(path, AccountId("paper"))) == {}


def test_a_row_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "tradedeck.db")
    store = SqlJobs(engine, AccountId("paper"))
    store.put(FULL)
    with engine.begin() as connection:
        connection.execute(text("UPDATE job SET last_result = 'maybe'"))
    with pytest.raises(StorageError, match="makes no sense"):
        store.load()
    engine.dispose()


def test_a_store_without_its_table_is_told(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "tradedeck.db")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE job"))
    store = SqlJobs(engine, AccountId("paper"))
    for use in (store.load, lambda: store.put(FULL)):
        with pytest.raises(StorageError):
            use()
    engine.dispose()
