"""The tree under test, and Python processes that have imported nothing yet."""

import ast
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("tui", "engine", "brokers", "storage")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def product() -> Mapping[str, ast.Module]:
    """Every module of the four packages: path relative to the root -> syntax tree."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@pytest.fixture(scope="session")
def tree() -> Mapping[str, str]:
    """Every text file of the project: path relative to the root -> text."""
    folders = {*PACKAGES, "tests", "docs", "benchmarks", ".ci"}
    names = sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and (path.parent == ROOT or path.relative_to(ROOT).parts[0] in folders)
    )
    texts = {}
    for path in names:
        try:
            texts[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a recorded payload
    return texts


@pytest.fixture
def fresh_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program text in a new interpreter, in an empty folder."""

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
