"""Options that every command has, and what they lead to. Only the standard library and Typer at import."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import DataError

if TYPE_CHECKING:
    from engine.model.commands import Actor
    from storage.paths import Home, StatePaths
    from tui.console_config import Glance
    from tui.settings import Settings


def parse_day(text: str) -> date:
    """A day written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day like 2016-01-04") from error


ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Read this file instead of config.toml.")
]
StateOption = Annotated[
    str | None,
    typer.Option("--state", metavar="DIR|latest", help="State folder; latest is the newest replay or demo."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
DataOption = Annotated[
    list[Path] | None,
    typer.Option("--data", metavar="FILE", help="Daily bars, CSV or Parquet; default: what was imported."),
]
VixOption = Annotated[Path | None, typer.Option("--vix", metavar="FILE", help="Daily bars of the VIX.")]
SpyOption = Annotated[Path | None, typer.Option("--spy", metavar="FILE", help="Daily bars of SPY.")]
FromOption = Annotated[
    date | None, typer.Option("--from", parser=parse_day, metavar="DAY", help="First entry session.")
]
ToOption = Annotated[
    date | None, typer.Option("--to", parser=parse_day, metavar="DAY", help="Last entry session.")
]
RuleOption = Annotated[
    str | None, typer.Option("--rule", metavar="auto|naive|full", help="As gaps.rule in config.toml.")
]
PolicyOption = Annotated[
    str | None,
    typer.Option(
        "--policy", metavar="hold|paper-auto|list", help="As engine.headless_policy in config.toml."
    ),
]
RowsOption = Annotated[bool, typer.Option("--rows", help="Also every trade.")]


@dataclass(frozen=True, slots=True)
class Given:
    """`--config` and `--state`, wherever on the line they stood."""

    config: Path | None = None
    state: str | None = None

    @property
    def home(self) -> "Home":
        """The person's folders."""
        from storage.paths import find_home  # keeps --help quick

        return find_home(os.environ)

    @property
    def paths(self) -> "StatePaths":
        """The state that is read. Raises UsageError where it does not exist."""
        from storage.simulations import resolve_state  # keeps --help quick

        return resolve_state(self.home, self.state)

    def glance(self) -> "Glance":
        """How the console looks: all that is read of the config before the first frame."""
        from tui.console_config import glance  # keeps --help quick

        return glance(self.config, Path.cwd(), self.home.config, os.environ)

    def settings(self, typed: Mapping[str, object | None] | None = None) -> "Settings":
        """The effective config; `typed` are keys that options of the command line set."""
        from tui.settings import load_settings  # keeps --help quick

        values = {key: value for key, value in (typed or {}).items() if value is not None}
        return load_settings(self.config, Path.cwd(), self.home.config, os.environ, values)


def given(context: typer.Context, config: Path | None, state: str | None) -> Given:
    """What stood behind the command wins over what stood before it."""
    before = context.find_object(Given) or Given()
    return Given(config or before.config, state or before.state)


def check_files(*paths: Path | None) -> None:
    """Refuse a file that is not there before anything long begins. Raises DataError."""
    for path in paths:
        if path is not None and not path.is_file():
            raise DataError(f"there is no file {path}", "Check the path")


def me() -> "Actor":
    """The person at this terminal; an engine in another process puts in the name the kernel tells it."""
    from engine.model.commands import Actor  # keeps --help quick
    from tui.server.peers import own_uid, user_name

    terminal = ""
    if sys.stdin.isatty():
        terminal = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    uid = own_uid()
    return Actor(user_name(uid), terminal, uid=uid)
