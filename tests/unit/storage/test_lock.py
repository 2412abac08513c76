"""One process writes a state folder."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import Busy, StorageError
from storage.lock import StateLock, lock_holder

HOLD = """
import sys
from pathlib import Path
from storage.lock import StateLock
lock = StateLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""

Start = Callable[..., "subprocess.Popen[str]"]


def hold(start_python: Start, path: Path) -> "subprocess.Popen[str]":
    process = start_python(HOLD, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_second_process_is_told_who_holds_the_folder(tmp_path: Path, start_python: Start) -> None:
    path = tmp_path / "lock"
    holder = hold(start_python, path)
    with pytest.raises(Busy, match=f"pid {holder.pid}") as refusal:
        StateLock.acquire(path)
    assert refusal.value.exit_code == 75
    assert lock_holder(path) == holder.pid


def test_kernel_frees_the_folder_of_a_killed_process(tmp_path: Path, start_python: Start) -> None:
    path = tmp_path / "lock"
    holder = hold(start_python, path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert lock_holder(path) is None
    with StateLock.acquire(path):
        assert lock_holder(path) is not None


def test_lock_is_free_again_after_it_was_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock_holder(path) is None
    lock = StateLock.acquire(path)
    assert path.stat().st_mode & 0o777 == 0o600
    lock.release()
    lock.release()
    assert lock_holder(path) is None
    StateLock.acquire(path).release()


def test_lock_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot make the lock"):
        StateLock.acquire(tmp_path / "nowhere" / "lock")


def test_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(StorageError):
        StateLock.acquire(tmp_path / "lock")
    assert not (tmp_path / "victim").exists()
