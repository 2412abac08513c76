"""Runs the whole engine on stored days: settings, state and market as a person's start makes them."""

import asyncio
import csv
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.clock import LiveClock
from engine.core import Engine
from engine.execution.matching import GapFill
from engine.execution.policies import PolicyName, policy_of
from engine.loop import run_virtual
from engine.model.ids import InstrumentId
from engine.model.positions import AccountKind
from engine.parts import Parts
from engine.ports import JournalRow
from engine.risk.limits import DATASET, FULL, LimitSwitches
from engine.sources.sessions import ExchangeSessions
from storage.journal import open_journal
from storage.paths import Home, find_home, folder_state
from tui.settings import Settings, load_settings
from tui.wiring.market import BarInputs, MarketData
from tui.wiring.replay import ReplayOptions, join
from tui.wiring.runtime import RunOptions, Runtime

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real market data, when it is there."""
    repository = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("TRADEDECK_TEST_DATA", repository.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def calendar_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One calendar for all runs: computing it takes a second."""
    return tmp_path_factory.mktemp("calendar")


@pytest.fixture(scope="session")
def sessions(calendar_cache: Path) -> ExchangeSessions:
    """The exchange calendar."""
    return ExchangeSessions(calendar_cache, TODAY)


@pytest.fixture(scope="session")
def sim() -> Callable[[str], ModuleType]:
    """A module of tests/sim, a program of its own whose modules name each other without a package."""
    folder = str(Path(__file__).resolve().parents[1] / "sim")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A person's folders."""
    found = find_home({"TRADEDECK_HOME": str(tmp_path / "home")})
    found.make()
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults."""
    return load_settings(None, tmp_path, tmp_path, {}, {})


@dataclass(frozen=True)
class Run:
    """One run and the days that it replays."""

    options: RunOptions
    replay: ReplayOptions


@pytest.fixture
def options(home: Home, settings: Settings, tmp_path: Path) -> Callable[..., Run]:
    """A run's options; the state folder is named so that two runs may share one."""

    def make(
        first: date,
        last: date | None,
        switches: LimitSwitches,
        *,
        inputs: BarInputs | None = None,
        policy: PolicyName = PolicyName.PAPER_AUTO,
        state: str = "state",
        remember: bool = False,
        speed: float | None = None,
        wait: bool = False,
        fill: GapFill = GapFill.GAP,
    ) -> Run:
        replay = ReplayOptions(first, last, inputs or BarInputs(), speed, fill, wait)
        paths = folder_state(home, tmp_path / state)
        return Run(RunOptions(settings, home, paths, policy, switches, remember), replay)

    return make


@pytest.fixture
def runtime(sessions: ExchangeSessions) -> Callable[[Run, Any], Runtime]:
    """An engine on generated bars."""

    def make(run: Run, market: Any) -> Runtime:
        data = MarketData(market.bars, market.vix, market.spy, ())
        return join(run.options, run.replay, data, sessions)

    return make


FIRST = 30
"""The session of the generated market that a replay starts with: history enough for volume."""


@pytest.fixture
def replay_arguments(tmp_path: Path, generated_market: Any) -> list[str]:
    """The command line that replays the generated market from files."""

    def write(name: str, bars: Iterable[tuple[str, Any]], *, with_symbol: bool) -> str:
        path = tmp_path / name
        columns = ("open", "high", "low", "close", "volume", "event_ratio")
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow([*(["symbol"] * with_symbol), "date", *columns])
            for instrument, found in bars:
                symbol = [instrument.rpartition(".")[0]] * with_symbol
                for row in zip(found.day, *(getattr(found, column) for column in columns), strict=True):
                    out.writerow([*symbol, row[0], *map(repr, map(float, row[1:]))])
        return str(path)

    market = generated_market
    return [
        "--replay",
        market.days[FIRST].isoformat(),
        "--data",
        write("bars.csv", market.bars.items(), with_symbol=True),
        "--vix",
        write("vix.csv", [("VIX.US", market.vix)], with_symbol=False),
        "--spy",
        write("spy.csv", [("SPY.US", market.spy)], with_symbol=False),
    ]


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """The builders and the fake venue of the execution core's own tests."""
    # By path: another distribution installs a top-level package `tests`.
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class NoBars:
    """No stored history."""

    def daily(self, instrument: InstrumentId, count: int) -> None:
        return None


@pytest.fixture
def live(sessions: ExchangeSessions, tmp_path: Path, world: ModuleType) -> Callable[..., None]:
    """Run a test on an engine that looks by the clock; its account holds what the books say, 0 or `cash`.

    The venue's stream lasts and says nothing.
    """

    async def quiet() -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    def run(test: Callable[[Any, Any], Any], cash: str = "0", **changes: Any) -> None:
        async def go() -> None:
            clock = LiveClock(world.OPEN_US)
            venue = world.FakeVenue(world.CARD, clock.now_us)
            venue.updates = quiet
            kind = changes.get("kind", AccountKind.SIMULATION)
            venue.identity, venue.paid_in = (world.ACCOUNT, kind), Decimal(cash)
            with closing(open_journal(tmp_path / "journal.db", world.ACCOUNT, kind)) as journal:
                journal.commit([JournalRow("meta", {"k": "initial_cash", "v": cash})], ())
                parts = Parts(
                    account=world.ACCOUNT,
                    kind=AccountKind.SIMULATION,
                    clock=clock,
                    journal=journal,
                    broker=venue,
                    strategies=(),
                    terms={},
                    sessions=sessions,
                    history=lambda session: NoBars(),  # type: ignore[arg-type, return-value]
                    index=lambda name, session: None,
                    instruments={},
                    switches=FULL,
                    max_positions_total=20,
                    dataset=True,
                    policy=policy_of(PolicyName.HOLD, AccountKind.SIMULATION, {}),
                    random_bits=lambda bits: 1,
                    publish=lambda event: None,
                    config_hash="test",
                    live=True,
                )
                parts = replace(parts, **changes)
                await test(lambda: Engine(parts), venue)

        run_virtual(go())

    return run


@pytest.fixture
def sockets() -> Iterator[tuple[Path, Path]]:
    """Short paths: a Unix socket takes 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="td-") as folder:
        yield Path(folder) / "daemon.sock", Path(folder) / "view.sock"


@pytest.fixture
async def waiting(
    generated_market: Any, options: Callable[..., Any], runtime: Callable[[Any, Any], Runtime]
) -> AsyncIterator[Runtime]:
    """A replay that stands still: tickets wait for a person."""
    market = generated_market
    run = options(market.days[30], market.days[40], DATASET, policy=PolicyName.HOLD, wait=True)
    found = runtime(run, market)
    await found.start()
    await found.run_until_waiting()
    yield found
    await found.stop()
