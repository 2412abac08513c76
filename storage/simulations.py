"""State folders of replays and demos: `simulations/<time>` under the state home; five stay (SPEC 11.5)."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.errors import Busy, StorageError, UsageError
from storage.lock import StateLock
from storage.paths import PRIVATE_DIR, Home, StatePaths, folder_state, home_state, make_private

KEEP = 5
LATEST = "latest"
_NAME = re.compile(r"(\d{8}T\d{6}Z)(?:-(\d{1,4}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_simulations(home: Home) -> tuple[Path, ...]:
    """The simulation folders, oldest first. Anything else in there is not ours and is left out."""
    if not home.simulations.is_dir():
        return ()
    found = [path for path in home.simulations.iterdir() if _is_ours(path)]
    return tuple(sorted(found, key=lambda path: _order(path.name)))


def resolve_state(home: Home, wanted: str | None) -> StatePaths:
    """What `--state` names: an existing folder, `latest` for the newest simulation, None for the person's.

    Raises UsageError where there is no such state.
    """
    if wanted is None:
        return home_state(home)
    if wanted == LATEST:
        folders = list_simulations(home)
        if not folders:
            raise UsageError(
                f"--state latest: there is no simulation in {home.simulations}",
                "Run tradedeck --replay DATE first, or name a state folder",
            )
        return folder_state(home, folders[-1])
    folder = Path(wanted).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f"--state {wanted}: there is no such folder", "Name an existing state folder, or latest"
        )
    return folder_state(home, folder)


def new_simulation(home: Home, now_us: int) -> StatePaths:
    """Make a state folder named after `now_us` (int microseconds UTC); all but the newest five go."""
    make_private(home.state)
    make_private(home.simulations)
    name = (_EPOCH + timedelta(microseconds=now_us)).strftime("%Y%m%dT%H%M%SZ")
    count = 1
    while True:
        folder = home.simulations / (name if count == 1 else f"{name}-{count}")
        try:
            folder.mkdir(mode=PRIVATE_DIR)
        except FileExistsError:
            count += 1
        else:
            break
    prune_simulations(home)
    return folder_state(home, folder)


def prune_simulations(home: Home, keep: int = KEEP) -> tuple[Path, ...]:
    """Delete all but the newest `keep` simulations, never one that is in use; returns what was deleted."""
    folders = list_simulations(home)
    deleted = []
    for folder in folders[: max(0, len(folders) - keep)]:
        try:
            with StateLock.acquire(folder_state(home, folder).lock):
                shutil.rmtree(folder)
        except Busy:
            continue
        except StorageError:
            if folder.exists():  # else another process deleted it first
                raise
        except OSError as error:
            raise StorageError(
                f"cannot delete the old simulation {folder}: {error.strerror}", "Delete it by hand"
            ) from error
        deleted.append(folder)
    return tuple(deleted)


def _is_ours(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None and path.is_dir() and not path.is_symlink()


def _order(name: str) -> tuple[str, int]:
    parts = _NAME.fullmatch(name)
    assert parts is not None  # noqa: S101 - only names that _is_ours let through
    return parts[1], int(parts[2] or 1)
