"""What the files of the project say, and do not say."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str]

INDEX_HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|--(extra-)?index-url|--find-links|--trusted-host")
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(work|root|home/[a-z]{2,}|Users/[A-Za-z]{2,})/")
RULE_ITSELF = "tests/hygiene/test_tree.py"


def found(tree: Tree, pattern: re.Pattern[str], *but: str) -> list[str]:
    return [
        f"{name}:{number} {line.strip()[:80]}"
        for name, text in tree.items()
        if name not in (RULE_ITSELF, *but)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_index(tree: Tree) -> None:
    assert found(tree, INDEX_HOSTS) == []


def test_no_file_names_a_path_of_one_machine(tree: Tree) -> None:
    assert found(tree, MACHINE_PATHS) == []


def test_files_that_record_where_packages_came_from_are_not_kept(root: Path) -> None:
    assert [name for name in ("uv.lock", "pylock.toml", "poetry.lock") if (root / name).exists()] == []


def test_nothing_is_left_to_do_or_half_merged(tree: Tree) -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|^(<{7}|>{7}|={7})( |$)")
    assert found(tree, marks, "constraints.txt") == []


def test_lines_end_plainly(tree: Tree) -> None:
    assert [name for name, text in tree.items() if "\r" in text and not name.startswith("tests/")] == []
    assert [name for name, text in tree.items() if text and not text.endswith("\n")] == []


def pinned(constraints: str) -> dict[str, list[str]]:
    """Package -> its hashes."""
    found: dict[str, list[str]] = {}
    for line in constraints.replace("\\\n", " ").splitlines():
        name = re.match(r"^([a-z0-9][a-z0-9-]*)==[^ ;]+", line)
        assert name, f"not a pinned package: {line[:80]}"
        found.setdefault(name[1], []).extend(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line))
    return found


def test_every_pinned_package_has_hashes_and_no_address(root: Path) -> None:
    text = (root / "constraints.txt").read_text()
    packages = pinned(text)
    assert [name for name, hashes in packages.items() if not hashes] == []
    assert "://" not in text


def test_every_dependency_that_set_up_installs_is_pinned(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["research"], *extras["postgres"]]
    names = {re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0].lower() for one in wanted} - {"tradedeck"}
    assert names - set(pinned((root / "constraints.txt").read_text())) == set()


def test_the_console_library_is_pinned_exactly_where_it_is_declared(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    declared = next(one for one in project["dependencies"] if one.startswith("textual"))
    assert f"\n{declared} " in (root / "constraints.txt").read_text()


def test_hooks_take_their_tools_from_the_environment(root: Path) -> None:
    config = (root / ".pre-commit-config.yaml").read_text()
    assert "rev:" not in config
    entries = re.findall(r"entry: (\S+)", config)
    assert entries
    assert [entry for entry in entries if not entry.startswith("./.venv/bin/")] == []


def test_programs_of_the_tree_may_be_run(root: Path) -> None:
    for name in ("run", ".ci/run", ".ci/postgres"):
        assert (root / name).stat().st_mode & 0o111 == 0o111, name
