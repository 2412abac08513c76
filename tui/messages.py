"""What the console tells itself: whole views that replace each other, and refusals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.shown.deck import DeckView


@dataclass
class DeckChanged(Message):
    """The engine's newest picture; an unread older one is dropped."""

    view: "DeckView"

    def can_replace(self, message: Message) -> bool:
        """A newer picture makes an older one useless."""
        return isinstance(message, DeckChanged)


@dataclass
class EngineLost(Message):
    """The link ended or failed; `reason` says how."""

    reason: str


@dataclass
class Refused(Message):
    """A key that did nothing, and why; the footer says it for four seconds."""

    key: str
    reason: str
