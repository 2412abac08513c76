"""What is asked of the simulated venue, and the reports that it makes for its answers (wire v1)."""

from decimal import Decimal
from typing import NamedTuple

import msgspec

TOO_LATE = "expired"
"""Code of a request that arrived after its expiry: the venue did nothing."""
DUPLICATE = "duplicate"
NO_SUCH_ORDER = "no_such_order"
NOT_WORKING = "not_working"
UNSUPPORTED = "unsupported"
OK, REFUSED, MISSING, BANNED, TOO_MANY, FAILED = 200, 422, 404, 418, 429, 503


class Response(NamedTuple):
    """An answer of the venue: HTTP status and JSON."""

    status: int
    body: bytes


class OrderTerms(msgspec.Struct, frozen=True):
    """One order as it is sent."""

    client_order_id: str
    instrument: str
    side: str
    type: str
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    tif: str


class Request(msgspec.Struct, frozen=True, tag=True):
    """Any question to the venue. `sent_us`: venue time at which the adapter sent it."""

    account: str
    sent_us: int


class Submit(Request, frozen=True, tag=True):
    """Orders that belong together. `link`: single, oco (exits only) or otoco (entry first)."""

    link: str
    orders: tuple[OrderTerms, ...]


class Cancel(Request, frozen=True, tag=True):
    """End a working order."""

    client_order_id: str


class Replace(Request, frozen=True, tag=True):
    """Put an order in the place of a working one."""

    client_order_id: str
    order: OrderTerms


class AskOrder(Request, frozen=True, tag=True):
    """One order by client id."""

    client_order_id: str


class AskOpen(Request, frozen=True, tag=True):
    """All orders that work or sleep."""


class AskExecutions(Request, frozen=True, tag=True):
    """Executions since a venue time."""

    since_us: int


class AskAccount(Request, frozen=True, tag=True):
    """Cash and positions."""


class AskTime(Request, frozen=True, tag=True):
    """The venue's clock."""


Question = Submit | Cancel | Replace | AskOrder | AskOpen | AskExecutions | AskAccount | AskTime
WRITES = (Submit, Cancel, Replace)


class OrderReport(msgspec.Struct, frozen=True):
    """One order as wire v1 tells it (brokers.wire.v1)."""

    client_order_id: str
    venue_order_id: str
    instrument: str
    side: str
    state: str
    quantity: Decimal
    cum_filled: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    reason: str


class Execution(msgspec.Struct, frozen=True):
    """One fill as wire v1 tells it."""

    exec_id: str
    client_order_id: str
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    ts_us: int


class Holding(msgspec.Struct, frozen=True):
    """One position as wire v1 tells it."""

    instrument: str
    quantity: Decimal
    average_price: Decimal


class AccountState(msgspec.Struct, frozen=True):
    """The account as wire v1 tells it."""

    kind: str
    currency: str
    cash: Decimal
    buying_power: Decimal
    equity: Decimal
    positions: tuple[Holding, ...]


class Refusal(msgspec.Struct, frozen=True):
    """Why the venue did nothing."""

    code: str
    reason: str


encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(Question).decode


def answer(account: str, name: str, value: bytes) -> bytes:
    """A whole answer of wire v1 around a value that is JSON already."""
    return b'{"v":1,"account":"%s","%s":%s}' % (account.encode(), name.encode(), value)


def listed(parts: list[bytes]) -> bytes:
    """A JSON list of values that are JSON already."""
    return b"[" + b",".join(parts) + b"]"


def message(account: str, kind: str, value: bytes) -> bytes:
    """A message of the stream, of wire v1."""
    return b'{"v":1,"account":"%s","type":"%s","data":%s}' % (account.encode(), kind.encode(), value)
