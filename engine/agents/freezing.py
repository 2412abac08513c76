"""Strategies that the Auditor froze: they propose nothing until a person releases them (SPEC 3.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.clock import Clock
from engine.errors import StorageError
from engine.model.commands import Answer, ReleaseStrategy
from engine.model.events import Alarm, Event
from engine.model.ids import CorrelationId, StrategyName
from engine.ports import AuditEntry, Journal, JournalRow

TABLE = "freeze"
AUDITOR = "auditor"
NO_CORRELATION = CorrelationId("")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A freeze that is on."""

    why: str
    since_us: int


class Freezes:
    """Which strategies are frozen. A freeze holds from the moment it is called, written down or not."""

    def __init__(self, journal: Journal, clock: Clock, publish: Callable[[Event], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._publish = publish
        self._on: dict[StrategyName, Frozen] = {}
        self._unwritten: dict[StrategyName, None] = {}

    def restore(self) -> None:
        """Take over what the journal holds."""
        for row in self._journal.rows(TABLE):
            if row["why"] is not None:
                name = StrategyName(str(row["strategy"]))
                self._on[name] = Frozen(str(row["why"]), int(row["since_us"] or 0))

    def reasons(self) -> Mapping[StrategyName, str]:
        """Why each frozen strategy is."""
        return {name: frozen.why for name, frozen in self._on.items()}

    def freeze(self, strategy: StrategyName, why: str, correlation: CorrelationId) -> None:
        """From now on it proposes nothing. Raises StorageError when it cannot be written, and holds."""
        before = self._on.get(strategy)
        now = self._clock.now_us()
        reason = why if before is None else f"{before.why}; {why}"
        self._on[strategy] = Frozen(reason, now if before is None else before.since_us)
        self._unwritten[strategy] = None
        text = f"{strategy} FROZEN: {why}. To let it propose again: tradedeck policy release {strategy}"
        self._publish(Alarm(text, True, correlation, now, TABLE))
        self.write()

    def write(self) -> None:
        """Write down what is not yet. Raises StorageError."""
        due = tuple(self._unwritten)
        if not due:
            return
        rows = [self._row(name, self._on[name]) for name in due]
        audit = [self._line(AUDITOR, "frozen", name) for name in due]
        self._journal.commit(rows, audit, True)
        self._unwritten.clear()

    def release(self, command: ReleaseStrategy) -> Answer:
        """Let a strategy propose again; a refusal is an answer."""
        name = command.strategy
        if name not in self._on:
            return Answer(False, "not_frozen", f"{name} is not frozen.")
        row = JournalRow(TABLE, {"strategy": name, "why": None, "since_us": None, "by": None})
        line = self._line(str(command.actor), "unfrozen", name)
        try:
            self._journal.commit((row,), (line,))
        except StorageError as error:
            return Answer(False, "not_journalled", f"{name} is still frozen: {error}")
        del self._on[name]
        self._unwritten.pop(name, None)
        text = f"{name} released by {command.actor}"
        self._publish(Alarm(text, False, NO_CORRELATION, self._clock.now_us(), TABLE))
        return Answer(True, "ok", f"{name} may propose again.")

    def _line(self, actor: str, kind: str, name: StrategyName) -> AuditEntry:
        body = {"strategy": name, "why": self._on[name].why}
        return AuditEntry(self._clock.now_us(), actor, kind, "", body)

    def _row(self, name: StrategyName, frozen: Frozen) -> JournalRow:
        return JournalRow(
            TABLE, {"strategy": name, "why": frozen.why, "since_us": frozen.since_us, "by": AUDITOR}
        )
