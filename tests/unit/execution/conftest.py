"""The world of `world.py` for all tests of the execution core."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    """By path: another distribution installs a package `tests`, so ours cannot be imported by name."""
    found = sys.modules.get(name)
    if found is not None:
        return found
    path = Path(__file__).with_name("world.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """Builders, the fake venue and the fake journal."""
    return load("execution_world")


@pytest.fixture
def rig_of(world: ModuleType) -> Callable[..., Any]:
    """A rig at a venue whose card is changed."""
    return lambda **changes: world.Rig(world.card(**changes))


@pytest.fixture
async def rig(world: ModuleType) -> Any:
    """The bracket writer at the strictest venue."""
    return world.Rig()
