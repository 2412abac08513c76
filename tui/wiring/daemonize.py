"""A daemon that outlives the terminal it was started from, and what a state keeps to start it again.

What is kept are options by name, never a command line: nothing in the file can name another program, and it
lies in a folder that only its owner can open.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import DataError, StorageError
from storage.paths import PRIVATE_DIR, StatePaths

FILE = "start.json"
OUTPUT = "daemon.out"
"""Holds what a daemon says before its log is open, and its last words; anew at each start."""
RUN = "from tui.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Start:
    """The options of `tradedeck --no-ui` that a daemon was started with; paths absolute."""

    demo: bool
    seed: int | None
    replay: str | None
    """YYYY-MM-DD."""
    data: tuple[str, ...]
    vix: str | None
    spy: str | None
    speed: str | None
    """Market seconds a second, or inf."""
    policy: str | None
    config: str | None

    def arguments(self) -> list[str]:
        """As they are typed."""
        typed = ["--demo"] if self.demo else []
        named = {
            "--seed": self.seed,
            "--replay": self.replay,
            "--vix": self.vix,
            "--spy": self.spy,
            "--speed": self.speed,
            "--policy": self.policy,
            "--config": self.config,
        }
        typed += [f"{name}={value}" for name, value in named.items() if value is not None]
        return typed + [f"--data={path}" for path in self.data]


def remember(state: StatePaths, start: Start) -> None:
    """Keep how this state's daemon was started. Raises StorageError."""
    path = state.folder / FILE
    new = path.with_suffix(".new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(start), file, indent=2)
        new.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}", "Check the state folder") from error


def recall(state: StatePaths) -> Start | None:
    """How this state's daemon was started last; None where none ever ran. Raises DataError."""
    path = state.folder / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", "Remove it, and start with all options") from error
    if not _is_whole(kept):
        raise DataError(
            f"{path} was written by another version, or by hand", "Remove it, and start with all options"
        )
    return Start(**{**kept, "data": tuple(kept["data"])})


def _is_whole(kept: Any) -> bool:
    if not isinstance(kept, dict) or set(kept) != {field.name for field in fields(Start)}:
        return False
    texts = ("replay", "vix", "spy", "speed", "policy", "config")
    return (
        isinstance(kept["demo"], bool)
        and (kept["seed"] is None or type(kept["seed"]) is int)
        and all(kept[name] is None or isinstance(kept[name], str) for name in texts)
        and isinstance(kept["data"], list)
        and all(isinstance(path, str) for path in kept["data"])
    )


def log_folder(state: StatePaths, configured: Path | None) -> Path:
    """Where a daemon without a terminal logs."""
    return configured or state.folder / "log"


def spawn(state: StatePaths, start: Start, log_dir: Path | None) -> subprocess.Popen[bytes]:
    """Start the daemon in a session of its own: no terminal, no signal from ours, output in its log folder.

    Raises StorageError where that folder cannot be written.
    """
    folder = log_folder(state, log_dir)
    try:
        folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        output = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(
            f"the log cannot be written in {folder}: {error.strerror}", "Check the state folder"
        ) from error
    try:
        # -P: the folder we stand in is no place to import from.
        return subprocess.Popen(  # noqa: S603 - our own program, options checked by `recall`
            [sys.executable, "-P", "-c", RUN, "--no-ui", f"--state={state.folder}", *start.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            env={**os.environ, "TRADEDECK_ENGINE__LOG_DIR": str(folder)},
        )
    finally:
        os.close(output)


def last_words(state: StatePaths, log_dir: Path | None) -> str:
    """The last line that the daemon said outside of its log; "" for none."""
    try:
        said = (log_folder(state, log_dir) / OUTPUT).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""
