"""The story of a bracket: what happened, from the audit log, and what comes next, from the plan's own times.

Next steps are told in the order in which they may come; a step that waits for a price and not for a time has
none.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

from engine.core import Engine
from engine.execution.bracket import Bracket, BracketPhase, Leg
from engine.execution.fates import ALARM_US, ANSWER_US, next_ask_us, proof_us
from engine.execution.leaving import patience_us, time_exit_us
from engine.execution.planner import DRAIN_US, PARTIAL_NATIVE_US, PARTIAL_SYNTHETIC_US
from engine.execution.steps import Circumstances
from engine.model.commands import ENGINE
from engine.model.exits import ExitPlan
from engine.model.ids import TicketId, symbol_of
from engine.model.orders import OrderRole, OrderState
from engine.model.text import clean
from engine.money import ZERO
from tui import format
from tui.showing.sentences import OF_A_GROUP, parsed, role_of, sentence, together
from tui.shown.details import BracketDetail, FillRow, StoryLine

MOST_FACTS = 200


def bracket_detail(engine: Engine, id: str) -> BracketDetail | None:
    """Of the bracket of a ticket; None when there is none. Raises StorageError where it cannot be read."""
    bracket = engine.brackets.get(TicketId(id))
    if bracket is None:
        return None
    return BracketDetail(
        ticket=bracket.ticket,
        number=bracket.number,
        symbol=symbol_of(bracket.instrument),
        story=(*_past(engine, bracket), *next_steps(bracket, circumstances(engine, bracket))),
        fills=tuple(sorted(_fills(bracket), key=lambda fill: fill.ts)),
    )


def _past(engine: Engine, bracket: Bracket) -> Iterator[StoryLine]:
    """The newest 200 lines of its candidate, oldest first; its intent says what was submitted."""
    found = engine.parts.journal.audit(bracket.correlation)
    lines = [line for line in found if line["kind"] != "submitted"][-MOST_FACTS:]
    for (ts, kind), group in groupby(lines, lambda line: (int(line["ts_us"]), str(line["kind"]))):
        told = list(group)
        if kind in OF_A_GROUP:
            yield StoryLine(ts, together(kind, [parsed(str(line["body"])) for line in told]))
        else:
            yield from (StoryLine(ts, _by(line, sentence(kind, str(line["body"])))) for line in told)


def _by(line: Mapping[str, str | int], words: str) -> str:
    """What a person wanted, with their name; what the engine did without one."""
    wish = line["kind"] in _WISHES and line["actor"] != str(ENGINE)
    return f"{clean(str(line['actor']))}: {words}" if wish else words


_WISHES = frozenset({"ExitWanted", "EntryUnwanted", "AskWanted"})


def _fills(bracket: Bracket) -> Iterator[FillRow]:
    for leg in bracket.legs:
        for fill in leg.fills:
            yield FillRow(fill.ts_event, leg.role, fill.quantity, fill.price, fill.fee)


def circumstances(engine: Engine, bracket: Bracket) -> Circumstances:
    """What the plan looks at, as far as its times go."""
    parts, now = engine.parts, engine.parts.clock.now_us()
    session = engine.picture.session
    hours = parts.sessions.on(session) if session is not None and parts.live else None
    return Circumstances(
        now_us=now,
        halted=engine.halts.is_halted(bracket.instrument),
        session_open=engine.picture.is_session_open,
        last_price=None,
        card=engine.brackets.card,
        close_us=None if hours is None else hours.close_us,
    )


def next_steps(bracket: Bracket, now: Circumstances) -> tuple[StoryLine, ...]:
    """Timed ones first, soonest first; empty for a bracket that is closed."""
    steps = [*_unknown(bracket, now), *_sending(bracket), *_of_phase(bracket, now)]
    return tuple(sorted(steps, key=lambda step: (step.ts is None, step.ts or 0)))


def _next(ts: int | None, words: str) -> StoryLine:
    return StoryLine(ts, words, is_next=True)


def _unknown(bracket: Bracket, now: Circumstances) -> Iterator[StoryLine]:
    symbol = symbol_of(bracket.instrument)
    for leg in bracket.legs:
        if leg.state is not OrderState.UNKNOWN or _is_told(bracket, leg):
            continue
        ask = max(now.now_us, next_ask_us(leg, now))
        asked = "ask again" if leg.asked else "ask"
        yield _next(
            ask, f"{asked} for the {role_of(leg.id)} by its id; open and closed orders and fills are read too"
        )
        again = (
            "marked not placed. Never sent twice"
            if leg.role is OrderRole.ENTRY
            else "sent again under the same id while its shares are there"
        )
        yield _next(max(ask, proof_us(leg, now)), f"found: adopted. Absent three times everywhere: {again}")
        alarm = leg.changed_us + ALARM_US
        settle = f"entries for {symbol} stay off until you or the venue settle it"
        yield _next(alarm, f"alarm; {settle}") if alarm > now.now_us else _next(None, settle)


def _is_told(bracket: Bracket, leg: Leg) -> bool:
    """It sleeps in the group of an entry, and shares its fate."""
    return leg.parent is not None and bracket.leg(leg.parent).state is leg.state


def _sending(bracket: Bracket) -> Iterator[StoryLine]:
    for leg in bracket.legs:
        if leg.state is OrderState.SENDING and not _is_told(bracket, leg):
            role = role_of(leg.id)
            words = f"no answer for the {role} until then: its fate is unknown, and the venue is asked"
            yield _next(leg.last_send_us + ANSWER_US, words)


def _of_phase(bracket: Bracket, now: Circumstances) -> Iterator[StoryLine]:
    match bracket.phase:
        case BracketPhase.ENTERING:
            yield from _entering(bracket)
        case BracketPhase.PROTECTED:
            yield from _protected(bracket, now)
        case BracketPhase.EXITING:
            yield from _exiting(bracket)
        case BracketPhase.DRAINING:
            absent = [leg.changed_us + DRAIN_US for leg in bracket.legs if leg.state is OrderState.NOTPLACED]
            yield _next(max(absent, default=None), "closed, once no late report can come any more")
        case BracketPhase.CLOSED:
            return


def _entering(bracket: Bracket) -> Iterator[StoryLine]:
    entry, terms = bracket.entry, _terms(bracket)
    if not entry.is_live:
        yield _next(None, f"{terms} are placed for the {format.quantity(bracket.held)} held")
        return
    if bracket.entry_unwanted:
        yield _next(None, f"the entry is cancelled by hand; what it bought keeps {terms}")
        return
    if bracket.held == ZERO:
        yield _next(bracket.deadline_us, "cancel the entry, if nothing of it is filled")
        yield _next(None, f"filled: {terms} protect it at once")
        return
    patience = PARTIAL_NATIVE_US if bracket.is_grouped else PARTIAL_SYNTHETIC_US
    rest, held = format.quantity(entry.remaining), format.quantity(bracket.held)
    since = bracket.opened_us if bracket.first_fill_us is None else bracket.first_fill_us
    whole = format.quantity(entry.spec.quantity)
    yield _next(since + patience, f"cancel the rest, {rest} of {whole}. The {held} held keep {terms}")


def _terms(bracket: Bracket) -> str:
    """`stop 3.70 and target 4.26`."""
    return f"stop {format.price(bracket.stop_now)} and target {format.price(bracket.target_now)}"


def _protected(bracket: Bracket, now: Circumstances) -> Iterator[StoryLine]:
    plan, held = bracket.exit_plan, format.quantity(bracket.held)
    yield _next(None, f"at {format.price(bracket.stop_now)} or below: the stop sells the {held} held")
    for number, tier in enumerate(plan.targets[bracket.progress.tiers_done :], bracket.progress.tiers_done):
        part = "the rest" if plan.sells_all and tier is plan.targets[-1] else f"{float(tier.share):.0%}"
        words = f"the target sells the {held} held" if plan.is_single else f"tier {number + 1} sells {part}"
        yield _next(None, f"at {format.price(tier.price * bracket.ratio)}: {words}")
    if plan.trail_ratio is not None:
        yield _next(None, f"the stop follows {float(plan.trail_ratio):.0%} under the high{_from_when(plan)}")
    yield from _time_exit(bracket, now)


def _from_when(plan: ExitPlan) -> str:
    return "" if plan.breakeven_after is None else f", from tier {plan.breakeven_after + 1} on"


def _time_exit(bracket: Bracket, now: Circumstances) -> Iterator[StoryLine]:
    most = bracket.max_sessions
    if most is None:
        return
    left = most - bracket.sessions_held - 1
    if left > 0:
        sessions = "1 session" if left == 1 else f"{left} sessions"
        yield _next(None, f"sold before the close of its day {most}, {sessions} after this one")
    else:
        yield _next(time_exit_us(bracket, now), "sold before the close, this is its last session")


def _exiting(bracket: Bracket) -> Iterator[StoryLine]:
    why = "" if bracket.exit_wanted is None else f", {bracket.exit_wanted.value}"
    sales = [leg for leg in bracket.legs if leg.role is OrderRole.EXIT and leg.is_live]
    for leg in sales:
        yield _next(*_of_sale(bracket, leg))
    if not sales:
        # An exit that the venue refused is tried again after a pause.
        again = bracket.retry_exit_us or None
        yield _next(again, f"everything that works ends, then what is held is sold{why}")


def _of_sale(bracket: Bracket, leg: Leg) -> tuple[int | None, str]:
    rest, due = format.quantity(leg.remaining), patience_us(bracket, leg)
    if due is None:
        return None, f"{rest} are being sold"
    limit = format.price(leg.spec.limit_price)
    return due, f"what is not sold at {limit} until then, of {rest}, goes at market"
