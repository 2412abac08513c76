"""A link that opens while its console is shown already: views come once there is an engine, commands wait."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from engine.errors import Busy

if TYPE_CHECKING:
    from engine.model.commands import Answer, Command
    from tui.link import Link, Question
    from tui.shown.deck import DeckView
    from tui.shown.details import Detail, Topic


class OpeningLink:
    """`tui.link.Link` on what `opening` makes; it is begun by the first who asks.

    Nothing here needs an engine's libraries: the first frame is painted before they are loaded.
    """

    def __init__(self, opening: "Callable[[], Coroutine[Any, Any, Link]]") -> None:
        self._opening = opening
        self._task: asyncio.Task[Link] | None = None

    async def deck(self) -> "DeckView":
        """The Desk, once there is one."""
        return await (await self._link()).deck()

    async def changes(self) -> "AsyncIterator[DeckView]":
        """Nothing until the engine is there, then its views."""
        link = await self._link()
        async for view in link.changes():
            yield view

    async def give(self, command: "Command") -> "Answer":
        """Carry out a command as soon as there is an engine: a halt is never lost."""
        return await (await self._link()).give(command)

    async def ask(self, question: "Question") -> object:
        """A document of the engine, once it is there."""
        return await (await self._link()).ask(question)

    async def detail(self, topic: "Topic", id: str) -> "Detail | None":
        """What is known of one thing, once there is an engine."""
        return await (await self._link()).detail(topic, id)

    async def resume_market(self) -> bool:
        """Let a waiting market go on, once there is one."""
        return await (await self._link()).resume_market()

    async def close(self) -> None:
        """Leave: what is open is closed, what still opens is given up."""
        await self.give_up()
        if self._task is not None and not self._task.cancelled():
            await self._task.result().close()

    async def give_up(self) -> None:
        """Go on no further where it still opens. Raises what made it fail."""
        task = self._task
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    async def _link(self) -> "Link":
        """Raises Busy where it did not open; why is told to whoever closes."""
        if self._task is None:
            self._task = asyncio.create_task(self._opening(), name="opening")
        # Not awaited itself: who gives up waiting does not end the opening for the others.
        await asyncio.wait({self._task})
        if self._task.cancelled() or self._task.exception() is not None:
            raise Busy("the engine did not start", "The command line says why")
        return self._task.result()
