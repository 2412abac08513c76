"""The end of a process: bounded, and honest about what stays unknown (RELIABILITY 11)."""

import asyncio

from engine.execution.orders import Brackets
from engine.model.ids import symbol_of
from engine.model.orders import OrderState

WAIT_S = 10.0
"""Seconds of the loop that orders in flight get to show their fate."""
LOOK_S = 0.1
_IN_FLIGHT = frozenset({OrderState.SENDING, OrderState.UNKNOWN})


async def drain(brackets: Brackets, *, asks: bool, wait_s: float = WAIT_S) -> tuple[str, ...]:
    """Wait for fates, at most `wait_s`, then give up on the answers; the orders that stay unknown, in words.

    `asks`: timers run, so that unknown orders are still asked about; else only answers are waited for.
    """
    try:
        async with asyncio.timeout(wait_s):
            await brackets.idle()
            while asks and unknown_orders(brackets):
                await asyncio.sleep(LOOK_S)
                await brackets.idle()
    except TimeoutError:
        await brackets.abandon()
    return unknown_orders(brackets)


def unknown_orders(brackets: Brackets) -> tuple[str, ...]:
    """`ABC entry td…E00`, for each whose fate is not known."""
    return tuple(
        f"{symbol_of(bracket.instrument)} {leg.role.name.lower()} {leg.id}"
        for bracket in brackets.open()
        for leg in bracket.legs
        if leg.state in _IN_FLIGHT
    )
