"""The link: everything a face may see and ask of an engine, wherever that engine runs."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol

from engine.model.commands import Answer, Command
from tui.shown.deck import DeckView
from tui.shown.details import Detail, Topic


class Question(StrEnum):
    """The books a command may read; the answer is a JSON document."""

    PROPOSALS = "proposals"
    """Every ticket of the account with its state, as `tradedeck proposals --json`."""
    ORDERS = "orders"
    """Brackets with their orders, as `tradedeck orders --json`."""
    POSITIONS = "positions"
    """What is held, and how it is protected."""
    ROUND_TRIPS = "round-trips"
    """Finished trades."""
    STATUS = "status"
    """The engine on one screen."""
    HEALTH = "health"
    """Sources and the engine's pulse."""
    AGENTS = "agents"
    """The eight agents: state, last verdict, time and error, as `tradedeck agents --json`."""


class Link(Protocol):
    """The in-process form and the remote form behave the same; nothing in a screen may tell them apart."""

    async def deck(self) -> DeckView:
        """The Desk as it is now."""
        ...

    def changes(self) -> AsyncIterator[DeckView]:
        """A new view after each change, at most ten a second, the newest only."""
        ...

    async def give(self, command: Command) -> Answer:
        """Carry out a command. Never raises for a refusal: the answer says it."""
        ...

    async def ask(self, question: Question) -> object:
        """A JSON-able document."""
        ...

    async def detail(self, topic: Topic, id: str) -> Detail | None:
        """What is known of one thing; None when nothing is. `Topic` says what its id is."""
        ...

    async def resume_market(self) -> bool:
        """Let a waiting replay go on; False when there is no replay or it does not wait."""
        ...

    async def close(self) -> None:
        """Leave. The engine is not touched."""
        ...
