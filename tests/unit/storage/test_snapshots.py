"""Documents of emergency shutdowns: whole or not at all, for their owner only."""

import json
import stat
from pathlib import Path

import pytest

from engine.errors import StorageError
from storage.snapshots import SnapshotFolder


def test_a_document_is_written_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "snapshots"
    place = Path(SnapshotFolder(folder).write("halt-7.json", {"reason": "größer"}))
    assert place == folder / "halt-7.json"
    assert json.loads(place.read_text("utf-8")) == {"reason": "größer"}
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_repeated_shutdown_replaces_its_document(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    (tmp_path / ".halt-7.json.new").write_text("left by a crash")
    folder.write("halt-7.json", {"step": 1})
    folder.write("halt-7.json", {"step": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["halt-7.json"]
    assert json.loads((tmp_path / "halt-7.json").read_text()) == {"step": 2}


def test_what_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "halt-7.json").mkdir()
    with pytest.raises(StorageError, match=r"halt-7\.json cannot be written: Is a directory"):
        SnapshotFolder(tmp_path).write("halt-7.json", {})
