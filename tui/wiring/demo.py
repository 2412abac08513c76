"""The built-in demo as the market of a run (SPEC 5.6, 11.5): everything that it tells is synthetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from engine.backtest.gathering import Gathered
from engine.backtest.pace import EVE_US, Pace
from engine.config import Mode
from engine.errors import ConfigError
from engine.execution.approving import DIALOG_US
from engine.execution.matching import STANDARD
from engine.model.ids import AccountId, InstrumentId
from engine.model.market import MarketBatch, Provenance
from engine.model.positions import AccountKind
from engine.sources.demo.market import DemoMarket
from engine.sources.demo.walk import DemoWalk
from engine.sources.sessions import ExchangeSessions
from storage.journal import read_meta
from storage.paths import StatePaths
from tui.settings import Settings
from tui.wiring.market import open_sessions
from tui.wiring.runtime import Mark, Market, RunOptions, Runtime

DEMO_ACCOUNT = AccountId("demo")
FIRST = date(2026, 3, 2)
"""The first session. Always the same, so that a seed is the same market on every day that it is started."""
DEFAULT_SEED = 3
"""Its first morning has bad news, a target and a stop within minutes: a person sees what there is to see."""
SLOW = 4.0
"""Market seconds a second while a ticket waits for a person: the ten minutes of a ticket are 150 seconds."""
EVE_S = 3.0
"""What a person waits for the first open."""
TABLES_A_LOOK = 4
"""Made in each of the thirty looks of the minute before an open."""
_SEED, _WALK = "demo_seed", "demo_walk"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`seed` None: that of the state, or the default one. `speed` None: as fast as it goes."""

    seed: int | None
    speed: float | None
    slows_for_tickets: bool


def build_demo(options: RunOptions, demo: DemoOptions) -> Runtime:
    """An engine on the demo. Nothing is opened for writing before `Runtime.start`."""
    sessions = open_sessions(options.home)
    return Runtime(options, demo_market(options.settings, options.state, demo, sessions), sessions)


def demo_market(
    settings: Settings, state: StatePaths, demo: DemoOptions, sessions: ExchangeSessions
) -> Market:
    """The demo of a seed. Raises ConfigError where the config is one of real money."""
    _refuse_real(settings)
    walk: DemoWalk = settings.config.demo
    stored = _stored_seed(state)
    seed = demo.seed if demo.seed is not None else DEFAULT_SEED if stored is None else stored
    sessions.require(FIRST)
    market = DemoMarket(seed, sessions, FIRST, walk)

    to_make: dict[date, Iterator[InstrumentId]] = {}

    def prepare(batch: MarketBatch) -> None:
        """Eighty tables of numbers are made some at a time before an open, not all in its first instant."""
        following = sessions.next_after(batch.ts)
        if following is None or not following.open_us - EVE_US <= batch.ts < following.open_us:
            to_make.clear()
            return
        history = market.history(following.day)
        names = to_make.setdefault(following.day, iter(history.instruments()))
        for name in islice(names, TABLES_A_LOOK):
            history.daily(name, 1)

    return Market(
        account=DEMO_ACCOUNT,
        provenance=Provenance.SYNTHETIC,
        source=Gathered(market, sessions),
        start_us=market.start_us,
        history=market.history,
        index=market.index,
        instruments=market.instruments,
        rules=STANDARD,
        pace=Pace(demo.speed, slow=SLOW if demo.slows_for_tickets else None, eve_s=EVE_S),
        dataset=False,
        marks=(
            Mark(_SEED, str(seed), "a demo of seed"),
            Mark(_WALK, _words(walk), "a demo with [demo]"),
        ),
        id_seed=f"demo {seed}",
        feeds=market.feeds,
        news_feed="headlines",
        sector_of=market.sector_of,
        name_of=market.name_of,
        token_prices=market.token_prices,
        # A dialog closes after a minute of the person's time, and the market moves faster meanwhile.
        dialog_us=round(DIALOG_US * max(SLOW, 1.0)),
        sees=prepare,
    )


def _refuse_real(settings: Settings) -> None:
    """A made-up market has no place beside real money (SPEC 5.6)."""
    config = settings.config
    keys = ["engine.mode"] if config.engine.mode is Mode.LIVE else []
    keys += [f"accounts.{name}.kind" for name, a in config.accounts.items() if a.kind is AccountKind.LIVE]
    if keys:
        raise ConfigError(
            f'--demo cannot be combined with real money: {settings.origin(keys[0])} sets {keys[0]} = "live"',
            "Run the demo with a config of its own: --config FILE",
        )


def _words(walk: DemoWalk) -> str:
    return f"{walk.start!r} {walk.drift!r} {walk.volatility!r} {walk.steps}"


def _stored_seed(state: StatePaths) -> int | None:
    """The seed that a state was begun with; None for a new one. Raises ConfigError, StorageError."""
    for file in state.journals():
        if file.account != DEMO_ACCOUNT or not file.path.stat().st_size:
            continue
        text = read_meta(file.path, _SEED)
        if text is not None and not text.removeprefix("-").isdigit():
            raise ConfigError(f"{file.path}: the seed {text!r} is no number", "Name another state folder")
        return None if text is None else int(text)
    return None
