"""What holds for every test: no network beyond this machine, no home folder, one locale and time zone."""

import importlib.util
import ipaddress
import os
import socket
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_HERE = Path(__file__).parent
_LOCAL_NAMES = frozenset({"", "localhost", "0.0.0.0", "::"})  # noqa: S104 - compared, never bound


_UNMEASURED = (
    "hygiene",
    "property",
    "scenario",
    "tui/screens/test_every_key.py",
    "tui/screens/test_hostile_screens.py",
    "tui/screens/test_pictures.py",
    "tui/test_hostile.py",
    "unit/sources/demo",
)
"""Folders and files that run the same lines thousands of times: measuring coverage would double their time.

The gate is held by the others alone, which makes it the stricter: a line counts when a test is about it.
"""


def _load(name: str) -> ModuleType:
    # By path: another distribution installs a top-level package `tests`, so ours cannot be imported by name.
    spec = importlib.util.spec_from_file_location(name, _HERE / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of all tests; a folder's own conftest is read too late for that."""
    parser.addoption("--update-golden", action="store_true", help="write the golden screens anew")


def pytest_configure(config: pytest.Config) -> None:
    """Make the fixtures of `fixtures_*.py` known to all tests."""
    for name in ("fixtures_bars", "fixtures_http", "fixtures_terminal", "fixtures_tokens"):
        if not config.pluginmanager.has_plugin(name):
            config.pluginmanager.register(_load(name), name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Coverage is not measured in tests of `_UNMEASURED`, nor in what is set up for them."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    if controller is None or not any(map(item.path.is_relative_to, map(_HERE.joinpath, _UNMEASURED))):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


def _is_local(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else host
    if text is None or text in _LOCAL_NAMES:
        return True
    try:
        return isinstance(text, str) and ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(target: object) -> None:
    raise RuntimeError(f"a test reached for the network: {target!r}")


@pytest.fixture(scope="session", autouse=True)
def _this_machine_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            original = getattr(socket.socket, name)

            def guarded(self: socket.socket, address: Any, original: Any = original) -> Any:
                if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
                    _refuse(address)
                return original(self, address)

            patch.setattr(socket.socket, name, guarded)
        lookup = socket.getaddrinfo

        def local_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
            if not _is_local(host):
                _refuse(host)
            return lookup(host, *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", local_lookup)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_zone_and_locale() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        for name in ("LC_ALL", "LANG", "LANGUAGE"):
            patch.setenv(name, "C.UTF-8")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _home_is_temporary(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("TRADEDECK_", "XDG_"))]:
        if not name.startswith("TRADEDECK_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TRADEDECK_HOME", str(home / "tradedeck"))


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real market data; the test is skipped when it is not there."""
    default = _HERE.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("TRADEDECK_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    return folder
