"""Commands of a person that were refused, in the audit log: who asked for what, and why it was not done."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.model.commands import Actor, Answer
from engine.model.ids import TicketId
from engine.model.text import clean
from engine.ports import AuditEntry, JournalRow

PAUSE_US = US_PER_S
"""One refusal is written once in this time: a key held down is no storm of lines."""
ID_MAX = 26
"""Letters of a ticket's id that are kept: what was asked for may be no id at all."""

TEXT_MAX = 300


class Refusable(Protocol):
    """A command about one ticket, or about its bracket."""

    @property
    def ticket(self) -> TicketId: ...
    @property
    def actor(self) -> Actor: ...


class Refusals:
    """Writes them; the person has the answer whether or not the journal takes it."""

    def __init__(
        self,
        write: Callable[[Sequence[JournalRow], Sequence[AuditEntry]], None],
        now_us: Callable[[], int],
    ) -> None:
        self._write = write
        self._now_us = now_us
        self._last: tuple[tuple[str, ...], int] | None = None

    def note(self, command: Refusable, answer: Answer, correlation: str) -> None:
        """One line of the log. `correlation`: of the candidate it follows from, "" where nothing is known."""
        ticket, who, now = clean(command.ticket, ID_MAX), str(command.actor), self._now_us()
        what = type(command).__name__
        same = (what, ticket, who, answer.code)
        if self._last is not None and self._last[0] == same and now - self._last[1] < PAUSE_US:
            return
        self._last = same, now
        body = {"command": what, "code": answer.code, "text": clean(answer.text, TEXT_MAX), "ticket": ticket}
        with suppress(StorageError):  # `write` halts and says so; the answer is no either way
            self._write((), (AuditEntry(now, who, "command_refused", correlation, body),))
