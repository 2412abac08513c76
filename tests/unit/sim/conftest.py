"""Loads modules of tests/sim, a program of its own whose modules name each other without a package."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sim() -> Callable[[str], ModuleType]:
    """A module of the simulator by its name."""
    folder = str(Path(__file__).resolve().parents[2] / "sim")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module
