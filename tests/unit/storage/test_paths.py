"""Where things live, and who may look."""

import os
import socket
from pathlib import Path

import pytest

from engine.errors import ConfigError, UsageError
from engine.model.positions import AccountKind
from storage.paths import Home, StatePaths, find_home, folder_state, home_state, make_private, shared_folder
from storage.simulations import new_simulation, resolve_state

JUNE_US = 1_781_000_000_000_000


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_one_variable_puts_everything_under_one_folder(tmp_path: Path) -> None:
    found = find_home({"TRADEDECK_HOME": str(tmp_path / "deck"), "XDG_DATA_HOME": "/elsewhere"})
    top = tmp_path / "deck"
    assert found == Home(top / "config", top / "data", top / "state", top / "run")


def test_xdg_folders_are_used_where_they_are_absolute() -> None:
    found = find_home(
        {
            "HOME": "/home/u",
            "XDG_CONFIG_HOME": "/c",
            "XDG_DATA_HOME": "relative",
            "XDG_RUNTIME_DIR": "/run/user/7",
        }
    )
    assert found.config == Path("/c/tradedeck")
    assert found.data == Path("/home/u/.local/share/tradedeck")
    assert found.state == Path("/home/u/.local/state/tradedeck")
    assert found.runtime == Path("/run/user/7/tradedeck")


def test_sockets_have_a_place_without_a_runtime_folder() -> None:
    found = find_home({"HOME": "/home/u"})
    assert found.runtime == Path("/home/u/.local/state/tradedeck/run")


def test_folders_are_closed_to_others_also_when_they_were_open(home: Home) -> None:
    home.data.chmod(0o755)
    home.make()
    assert {mode(folder) for folder in (home.config, home.data, home.state, home.runtime)} == {0o700}


def test_file_in_the_place_of_a_folder_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "deck").write_text("")
    with pytest.raises(ConfigError, match="cannot use the folder") as refusal:
        find_home({"TRADEDECK_HOME": str(tmp_path / "deck")}).make()
    assert "\n" not in str(refusal.value)


def test_files_of_the_persons_own_state(home: Home) -> None:
    paths = home_state(home)
    assert paths.journal(AccountKind.LIVE, "U12") == home.state / "journal-live-U12.db"
    assert paths.paper_book("paper") == home.state / "paper-paper.db"
    assert (paths.memory, paths.bars) == (home.data / "tradedeck.db", home.data / "bars.db")
    assert (paths.socket, paths.lock) == (home.state / "daemon.sock", home.state / "lock")


def test_state_of_its_own_keeps_all_but_the_bars_in_its_folder(home: Home, tmp_path: Path) -> None:
    paths = folder_state(home, tmp_path / "s")
    assert {paths.memory.parent, paths.lock.parent, paths.view_socket.parent} == {tmp_path / "s"}
    assert paths.bars == home.data / "bars.db"
    paths.make()
    assert mode(tmp_path / "s") == 0o700


def test_parents_that_are_missing_are_closed_to_others_too(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_journals_of_a_folder_are_found_by_their_names(home: Home) -> None:
    paths = home_state(home)
    for name in (
        "journal-paper-my-acct.db",
        "journal-live-U1.db",
        "journal-paper-x.db-wal",
        "journal-x-y.db",
    ):
        (home.state / name).touch()
    assert [(found.kind, found.account) for found in paths.journals()] == [
        (AccountKind.LIVE, "U1"),
        (AccountKind.PAPER, "my-acct"),
    ]
    assert folder_state(home, home.state / "nowhere").journals() == ()


@pytest.mark.parametrize("account", ["", "../x", "a/b", "a.b", "-a", "a" * 65, "a\n"])
def test_account_that_is_no_file_name_is_refused(home: Home, account: str) -> None:
    with pytest.raises(ConfigError, match="account name"):
        home_state(home).journal(AccountKind.PAPER, account)


@pytest.mark.parametrize("length", [10, 91, 92, 200])
def test_socket_can_be_bound_however_long_the_path_is(tmp_path: Path, home: Home, length: int) -> None:
    folder = tmp_path / "s"
    while len(str(folder)) < length:
        folder = folder / ("x" * max(1, min(50, length - len(str(folder)) - 1)))
    paths = folder_state(home, folder)
    paths.make()
    assert paths.socket_folder == paths.view_socket.parent
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(paths.socket))
    assert mode(paths.socket.parent) == 0o700
    paths.socket.unlink()
    if paths.socket.parent != folder:
        paths.socket.parent.rmdir()


def test_two_long_states_do_not_share_a_socket(home: Home, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    first, second = (StatePaths(long / name, home).socket for name in "ab")
    assert first != second


def test_socket_folder_that_another_put_in_our_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shared_folder(tmp_path) == tmp_path / f"tradedeck-{os.geteuid()}"
    (tmp_path / f"tradedeck-{os.geteuid()}").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="not a folder of this user"):
        shared_folder(tmp_path)
    other = os.geteuid() + 1
    (tmp_path / f"tradedeck-{other}").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(ConfigError, match="not a folder of this user"):
        shared_folder(tmp_path)


def test_state_is_the_persons_own_unless_named(home: Home, tmp_path: Path) -> None:
    assert resolve_state(home, None) == home_state(home)
    (tmp_path / "s").mkdir()
    assert resolve_state(home, str(tmp_path / "s")).folder == tmp_path / "s"


def test_latest_state_is_the_newest_simulation(home: Home) -> None:
    with pytest.raises(UsageError, match="no simulation") as refusal:
        resolve_state(home, "latest")
    assert refusal.value.exit_code == 2
    new_simulation(home, JUNE_US)
    newest = new_simulation(home, JUNE_US)
    assert resolve_state(home, "latest") == newest


def test_state_that_is_not_there_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        resolve_state(home, str(tmp_path / "nowhere"))
