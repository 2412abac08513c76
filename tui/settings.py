"""Config of all packages, joined and read in the order of STYLE 12, each key with where it came from."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.config import RANGES, Bounds, Config, annotation_of, config_hash, leaves, merged, parse
from engine.errors import ConfigError
from engine.sources.config import SourcesConfig
from engine.sources.demo.walk import DemoWalk
from tui.console_config import PREFIX, ConsoleConfig, files_there, read_file, typed_text

DEFAULT = "default"
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckConfig(Config):
    """All sections of config.toml. `keys`: action id -> key, only those that a person changed."""

    sources: SourcesConfig = field(default_factory=SourcesConfig)
    demo: DemoWalk = field(default_factory=DemoWalk)
    console: ConsoleConfig = field(default_factory=ConsoleConfig)
    keys: Mapping[str, str] = field(default_factory=dict)


DECK_RANGES: Mapping[str, Bounds] = {
    **RANGES,
    "demo.start": Bounds(0, 1e6, open_low=True),
    "demo.drift": Bounds(-1, 1),
    "demo.volatility": Bounds(0, 1),
    "demo.steps": Bounds(2, 1_000_000),
    "console.live_phrase_above_usd": Bounds(0, 1e9),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective config and where it came from. `origins` holds only keys that something set."""

    config: DeckConfig
    sha256: str
    origins: Mapping[str, str]
    files: tuple[Path, ...]
    """The files that were read, the strongest first."""

    @property
    def log_dir(self) -> Path | None:
        """Folder of the log files; None is stdout."""
        return Path(self.config.engine.log_dir).expanduser() if self.config.engine.log_dir else None

    def origin(self, key: str) -> str:
        """Who set a key: a file, a variable, the command line, or `default`."""
        return self.origins.get(key, DEFAULT)


def load_settings(
    named: Path | None,
    working: Path,
    user: Path,
    environment: Mapping[str, str],
    typed: Mapping[str, object],
) -> Settings:
    """Read everything that may set a key: `typed` (dotted key -> value) wins, then the environment.

    `working` and `user` are the folders whose config.toml is read when no file is named. Raises ConfigError.
    """
    document: dict[str, Any] = {}
    origins: dict[str, str] = {}
    files = files_there(named, working, user)
    for path in reversed(files):
        read = read_file(path)
        document = merged(document, read)
        origins.update((key, str(path)) for key, _ in leaves(read))
    settings = (
        *_from_environment(environment),
        *((key, value, COMMAND_LINE) for key, value in typed.items()),
    )
    for key, value, origin in settings:
        document = merged(document, _nested(key, value))
        origins[key] = origin
    config = parse(document, DeckConfig, origins, DECK_RANGES)
    return Settings(config, config_hash(config), origins, tuple(files))


def check_keys(settings: Settings, actions: Collection[str], clash: str | None = None) -> None:
    """Refuse keys for actions that the console does not have, and keys that `clash`. Raises ConfigError."""
    if clash is not None:
        raise ConfigError(f"keys: {clash}", "Choose another key for one of them")
    for action in settings.config.keys:
        if action not in actions:
            near = difflib.get_close_matches(action, actions, 1)
            hint = f"The nearest is keys.{near[0]}" if near else f"Actions: {', '.join(sorted(actions))}"
            raise ConfigError(f"{settings.origin(f'keys.{action}')}: unknown action keys.{action}", hint)


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, object, str]]:
    """`TRADEDECK_GAPS__SIZE_PCT=0.01` -> gaps.size_pct; variables that name no section are not ours."""
    sections = {section.upper(): section for section in DeckConfig.__dataclass_fields__}
    for variable, text in sorted(environment.items()):
        name = variable.removeprefix(PREFIX)
        section = next((known for known in sections if name.startswith(f"{known}_")), None)
        if name == variable or (section is None and "__" not in name):
            continue
        if "__" not in name and section is not None:
            meant = f"{PREFIX}{section}__{name.removeprefix(f'{section}_')}"
            raise ConfigError(f"environment: {variable} names no key", f"The nearest is {meant}")
        key = name.lower().replace("__", ".")
        yield key, _typed(text, annotation_of(key, DeckConfig)), f"environment {variable}"


def _typed(text: str, annotation: Any) -> object:
    """The text itself for a key that holds text, else what it means in TOML; the check judges the rest."""
    if isinstance(annotation, type) and issubclass(annotation, str):
        return text
    return typed_text(text)


def _nested(key: str, value: object) -> dict[str, Any]:
    for name in reversed(key.split(".")):
        value = {name: value}
    assert isinstance(value, dict)  # noqa: S101 - split gives at least one name
    return value
