"""Why new entries are on or off: each switch that they must pass, and what keeps single names out."""

from collections.abc import Iterable, Iterator

from engine.core import Engine
from engine.model.candidates import Regime
from engine.model.ids import symbol_of
from engine.model.orders import OrderState
from engine.parts import EngineState
from engine.risk.drawdown import Level
from engine.risk.gates import MAX_CLOCK_SKEW_US, MAX_RECONCILED_AGE_US
from engine.risk.live import missing
from engine.risk.view import RiskView as Measured
from tui import format
from tui.showing import limits
from tui.shown.risk import EntryCheck, LimitRow, Unit

_MOST_NAMES = 3
_ONE_ORDER = frozenset({limits.LARGEST, limits.TOGETHER})
"""Limits that bind the size of the next order: what is left of them turns no entries off."""


def entry_checks(engine: Engine, risk: Measured, rows: Iterable[LimitRow]) -> tuple[EntryCheck, ...]:
    """The switches in the order in which a person looks at them, then what is kept out by name."""
    return (
        _kill_switch(engine),
        *_engine(engine),
        _account(engine),
        _reconciled(engine),
        _regime(engine),
        _breakers(engine, risk),
        *_symbols(engine),
        *(_full(engine, row) for row in rows if row.is_full and not _is_elsewhere(row)),
    )


def entry_words(checks: Iterable[EntryCheck]) -> tuple[bool, str]:
    """Whether anything may begin, in words: `on`, `on, except TLMN`, `off: kill switch by nina (halt)`."""
    refused = [check for check in checks if not check.ok]
    stop = next((check for check in refused if check.is_stop), None)
    if stop is not None:
        return False, f"off: {stop.name} {stop.words}"
    names = [check.name for check in refused]
    if not names:
        return True, "on"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return True, f"on, except {', '.join(names[:_MOST_NAMES])}{more}"


def _good(name: str, words: str) -> EntryCheck:
    return EntryCheck(name, True, False, words)


def _stop(name: str, words: str) -> EntryCheck:
    return EntryCheck(name, False, True, words)


def _kill_switch(engine: Engine) -> EntryCheck:
    halted = engine.halts.account
    return _good("kill switch", "off") if halted is None else _stop("kill switch", halted.reason)


def _engine(engine: Engine) -> Iterator[EntryCheck]:
    """Only where it is not simply running, or halted, which the kill switch says."""
    if engine.state not in (EngineState.RUNNING, EngineState.HALTED):
        yield _stop("engine", f"{engine.state}: {engine.reason}" if engine.reason else engine.state.value)


def _account(engine: Engine) -> EntryCheck:
    parts = engine.parts
    lacking = missing(parts.kind, parts.switches, parts.live_request())
    wrong = engine.watch.wrong_account or "; ".join(lacking)
    if wrong:
        return _stop("account", wrong)
    return _good("account", f"match, {parts.account} {parts.kind.upper()}")


def _reconciled(engine: Engine) -> EntryCheck:
    age, name = engine.watch.reconciled_age_us(), "reconciled"
    if age is None:
        return _good(name, "always, the venue is simulated here")
    limit = format.age(MAX_RECONCILED_AGE_US)
    if age > MAX_RECONCILED_AGE_US:
        return _stop(name, f"{format.age(age)} ago, limit {limit}")
    skew = engine.watch.clock_skew_us()
    if skew is not None and abs(skew) > MAX_CLOCK_SKEW_US:
        return _stop(name, f"our clock differs from the venue's by {skew / 1e6:+.3f} s, limit 1 s")
    if money := engine.cash.why_not_clean:
        return _stop(name, money)
    return _good(name, f"{format.age(age)} ago, {clean_words(engine)}")


def clean_words(engine: Engine) -> str:
    """`clean`, `clean but B-31`, or what the last look at the venue found."""
    unknown = [f"B-{bracket.number}" for bracket in engine.brackets.open() if bracket.has_unknown]
    return f"clean but {', '.join(unknown)}" if unknown else engine.watch.why_not_clean() or "clean"


def _regime(engine: Engine) -> EntryCheck:
    verdicts = [verdict for found in engine.verdicts.values() for verdict in found]
    if not verdicts:
        return _good("regime", "not judged yet")
    regime = verdicts[0].candidate.regime
    if regime in (Regime.NORMAL, Regime.HIGH_VIX) or not engine.parts.switches.regime:
        return _good("regime", regime.value)
    return _stop("regime", f"{regime.value}: no entries")


def _breakers(engine: Engine, risk: Measured) -> EntryCheck:
    name, config = "breakers", engine.parts.risk
    if not engine.parts.switches.portfolio:
        return _good(name, f"off in this run ({engine.parts.switches.name})")
    level = f"L{int(risk.level)} {format.percent(risk.drawdown)}: {risk.level.effect}"
    if risk.level is Level.STOPPED:
        return _stop(name, level)
    if risk.is_day_over:
        return _stop(name, f"the day's loss reached {format.percent(config.daily_loss_max)}")
    return _good(name, "none" if risk.level is Level.NONE else level)


def _symbols(engine: Engine) -> Iterator[EntryCheck]:
    """Each symbol once: its halt says more than its unknown order."""
    now, halted = engine.parts.clock.now_us(), engine.halts.symbols()
    for instrument, halt in halted.items():
        yield EntryCheck(symbol_of(instrument), False, False, f"halted {halt.reason}")
    for bracket in engine.brackets.open():
        lost = [leg for leg in bracket.legs if leg.state is OrderState.UNKNOWN]
        if lost and bracket.instrument not in halted:
            since = format.elapsed(now - min(leg.changed_us for leg in lost))
            yield EntryCheck(symbol_of(bracket.instrument), False, False, f"order fate unknown, {since}")


def _is_elsewhere(row: LimitRow) -> bool:
    """Said by a switch or by the symbols already, or no reason to keep anything out."""
    name = row.name.partition(" > ")[0]
    return name in _ONE_ORDER or name in (limits.UNKNOWN_ORDERS, limits.DAILY_LOSS)


def _full(engine: Engine, row: LimitRow) -> EntryCheck:
    """A limit that is reached: of the account it stops everything, of a sector or a strategy only that."""
    if row.used is None:
        return EntryCheck(row.name, not engine.parts.switches.portfolio, True, row.note)
    if row.unit is Unit.RATIO:
        words = f"{format.percent(row.used)} of {format.percent(row.allowed)}"
        return EntryCheck(row.name, not engine.parts.switches.portfolio, True, words)
    is_narrow = row.name.startswith((limits.SECTOR, limits.POSITIONS_OPEN))
    only = f", {row.subject} only" if is_narrow else ""
    return EntryCheck(row.name, False, not is_narrow, f"{row.used:g} of {row.allowed:g}{only}")
