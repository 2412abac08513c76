"""Who may import whom, and what is imported only when it is needed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Fresh = Callable[..., subprocess.CompletedProcess[str]]

SCREEN = ("textual", "rich.live")
SLOW = (
    "numpy",
    "pandas",
    "scipy",
    "lightgbm",
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "httpx",
    "websockets",
)
SDKS = ("alpaca", "ccxt", "ib_insync", "exchange_calendars", "psycopg", "pyarrow", "numba")

LOADED = """
import json, sys
{program}
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def loaded_by(fresh_python: Fresh, program: str) -> set[str]:
    ended = fresh_python(LOADED.format(program=program))
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stderr.splitlines()[-1]))


def test_import_rules_hold(root: Path) -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    ended = subprocess.run(
        [linter, "--no-cache"], cwd=root, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout


COMMAND = """
from tui.cli import main
sys.argv = ["tradedeck", *{arguments!r}]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
"""


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(fresh_python: Fresh, argument: str) -> None:
    loaded = loaded_by(fresh_python, COMMAND.format(arguments=[argument]))
    assert loaded & {*SCREEN, *SLOW, *SDKS} == set()


@pytest.mark.parametrize(
    "module",
    [
        "tui.wiring",
        "tui.headless",
        "tui.link",
        "tui.format",
        "tui.settings",
        "tui.server.attach",
        "tui.server.client",
    ],
)
def test_the_daemon_never_loads_textual(fresh_python: Fresh, module: str) -> None:
    assert loaded_by(fresh_python, f"import {module}") & set(SCREEN) == set()


@pytest.mark.parametrize("module", ["tui.wiring", "brokers.registry", "brokers.paper.broker"])
def test_a_venue_is_loaded_only_when_it_is_used(fresh_python: Fresh, module: str) -> None:
    pytest.importorskip(module.partition(".")[0])
    loaded = loaded_by(fresh_python, f"import {module}")
    assert loaded & {"alpaca", "ccxt", "ib_insync"} == set()


@pytest.mark.parametrize(
    "module", ["engine.core", "engine.backtest.drive", "engine.bus", "engine.risk.gates"]
)
def test_the_deciding_part_loads_no_files_network_or_models(fresh_python: Fresh, module: str) -> None:
    loaded = loaded_by(fresh_python, f"import {module}")
    assert loaded & {"sqlite3", "sqlalchemy", "httpx", "websockets", "pandas", "lightgbm", "textual"} == set()


def test_the_deck_runs_from_any_folder_with_modules_of_the_same_names(
    fresh_python: Fresh, tmp_path: Path
) -> None:
    """The installed script must not pick up an `engine` that lies in the current folder."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise RuntimeError('the wrong engine')")
    script = Path(sys.executable).parent / "tradedeck"
    ended = subprocess.run(
        [script, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
