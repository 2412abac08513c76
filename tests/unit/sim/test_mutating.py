"""A rule broken on import is really broken, in that process alone; an edit that fits no more is refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SIMULATOR = Path(__file__).resolve().parents[2] / "sim"
SOURCE = "LIMIT = 3\n\n\ndef is_allowed(value):\n    return value <= LIMIT\n"
PROGRAM = """
import sys
sys.path[:0] = [{simulator!r}, {folder!r}]
import mutating
mutating.install([mutating.Edit("rules", "value <= LIMIT", "value >= LIMIT")])
import rules
print(rules.is_allowed(2), rules.is_allowed(4), rules.__file__)
"""


@pytest.fixture
def mutating(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("mutating")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.py"
    path.write_text(SOURCE)
    return path


def test_an_edit_that_no_longer_fits_fails_loudly(mutating: ModuleType) -> None:
    edit = mutating.Edit("rules", "value <= LIMIT", "value < LIMIT")
    assert edit.changed(SOURCE) == SOURCE.replace("<=", "<")
    with pytest.raises(ValueError, match="'value <= LIMIT' 0 times, not once"):
        edit.changed(SOURCE.replace("<=", "=="))
    with pytest.raises(ValueError, match="2 times, not once"):
        edit.changed(SOURCE + SOURCE)


def test_an_edit_is_checked_against_the_file_of_its_module(mutating: ModuleType, rules: Path) -> None:
    mutating.check([mutating.Edit("rules", "LIMIT = 3", "LIMIT = 4")], rules.parent)
    with pytest.raises(ValueError, match="rules holds 'LIMIT = 5' 0 times"):
        mutating.check([mutating.Edit("rules", "LIMIT = 5", "LIMIT = 4")], rules.parent)


def test_an_installed_edit_changes_what_the_module_does_and_nothing_on_disk(rules: Path) -> None:
    def run(program: str) -> str:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": ""}).stdout

    broken = PROGRAM.format(simulator=str(SIMULATOR), folder=str(rules.parent))
    plain = broken.replace("mutating.install(", "list(")
    before = rules.stat().st_mtime_ns
    assert run(plain).split() == ["True", "False", str(rules)]
    cached = {path: path.read_bytes() for path in rules.parent.rglob("*.pyc")}
    assert cached
    # Bytecode of the true source lies there: the edit is made all the same, and leaves it as it is.
    assert run(broken).split() == ["False", "True", str(rules)]
    assert {path: path.read_bytes() for path in rules.parent.rglob("*.pyc")} == cached
    assert (rules.read_text(), rules.stat().st_mtime_ns) == (SOURCE, before)
    assert run(plain).split() == ["True", "False", str(rules)]


def test_a_module_that_is_in_use_cannot_be_changed_any_more(mutating: ModuleType) -> None:
    before = list(sys.meta_path)
    with pytest.raises(ValueError, match="os is imported already: too late to change it"):
        mutating.install([mutating.Edit(os.__name__, "a", "b")])
    assert sys.meta_path == before
