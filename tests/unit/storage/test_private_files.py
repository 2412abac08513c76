"""Files of one owner: what is not ours alone is refused, what was cut off harms nothing."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import ConfigError, StorageError
from storage.private_files import read_credential, read_private, write_private

MOST = 100
OTHER_USER = 12_345


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "keys.json"


def test_what_was_written_is_read_and_private(path: Path) -> None:
    assert read_private(path, MOST) is None
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path, MOST) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666, 0o601])
def test_a_file_that_others_may_use_is_refused_with_the_command_to_run(path: Path, mode: int) -> None:
    write_private(path, b"x")
    path.chmod(mode)
    with pytest.raises(ConfigError) as raised:
        read_private(path, MOST)
    assert f"mode {mode:04o}" in str(raised.value)
    assert f"chmod 600 {path}" in str(raised.value)
    assert raised.value.exit_code == 78


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_may_change_is_refused(path: Path, mode: int) -> None:
    write_private(path, b"x")
    path.parent.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 700 {path.parent}"):
        read_private(path, MOST)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("read", [read_private, read_credential])
def test_a_file_of_another_user_is_refused(path: Path, read: Callable[[Path, int], bytes | None]) -> None:
    write_private(path, b"x")
    os.chown(path, OTHER_USER, OTHER_USER)
    with pytest.raises(ConfigError, match="belongs to another user"):
        read(path, MOST)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(path: Path) -> None:
    write_private(path, b"x")
    os.chown(path.parent, OTHER_USER, OTHER_USER)
    with pytest.raises(ConfigError, match="can be changed by other users"):
        read_private(path, MOST)


@pytest.mark.parametrize("read", [read_private, read_credential])
def test_a_link_is_refused_wherever_it_leads(path: Path, read: Callable[[Path, int], bytes | None]) -> None:
    write_private(path, b"x")
    link = path.with_name("link")
    for target in (path, path.with_name("nothing"), Path("/dev/zero")):
        link.symlink_to(target)
        with pytest.raises(ConfigError, match="symbolic link"):
            read(link, MOST)
        link.unlink()


def test_a_write_takes_the_place_of_a_link_and_leaves_its_target(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("theirs")
    write_private(path, b"x")
    path.unlink()
    path.symlink_to(target)
    write_private(path, b"ours")
    assert (target.read_text(), read_private(path, MOST)) == ("theirs", b"ours")


def test_a_draft_that_somebody_linked_elsewhere_is_not_written_through(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("theirs")
    write_private(path, b"x")
    path.with_name(f".{path.name}.new").symlink_to(target)
    write_private(path, b"ours")
    assert (target.read_text(), read_private(path, MOST)) == ("theirs", b"ours")


def test_what_is_no_file_does_not_hold_the_start_up(path: Path) -> None:
    write_private(path, b"x")
    pipe, folder = path.with_name("pipe"), path.with_name("folder")
    os.mkfifo(pipe, 0o600)
    folder.mkdir()
    for found in (pipe, folder):
        with pytest.raises(ConfigError, match="is not a file"):
            read_private(found, MOST)


def test_a_file_larger_than_it_can_be_is_refused(path: Path) -> None:
    write_private(path, b"x" * MOST)
    assert read_private(path, MOST) == b"x" * MOST
    write_private(path, b"x" * (MOST + 1))
    with pytest.raises(ConfigError, match="larger than 100 bytes"):
        read_private(path, MOST)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440])
def test_a_credential_may_show_its_access_list_as_a_right_of_its_group(path: Path, mode: int) -> None:
    write_private(path, b"x")
    path.chmod(mode)
    assert read_credential(path, MOST) == b"x"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o460])
def test_a_credential_that_others_may_use_is_refused(path: Path, mode: int) -> None:
    write_private(path, b"x")
    path.chmod(mode)
    with pytest.raises(ConfigError, match="LoadCredential"):
        read_credential(path, MOST)


def test_a_folder_in_the_way_of_a_draft_is_told_and_the_old_file_stays(path: Path) -> None:
    write_private(path, b"old")
    path.with_name(f".{path.name}.new").mkdir()
    with pytest.raises(StorageError, match="Nothing was changed"):
        write_private(path, b"new")
    assert read_private(path, MOST) == b"old"


SCRIPT = """
import os, signal, sys
from pathlib import Path
from storage import private_files
step = sys.argv[2]
original = getattr(os, step)
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, step, die)
private_files.write_private(Path(sys.argv[1]), b"new" * 20)
"""


@pytest.mark.parametrize("step", ["open", "fdopen", "fsync", "replace"])
def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file(
    path: Path,
    start_python: Callable[..., "subprocess.Popen[str]"],
    step: str,
) -> None:
    write_private(path, b"old")
    process = start_python(SCRIPT, str(path), step)
    assert process.wait(20) == -9
    assert read_private(path, MOST) == b"old"
    write_private(path, b"after")
    assert read_private(path, MOST) == b"after"
    assert os.listdir(path.parent) == [path.name]
