"""What a person gets who installs the wheel."""

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    ended = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return next(folder.glob("*.whl"))


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_module_and_style_sheet_of_the_packages_is_inside(root: Path, wheel: Path) -> None:
    sources = {
        str(path.relative_to(root))
        for package in ("tui", "engine", "brokers", "storage")
        for path in (root / package).rglob("*")
        if path.suffix in {".py", ".tcss", ".mako", ".json", ".sql"} and "__pycache__" not in path.parts
    }
    assert "tui/deck.tcss" in sources
    assert any(name.startswith("storage/migrations/versions/") for name in sources)
    assert sources - contents(wheel) == set()


def test_nothing_else_is_inside(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in contents(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tui", "engine", "brokers", "storage"}
    assert [name for name in contents(wheel) if "config.toml" in name or name.endswith(".pyc")] == []


def test_the_command_and_the_license_come_along(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        points = configparser.ConfigParser()
        points.read_string(archive.read(next(n for n in names if n.endswith("entry_points.txt"))).decode())
    assert dict(points["console_scripts"]) == {"tradedeck": "tui.cli:main"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
