"""Below 500 MB a person is warned, below 200 MB nothing new begins."""

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.space import DiskGuard, Space, space_of

MB = 1_000_000


class Disk:
    """Its room, and what the guard told."""

    def __init__(self) -> None:
        self.free: int | None = 10_000 * MB
        self.told: list[tuple[str, str]] = []

    def measure(self, folder: Path) -> int:
        if self.free is None:
            raise OSError(5, "Input/output error")
        return self.free

    def tell(self, kind: str) -> Callable[[str], None]:
        return lambda text: self.told.append((kind, text))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def guard(disk: Disk) -> DiskGuard:
    return DiskGuard(Path("/state"), disk.tell("warn"), disk.tell("stop"), disk.measure)


@pytest.mark.parametrize(
    ("free", "space"),
    [
        (500 * MB, Space.AMPLE),
        (500 * MB - 1, Space.LOW),
        (200 * MB, Space.LOW),
        (200 * MB - 1, Space.OUT),
        (0, Space.OUT),
    ],
)
def test_the_bounds(free: int, space: Space) -> None:
    assert space_of(free) is space


def test_each_change_for_the_worse_is_told_once(guard: DiskGuard, disk: Disk) -> None:
    spaces = []
    for free in (900, 499, 450, 199, 150, 300, 199, 900, 400):
        disk.free = free * MB
        spaces.append(guard.look())
    low, out, ample = Space.LOW, Space.OUT, Space.AMPLE
    assert spaces == [ample, low, low, out, out, low, out, ample, low]
    assert [kind for kind, _ in disk.told] == ["warn", "stop", "stop", "warn"]
    assert disk.told[0][1] == "499 MB free on the disk of /state: entries stop below 200 MB"
    assert disk.told[1][1] == "199 MB free on the disk of /state: no entries below 200 MB"


def test_a_disk_that_cannot_be_measured_stops_entries(guard: DiskGuard, disk: Disk) -> None:
    disk.free = None
    assert guard.look() is Space.OUT
    assert disk.told == [
        ("stop", "the room on the disk is not known: Input/output error: no entries below 200 MB")
    ]


def test_it_measures_the_real_disk(tmp_path: Path, disk: Disk) -> None:
    guard = DiskGuard(tmp_path, disk.tell("warn"), disk.tell("stop"))
    assert guard.look() in Space
