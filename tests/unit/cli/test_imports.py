"""What is not imported: the command line is instant, the daemon knows no Textual (fresh processes)."""

import subprocess
import sys

import pytest

HEAVY = [
    *("textual", "rich", "numpy", "pandas", "lightgbm", "exchange_calendars", "asyncio", "websockets"),
    *("sqlite3", "sqlmodel", "sqlalchemy", "httpx", "structlog", "msgspec", "alpaca", "ccxt", "ib_insync"),
]


COMMAND = """
import sys
sys.argv = ["tradedeck", *{arguments!r}]
from tui.cli import main
try:
    main()
except SystemExit:
    pass
"""


def loaded_after(code: str, names: list[str]) -> list[str]:
    tail = f"\nimport sys; print(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["approve", "--help"], ["bogus"]])
def test_the_command_line_imports_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_after(COMMAND.format(arguments=arguments), HEAVY) == []


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--demo"], ["--demo", "--state", "none"], ["attach", "--view", "--state", "none"]],
)
def test_a_quick_command_does_not_import_what_checks_values(arguments: list[str]) -> None:
    """Typer itself needs pydantic as soon as a value could be wrong, and only then."""
    assert loaded_after(COMMAND.format(arguments=arguments) + "print()", ["pydantic", "numpy"]) == []


def test_the_first_frame_needs_no_engine() -> None:
    code = "import tui.cli, tui.commands.opening, tui.commands.reaching, tui.console_config, tui.app\n"
    code += "import tui.screens.opening"
    engine = [
        "numpy",
        "pydantic",
        "sqlite3",
        "websockets",
        "engine.model.orders",
        "tui.shown.deck",
        "tui.settings",
    ]
    assert loaded_after(code, engine) == []


def test_the_daemon_imports_no_textual() -> None:
    code = "import tui.cli, tui.headless, tui.stored, tui.server.attach, tui.server.client\n"
    code += "import tui.wiring.runtime, tui.wiring.research, tui.wiring.importing"
    assert loaded_after(code, ["textual", "tui.app"]) == []
