"""The real exchange calendar, computed once, and bar files written by the test."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from engine.sources.sessions import ExchangeSessions

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="session")
def calendar_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calendar")


@pytest.fixture(scope="session")
def sessions(calendar_cache: Path) -> ExchangeSessions:
    return ExchangeSessions(calendar_cache, TODAY)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text, or bytes, to a file of the test's folder."""

    def to_file(content: str | bytes, name: str = "bars.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file
