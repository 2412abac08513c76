"""Identifiers and the functions that make and parse them."""

from collections.abc import Callable
from typing import NewType

Symbol = NewType("Symbol", str)
Venue = NewType("Venue", str)
InstrumentId = NewType("InstrumentId", str)
AccountId = NewType("AccountId", str)
StrategyName = NewType("StrategyName", str)
CorrelationId = NewType("CorrelationId", str)
"""A ULID made with each candidate and carried on everything that follows from it."""
TicketId = NewType("TicketId", str)
"""A ULID; the bracket that grows from a ticket keeps it as its id."""
ClientOrderId = NewType("ClientOrderId", str)
"""Ours, made before sending, the idempotency key: `td` + ticket ULID + role + two digits (RELIABILITY 5)."""
VenueOrderId = NewType("VenueOrderId", str)

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_LENGTH = 26
CLIENT_ORDER_PREFIX = "td"


def instrument_id(symbol: str, venue: str = "US") -> InstrumentId:
    """`ABC` at `US` -> `ABC.US`. Symbols may hold dots (`BRK.B`), venues may not.

    Raises ValueError for an empty part, white space, or a dot in the venue.
    """
    if not symbol or not venue or "." in venue or any(c.isspace() for c in symbol + venue):
        raise ValueError(f"not an instrument: symbol {symbol!r} at venue {venue!r}")
    return InstrumentId(f"{symbol}.{venue}")


def symbol_of(instrument: InstrumentId) -> Symbol:
    """The symbol part of an instrument id."""
    return Symbol(instrument.rpartition(".")[0])


def venue_of(instrument: InstrumentId) -> Venue:
    """The venue part of an instrument id."""
    return Venue(instrument.rpartition(".")[2])


def encode_ulid(ts_ms: int, entropy: int) -> str:
    """48 bits of milliseconds, 80 bits of entropy, as 26 Crockford base-32 characters (ULID)."""
    if not 0 <= ts_ms < 1 << 48 or not 0 <= entropy < 1 << 80:
        raise ValueError(f"ULID parts out of range: {ts_ms} ms, {entropy:#x}")
    value = ts_ms << 80 | entropy
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


class UlidFactory:
    """Makes ULIDs that rise strictly, also inside one millisecond and when the clock steps back."""

    def __init__(self, now_us: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._now_us = now_us
        self._random_bits = random_bits
        self._last = (-1, -1)

    def new(self) -> str:
        """The next identifier."""
        ts_ms, entropy = self._now_us() // 1000, self._random_bits(80)
        if ts_ms <= self._last[0]:
            ts_ms, entropy = self._last[0], self._last[1] + 1
            if entropy >> 80:
                ts_ms, entropy = ts_ms + 1, 0
        self._last = (ts_ms, entropy)
        return encode_ulid(ts_ms, entropy)


def client_order_id(ticket: TicketId, role: str, n: int) -> ClientOrderId:
    """The deterministic order id of a ticket, role letter and count: 31 characters of [A-Za-z0-9]."""
    if len(ticket) != ULID_LENGTH or len(role) != 1 or not 0 <= n <= 99:
        raise ValueError(f"cannot make an order id from ticket {ticket!r}, role {role!r}, n {n}")
    return ClientOrderId(f"{CLIENT_ORDER_PREFIX}{ticket}{role}{n:02d}")


def short_id(identifier: str) -> str:
    """How an id is shown: `td-` and the first ten characters of its ULID (design 5)."""
    ulid = identifier.removeprefix(CLIENT_ORDER_PREFIX)
    return f"{CLIENT_ORDER_PREFIX}-{ulid[:10]}"
