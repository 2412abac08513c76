"""Names and places of files that a person asks for."""

import os
import re
from pathlib import Path

import pytest

from engine.errors import StorageError, UsageError
from storage.artifacts import artifact_name, slug, write_artifact, write_chosen

NASTY = (
    "../../etc/passwd",
    "/etc/passwd",
    "a\x00b",
    "..",
    ".",
    "",
    "~/x",
    "CON",
    "a/b/c",
    "\x1b]52;c;aGk=\x07",
    "ab\u202ecd",
    "z" * 10_000,
    "PEPE[/]",
    "né",
    "-rf",
    "$(id)",
    "a b\tc\nd",
)


@pytest.mark.parametrize("words", NASTY, ids=lambda text: repr(text[:12]))
def test_every_name_of_ours_is_a_slug_and_a_hash(words: str, tmp_path: Path) -> None:
    name = artifact_name(words, b"content", ".html")
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}-[0-9a-f]{16}\.html", name)
    assert write_artifact(tmp_path, name, b"content").parent == tmp_path.resolve()
    assert os.listdir(tmp_path) == [name]


def test_another_content_has_another_name() -> None:
    assert artifact_name("T-1", b"a", ".md") != artifact_name("T-1", b"b", ".md")
    assert slug("Decision T-18 ORVX, session 2026-11-06") == "decision-t-18-orvx-session-2026-11-06"


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", "..", ".", "", "sub/../../x"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(UsageError, match="no name of a file"):
        write_artifact(root, name, b"x")
    assert os.listdir(tmp_path) == ["root"]
    assert os.listdir(root) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"before")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(UsageError, match="is a link"):
        write_artifact(tmp_path, "link", b"x")
    assert target.read_bytes() == b"before"


def test_a_file_is_replaced_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = write_artifact(tmp_path, "a.md", b"first")
    assert write_artifact(tmp_path, "a.md", b"second") == path
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["a.md"]


def test_a_person_names_a_file_or_a_folder(tmp_path: Path) -> None:
    assert write_chosen(tmp_path / "mine.html", "T-1", b"x", ".html").name == "mine.html"
    assert write_chosen(tmp_path, "T-1", b"x", ".html").name == artifact_name("T-1", b"x", ".html")
    with pytest.raises(UsageError, match="there is no folder"):
        write_chosen(tmp_path / "missing" / "a.html", "T-1", b"x", ".html")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        write_artifact(tmp_path, "taken", b"x")
    assert os.listdir(tmp_path) == ["taken"]
