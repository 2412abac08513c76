"""The pushed views of one connection: a snapshot, then numbered changes. Both ends, without the wire."""

from tui.server.deltas import OutOfStep, apply, diff
from tui.server.protocol import Delta, Snapshot
from tui.shown.deck import DeckView


class Outlet:
    """The sending end: remembers what the peer was sent last."""

    def __init__(self) -> None:
        self._sent: DeckView | None = None
        self._seq = 0

    def next(self, view: DeckView) -> Snapshot | Delta:
        """What to send so that the peer shows `view`; a snapshot the first time."""
        before, self._sent = self._sent, view
        self._seq += 1
        return Snapshot(self._seq, view) if before is None else Delta(self._seq, diff(before, view))

    def again(self) -> Snapshot | None:
        """What the peer should hold, whole; None before the first."""
        return None if self._sent is None else Snapshot(self._seq, self._sent)


class Inlet:
    """The receiving end."""

    def __init__(self) -> None:
        self._view: DeckView | None = None
        self._seq = 0

    def take(self, message: Snapshot | Delta) -> DeckView:
        """The view that the message leads to.

        Raises OutOfStep for a number that does not follow, and from then on until a snapshot comes.
        """
        if isinstance(message, Snapshot):
            self._view, self._seq = message.view, message.seq
            return message.view
        view, expected = self._view, self._seq + 1
        self._view = None
        if view is None or message.seq != expected:
            raise OutOfStep(f"change {message.seq} came where {expected} was expected")
        self._view, self._seq = apply(view, message.changes), message.seq
        return self._view
