"""Which terminal a process sits at, from what the system tells of it."""

from pathlib import Path

import pytest

from tui.server.peers import terminal_of


@pytest.mark.parametrize(
    ("stat", "terminal"),
    [
        ("4112 (python3) S 1 4112 4112 34823 4112 4194560", "pts/7"),
        ("4112 (a) b) S 1 4112 4112 34823 4112 4194560", "pts/7"),
        ("4112 (python3) S 1 4112 4112 35072 4112 4194560", "pts/256"),
        ("4112 (python3) S 1 4112 4112 1025 4112 4194560", "tty1"),
        ("4112 (python3) S 1 4112 4112 0 -1 4194560", ""),
        ("4112 (python3) S 1 4112 4112 1281 -1 4194560", ""),
        ("4112 (python3) S 1", ""),
        ("4112 (python3) S 1 4112 4112 x", ""),
    ],
)
def test_the_terminal_is_read_from_the_process(tmp_path: Path, stat: str, terminal: str) -> None:
    (tmp_path / "4112").mkdir()
    (tmp_path / "4112" / "stat").write_text(stat)
    assert terminal_of(4112, tmp_path) == terminal


def test_a_process_that_nobody_knows_has_none(tmp_path: Path) -> None:
    assert terminal_of(4112, tmp_path) == ""
    assert terminal_of(None, tmp_path) == ""
