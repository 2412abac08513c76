"""`tradedeck --demo --no-ui` as a process: served, asked while it runs and when it is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

RUN = "from tui.cli import main; main()"
PATIENCE_S = 90.0


class Ended:
    """How a command ended."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "TRADEDECK_HOME": str(tmp_path / "home")}


def tradedeck(folder: Path, environment: dict[str, str], *arguments: str) -> Ended:
    command = [sys.executable, "-c", RUN, *arguments]
    return Ended(
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    )


def test_a_demo_trades_by_itself_is_asked_and_drains(tmp_path: Path, environment: dict[str, str]) -> None:
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(f"\0tradedeck-demo-{os.getpid()}")
    told.settimeout(PATIENCE_S)
    log = tmp_path / "log"
    with log.open("w") as out:
        daemon = subprocess.Popen(
            [sys.executable, "-c", RUN, "--demo", "--no-ui", "--policy", "paper-auto", "--speed", "inf"],
            cwd=tmp_path,
            env={**environment, "NOTIFY_SOCKET": f"@tradedeck-demo-{os.getpid()}"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        while told.recv(64) != b"READY=1":
            pass
        latest = ("--state", "latest")
        limit = time.monotonic() + PATIENCE_S
        while not (trips := tradedeck(tmp_path, environment, *latest, "round-trips", "--json").json):
            assert time.monotonic() < limit, log.read_text()[-2000:]
        status = tradedeck(tmp_path, environment, *latest, "status", "--json").json
        assert (status["state"], status["kind"]) == ("RUNNING", "simulation")
        (verdict,) = tradedeck(tmp_path, environment, *latest, "audit", "verify", "--json").json.values()
        assert verdict["ok"]
        report = tradedeck(tmp_path, environment, *latest, "report", trips[0]["bracket"], "--json")
        assert report.code == 0, report.err
        assert report.json["report"]["verdict"]["differs"] == 0
        again = tradedeck(tmp_path, environment, "--demo", "--no-ui", *latest)
        assert (again.code, "another tradedeck" in again.err) == (75, True), again.err
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=PATIENCE_S)
    except BaseException:
        daemon.kill()
        daemon.communicate()
        raise
    finally:
        told.close()
    assert daemon.returncode == 0, err
    assert "state kept in " in err
    assert all(json.loads(line)["event"] for line in log.read_text().splitlines())
    after = tradedeck(tmp_path, environment, *latest, "round-trips", "--json").json
    assert {trip["bracket"] for trip in trips} <= {trip["bracket"] for trip in after}
    assert tradedeck(tmp_path, environment, *latest, "audit", "verify").code == 0
    (tmp_path / "report.json").write_text(report.out)
    proved = tradedeck(tmp_path, environment, *latest, "report", "verify", str(tmp_path / "report.json"))
    assert (proved.code, "audit log: row" in proved.out) == (0, True), proved.err
    refused = tradedeck(tmp_path, environment, "--demo", "--no-ui", "--seed", "4711", *latest)
    assert (refused.code, "holds a demo of seed 3, not seed 4711" in refused.err) == (78, True), refused.err
