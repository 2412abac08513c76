"""The reserve is really on the disk, is given back once, and is made anew only where there is room."""

import errno
import os
from pathlib import Path

import pytest

from storage import reserve as reserve_module
from storage.reserve import RESERVE_BYTES, Reserve, free_bytes, reserve_path


@pytest.fixture
def reserve(tmp_path: Path) -> Reserve:
    return Reserve(reserve_path(tmp_path / "journal.db"), room=0)


def test_eight_megabytes_are_allocated_beside_the_journal_for_this_user_alone(
    reserve: Reserve, tmp_path: Path
) -> None:
    assert not reserve.is_whole
    assert reserve.hold() == ""
    found = (tmp_path / "journal.db.reserve").stat()
    assert found.st_size == RESERVE_BYTES == 8 * 1024 * 1024
    assert found.st_blocks * 512 >= RESERVE_BYTES
    assert found.st_mode & 0o777 == 0o600
    assert reserve.is_whole


def test_a_sparse_file_of_the_right_size_is_no_reserve(reserve: Reserve) -> None:
    with reserve.path.open("wb") as file:
        file.truncate(RESERVE_BYTES)
    assert not reserve.is_whole
    assert reserve.hold() == ""
    assert reserve.is_whole


def test_what_is_whole_is_left_as_it_is(reserve: Reserve) -> None:
    reserve.hold()
    before = reserve.path.stat().st_mtime_ns
    assert reserve.hold() == ""
    assert reserve.path.stat().st_mtime_ns == before


def test_it_is_given_back_once(reserve: Reserve) -> None:
    reserve.hold()
    assert reserve.release()
    assert not reserve.path.exists()
    assert not reserve.release()


def test_one_that_cannot_be_removed_gave_nothing_back(
    reserve: Reserve, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve.hold()

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert not reserve.release()


def test_it_is_not_made_where_the_journal_needs_what_there_is(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "r", size=4096, room=free_bytes(tmp_path) * 2)
    assert "needed for the reserve" in reserve.hold()
    assert not reserve.path.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG])
def test_half_a_reserve_is_none(reserve: Reserve, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def full(handle: int, start: int, size: int) -> None:
        os.write(handle, b"x" * 4096)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert reserve.hold() == f"no room for the reserve of 8 MiB: {os.strerror(code)}"
    assert not reserve.path.exists()


def test_a_disk_that_only_promises_is_told(reserve: Reserve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda handle, start, size: os.ftruncate(handle, size))
    assert reserve.hold() == "the disk did not set aside the 8 MiB asked for"


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "gone" / "r")
    assert "no room for the reserve" in reserve.hold()
    assert reserve_module.BLOCK == 512
