"""Well-shaped messages of wire v1, to be bent by the tests."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.model.ids import AccountId, ClientOrderId, InstrumentId, VenueOrderId
from engine.model.orders import Fill, OrderSide, OrderState, VenueOrder
from engine.model.positions import AccountKind, AccountSnapshot, VenuePosition

ABC = InstrumentId("ABC.US")
ORDER = ClientOrderId("td0123456789ABCDEFGHJKMNPQRSE00")


@pytest.fixture
def account() -> AccountId:
    return AccountId("SIM-1")


@pytest.fixture
def order() -> VenueOrder:
    return VenueOrder(
        ORDER,
        VenueOrderId("V-1"),
        ABC,
        OrderSide.BUY,
        OrderState.WORKING,
        Decimal(100),
        Decimal(40),
        Decimal("10.25"),
        None,
        "partly filled",
    )


@pytest.fixture
def fill() -> Fill:
    return Fill(
        "F1", ORDER, ABC, OrderSide.BUY, Decimal(40), Decimal("10.25"), Decimal("0.01"), 1_451_917_800_000_000
    )


@pytest.fixture
def snapshot(account: AccountId) -> AccountSnapshot:
    held = (VenuePosition(ABC, Decimal(-4), Decimal("10.1")),)
    return AccountSnapshot(
        account, AccountKind.PAPER, "USD", Decimal("-1.50"), Decimal(2), Decimal("3.00"), held
    )


@pytest.fixture
def without() -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """An object less one of its keys."""
    return lambda of, key: {name: value for name, value in of.items() if name != key}
