"""What a person asks of one bracket: cancel the rest of its entry, end its position, ask the venue now.

Each lowers risk or only looks, so it is carried out whatever is halted. The wish becomes a fact of the
bracket, in one transaction with what follows from it; its plan does the rest. Asked twice is asked once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.evidence import AskWanted, EntryUnwanted, ExitWanted, Fact
from engine.execution.fates import ANSWER_US, asked_us
from engine.execution.orders import Brackets
from engine.execution.refusals import Refusals
from engine.model.commands import Actor, Answer, AskVenue, CancelEntry, ClosePosition
from engine.model.events import Event, PersonActed
from engine.model.ids import symbol_of
from engine.model.orders import OrderState
from engine.model.positions import ExitReason
from engine.money import ZERO

ASK_PAUSE_US = US_PER_S // 2
"""No order is asked about more often by hand: a key held down is no storm of questions."""
_OVER = (BracketPhase.DRAINING, BracketPhase.CLOSED)
_UNSURE = (OrderState.SENDING, OrderState.UNKNOWN)
Handled = AskVenue | CancelEntry | ClosePosition


@dataclass(frozen=True, slots=True)
class HandDesk:
    """What commands about one bracket work with."""

    brackets: Brackets
    now_us: Callable[[], int]
    publish: Callable[[Event], None]
    why_not_ready: Callable[[], str]
    """Why brackets may not be acted on: the books are not recovered yet, or the engine stops; "" else."""
    is_session_open: Callable[[], bool]


class ByHand:
    """Takes AskVenue, CancelEntry and ClosePosition; a refusal is an answer, written with who asked."""

    def __init__(self, desk: HandDesk) -> None:
        self._desk = desk
        self._refusals = Refusals(desk.brackets.write, desk.now_us)

    def give(self, command: Handled) -> Answer:
        """Carry out a command."""
        bracket = self._desk.brackets.get(command.ticket)
        answer = self._do(command, bracket)
        if not answer.ok:
            self._refusals.note(command, answer, "" if bracket is None else bracket.correlation)
        return answer

    def _do(self, command: Handled, bracket: Bracket | None) -> Answer:
        if why := self._desk.why_not_ready():
            return Answer(False, "not_ready", f"Not now: {why}. Nothing was done.")
        if bracket is None:
            return Answer(False, "unknown_bracket", f"No bracket has the id {command.ticket}.")
        if isinstance(command, AskVenue):
            return self._ask(bracket, command.actor)
        if isinstance(command, CancelEntry):
            return self._cancel(bracket, command.actor)
        return self._close(bracket, command.actor)

    def _ask(self, bracket: Bracket, actor: Actor) -> Answer:
        name, now = _name(bracket), self._desk.now_us()
        unknown = [leg for leg in bracket.legs if leg.state is OrderState.UNKNOWN]
        if not unknown:
            sent = [leg.last_send_us for leg in bracket.legs if leg.state is OrderState.SENDING]
            text = f"{name}: no order's fate is unknown."
            if sent:
                wait = f"{(now - min(sent)) / US_PER_S:.1f} s of at most {ANSWER_US // US_PER_S} s"
                text = f"{name}: the answer to what was sent is waited for, {wait}."
            return Answer(False, "nothing_unknown", text)
        since = now - max(asked_us(leg) for leg in unknown)
        if since < ASK_PAUSE_US:
            limit = f"limit {ASK_PAUSE_US / US_PER_S:.1f} s"
            text = f"{name}: the venue was asked {since / US_PER_S:.1f} s ago, {limit}."
            return Answer(False, "asked_already", text)
        orders = "1 order" if len(unknown) == 1 else f"{len(unknown)} orders"
        text = f"{name}: the venue is asked about {orders} now. Nothing is sent again."
        return self._tell(bracket, AskWanted(), actor, text)

    def _cancel(self, bracket: Bracket, actor: Actor) -> Answer:
        name, entry = _name(bracket), bracket.entry
        whole = format(entry.spec.quantity, "f")
        if not entry.is_live:
            text = f"{name}: the entry is {entry.state.value}, {entry.cum:f} of {whole}: nothing of it works."
            return Answer(False, "nothing_to_cancel", text)
        if bracket.entry_unwanted:
            return Answer(True, "ok", f"{name}: the entry is being cancelled already.")
        kept = f" The {bracket.held:f} held keep stop and target." if bracket.held > ZERO else ""
        text = f"{name}: cancelling the rest of the entry, {entry.remaining:f} of {whole}.{kept}"
        if entry.state in _UNSURE:
            text = (
                f"{name}: the entry's fate is not known yet. What works of it is cancelled once it is found."
            )
        return self._tell(bracket, EntryUnwanted(), actor, text)

    def _close(self, bracket: Bracket, actor: Actor) -> Answer:
        name, entry = _name(bracket), bracket.entry
        unsure = entry.state in _UNSURE
        if bracket.phase in _OVER or (bracket.held <= ZERO and not unsure):
            text = f"{name}: 0 held, nothing to sell."
            if entry.is_live:
                rest = f"{entry.remaining:f} of {entry.spec.quantity:f}"
                text = f"{name}: 0 held, nothing to sell. Its entry works, {rest}: cancel that instead."
            return Answer(False, "no_position", text)
        if bracket.exit_wanted not in (None, ExitReason.TIME):
            return Answer(True, "ok", f"{name}: being sold already, reason {bracket.exit_wanted}.")
        if bracket.held <= ZERO:
            text = f"{name}: the entry's fate is not known yet. What it bought is sold once it is found."
        elif not self._desk.is_session_open():
            text = f"{name}: the market is closed. The {bracket.held:f} held are sold when it opens."
        else:
            text = f"{name}: selling {bracket.held:f}, everything else of it ends first."
        return self._tell(bracket, ExitWanted(ExitReason.MANUAL), actor, text)

    def _tell(self, bracket: Bracket, fact: Fact, actor: Actor, text: str) -> Answer:
        desk = self._desk
        try:
            desk.brackets.tell(bracket.ticket, fact, actor)
        except StorageError as error:
            return Answer(False, "not_journalled", f"{_name(bracket)}: nothing was done: {error}")
        acted = PersonActed(bracket.ticket, bracket.correlation, text, str(actor), desk.now_us())
        desk.publish(acted)
        return Answer(True, "ok", text)


def _name(bracket: Bracket) -> str:
    return f"B-{bracket.number} {symbol_of(bracket.instrument)}"
