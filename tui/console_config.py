"""`[console]` and `[keys]`, and where config files lie: what the first frame needs of the config.

Loaded before the frame, so nothing here imports more than the standard library.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import ConfigError
from tui.widgets.charts.graph import Graph

FILE = "config.toml"
PREFIX = "TRADEDECK_"
E = TypeVar("E", bound=StrEnum)


class ThemeName(StrEnum):
    """Columns of DESIGN 3. NO_COLOR and terminals of 16 colors override the choice."""

    DUSK = "dusk"
    PAPER = "paper"
    CONTRAST = "contrast"
    SIXTEEN = "sixteen"


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """`[console]`. `live_phrase_above_usd`: above it a live order asks for a typed phrase (DESIGN 15)."""

    reduce_motion: bool = False
    bell: bool = False
    theme: ThemeName = ThemeName.DUSK
    graph: Graph = Graph.BRAILLE
    live_phrase_above_usd: float = 1000.0


@dataclass(frozen=True, slots=True)
class Glance:
    """What a console looks like. `keys`: action id -> the person's own key."""

    console: ConsoleConfig = ConsoleConfig()
    keys: Mapping[str, str] = field(default_factory=dict)


def config_files(named: Path | None, working: Path, user: Path) -> tuple[Path, ...]:
    """The files that may exist, the strongest first; one named on the command line stands for both."""
    return (named,) if named is not None else (working / FILE, user / FILE)


def files_there(named: Path | None, working: Path, user: Path) -> list[Path]:
    """Those to read, the strongest first: one that was named must exist."""
    return [path for path in config_files(named, working, user) if path == named or path.exists()]


def read_file(path: Path) -> dict[str, Any]:
    """One file as a document. Raises ConfigError where it cannot be read or is no TOML."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist", "Name an existing file with --config") from error
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", "Check its owner and permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error.reason}", "Save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "Correct that line") from error


def typed_text(text: str) -> object:
    """What the text of a variable means in TOML; itself where it means nothing there."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def glance(named: Path | None, working: Path, user: Path, environment: Mapping[str, str]) -> Glance:
    """`[console]` and `[keys]` before the config is checked as a whole, which takes longer than a frame.

    A value that the check will refuse is left out here. Raises ConfigError for a file that cannot be read.
    """
    console: dict[str, object] = {}
    keys: dict[str, object] = {}
    for path in reversed(files_there(named, working, user)):
        document = read_file(path)
        console |= _table(document, "console")
        keys |= _table(document, "keys")
    for variable, text in environment.items():
        section, _, key = variable.removeprefix(PREFIX).lower().partition("__")
        if variable.startswith(PREFIX) and section in ("console", "keys"):
            (console if section == "console" else keys)[key.replace("__", ".")] = text
    return Glance(_console(console), {key: value for key, value in keys.items() if isinstance(value, str)})


def _table(document: Mapping[str, Any], section: str) -> Mapping[str, object]:
    found = document.get(section, {})
    return found if isinstance(found, dict) else {}


def _console(values: Mapping[str, object]) -> ConsoleConfig:
    plain = ConsoleConfig()
    return replace(
        plain,
        reduce_motion=_switch(values.get("reduce_motion"), plain.reduce_motion),
        bell=_switch(values.get("bell"), plain.bell),
        theme=_word(values.get("theme"), ThemeName, plain.theme),
        graph=_word(values.get("graph"), Graph, plain.graph),
    )


def _switch(value: object, otherwise: bool) -> bool:
    """A variable says it in words."""
    meant = typed_text(value) if isinstance(value, str) else value
    return meant if isinstance(meant, bool) else otherwise


def _word(value: object, kind: type[E], otherwise: E) -> E:
    return next((word for word in kind if word == value), otherwise)
