"""A venue that says anything that can be typed, in any order: the engine neither falls nor believes it."""

import importlib.util
import sys
from decimal import Decimal as D
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loop import run_virtual
from engine.model.ids import InstrumentId, VenueOrderId
from engine.model.orders import Fill, OrderSide, OrderState, VenueOrder


def load() -> ModuleType:
    """By path: tests are no package."""
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


world = load()
QUANTITY = 10
NUMBERS = st.sampled_from(
    [D(text) for text in ("0", "-0", "1", "3", "4.5", "10", "11", "-1", "1E+30", "-1E+30", "1E-30")]
    + [
        D(text)
        for text in ("NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "1E+999999", "99", "100", "1100.01")
    ]
)
TEXTS = st.sampled_from(["", "V-1", "\x1b[2J", "\ud800", "x" * 300, "\u202e", "held"])
INSTRUMENTS = st.sampled_from(["ABC.US", "ABC.US", "ABC.US", "XYZ.US", ""])
TIMES = st.sampled_from([0, -1, 10**30, world.OPEN_US, world.OPEN_US + 1, 1_451_917_800])
LEGS = st.integers(0, 2)
REPORTS = st.tuples(
    LEGS, INSTRUMENTS, st.sampled_from(OrderSide), st.sampled_from(OrderState), NUMBERS, NUMBERS, TEXTS, TEXTS
)
FILLS = st.tuples(
    LEGS, INSTRUMENTS, st.sampled_from(OrderSide), NUMBERS, NUMBERS, NUMBERS, TIMES, st.sampled_from("ABCD")
)


def told(bracket: Any, said: tuple[Any, ...]) -> VenueOrder | Fill:
    """A report or an execution of one of the bracket's first three orders."""
    leg = bracket.legs[min(said[0], len(bracket.legs) - 1)]
    instrument = InstrumentId(said[1])
    side = leg.spec.side if said[1] == "ABC.US" else said[2]
    if len(said) == 8 and isinstance(said[3], OrderState):
        _, _, _, state, quantity, cum, name, reason = said
        return VenueOrder(
            leg.id, VenueOrderId(name), instrument, side, state, quantity, cum, D(100), None, reason
        )
    _, _, _, quantity, price, fee, ts, number = said
    return Fill(f"{number}{leg.id[-3:]}", leg.id, instrument, side, quantity, price, fee, ts)


@pytest.mark.filterwarnings("error")
@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(REPORTS, FILLS), min_size=1, max_size=25))
def test_nothing_that_is_said_breaks_or_fools_the_engine(sayings: list[tuple[Any, ...]]) -> None:
    async def live() -> None:
        rig = world.Rig()
        await rig.begin()
        for said in sayings:
            rig.brackets.tell_venue(told(rig.now(), said))
            await rig.settle()
            bracket = rig.now()
            assert all(D(0) <= leg.cum <= leg.spec.quantity <= QUANTITY for leg in bracket.legs)
            assert bracket.position.is_finite()
            # Both exits and the entry at most: what two orders of ten can do, and never an invented number.
            assert -2 * QUANTITY <= bracket.position <= 2 * QUANTITY
            assert rig.books.cash.is_finite()
            assert abs(rig.books.cash) <= 10**11
            rig.assert_restores()
        for event in rig.events:
            assert not set(repr(event)) & {"\x1b", "\u202e", "\ud800"}

    run_virtual(live())
