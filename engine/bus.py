"""Typed publish/subscribe inside one event loop.

Two ways to listen. A callback runs inside `publish`, for the hot path. A subscription is a bounded queue read
with `async for`, for everything that may be slow.

- `publish` never waits for a listener, and one listener's failure never keeps an event from the others. An
  event published while another is being delivered is delivered after it: all see all events in one order.
- Of market data a slow reader may ask for the newest only. Every other event is kept: orders are never
  dropped. A reader that falls `bound` events behind is cut off instead: it gets what was queued up to there
  and then ListenerOverflow, so that it cannot take the part for the whole. It reads the state again and
  subscribes anew; only the telling is lost, since state is updated before an event is published.
- A callback that raises is named, counted and reported.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from engine.errors import DeckError
from engine.model.events import MarketMoved

A = TypeVar("A")
E = TypeVar("E")

DEFAULT_BOUND = 16_384
"""Unread events a reader may have: many instants with hundreds of tickets each, and still little memory."""


class ListenerOverflow(DeckError):
    """A reader fell too far behind and was cut off from the bus."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A listener failed on an event: `error` is what its callback raised, or ListenerOverflow."""

    listener: str
    event: object
    error: Exception


@dataclass(frozen=True, slots=True)
class ListenerHealth:
    """Counts since the listener was added. `replaced`: unread market data that gave way to newer."""

    name: str
    delivered: int
    pending: int
    replaced: int
    failures: int
    refused: int
    """Events that came after it was cut off."""


class _Listener(ABC):
    """What the bus knows of any listener."""

    def __init__(self, bus: "Bus", kinds: tuple[type, ...], name: str) -> None:
        self.name = name
        self.kinds = kinds
        self._bus = bus
        self.is_closed = False
        self._delivered = 0
        self._replaced = 0
        self._failures = 0
        self._refused = 0

    def close(self) -> None:
        """Leave the bus. Events that were not read yet are given up."""
        if not self.is_closed:
            self.is_closed = True
            self._bus._remove(self)

    def health(self) -> ListenerHealth:
        """Its counts now."""
        return ListenerHealth(
            self.name, self._delivered, self.pending, self._replaced, self._failures, self._refused
        )

    @property
    def pending(self) -> int:
        """Events queued and not yet taken."""
        return 0

    @property
    def is_settled(self) -> bool:
        """Nothing is queued for it and it works on nothing."""
        return True

    @property
    def overflow(self) -> ListenerOverflow | None:
        """Why it was cut off; None while it was not."""
        return None

    @abstractmethod
    def _take(self, event: object) -> Exception | None:
        """Be handed an event; what went wrong, if something did."""


class CallbackHandle(_Listener):
    """A direct callback; `close` ends it."""

    def __init__(
        self, bus: "Bus", kinds: tuple[type, ...], name: str, call: Callable[[object], None]
    ) -> None:
        super().__init__(bus, kinds, name)
        self._call = call

    def _take(self, event: object) -> Exception | None:
        self._delivered += 1
        error = _guarded(self._call, event)
        self._failures += error is not None
        return error


class Subscription(_Listener, Generic[E]):
    """A bounded queue of events, read by one task with `async for`; leaving the `with` block closes it."""

    def __init__(self, bus: "Bus", kinds: tuple[type, ...], name: str, newest_only: bool, bound: int) -> None:
        super().__init__(bus, kinds, name)
        self._newest_only = newest_only
        self._bound = bound
        self._queue: OrderedDict[int, E] = OrderedDict()
        self._count = 0
        self._unread_market: int | None = None
        self._overflow: ListenerOverflow | None = None
        self._in_hand = False
        self._reader: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """The next event; asking for it says that the one before is dealt with.

        Raises ListenerOverflow after the last event before the reader was cut off.
        """
        if self._reader is not None:
            raise RuntimeError(f"two tasks read the subscription {self.name}")
        self._in_hand = False
        while not self._queue:
            self._bus._wake_settlers()
            if self._overflow is not None:
                raise self._overflow
            if self.is_closed or self._bus.is_closed:
                raise StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        key, event = self._queue.popitem(last=False)
        if key == self._unread_market:
            self._unread_market = None
        self._in_hand = True
        self._delivered += 1
        return event

    def close(self) -> None:
        """Leave the bus. Events that were not read yet are given up, a waiting reader ends."""
        super().close()
        self._queue.clear()
        self._in_hand = False
        self._wake()
        self._bus._wake_settlers()

    @property
    def pending(self) -> int:
        """Events queued and not yet taken."""
        return len(self._queue)

    @property
    def is_settled(self) -> bool:
        """Nothing is queued, and the reader came back for more or never began."""
        return not self._queue and not self._in_hand

    @property
    def overflow(self) -> ListenerOverflow | None:
        """Why it was cut off; None while it was not."""
        return self._overflow

    def _take(self, event: object) -> Exception | None:
        if self._overflow is not None:
            self._refused += 1
            return None
        replaceable = self._newest_only and isinstance(event, MarketMoved)
        if replaceable and self._unread_market is not None:
            del self._queue[self._unread_market]
            self._replaced += 1
        elif len(self._queue) >= self._bound:
            return self._cut_off(event)
        self._count += 1
        self._queue[self._count] = event  # type: ignore[assignment]  # the bus delivers only `kinds`
        if replaceable:
            self._unread_market = self._count
        self._wake()
        return None

    def _cut_off(self, event: object) -> ListenerOverflow:
        self._failures += 1
        self._refused += 1
        overflow = ListenerOverflow(
            f"{self.name} fell {self._bound} events behind and was cut off at {type(event).__name__}",
            "Read the state again and subscribe anew",
        )
        self._overflow = overflow
        self._wake()
        self._bus._wake_settlers()
        return overflow

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Bus:
    """Delivers each event to every listener of its class or a base class of it, in the order they were added.

    `on_trouble` is told of each event that a listener failed on, once all others have that event. Events that
    it publishes itself, and what follows from those, are delivered too, but trouble with them is only
    counted: an alarm about an alarm would never end. Without `on_trouble`, or when it fails, `publish` raises
    the error after everything was delivered.
    """

    def __init__(self, on_trouble: Callable[[Trouble], None] | None = None) -> None:
        self.on_trouble = on_trouble
        self.is_closed = False
        self._listeners: list[_Listener] = []
        self._by_class: dict[type, tuple[_Listener, ...]] = {}
        self._outbox: deque[tuple[object, bool]] = deque()
        self._delivering = False
        self._of_trouble = False
        self._settlers: list[asyncio.Future[None]] = []

    def subscribe(
        self,
        kinds: type[E] | tuple[type[E], ...],
        name: str,
        *,
        newest_only: bool = False,
        bound: int = DEFAULT_BOUND,
    ) -> Subscription[E]:
        """A queue of at most `bound` unread events.

        `newest_only`: of unread market data only the newest stays; all other events are kept in any case.
        """
        kinds = _as_tuple(kinds)
        if bound < 1:
            raise ValueError(f"the bound of {name} must be at least 1, got {bound}")
        if newest_only and not any(issubclass(MarketMoved, kind) for kind in kinds):
            raise ValueError(f"{name} asks for the newest market data only, but listens to none")
        subscription: Subscription[E] = Subscription(self, kinds, name, newest_only, bound)
        self._add(subscription)
        return subscription

    def subscribe_call(
        self, kinds: type[E] | tuple[type[E], ...], call: Callable[[E], None], name: str
    ) -> CallbackHandle:
        """Call `call` inside each `publish`. It must be quick and must not block."""
        handle = CallbackHandle(self, _as_tuple(kinds), name, call)  # type: ignore[arg-type]  # gets `kinds` only
        self._add(handle)
        return handle

    def publish(self, event: object) -> None:
        """Hand an event to all who listen for it. Call it on the loop's thread, after updating the state."""
        if self.is_closed:
            raise RuntimeError(f"{type(event).__name__} was published after the bus was closed")
        self._outbox.append((event, self._of_trouble))
        if self._delivering:
            return
        self._delivering = True
        unreported: list[Exception] = []
        try:
            while self._outbox:
                unreported += self._deliver(*self._outbox.popleft())
        finally:
            self._delivering = False
            self._of_trouble = False
        if len(unreported) > 1:
            raise ExceptionGroup("listeners failed", unreported)
        if unreported:
            raise unreported[0]

    async def settled(self) -> None:
        """Wait until every reader has dealt with all that was published, also with what that led to.

        Raises ListenerOverflow when one was cut off, since it never will. A reader that is gone without
        closing its subscription is waited for in vain.
        """
        self._raise_overflow()
        while not all(listener.is_settled for listener in self._listeners):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settlers.append(waiter)
            await waiter
            self._raise_overflow()

    def close(self) -> None:
        """The end of all events: readers get what is queued and then end."""
        self.is_closed = True
        for listener in self._listeners:
            if isinstance(listener, Subscription):
                listener._wake()

    def listeners(self) -> tuple[ListenerHealth, ...]:
        """Everyone who listens, with counts, in the order they were added."""
        return tuple(listener.health() for listener in self._listeners)

    def _deliver(self, event: object, of_trouble: bool) -> list[Exception]:
        """The errors that could not be reported."""
        troubles: list[Trouble] = []
        self._of_trouble = of_trouble
        for listener in self._listening(type(event)):
            error = None if listener.is_closed else listener._take(event)
            if error is not None:
                troubles.append(Trouble(listener.name, event, error))
        if of_trouble or not troubles:
            return []
        if self.on_trouble is None:
            return [trouble.error for trouble in troubles]
        self._of_trouble = True
        failures = (_guarded(self.on_trouble, trouble) for trouble in troubles)
        return [failure for failure in failures if failure is not None]

    def _listening(self, kind: type) -> tuple[_Listener, ...]:
        found = self._by_class.get(kind)
        if found is None:
            found = tuple(one for one in self._listeners if issubclass(kind, one.kinds))
            self._by_class[kind] = found
        return found

    def _add(self, listener: _Listener) -> None:
        self._listeners.append(listener)
        self._by_class.clear()

    def _remove(self, listener: _Listener) -> None:
        self._listeners.remove(listener)
        self._by_class.clear()

    def _raise_overflow(self) -> None:
        for listener in self._listeners:
            if listener.overflow is not None:
                raise listener.overflow

    def _wake_settlers(self) -> None:
        settlers, self._settlers = self._settlers, []
        for waiter in settlers:
            if not waiter.done():
                waiter.set_result(None)


def _as_tuple(kinds: type[E] | tuple[type[E], ...]) -> tuple[type[E], ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)


def _guarded(call: Callable[[A], None], argument: A) -> Exception | None:
    """What `call` raised."""
    try:
        call(argument)
    except Exception as error:  # noqa: BLE001 - bus delivery is one of the four edges: all others go on
        return error
    return None
