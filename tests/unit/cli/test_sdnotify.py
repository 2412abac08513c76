"""The notification protocol, against real sockets of both kinds."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tui.sdnotify import READY, notify, watchdog_period_s


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket and the address it gives in NOTIFY_SOCKET."""
    with (
        TemporaryDirectory(dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        if request.param == "path":
            address = str(Path(folder) / "notify")
            listener.bind(address)
        else:
            name = f"tradedeck-test-{os.getpid()}"
            listener.bind(f"\0{name}")
            address = f"@{name}"
        listener.settimeout(5)
        yield listener, address


def test_the_state_arrives(manager: tuple[socket.socket, str]) -> None:
    listener, address = manager
    assert notify(READY, {"NOTIFY_SOCKET": address})
    assert listener.recv(64) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:9"}])
def test_nothing_is_sent_where_nobody_asked(environment: dict[str, str]) -> None:
    assert not notify(READY, environment)


def test_a_manager_that_is_gone_is_an_error() -> None:
    with pytest.raises(OSError, match="No such file"):
        notify(READY, {"NOTIFY_SOCKET": "/nonexistent/notify"})


@pytest.mark.parametrize(
    ("environment", "period_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time(environment: dict[str, str], period_s: float | None) -> None:
    assert watchdog_period_s(environment) == period_s
