"""`./run` on machines unlike this one: stand-in programs show what it would do."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

SMALL_PROGRAMS = (
    *("sh", "readlink", "dirname", "basename", "cat", "cksum"),
    *("mkdir", "rm", "sleep", "tail", "grep", "env", "chmod"),
)
SHOW = '#!/bin/sh\nprintf "%s|" "$(basename "$0")" "$(pwd -P)" "$@"\nexit 7\n'


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def house(root: Path, tmp_path: Path) -> Path:
    """A copy of the tree's head in a folder whose name has blanks and quotes."""
    folder = tmp_path / "my deck's house"
    folder.mkdir()
    for name in ("run", "pyproject.toml", "constraints.txt"):
        shutil.copy(root / name, folder)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The only folder on the path: the system's small programs, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in SMALL_PROGRAMS:
        real = shutil.which(name)
        assert real is not None, name
        (folder / name).symlink_to(real)
    return folder


@pytest.fixture
def run(house: Path, tools: Path) -> Run:
    """`./run` with an environment that holds nothing but a path."""

    def start(
        *arguments: str, cwd: Path | None = None, command: Sequence[Path] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(command or [house / "run"]), *arguments],
            cwd=cwd or house,
            env={"PATH": str(tools)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return start


@pytest.fixture
def ready(house: Path) -> Path:
    """Set-up is done: its programs say what they were asked to do and end with 7."""
    venv = house / ".venv"
    for name in ("tradedeck", "python", "pytest"):
        program(venv / "bin" / name, SHOW)
    wanted = (house / "pyproject.toml").read_text() + (house / "constraints.txt").read_text()
    made_from = subprocess.run(["cksum"], input=wanted, capture_output=True, text=True, check=True).stdout
    (venv / ".made-from").write_text(made_from)
    (venv / ".made-in").write_text(str(house))
    return house


@pytest.mark.usefixtures("ready")
def test_other_words_go_to_tradedeck_whole_with_its_exit_code(run: Run, tmp_path: Path) -> None:
    ended = run("--replay", "2016-01-04", "--data", "a b.csv", "", cwd=tmp_path)
    assert ended.stdout == f"tradedeck|{tmp_path}|--replay|2016-01-04|--data|a b.csv||"
    assert (ended.returncode, ended.stderr) == (7, "")


@pytest.mark.usefixtures("ready")
def test_no_word_at_all_starts_the_console(run: Run) -> None:
    assert run().stdout.startswith("tradedeck|")


def test_it_may_be_called_through_a_link_from_anywhere(ready: Path, run: Run, tmp_path: Path) -> None:
    link = tmp_path / "deck"
    link.symlink_to(ready / "run")
    assert run("status", command=[link], cwd=Path("/")).stdout == "tradedeck|/|status|"


def test_all_tests_run_in_the_project_and_named_tests_where_the_caller_stands(
    ready: Path, run: Run, tmp_path: Path
) -> None:
    common = f"python|{{}}|-m|pytest|-c|{ready}/pyproject.toml|--rootdir|{ready}|"
    assert run("test", cwd=tmp_path).stdout == common.format(ready)
    assert run("test", "-k", "bus", cwd=tmp_path).stdout == common.format(ready) + "-k|bus|"
    (tmp_path / "test_x.py").touch()
    named = run("test", "test_x.py::test_y", cwd=tmp_path)
    assert named.stdout == common.format(tmp_path) + "test_x.py::test_y|"
    assert named.returncode == 7


def test_check_goes_on_after_a_failure_and_names_what_failed(ready: Path, run: Run) -> None:
    for name in ("ruff", "mypy", "lint-imports"):
        program(ready / ".venv" / "bin" / name, f"#!/bin/sh\n[ {name} != mypy ]\n")
    static = run("check", "--static")
    assert (static.returncode, static.stdout) == (1, "")
    assert static.stderr.endswith("== failed: mypy\n")
    assert run("check").stderr.endswith("== failed: mypy pytest\n")


def test_check_says_that_all_passes(ready: Path, run: Run) -> None:
    for name in ("ruff", "mypy", "lint-imports", "pytest"):
        program(ready / ".venv" / "bin" / name, "#!/bin/sh\n")
    ended = run("check")
    assert ended.returncode == 0
    assert ended.stderr.endswith("== all checks pass\n")


def test_without_any_python_it_says_what_to_install(run: Run, house: Path) -> None:
    ended = run("status")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "needs Python 3.11 or newer" in ended.stderr
    assert "apt-get install python3 python3-venv libgomp1" in ended.stderr
    assert "brew install python libomp" in ended.stderr
    assert not (house / ".venv.lock").exists()


FAKE_PYTHON = """#!/bin/sh
echo "$0 $*" >> '{log}'
case "$*" in
-c*ensurepip*) exit {suits} ;;
--version) echo 'Python 3.11.0' ;;
'-m venv --clear '*)
    mkdir -p "$4/bin"
    for name in python tradedeck; do cat "$0" > "$4/bin/$name"; done
    env chmod +x "$4/bin/python" "$4/bin/tradedeck"
    ;;
'-m pip install '*) {install} ;;
esac
"""


def fake_python(tools: Path, name: str, *, suits: bool = True, install: str = "exit 0") -> Path:
    log = tools / "log"
    program(tools / name, FAKE_PYTHON.format(log=log, suits=int(not suits), install=install))
    return log


def test_names_that_do_not_run_are_passed_over_and_set_up_happens_once(
    run: Run, house: Path, tools: Path
) -> None:
    fake_python(tools, "python3.13", suits=False)
    log = fake_python(tools, "python3.12")
    first = run("status")
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr.startswith(f"Setting up tradedeck in {house}/.venv with Python 3.11.0")
    done = log.read_text()
    assert f"-m venv --clear {house}/.venv" in done
    assert f"--require-hashes -r {house}/constraints.txt" in done
    assert f"--no-deps --no-build-isolation -e {house}" in done
    assert run("status").stderr == ""
    assert log.read_text().removeprefix(done).count("\n") == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_wanted_installs_again_into_the_same_environment(
    run: Run, house: Path, tools: Path, name: str
) -> None:
    log = fake_python(tools, "python3")
    run("status")
    log.write_text("")
    with (house / name).open("a") as changed:
        changed.write("\n")
    assert run("status").stderr.endswith("Ready.\n")
    assert "--require-hashes" in log.read_text()
    assert "-m venv" not in log.read_text()


def test_a_house_that_was_moved_is_set_up_anew(run: Run, house: Path, tools: Path) -> None:
    log = fake_python(tools, "python3")
    run("status")
    log.write_text("")
    moved = house.rename(house.with_name("moved"))
    assert run("status", command=[moved / "run"], cwd=moved).returncode == 0
    assert f"-m venv --clear {moved}/.venv" in log.read_text()


def test_an_install_that_fails_shows_why_and_is_tried_again(run: Run, house: Path, tools: Path) -> None:
    fake_python(tools, "python3", install="echo 'no matching distribution' >&2; exit 1")
    for _ in range(2):
        ended = run("status")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "no matching distribution" in ended.stderr
        assert f"all that it said is in {house}/.venv/pip.log" in ended.stderr


def test_uv_is_used_where_it_is_and_python_where_uv_fails(run: Run, house: Path, tools: Path) -> None:
    log = fake_python(tools, "python3")
    program(
        tools / "uv",
        f"#!/bin/sh\necho \"uv $*\" >> '{log}'\ncase $1 in --version) ;; *) exit 1 ;; esac\n",
    )
    ended = run("status")
    assert ended.returncode == 0
    done = log.read_text()
    assert done.index("uv venv") < done.index("-m venv --clear")


def test_a_lock_of_a_process_that_died_does_not_block(run: Run, house: Path, tools: Path) -> None:
    fake_python(tools, "python3")
    lock = house / ".venv.lock"
    lock.mkdir()
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    (lock / "pid").write_text(dead)
    assert run("status").returncode == 0
    assert not lock.exists()


def test_set_up_in_a_folder_that_cannot_be_written_says_so(run: Run, house: Path, tools: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    fake_python(tools, "python3")
    house.chmod(0o555)
    ended = run("status")
    house.chmod(0o755)
    assert ended.returncode == 1
    assert f"cannot write to {house}" in ended.stderr
