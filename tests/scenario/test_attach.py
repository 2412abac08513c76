"""Consoles and an engine in processes of their own: who sees what, who may act, and what outlives whom."""

import asyncio
import fcntl
import getpass
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.lock import lock_holder
from storage.paths import StatePaths, find_home, folder_state
from tui.link import Question
from tui.server.client import Pace, RemoteLink, attach
from tui.server.peers import terminal_of
from tui.shown.deck import LinkState

RUN = "from tui.cli import main; main()"
PATIENCE_S = 60.0
Open = Callable[[list[str]], Any]


class Engine:
    """A daemon on a replay that waits for tickets, and the commands of another shell on its state."""

    def __init__(self, folder: Path, replay: list[str]) -> None:
        self.folder = folder
        self.replay = replay
        self.environment = {**os.environ, "TRADEDECK_HOME": str(folder / "home")}
        self.paths: StatePaths = folder_state(find_home(self.environment), folder / "s")
        self.at = ["--state", str(self.paths.folder)]

    def start(self) -> None:
        """Start it and wait until it says that it is ready, as a service manager does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            name = f"tradedeck-attach-{os.getpid()}"
            notices.bind(f"\0{name}")
            notices.settimeout(PATIENCE_S)
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUN, *self.replay, "--no-ui", "--speed", "inf", *self.at],
                cwd=self.folder,
                env={**self.environment, "NOTIFY_SOCKET": f"@{name}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while notices.recv(64) != b"READY=1":
                pass

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def shell(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", RUN, *self.at, *arguments, "--json"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def books(self) -> Any:
        """Everything that a console could have changed: proposals, orders, positions."""

        async def look() -> Any:
            link = await attach(self.paths.socket)
            assert link is not None
            asked = (Question.PROPOSALS, Question.ORDERS, Question.POSITIONS)
            found = [await link.ask(question) for question in asked]
            await link.close()
            return found

        return asyncio.run(look())

    def watch(self, condition: Callable[[Any], bool]) -> Any:
        """The first view for which the condition holds."""

        async def look() -> Any:
            link = await attach(self.paths.socket)
            assert link is not None
            async with asyncio.timeout(PATIENCE_S):
                async for view in link.changes():
                    if condition(view):
                        await link.close()
                        return view

        return asyncio.run(look())


@pytest.fixture
def engine(tmp_path: Path, replay_arguments: list[str]) -> Iterator[Engine]:
    found = Engine(tmp_path, replay_arguments)
    found.start()
    yield found
    if found.process.poll() is None:
        found.end(signal.SIGKILL)
    if (left := lock_holder(found.paths.lock)) is not None:
        os.kill(left, signal.SIGKILL)  # one that a console started, after a test that failed


def others(view: Any) -> list[Any]:
    """The consoles that are attached besides the one that looks."""
    return [guest for guest in view.health.guests if guest.pid != os.getpid()]


def test_a_console_that_is_killed_changes_nothing_in_the_engine(engine: Engine, terminal: Open) -> None:
    console = terminal([*engine.at, "attach"])
    console.await_text(" waiting ")
    (guest,) = others(engine.watch(others))
    assert (guest.pid, guest.terminal, guest.acts) == (console.process.pid, console.name, True)
    console.press_until("a", "exact order")  # in the middle of a dialog
    before = engine.books()
    console.kill()
    assert not others(engine.watch(lambda view: not others(view)))
    assert engine.books() == before
    assert engine.shell("status")["state"] == "RUNNING"
    assert engine.process.poll() is None
    first = before[0][0]
    assert engine.shell("approve", first["number"], "--sha", first["sha256"][:8])["ok"]


def test_the_second_of_two_consoles_is_told_who_approved(engine: Engine, terminal: Open) -> None:
    fast, slow = terminal([*engine.at, "attach"]), terminal([*engine.at])
    for console in (fast, slow):
        console.await_text(" waiting ")
        console.press_until("a", "exact order")
    fast.press_until("a", "sent, B-1")
    slow.press_until("a", "nothing.")
    assert "T-1 was approved by" in slow.text
    assert f"T-1 was approved by {getpass.getuser()} on {fast.name}" in slow.text
    rows = engine.shell("orders")
    assert [row["bracket"] for row in rows] == ["B-1"]


def test_a_console_for_looking_acts_on_nothing(engine: Engine, terminal: Open) -> None:
    before = engine.books()
    console = terminal([*engine.at, "attach", "--view"])
    console.await_text(" waiting ")
    (guest,) = others(engine.watch(others))
    assert (guest.pid, guest.acts) == (console.process.pid, False)
    console.press_until("a", "this console may look, not act")
    console.press("!!q")
    assert console.end() == 0
    assert f"tradedeck --state {engine.paths.folder} attach --view" in console.text
    assert engine.books() == before
    assert engine.shell("status")["state"] == "RUNNING"


def test_a_stopped_engine_is_shown_as_stopped_and_a_killed_one_as_lost(
    engine: Engine, terminal: Open
) -> None:
    console = terminal([*engine.at, "attach"])
    console.await_text(" waiting ")
    assert engine.end() == 0
    console.await_text("ended in order")
    assert "DETACHED" not in console.text
    engine.start()  # the console finds it again by itself
    (guest,) = others(engine.watch(others))
    assert guest.pid == console.process.pid
    engine.end(signal.SIGKILL)
    console.await_text("DETACHED")
    console.press("q")
    assert console.end() == 0
    assert "did not answer any more" in console.text


def test_leaving_says_who_runs_on_and_how_to_come_back(engine: Engine, terminal: Open) -> None:
    console = terminal([*engine.at])
    console.await_text(" waiting ")
    console.press_until("q", "Console closed")
    assert console.end() == 0
    back = f"tradedeck --state {engine.paths.folder} attach"
    assert f"The engine runs on (pid {engine.process.pid}): {back}" in console.text
    assert engine.process.poll() is None


def test_without_an_engine_it_is_said_what_to_do(
    tmp_path: Path, replay_arguments: list[str], terminal: Open
) -> None:
    attaching = terminal(["attach"])
    assert attaching.end() == 75
    assert "no engine runs here" in attaching.text
    plain = terminal([])
    assert plain.end() == 78
    assert "tradedeck --demo" in plain.text
    named = terminal(["attach", "--socket", str(tmp_path / "none.sock")])
    assert named.end() == 75
    assert "none.sock" in named.text


def test_a_stopped_daemon_is_started_again_in_a_session_of_its_own(engine: Engine, terminal: Open) -> None:
    before = engine.books()
    assert engine.end() == 0
    console = terminal([*engine.at])
    console.await_text(" waiting ")
    assert "Starting the engine" in console.text
    pid = lock_holder(engine.paths.lock)
    assert pid is not None
    try:
        assert os.getsid(pid) == pid
        assert terminal_of(pid) == ""
        console.kill()  # as a lost line does; the terminal's own SIGHUP finds nobody else either
        assert engine.books()[0] == before[0]
        assert lock_holder(engine.paths.lock) == pid
        again = terminal([*engine.at])
        again.await_text(" waiting ")
        assert "Starting the engine" not in again.text
        again.press_until("q", "Console closed")
        assert again.end() == 0
        assert f"(pid {pid})" in again.text
    finally:
        os.kill(pid, signal.SIGTERM)
        released(engine.paths)
    assert (engine.paths.folder / "log" / "tradedeck.log").read_text().splitlines()[-1].count(
        '"stopped"'
    ) == 1


def test_a_daemon_that_cannot_start_says_why_with_its_own_exit_code(engine: Engine, terminal: Open) -> None:
    assert engine.end() == 0
    (journal,) = engine.paths.folder.glob("journal-*.db")
    journal.unlink()
    console = terminal([*engine.at])
    assert console.end() == 65
    assert "the engine could not start" in console.text
    assert "its journal" in console.text.replace("\r\n", "")
    assert "Traceback" not in console.text


def test_an_engine_that_stands_still_is_taken_for_lost_and_found_again(engine: Engine) -> None:
    async def look() -> None:
        link = await attach(engine.paths.socket, Pace(first_retry_s=0.05, ping_s=0.05, silent_s=1.0))
        assert link is not None
        async with asyncio.timeout(PATIENCE_S):
            changes = link.changes()
            await shown(changes, link, LinkState.ATTACHED)
            engine.process.send_signal(signal.SIGSTOP)
            await shown(changes, link, LinkState.RECONNECTING)
            engine.process.send_signal(signal.SIGCONT)
            await shown(changes, link, LinkState.ATTACHED)
        await link.close()

    asyncio.run(look())


async def shown(changes: Any, link: RemoteLink, state: LinkState) -> None:
    async for view in changes:
        if view.header.link is state:
            return


def released(paths: StatePaths) -> None:
    """Wait until the daemon that holds the state is gone: its lock is given free by the kernel."""
    with paths.lock.open("r") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
