"""The agents' memory's schema: migrations and tables agree, on every database (SPEC 3.10)."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

import storage.sql
from engine.errors import ConfigError, StorageError
from storage.sql import REVISIONS, describe, open_engine
from storage.tables import METADATA

COLUMNS = {
    "signals": "signal_id ts strategy instrument session features p_revert bcs regime votes vetoed veto_agent"
    " veto_reason model_version policy_id",
    "actions": "action_id signal_id ts kind actor payload",
    "outcomes": "outcome_id signal_id shadow entry_ts entry_px exit_ts exit_px exit_reason sessions ret cost"
    " mae mfe reward strategy instrument session exit_session proposed quantity net votes",
    "policy_history": "policy_id ts parent_id param old new reason evidence author",
}


@pytest.fixture
def engine(memory_target: Path | str) -> Iterator[Engine]:
    opened = open_engine(memory_target)
    yield opened
    opened.dispose()


def test_migrations_lead_to_exactly_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_tables_have_the_columns_of_the_specification(engine: Engine) -> None:
    with engine.connect() as connection:
        found = inspect(connection)
        for table, columns in COLUMNS.items():
            assert {column["name"] for column in found.get_columns(table)} == {
                *columns.split(),
                "correlation",
            }


def test_every_migration_is_known_and_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.sql.__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert tuple(revision.revision for revision in script.walk_revisions())[::-1] == REVISIONS


def test_newer_schema_is_refused(memory_target: Path | str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=rf"schema 9999.*knows {REVISIONS[-1]}.*newer tradedeck"):
        open_engine(memory_target)


def test_migration_that_fails_leaves_nothing_behind(
    memory_target: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("stopped half way")

    # The step after the tables were made and before the version is written.
    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", fail)
    with pytest.raises(StorageError, match="half way"):
        open_engine(memory_target)
    monkeypatch.undo()
    opened = open_engine(memory_target)
    with opened.connect() as connection:
        assert set(COLUMNS) < set(inspect(connection).get_table_names())
    opened.dispose()


def test_place_is_named_without_its_password() -> None:
    engine = create_engine("postgresql+psycopg://me:hush@host:5433/db?sslpassword=hush")
    assert describe(engine) == "postgresql+psycopg://me:***@host:5433/db"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://host/db", "'mysql', which is not supported"),
        ("postgresql://host/db", "'postgresql', which is not supported"),
        ("tradedeck.db", "not a database URL"),
    ],
)
def test_url_of_another_kind_is_a_configuration_error(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_engine(url)


def test_server_that_does_not_answer_is_said_in_one_line() -> None:
    with pytest.raises(StorageError) as refusal:
        open_engine("postgresql+psycopg://me:hush@/db?host=/nonexistent")
    assert "hush" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


CURRENT = """
import sys
from pathlib import Path
import storage.memory, storage.journal, storage.bars, storage.paper_book, storage.paths, storage.simulations
heavy = {"sqlmodel", "sqlalchemy", "alembic", "pandas", "textual"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
with storage.memory.open_memory(Path(sys.argv[1])) as memory:
    memory.signals()
print("alembic" in sys.modules)
"""


def test_alembic_is_loaded_only_when_the_schema_is_behind(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        command = [sys.executable, "-c", CURRENT, str(tmp_path / "tradedeck.db")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seen.append(done.stdout.strip())
    assert seen == ["True", "False"]


def _open_first(target: Path | str) -> Engine:
    """The database as the first version of the schema left it, with a signal, its outcome and another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.sql.REVISIONS", ("0001",))
        patch.setattr("alembic.command.upgrade", _up_to_first(alembic.command.upgrade))
        return open_engine(target)


def _up_to_first(upgrade: Callable[..., None]) -> Callable[..., None]:
    return lambda config, revision: upgrade(config, "0001")


_SIGNAL = (
    "INSERT INTO signals VALUES ('C1', 'C1', 1, 'gaps', 'ABC.US', '2016-01-04', '[]', 0.6, 7.1, 'normal',"
    " '[]', FALSE, NULL, NULL, NULL, 'p0')"
)
_OUTCOME = (
    "INSERT INTO outcomes VALUES ('{0}', {1}, '{0}', FALSE, 1, '8.37', 2, '8.87', 'target', 2, 0.06, '0.02',"
    " NULL, NULL, 0.98)"
)


def test_database_of_before_is_brought_up_and_keeps_its_rows(memory_target: Path | str) -> None:
    old = _open_first(memory_target)
    with old.begin() as connection:
        connection.execute(text(_SIGNAL))
        connection.execute(text(_OUTCOME.format("C1", "'C1'")))
        connection.execute(text(_OUTCOME.format("C2", "NULL")))
    old.dispose()
    opened = open_engine(memory_target)
    with opened.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == REVISIONS[-1]
        rows = connection.execute(
            text("SELECT outcome_id, exit_px, strategy, instrument, session, net FROM outcomes ORDER BY 1")
        ).all()
        assert [row[:4] for row in rows] == [("C1", "8.87", "gaps", "ABC.US"), ("C2", "8.87", None, None)]
        assert [str(row[4]) for row in rows] == ["2016-01-04", "None"]
        assert [row[5] for row in rows] == [None, None]
        assert connection.execute(text("SELECT count(*) FROM signals")).scalar() == 1
        connection.execute(
            text(
                "INSERT INTO job (name, next_us, runs, failures) VALUES ('retention', 1451917800000000, 0, 0)"
            )
        )
    opened.dispose()
