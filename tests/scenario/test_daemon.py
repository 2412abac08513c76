"""The daemon as a process: ready, asked and told through its socket, killed, restarted, stopped."""

import asyncio
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

RUN = """
import sys
from tui.cli import main
try:
    main()
finally:
    print("textual loaded:", "textual" in sys.modules, file=sys.stderr)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Deck:
    """A person's folders with generated bars in files, and the commands of tradedeck on them."""

    def __init__(self, folder: Path, replay: list[str]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.replay = replay
        self.environment = {**os.environ, "TRADEDECK_HOME": str(folder / "home")}

    def run(self, *arguments: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-c", RUN, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def on_state(self, *arguments: str) -> Ended:
        return self.run("--state", str(self.state), *arguments)

    def daemon(self, *more: str) -> "Daemon":
        return Daemon(self, [*self.replay, "--no-ui", "--state", str(self.state), *more])


class Daemon:
    """One daemon process, told to notify us as a service manager asks."""

    def __init__(self, deck: Deck, arguments: list[str]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"tradedeck-test-{os.getpid()}-{id(self)}"
        self._socket.bind(f"\0{name}")
        self._socket.settimeout(60)
        self.log = deck.folder / f"daemon-{id(self)}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUN, *arguments],
                cwd=deck.folder,
                env={**deck.environment, "NOTIFY_SOCKET": f"@{name}"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
            )

    def await_state(self, state: bytes) -> None:
        while self._socket.recv(64) != state:
            pass

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal, wait, and give exit code and stderr."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        self._socket.close()
        return self.process.returncode, err

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def deck(tmp_path: Path, replay_arguments: list[str]) -> Deck:
    return Deck(tmp_path, replay_arguments)


@pytest.fixture
def start(deck: Deck) -> Iterator[Callable[..., Daemon]]:
    """Start daemons that wait for tickets; whatever still runs at the end is killed."""
    daemons: list[Daemon] = []

    def begin(*more: str) -> Daemon:
        daemon = deck.daemon("--speed", "inf", *more)
        daemons.append(daemon)
        daemon.await_state(b"READY=1")
        return daemon

    yield begin
    for daemon in daemons:
        if daemon.process.poll() is None:
            daemon.end(signal.SIGKILL)


def waiting(deck: Deck) -> list[dict[str, Any]]:
    """The tickets that wait, once there is one."""
    from tui.server.client import attach

    async def look() -> None:
        from storage.paths import find_home, folder_state

        link = await attach(folder_state(find_home(deck.environment), deck.state).socket)
        assert link is not None
        async with asyncio.timeout(30):
            async for view in link.changes():
                if view.tickets:
                    break
        await link.close()

    asyncio.run(look())
    return [row for row in deck.on_state("proposals", "--json").json if row["waits"]]


def test_a_ticket_goes_from_the_shell_to_a_protected_bracket(
    deck: Deck, start: Callable[..., Daemon]
) -> None:
    daemon = start()
    first, *others = waiting(deck)
    assert (deck.folder / "home" / "data").stat().st_mode & 0o777 == 0o700
    number, sha = first["number"], first["sha256"]

    wrong = deck.on_state("approve", number, "--sha", "00000000")
    assert (wrong.code, "not approved" in wrong.err) == (65, True)
    approved = deck.on_state("approve", number, "--sha", sha[:8], "--json")
    assert approved.code == 0, approved.err
    assert approved.json | {"text": ""} == {
        "ok": True,
        "code": "ok",
        "text": "",
        "ticket": first["ticket"],
        "sha256": sha,
    }
    again = deck.on_state("approve", number, "--sha", sha[:8])
    assert (again.code, f"{number} does not wait" in again.err) == (65, True)

    for other in others:
        rejected = deck.on_state("reject", other["ticket"], "--reason", "too much risk")
        assert rejected.code == 0, rejected.err
    (bracket,) = [row for row in deck.on_state("orders", "--json").json if row["ticket"] == first["ticket"]]
    assert {order["role"] for order in bracket["orders"]} >= {"entry", "stop", "target"}
    assert deck.on_state("audit", "verify").code == 0
    traced = deck.on_state("audit", "trace", number, "--json").json
    assert {line["correlation"] for line in traced} == {first["correlation"]}

    code, err = daemon.end(signal.SIGTERM)
    assert code == 0, err
    assert "textual loaded: False" in err
    assert "Traceback" not in err
    words = [line["event"] for line in daemon.lines()]
    assert words[-1] == "stopped"
    correlated = [line for line in daemon.lines() if line["event"] == "ticket_changed"]
    assert {line["correlation"] for line in correlated} >= {first["correlation"]}
    asked = next(line for line in correlated if line["state"] == "rejected" or line["state"] == "approved")
    assert asked["actor"]


def test_a_ticket_is_made_smaller_and_snoozed_from_the_shell(
    deck: Deck, start: Callable[..., Daemon]
) -> None:
    start()
    first = waiting(deck)[0]
    number, sha, size = first["number"], first["sha256"], int(first["quantity"])
    larger = deck.on_state("smaller", number, "--shares", str(size + 1))
    assert (larger.code, "you may only go down" in larger.err) == (65, True)
    made = deck.on_state("smaller", number, "--shares", "1", "--json")
    assert (made.code, made.json["code"]) == (0, "ok"), made.err
    gone = deck.on_state("approve", number, "--sha", sha[:8])
    assert (gone.code, f"{number} does not wait, it is superseded" in gone.err) == (65, True)
    (small,) = [row for row in waiting(deck) if row["correlation"] == first["correlation"]]
    assert (small["quantity"], small["expires_us"]) == ("1", first["expires_us"])
    snoozed = deck.on_state("snooze", small["number"])
    assert (snoozed.code, f"{small['number']} back at " in snoozed.out) == (0, True)
    approved = deck.on_state("approve", small["number"], "--sha", small["sha256"][:8])
    assert approved.code == 0, approved.err
    trees = [row for row in deck.on_state("orders", "--json").json if row["symbol"] == first["symbol"]]
    assert [tree["ticket"] for tree in trees] == [small["ticket"]]
    assert deck.on_state("audit", "verify").code == 0
    summary = deck.on_state("whynot", "--summary", "--json")
    assert summary.code == 0, summary.err


def test_halt_refuses_and_resume_goes_on(deck: Deck, start: Callable[..., Daemon]) -> None:
    start()
    first = waiting(deck)[0]
    assert deck.on_state("halt", "--reason", "lunch").code == 0
    status = deck.on_state("status", "--json").json
    assert "_us" not in deck.on_state("status").out
    assert (status["state"], "lunch" in status["reason"]) == ("HALTED", True)
    refused = deck.on_state("approve", first["number"], "--sha", first["sha256"][:8])
    assert (refused.code, "HALTED" in refused.err) == (65, True), refused.err
    resumed = deck.on_state("resume", "--json")
    assert (resumed.code, resumed.json["ok"]) == (0, True)


def test_a_signal_and_a_file_halt_and_a_stop_is_clean(deck: Deck, start: Callable[..., Daemon]) -> None:
    daemon = start()
    waiting(deck)
    daemon.process.send_signal(signal.SIGUSR1)
    status = until_shut_down(deck)
    assert (status["state"], status["reason"]) == ("HALTED", "by signal SIGUSR1 (kill switch)")
    assert status["notifiers"]["log"].startswith("1 delivered")
    (snapshot,) = (deck.state / "snapshots").iterdir()
    assert json.loads(snapshot.read_text())["shutdown"]["reason"] == "kill switch"
    flatten = deck.on_state("halt", "--flatten")
    assert (flatten.code, "FLATTEN" in flatten.err) == (2, True)
    assert deck.on_state("resume").code == 0
    (deck.state / "HALT").write_text("weekend")
    assert until_shut_down(deck)["reason"] == "by file HALT (weekend)"
    refused = deck.on_state("resume")
    assert (refused.code, "remove the file" in refused.err) == (75, True)
    assert "ABC is not halted." in deck.on_state("resume", "ABC").err
    assert daemon.end(signal.SIGTERM)[0] == 0
    assert deck.on_state("status", "--json").json["state"] == "HALTED"
    pages = [line for line in daemon.lines() if line["event"] == "page"]
    assert [line["kind"] for line in pages] == ["emergency_shutdown"] * 2


def until_shut_down(deck: Deck) -> dict[str, Any]:
    """The status once the kill switch was felt and its sequence is done."""
    for _ in range(20):
        status = deck.on_state("status", "--json").json
        if status["emergency_shutdown"].startswith("done"):
            break
    return dict(status)


def test_a_second_daemon_is_busy_and_disturbs_nothing(deck: Deck, start: Callable[..., Daemon]) -> None:
    start()
    second = deck.run(*deck.replay, "--no-ui", "--state", str(deck.state))
    assert second.code == 75
    assert "another tradedeck (pid" in second.err
    assert deck.on_state("status", "--json").json["running"] is True


def test_the_books_are_the_same_when_the_daemon_is_gone(deck: Deck, start: Callable[..., Daemon]) -> None:
    daemon = start()
    first = waiting(deck)[0]
    assert deck.on_state("approve", first["number"], "--sha", first["sha256"][:8]).code == 0
    before = deck.on_state("orders", "--json").json
    assert daemon.end(signal.SIGTERM)[0] == 0
    after = deck.on_state("orders", "--json").json
    held = first["ticket"]
    assert [row for row in after if row["ticket"] == held] == [row for row in before if row["ticket"] == held]
    assert deck.on_state("status", "--json").json["running"] is False
    assert deck.on_state("halt").code == 75


def held_position(deck: Deck) -> dict[str, Any]:
    """The one position, protected: an approval answers when the order is on its way, the fill comes after."""
    for _ in range(20):
        found = deck.on_state("positions", "--json").json
        if found and found[0]["protected"] == found[0]["quantity"]:
            break
    (held,) = found
    return dict(held)


def test_killed_with_an_open_bracket_it_comes_back_with_exactly_that_one(
    deck: Deck, start: Callable[..., Daemon]
) -> None:
    daemon = start()
    first = waiting(deck)[0]
    assert deck.on_state("approve", first["number"], "--sha", first["sha256"][:8]).code == 0
    held = held_position(deck)
    assert held["protected"] == held["quantity"]
    assert daemon.end(signal.SIGKILL)[0] == -signal.SIGKILL
    start()
    (found,) = deck.on_state("positions", "--json").json
    assert found["ticket"] == first["ticket"]
    assert (found["quantity"], found["protected"]) == (held["quantity"], held["protected"])
    assert deck.on_state("audit", "verify").code == 0


def test_killed_while_tickets_wait_it_waits_for_them_again(deck: Deck, start: Callable[..., Daemon]) -> None:
    daemon = start()
    before = waiting(deck)
    assert daemon.end(signal.SIGKILL)[0] == -signal.SIGKILL
    start()
    again = waiting(deck)
    assert [row["sha256"] for row in again] == [row["sha256"] for row in before]
    approved = deck.on_state("approve", again[0]["number"], "--sha", again[0]["sha256"][:8])
    assert approved.code == 0, approved.err
    held = held_position(deck)
    assert (held["ticket"], held["protected"]) == (before[0]["ticket"], held["quantity"])


def test_a_day_before_the_bars_is_refused(deck: Deck) -> None:
    place = deck.replay.index("--replay") + 1
    days = [*deck.replay[:place], "2000-01-03", *deck.replay[place + 1 :]]
    refused = deck.run(*days, "--no-ui", "--state", str(deck.state))
    assert (refused.code, "after 2000-01-03" in refused.err) == (2, True), refused.err


def test_a_state_that_lost_its_journal_is_refused(deck: Deck, start: Callable[..., Daemon]) -> None:
    assert start().end(signal.SIGTERM)[0] == 0
    (journal,) = deck.state.glob("journal-*.db")
    journal.unlink()
    refused = deck.run(*deck.replay, "--no-ui", "--state", str(deck.state))
    assert (refused.code, "its journal" in refused.err) == (65, True), refused.err
    assert not journal.exists()


def test_a_position_is_closed_from_the_shell(deck: Deck, start: Callable[..., Daemon]) -> None:
    start()
    first = waiting(deck)[0]
    deck.on_state("approve", first["number"], "--sha", first["sha256"][:8])
    held = held_position(deck)
    name = held["bracket"]
    asked = deck.on_state("close", name)
    assert (asked.code, "needs a terminal to ask in, or --yes" in asked.err) == (2, True)
    cancelled = deck.on_state("cancel", name, "--yes")
    assert (cancelled.code, f"of {name}'s entry 0 of" in cancelled.err) == (65, True)
    absent = deck.on_state("close", "B-99", "--yes")
    assert (absent.code, "no bracket is named B-99" in absent.err) == (2, True)
    closed = deck.on_state("close", held["ticket"], "--yes", "--json")
    assert closed.code == 0, closed.err
    assert closed.json["ok"]
    assert f"selling {held['quantity']}" in closed.json["text"]
    again = deck.on_state("close", name, "--yes")
    assert again.code == 65, again.err
    (trip,) = deck.on_state("round-trips", "--json").json
    assert (trip["ticket"], trip["exit_reason"]) == (held["ticket"], "manual")
    traced = deck.on_state("audit", "trace", first["number"], "--json").json
    (wish,) = [line for line in traced if line.get("kind") == "ExitWanted"]
    assert wish["actor"] != "engine"


@pytest.mark.parametrize(("key", "is_closed"), [("y", True), ("n", False), ("", False)])
def test_the_sale_is_shown_and_asked_for(
    deck: Deck, start: Callable[..., Daemon], key: str, is_closed: bool
) -> None:
    start()
    first = waiting(deck)[0]
    deck.on_state("approve", first["number"], "--sha", first["sha256"][:8])
    held = held_position(deck)
    ours, theirs = pty.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-c", RUN, "--state", str(deck.state), "close", held["bracket"]],
        cwd=deck.folder,
        env=deck.environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = ""
    while "[y/N]" not in shown:
        shown += os.read(ours, 4096).decode()
    os.write(ours, f"{key}\n".encode())
    out, _ = asking.communicate(timeout=60)
    os.close(ours)
    assert asking.returncode == 0
    assert f"SELL {held['quantity']} " in shown
    assert "at market, cancels stop" in shown
    assert ("selling" in out) is is_closed
    assert bool(deck.on_state("round-trips", "--json").json) is is_closed


@pytest.mark.parametrize(("key", "is_approved"), [("y", True), ("n", False), ("", False)])
def test_without_a_hash_the_order_is_shown_and_asked_for(
    deck: Deck, start: Callable[..., Daemon], key: str, is_approved: bool
) -> None:
    start()
    first = waiting(deck)[0]
    ours, theirs = pty.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-c", RUN, "--state", str(deck.state), "approve", first["number"]],
        cwd=deck.folder,
        env=deck.environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 4096)
    text = shown.decode().replace("\r\n", "\n")
    assert f"sha256 {first['sha256']}" in text
    assert first["order"] in text.replace("\n", "")
    os.write(ours, f"{key}\n".encode())
    out, _ = asking.communicate(timeout=30)
    os.close(ours)
    assert asking.returncode == 0
    assert ("sent" in out) is is_approved
    states = {row["number"]: row["waits"] for row in deck.on_state("proposals", "--json").json}
    assert states[first["number"]] is not is_approved
