"""What is halted: the whole account, or single instruments. Nothing new begins there; stops and exits go on.

A halt holds from the moment it is called, is kept over a restart and ends only by a person's command. One
that cannot be written down holds all the same and is tried again until it is written. Further reasons for a
halt that is on are added to it and told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.clock import Clock
from engine.errors import StorageError
from engine.execution.orders import RETRY_JOURNAL_US
from engine.model.commands import ENGINE, Actor
from engine.model.events import Alarm, Event, SymbolHalted, SymbolReleased
from engine.model.ids import CorrelationId, InstrumentId, symbol_of
from engine.ports import AuditEntry, Journal, JournalRow
from engine.scheduler import Scheduler

ACCOUNT_SCOPE = "account"
"""Of the table `halt`; every other scope is an instrument id."""
MOST_REASONS = 8
"""So many are listed; a reason beyond them is told, journalled and not listed."""
KIND = "halt"
"""Of the alarms told here."""
Scope = InstrumentId | None
"""None: the account."""


@dataclass(frozen=True, slots=True)
class Halted:
    """A halt that is on. `reason`: who and why, all reasons in order; `by` is who came first."""

    reason: str
    since_us: int
    by: str


@dataclass(frozen=True, slots=True)
class HaltDesk:
    """What the halts work with."""

    journal: Journal
    clock: Clock
    scheduler: Scheduler
    publish: Callable[[Event], None]
    account_halted: Callable[[Halted], None]
    """The account is halted, or has one more reason: the engine's state follows."""
    review: Callable[[Scope], None]
    """Let the plan cancel the entries that work in a scope. Raises StorageError."""


class Halts:
    """Owns what is halted; others ask, and call `halt` and `release`."""

    def __init__(self, desk: HaltDesk) -> None:
        self._desk = desk
        self._on: dict[Scope, Halted] = {}
        self._told: dict[Scope, list[str]] = {}
        """Every reason of a halt that is on, those of before a restart as one."""
        self._rows: list[JournalRow] = []
        self._audit: list[AuditEntry] = []
        self._unwritten: dict[Scope, None] = {}
        self._unreviewed: dict[Scope, None] = {}
        self._refused: StorageError | None = None
        self._is_settling = False
        self._waits = False
        self._heard = ""

    def heard(self, text: str) -> None:
        """An alarm was just told: a halt for that very reason need not tell it again."""
        self._heard = text

    def restore(self) -> None:
        """Take over what the journal holds; a halt that was called before that stays as it is."""
        for row in self._desk.journal.rows("halt"):
            scope = None if row["scope"] == ACCOUNT_SCOPE else InstrumentId(str(row["scope"]))
            if row["why"] is not None and scope not in self._on:
                self._on[scope] = Halted(str(row["why"]), int(row["since_us"] or 0), str(row["by"]))
                self._told[scope] = [str(row["why"])]

    @property
    def account(self) -> Halted | None:
        """The account's halt; None while it is not halted."""
        return self._on.get(None)

    @property
    def account_reason(self) -> str:
        """Who halted the account and why; "" while it is not halted."""
        return "" if self.account is None else self.account.reason

    def symbols(self) -> Mapping[InstrumentId, Halted]:
        """The instruments that are halted themselves, whatever the account is."""
        return {scope: halted for scope, halted in self._on.items() if scope is not None}

    def is_halted(self, instrument: InstrumentId) -> bool:
        """Nothing new may begin in it: the account or the instrument is halted."""
        return None in self._on or instrument in self._on

    def reason_of(self, instrument: InstrumentId) -> str:
        """Why nothing new may begin in it; "" when it may."""
        halted = self._on.get(None) or self._on.get(instrument)
        return "" if halted is None else halted.reason

    @property
    def is_written(self) -> bool:
        """Whether a restart would find all of this."""
        return not self._unwritten

    def halt(
        self,
        actor: Actor,
        reason: str,
        instrument: Scope = None,
        rows: Sequence[JournalRow] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> None:
        """No new entries, working entries are cancelled, stops stay.

        `rows` and `audit` of others become durable in the same transaction. Never raises: what the disk
        refuses is told and tried again, and nothing new begins all the same.
        """
        text = f"by {actor} ({reason})"
        is_new = not any(text in told for told in self._told.get(instrument, ()))
        self._rows += rows
        self._audit += audit
        if is_new:
            named: dict[str, object] = {} if instrument is None else {"instrument": instrument}
            self._audit.append(self._entry(actor, "halted", {"reason": reason, **named}))
            self._note(actor, reason, text, instrument)
        if is_new or rows or audit:
            self._unwritten[instrument] = self._unreviewed[instrument] = None
            was_waiting = self._waits
            self._settle()
            if self._unwritten and not was_waiting:
                why = f"the halt is not written down yet, a restart would forget it: {self._refused}"
                self._tell(why, page=True)

    def release(self, actor: Actor, instrument: Scope = None, rows: Sequence[JournalRow] = ()) -> None:
        """End a halt, `rows` of others with it. Raises StorageError, and it stays on then."""
        row = JournalRow("halt", {"scope": _name(instrument), "why": None, "since_us": None, "by": None})
        named: dict[str, object] = {} if instrument is None else {"instrument": instrument}
        entries = (*self._audit, self._entry(actor, "resumed", named))
        self._desk.journal.commit((*self._rows, row, *rows), entries)
        self._rows, self._audit = [], []
        self._on.pop(instrument, None)
        self._told.pop(instrument, None)
        self._unwritten.pop(instrument, None)
        self._unreviewed.pop(instrument, None)
        if instrument is not None:
            self._desk.publish(SymbolReleased(instrument, str(actor), self._desk.clock.now_us()))

    def _note(self, actor: Actor, reason: str, text: str, instrument: Scope) -> None:
        """Hold in memory and tell, before anything is written."""
        told = self._told.setdefault(instrument, [])
        told.append(text)
        if instrument in self._on:
            if len(told) <= MOST_REASONS:
                before = self._on[instrument]
                self._on[instrument] = Halted("; ".join(told), before.since_us, before.by)
            what = "halted" if instrument is None else f"{symbol_of(instrument)} is halted"
            self._say(f"{reason} ({what} already)", reason, page=actor == ENGINE)
        else:
            self._on[instrument] = Halted(text, self._desk.clock.now_us(), str(actor))
            if instrument is not None:
                since_us = self._on[instrument].since_us
                self._desk.publish(SymbolHalted(instrument, text, str(actor), since_us))
            if actor == ENGINE:
                # A person knows what they did; what the engine stopped by itself somebody must look at.
                what = "" if instrument is None else f"{symbol_of(instrument)} "
                self._say(f"{what}HALTED: {reason}", reason, page=True)
        if instrument is None:
            self._desk.account_halted(self._on[None])

    def _settle(self) -> None:
        """Write down and carry out what is due; what the disk refuses is tried again a second later."""
        if self._is_settling:
            return  # a review that cannot be journalled halts once more: the same round deals with it
        self._is_settling = True
        try:
            self._attempt(self._write)
            # Also with a halt that is not durable: entries are cancelled as far as that can be journalled.
            self._attempt(self._review)
        finally:
            self._is_settling = False
        if (self._unwritten or self._unreviewed) and not self._waits:
            self._waits = True
            self._desk.scheduler.call_at(self._desk.clock.now_us() + RETRY_JOURNAL_US, self._again)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StorageError as error:
            self._refused = error

    def _again(self) -> None:
        self._waits = False
        self._settle()

    def _write(self) -> None:
        due = tuple(self._unwritten)
        rows = [_row(scope, self._on[scope]) for scope in due]
        if due:
            self._desk.journal.commit((*rows, *self._rows), tuple(self._audit), True)
        self._rows, self._audit, self._unwritten = [], [], {}

    def _review(self) -> None:
        for scope in tuple(self._unreviewed):
            self._desk.review(scope)
            self._unreviewed.pop(scope, None)

    def _entry(self, actor: Actor, kind: str, body: Mapping[str, object]) -> AuditEntry:
        return AuditEntry(self._desk.clock.now_us(), str(actor), kind, "", body)

    def _say(self, text: str, reason: str, page: bool) -> None:
        if reason != self._heard:
            self._tell(text, page)

    def _tell(self, text: str, page: bool) -> None:
        self._desk.publish(Alarm(text, page, CorrelationId(""), self._desk.clock.now_us(), KIND))


def _name(scope: Scope) -> str:
    return ACCOUNT_SCOPE if scope is None else scope


def _row(scope: Scope, halted: Halted) -> JournalRow:
    return JournalRow(
        "halt",
        {"scope": _name(scope), "why": halted.reason, "since_us": halted.since_us, "by": halted.by},
    )
