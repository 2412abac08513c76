"""A demo day tells the same whole numbers under every supported Python that the machine has."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("demo_digest_run.py")
SUPPORTED = ("3.11", "3.12", "3.13")


def version_of(python: str) -> str | None:
    """Such as `3.12.1`; None where it does not start, as the stand-in of a version manager."""
    ask = [python, "-I", "-S", "-c", "import sys; print(sys.version.split()[0])"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=20, check=False, env={})
    except OSError:
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def pythons_of(release: str) -> list[str]:
    """By name, and where a version manager keeps them beside its stand-ins."""
    named = shutil.which(f"python{release}")
    if named is None:
        return []
    manager = Path(named).parent.parent / "versions"
    return [*map(str, sorted(manager.glob(f"{release}.*/bin/python"))), named]


def found(release: str) -> tuple[str, str] | None:
    """The first Python of a release that really starts, and its version."""
    for python in pythons_of(release):
        version = version_of(python)
        if version is not None and version.startswith(f"{release}."):
            return python, version
    return None


FOUND = {release: found(release) for release in SUPPORTED}


def digest(python: str, seed: int) -> tuple[str, str]:
    """Version and digest as told by a Python without site packages and with an empty environment."""
    run = [python, "-I", "-S", "-B", str(SCRIPT), str(REPOSITORY), str(seed)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False, env={})
    assert done.returncode == 0, done.stderr
    version, value, foreign = done.stdout.strip().split(" ", 2)
    assert foreign == "[]"
    return version, value


@pytest.fixture(scope="module")
def own() -> str:
    """Of the Python that runs the tests."""
    return digest(sys.executable, 1)[1]


@pytest.mark.parametrize(
    "release",
    SUPPORTED,
    ids=[f"python-{one[1]}" if (one := FOUND[release]) else f"no-{release}" for release in SUPPORTED],
)
def test_the_first_day_is_the_same_on_every_python(own: str, release: str) -> None:
    python = FOUND[release]
    if python is None:
        pytest.skip(f"no Python {release} starts on this machine")
    version, value = digest(python[0], 1)
    sys.stdout.write(f"demo digest on Python {version}: {value}\n")
    assert version == python[1]
    assert len(value) == 64
    assert value == own


def test_another_seed_is_another_day(own: str) -> None:
    assert digest(sys.executable, 2)[1] != own
