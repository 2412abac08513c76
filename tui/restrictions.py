"""What keeps new entries out, or small, besides a halt of the account: in words for a person."""

from collections.abc import Iterator

from engine.core import Engine
from engine.model.ids import symbol_of
from engine.model.orders import OrderState
from engine.risk.drawdown import Level
from engine.risk.view import RiskView
from tui import format
from tui.shown.deck import Restriction

_TAKEN_BACK = frozenset({OrderState.CANCELED, OrderState.REJECTED})
"""Also one that a halt kept from being sent."""


def restrictions(engine: Engine) -> tuple[Restriction, ...]:
    """Those in force now, the one that stops most first."""
    found: list[Restriction] = []
    if engine.parts.switches.portfolio:
        found += _limits(engine, engine.risk.view())
    found += _frozen(engine)
    found += _symbols(engine)
    return tuple(found)


def halted_entries(engine: Engine) -> tuple[int, int]:
    """Entries that were cancelled since the account's halt, and those whose cancel is not answered yet."""
    halted, today = engine.halts.account, engine.picture.session
    if halted is None:
        return 0, 0
    known = {bracket.ticket: bracket for bracket in engine.brackets.open()}
    if today is not None:
        known |= {bracket.ticket: bracket for bracket in engine.brackets.of_session(today)}
    entries = [bracket.entry for bracket in known.values()]
    ended = sum(leg.state in _TAKEN_BACK and leg.changed_us >= halted.since_us for leg in entries)
    return ended, sum(leg.is_live for leg in entries)


def _limits(engine: Engine, risk: RiskView) -> Iterator[Restriction]:
    config = engine.parts.risk
    fall = f"Drawdown {format.percent(risk.drawdown)}"
    if risk.level is Level.STOPPED:
        release = f"tradedeck accounts release {engine.parts.account}"
        yield Restriction(f"{fall}: stopped, no new orders.", release, True)
    if risk.is_day_over:
        limit = format.percent(config.daily_loss_max)
        yield Restriction(f"The day's loss reached {limit}: no entries for the rest of the day.", "", True)
    if risk.level is Level.CONSERVATIVE:
        until = format.percent(config.dd_release[1])
        yield Restriction(f"{fall}: cautious entries only, sizes halved, until below {until}.", "", False)
    if risk.level is Level.HALF_SIZE:
        until = format.percent(config.dd_release[0])
        yield Restriction(f"{fall}: new sizes halved until below {until}.", "", False)


def _frozen(engine: Engine) -> Iterator[Restriction]:
    for strategy, why in ({} if engine.learned is None else engine.learned.frozen()).items():
        yield Restriction(f"{strategy} FROZEN: {why}", f"tradedeck policy release {strategy}", True)


def _symbols(engine: Engine) -> Iterator[Restriction]:
    halted = {symbol_of(instrument): halt for instrument, halt in engine.halts.symbols().items()}
    if len(halted) == 1:
        ((symbol, halt),) = halted.items()
        yield Restriction(f"{symbol} HALTED {halt.reason}", f"tradedeck resume {symbol}", True)
    elif halted:
        text = f"{len(halted)} symbols HALTED: {', '.join(sorted(halted))}"
        yield Restriction(text, "tradedeck resume SYMBOL", True)
