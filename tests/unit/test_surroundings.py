"""What conftest.py promises to every test."""

import os
import socket
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443), ("2001:db8::1", 80)])
def test_the_network_is_closed(address: tuple[str, int]) -> None:
    with pytest.raises(RuntimeError, match="reached for the network"):
        socket.create_connection(address, timeout=1)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as raw,
        pytest.raises(RuntimeError, match="reached for the network"),
    ):
        raw.connect(address)


def test_this_machine_is_open(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(path)
        listener.listen()
        client.connect(path)


def test_home_is_temporary(tmp_path: Path) -> None:
    base = tmp_path.parent.parent
    for name in ("HOME", "TRADEDECK_HOME"):
        assert Path(os.environ[name]).is_relative_to(base), name
    assert not [name for name in os.environ if name.startswith("XDG_")]


def test_zone_and_locale_are_fixed() -> None:
    assert (os.environ["LC_ALL"], time.tzname[0]) == ("C.UTF-8", "UTC")
