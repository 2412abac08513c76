"""The kill switch: what halt and resume do, and what two anomalies do without a person (SPEC 4.9-4.10)."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import StorageError
from engine.execution.anomalies import Anomalies
from engine.execution.emergency import Emergency
from engine.execution.halts import Halts, Scope
from engine.model.commands import ENGINE, AcceptDifference, Actor, Answer, Halt, Resume, ResumeSymbol
from engine.model.events import AnomalySeen, Event
from engine.model.ids import InstrumentId, symbol_of


@dataclass(frozen=True, slots=True)
class SwitchDesk:
    """What the switch works with."""

    halts: Halts
    emergency: Emergency
    publish: Callable[[Event], None]
    keep: Callable[[], None]
    """Run the emergency shutdown as a task of the engine."""
    why_not_clean: Callable[[Scope], str]
    """What reconciliation found unsettled in a scope, in words; "" when it is clean."""
    blocks_resume: Callable[[], str]
    """What outside the engine forbids a resume; "" when nothing does."""
    resumed: Callable[[Actor], str]
    """The account is no longer halted: the engine's state follows, and says what a person may expect."""
    accept: Callable[[InstrumentId, str], bool]
    """Count as foreign what the venue is proved to hold beyond our books; False: it is not. StorageError."""


class KillSwitch:
    """Takes Halt, Resume, ResumeSymbol and AcceptDifference; owns the emergency shutdown's task."""

    def __init__(self, desk: SwitchDesk) -> None:
        self._desk = desk
        self._anomalies = Anomalies()
        self._may_run = False

    @property
    def is_open(self) -> bool:
        """The books are recovered, and the engine has not begun to stop."""
        return self._may_run

    def open_up(self) -> None:
        """The books are recovered: a shutdown that the last process left, or one called before, goes on."""
        self._may_run = True
        self._go_on()

    def close(self) -> None:
        """The engine stops: what is left of a shutdown is done at the next start."""
        self._may_run = False

    def shut_down(self, actor: Actor, reason: str, flatten: bool = False) -> None:
        """The emergency shutdown: halted when this returns, the other steps follow."""
        self._desk.emergency.begin(actor, reason, flatten)
        self._go_on()

    def see(self, anomaly: AnomalySeen) -> None:
        """Tell it; with another one of a different kind within five minutes, shut down."""
        self._desk.publish(anomaly)
        reason = self._anomalies.see(anomaly)
        if reason:
            self.shut_down(ENGINE, reason)

    def give(self, command: Halt | Resume | ResumeSymbol | AcceptDifference) -> Answer:
        """Carry out a command; a refusal is an answer."""
        if isinstance(command, Halt):
            return self._halt(command.actor, command.reason, command.flatten)
        if isinstance(command, Resume):
            return self._resume(command.actor)
        if isinstance(command, AcceptDifference):
            return self._accept(command.actor, command.instrument)
        return self._release(command.actor, command.instrument)

    def _halt(self, actor: Actor, reason: str, flatten: bool) -> Answer:
        was = self._desk.halts.account_reason
        self.shut_down(actor, reason, flatten)
        so = f"Halted already {was}" if was else "Halted"
        what = "every position is being sold" if flatten else "stops stay"
        return Answer(True, "ok", f"{so}. No new orders, {what}.")

    def _resume(self, actor: Actor) -> Answer:
        desk = self._desk
        if desk.halts.account is None:
            return Answer(False, "not_halted", "The account is not HALTED.")
        if why := desk.why_not_clean(None) or desk.blocks_resume():
            return Answer(False, "not_reconciled", f"Not yet: {why}")
        try:
            desk.halts.release(actor, rows=desk.emergency.forgotten())
        except StorageError as error:
            return Answer(False, "not_journalled", f"Still HALTED: {error}")
        desk.emergency.forget()
        return Answer(True, "ok", desk.resumed(actor))

    def _release(self, actor: Actor, instrument: InstrumentId) -> Answer:
        desk, symbol = self._desk, symbol_of(instrument)
        if instrument not in desk.halts.symbols():
            return Answer(False, "not_halted", f"{symbol} is not halted.")
        if why := desk.why_not_clean(instrument):
            return Answer(False, "not_reconciled", f"Not yet: {why}")
        try:
            desk.halts.release(actor, instrument)
        except StorageError as error:
            return Answer(False, "not_journalled", f"{symbol} is still halted: {error}")
        return Answer(True, "ok", f"{symbol} may be traded again.")

    def _accept(self, actor: Actor, instrument: InstrumentId) -> Answer:
        symbol = symbol_of(instrument)
        try:
            accepted = self._desk.accept(instrument, str(actor))
        except StorageError as error:
            return Answer(False, "not_journalled", f"Nothing was accepted: {error}")
        if not accepted:
            text = f"{symbol}: no look proved that the venue holds more than our books. Nothing was accepted."
            return Answer(False, "no_such_difference", text)
        released = self._release(actor, instrument)
        text = f"{symbol}: what the venue holds beyond our books is not ours. {released.text}"
        return Answer(released.ok, released.code, text)

    def _go_on(self) -> None:
        emergency = self._desk.emergency
        if self._may_run and emergency.is_due and not emergency.is_running:
            emergency.is_running = True
            self._desk.keep()
