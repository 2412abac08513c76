"""The builders and the fake venue of the execution core's own tests."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """By path: another distribution installs a top-level package `tests`."""
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
async def rig(world: ModuleType) -> Any:
    """The real bracket writer at the fake venue."""
    return world.Rig()
