"""Orders whose fate is not known: asked about, proved absent, or sent again (RELIABILITY 5.2).

An entry is never sent again. A protective order is, because at a venue that keeps ids for ever the second
send is the first one; but only while its shares are still there to sell, at prices that still hold, and not
once its end was wanted. Everything else waits for the proof of absence.
"""

from dataclasses import replace

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket, Leg
from engine.execution.evidence import FIRST_ASK_US, NOT_FOUND_PROOF, AnswerLost, apply
from engine.execution.moves import shrunk_pairs, shrunk_until
from engine.execution.steps import (
    Action,
    AskFills,
    AskOrder,
    Circumstances,
    HaltScope,
    RaiseAlarm,
    SendBracket,
    SendOrder,
    Step,
)
from engine.model.orders import BracketSpec, OrderRole, OrderSide, OrderState
from engine.money import ZERO

ASK_INTERVALS_US = (US_PER_S // 2, US_PER_S, 2 * US_PER_S)
"""An order is asked about 0.5, 1, 2 and 4 s after its fate was lost (RELIABILITY 5.2), then every 2 s: a
question may fail too, and shares may be without a stop until one is answered."""
ANSWER_US = 10 * US_PER_S
"""An answer that took longer is lost, whatever the adapter still waits for."""
ALARM_US = 60 * US_PER_S
"""An order unknown for so long is told, and its symbol halted."""
_EARLY_US = FIRST_ASK_US + sum(ASK_INTERVALS_US[:-1])
ALARM_ASKS = len(ASK_INTERVALS_US) + (ALARM_US - _EARLY_US) // ASK_INTERVALS_US[-1]
"""The question at 60 s about executions that are missing."""
EXIT_ALARM_US = 10 * US_PER_S
"""So long may an exit be unknown before a person is told."""
SENDS_BEFORE_ALARM = 2
"""So many sends of a protective order without an answer in a row are told to a person."""
MOST_SENDS = 6
"""So often a protective order goes out under its id. A venue that refuses it each time says nothing about
the first send, whose answer was lost: after this many only the proof of absence tells, and another way out
of the position is taken."""
MOST_EXIT_SENDS = 12
"""An exit is what the other way would be: where requests have no expiry, an old one that comes late sells
beside a new one, and beside itself it cannot."""
SKEW_US = US_PER_S
EXPIRY_US = 8 * US_PER_S
"""How late a request may arrive where the venue sets no bound; what comes later still is adopted."""
FILLS_MARGIN_US = 600 * US_PER_S
"""Executions are asked for from so long before the first send: clocks differ."""


def silent(bracket: Bracket, now: Circumstances) -> Step | None:
    """A send that nobody answered has an unknown fate."""
    for leg in bracket.legs:
        if leg.state is OrderState.SENDING and now.now_us >= leg.last_send_us + ANSWER_US:
            lost = AnswerLost(leg.id, f"no answer in {ANSWER_US // US_PER_S} s")
            return Step(apply(lost, bracket, now.now_us))
    return None


def unknown(bracket: Bracket, now: Circumstances) -> Step | None:
    """Ask about unknown orders; prove their absence, or send protective ones again under the same id."""
    for leg in bracket.legs:
        if leg.state is not OrderState.UNKNOWN:
            continue
        if leg.not_found and (step := _not_found(bracket, leg, now)) is not None:
            return step
        if now.now_us >= next_ask_us(leg, now):
            asked = _asked(leg, now)
            if asked_us(leg) <= proof_us(leg, now) < now.now_us:
                # What was asked before may have been answered before the request arrived.
                asked = replace(asked, not_found=min(leg.not_found, NOT_FOUND_PROOF - 1))
            questions = (AskOrder(leg.id), *_replaced(bracket, leg))
            return Step(bracket.with_leg(asked), (*questions, *_unknown_alarm(bracket, leg, now)))
    return None


def unbooked(bracket: Bracket, now: Circumstances) -> Step | None:
    """The venue counts a fill whose execution never came: ask for executions."""
    for leg in bracket.legs:
        if leg.unbooked > ZERO and leg.state is not OrderState.UNKNOWN and now.now_us >= leg.ask_us:
            asked = _asked(leg, now)
            alarms = _alarm(bracket, asked, f"{leg.unbooked} of order {leg.id} lack executions for a minute")
            since = leg.first_send_us - FILLS_MARGIN_US
            return Step(bracket.with_leg(asked), (AskFills(since), *alarms))
    return None


def unmatched(bracket: Bracket, now: Circumstances) -> Step | None:
    """The venue shrank a stop: its target sold so much, and is asked because its report may never come."""
    for stop, target in shrunk_pairs(bracket):
        waits = target.state is OrderState.WORKING and now.now_us < shrunk_until(stop)
        if waits and now.now_us >= target.ask_us:
            return Step(bracket.with_leg(_asked(target, now)), (AskOrder(target.id),))
    return None


def _replaced(bracket: Bracket, leg: Leg) -> tuple[Action, ...]:
    """Where a replacement is unknown, so is whether the order in whose place it goes still works."""
    if leg.replaces is None or not bracket.leg(leg.replaces).is_live:
        return ()
    return (AskOrder(leg.replaces),)


def _unknown_alarm(bracket: Bracket, leg: Leg, now: Circumstances) -> tuple[Action, ...]:
    """With the first question so long after its fate was lost."""
    if leg.parent is not None and bracket.leg(leg.parent).state is OrderState.UNKNOWN:
        return ()  # it shares the fate of its entry, which is told
    if asked_us(leg) < leg.changed_us + ALARM_US <= now.now_us:
        text = f"{bracket.instrument}: order {leg.id} is unknown for a minute"
        return (RaiseAlarm(text, page=False, halt=HaltScope.SYMBOL),)
    if leg.role is OrderRole.EXIT and asked_us(leg) < leg.changed_us + EXIT_ALARM_US <= now.now_us:
        return (RaiseAlarm(f"{bracket.instrument}: exit {leg.id} is unknown for 10 s", page=False),)
    return ()


def next_ask_us(leg: Leg, now: Circumstances) -> int:
    """Again and again, as soon as the answer can prove that it never arrived, and when it is to be told."""
    if not leg.asked:
        return leg.ask_us
    told = (proof_us(leg, now) + 1, leg.changed_us + EXIT_ALARM_US, leg.changed_us + ALARM_US)
    return min([leg.ask_us, *(ts for ts in told if ts > asked_us(leg))])


def proof_us(leg: Leg, now: Circumstances) -> int:
    """Only what is asked after this shows whether the last send arrived: it may have been late until then."""
    expiry = now.card.request_expiry_us
    late = EXPIRY_US if expiry is None else expiry
    return leg.last_send_us + late + SKEW_US + now.card.visibility_lag_us


def _asked(leg: Leg, now: Circumstances) -> Leg:
    return replace(leg, asked=leg.asked + 1, ask_us=now.now_us + _pause_us(leg.asked))


def asked_us(leg: Leg) -> int:
    """When it was last asked about, or a little earlier; 0: not since its fate was lost."""
    return leg.ask_us - _pause_us(leg.asked - 1) if leg.asked else 0


def _pause_us(asked: int) -> int:
    return ASK_INTERVALS_US[min(asked, len(ASK_INTERVALS_US) - 1)]


def _alarm(bracket: Bracket, asked: Leg, text: str) -> tuple[Action, ...]:
    if asked.asked != ALARM_ASKS:
        return ()
    return (RaiseAlarm(f"{bracket.instrument}: {text}", page=False),)


def _not_found(bracket: Bracket, leg: Leg, now: Circumstances) -> Step | None:
    parent = None if leg.parent is None else bracket.leg(leg.parent)
    if parent is not None and parent.state is not OrderState.FILLED:
        # A sleeping child shares the fate of its entry.
        return Step(bracket.with_leg(_absent(leg, now))) if parent.state.is_terminal else None
    if leg.role is not OrderRole.ENTRY and _may_go_again(bracket, leg, now):
        return _again(bracket, leg, now)
    if not _is_proved_absent(leg, now):
        return None
    children = tuple(
        _absent(child, now) if child.parent == leg.id and child.is_live else child for child in bracket.legs
    )
    return Step(replace(bracket, legs=children).with_leg(_absent(leg, now)))


def _is_proved_absent(leg: Leg, now: Circumstances) -> bool:
    return leg.not_found >= NOT_FOUND_PROOF and asked_us(leg) > proof_us(leg, now)


def _may_go_again(bracket: Bracket, leg: Leg, now: Circumstances) -> bool:
    if not now.card.client_id_unique_for_ever or bracket.restating or leg.cancel_us is not None:
        return False
    if leg.attempts >= (MOST_EXIT_SENDS if leg.role is OrderRole.EXIT else MOST_SENDS):
        return False
    if leg.spec.side is OrderSide.BUY:
        return leg.remaining <= -bracket.held
    others = sum(
        (
            other.remaining
            for other in bracket.of_role(OrderRole.STOP, OrderRole.EXIT)
            if other.is_live and bracket.is_awake(other) and other.id != leg.id
        ),
        ZERO,
    )
    # A target sells the same shares as its stop.
    paired = bracket.sibling(leg) if leg.role is OrderRole.TARGET else None
    shared = paired.remaining if paired is not None and paired.is_live else ZERO
    return leg.remaining <= bracket.held - others + shared


def _again(bracket: Bracket, leg: Leg, now: Circumstances) -> Step | None:
    """The same id and terms again; a pair goes together or its stop alone."""
    sibling = bracket.sibling(leg)
    if sibling is not None and sibling.state is OrderState.UNKNOWN:
        if not sibling.not_found:
            return None
        stop, target = (leg, sibling) if leg.role is OrderRole.STOP else (sibling, leg)
        group = BracketSpec(bracket.ticket, bracket.account, None, stop.spec, target.spec)
        both = bracket.with_leg(_sent_again(stop, now)).with_leg(_sent_again(target, now))
        return Step(both, (SendBracket(group), *_ambiguous(bracket, stop)))
    if leg.role is OrderRole.TARGET:
        # Alone it could fill beside its stop: the target is the leg we may lose.
        return Step(bracket.with_leg(_absent(leg, now)))
    return Step(bracket.with_leg(_sent_again(leg, now)), (SendOrder(leg.spec), *_ambiguous(bracket, leg)))


def _ambiguous(bracket: Bracket, leg: Leg) -> tuple[Action, ...]:
    if leg.attempts != SENDS_BEFORE_ALARM:
        return ()
    text = f"{bracket.instrument}: {leg.attempts} sends of order {leg.id} without an answer: {leg.reason}"
    return (RaiseAlarm(text, page=True),)


def _absent(leg: Leg, now: Circumstances) -> Leg:
    return replace(leg, state=OrderState.NOTPLACED, changed_us=now.now_us)


def _sent_again(leg: Leg, now: Circumstances) -> Leg:
    return replace(
        leg,
        state=OrderState.SENDING,
        attempts=leg.attempts + 1,
        last_send_us=now.now_us,
        changed_us=now.now_us,
        not_found=0,
    )
