"""Folders of simulations: five stay, none in use goes, nothing that is not ours is touched."""

from pathlib import Path

from storage.lock import StateLock
from storage.paths import Home, folder_state
from storage.simulations import list_simulations, new_simulation, prune_simulations

START_US = 1_781_000_000_000_000


def names(home: Home) -> list[str]:
    return [folder.name for folder in list_simulations(home)]


def test_folder_is_named_after_its_time_and_private(home: Home) -> None:
    paths = new_simulation(home, START_US)
    assert paths.folder == home.simulations / "20260609T101320Z"
    assert {folder.stat().st_mode & 0o777 for folder in (paths.folder, home.simulations)} == {0o700}


def test_same_second_makes_folders_in_order(home: Home) -> None:
    made = [new_simulation(home, START_US).folder.name for _ in range(3)]
    assert names(home) == made == ["20260609T101320Z", "20260609T101320Z-2", "20260609T101320Z-3"]


def test_tenth_folder_of_a_second_comes_after_the_ninth(home: Home) -> None:
    for number in (2, 9, 10):
        (home.simulations / f"20260609T101320Z-{number}").mkdir(parents=True)
    assert names(home)[-1].endswith("-10")


def test_newest_five_stay(home: Home) -> None:
    made = [new_simulation(home, START_US + n * 1_000_000).folder for n in range(7)]
    (made[-1] / "journal-simulation-sim.db").touch()
    assert list_simulations(home) == tuple(made[-5:])


def test_simulation_in_use_stays_however_old(home: Home) -> None:
    oldest = new_simulation(home, START_US)
    with StateLock.acquire(oldest.lock):
        for n in range(1, 7):
            new_simulation(home, START_US + n * 1_000_000)
        assert list_simulations(home)[0] == oldest.folder
    assert prune_simulations(home) == (oldest.folder,)


def test_nothing_of_another_name_or_kind_is_touched(home: Home, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "precious").touch()
    home.simulations.mkdir()
    for name in ("notes", "20260609T101320Z.bak", "20260609T101320Z-"):
        (home.simulations / name).mkdir()
    (home.simulations / "20200101T000000Z").symlink_to(keep)
    (home.simulations / "20200102T000000Z").touch()
    before = sorted(home.simulations.iterdir())
    assert prune_simulations(home, keep=0) == ()
    assert sorted(home.simulations.iterdir()) == before
    assert (keep / "precious").exists()


def test_pruning_nothing_is_fine(home: Home) -> None:
    assert prune_simulations(home) == ()
    assert folder_state(home, home.state).folder == home.state
