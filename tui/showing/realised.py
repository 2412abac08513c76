"""What was earned by selling since the account's day began, beside what is only worth more."""

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

from engine.clock import US_PER_S
from engine.core import Engine
from engine.execution.bracket import Bracket
from engine.execution.ledger import ledger_of
from engine.model.ids import TicketId
from engine.money import ZERO


class Realised:
    """Of one engine, at average cost (SPEC 6.7), each bracket by itself.

    Brackets are values: each is computed once for a day.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._since_us = 0
        self._known: dict[TicketId, tuple[Bracket, Decimal]] = {}

    def since(self, since_us: int) -> Decimal:
        """Profit of what was sold at or after an instant, with its fees, dividends and cash in lieu.

        Corporate actions count on the day of the last one: the journal keeps their sum alone.
        """
        if since_us != self._since_us:
            self._since_us, self._known = since_us, {}
        brackets = [*self._engine.brackets]
        found = {bracket.ticket: (bracket, self._of(bracket)) for bracket in brackets}
        self._known = found
        return sum((realised for _, realised in found.values()), ZERO)

    def _of(self, bracket: Bracket) -> Decimal:
        known = self._known.get(bracket.ticket)
        if known is not None and known[0] is bracket:
            return known[1]
        if not _moved(bracket, self._since_us):
            return ZERO
        whole = ledger_of(ZERO, ZERO, (bracket,)).realised
        return whole - ledger_of(ZERO, ZERO, (_before(bracket, self._since_us),)).realised


def _moved(bracket: Bracket, since_us: int) -> bool:
    fills = (fill for leg in bracket.legs for fill in leg.fills)
    is_lost = bracket.missing != ZERO and bracket.missing_us >= since_us
    return is_lost or _acted(bracket, since_us) or any(fill.ts_event >= since_us for fill in fills)


def _acted(bracket: Bracket, since_us: int) -> bool:
    """A corporate action on this day or later."""
    if bracket.last_action is None:
        return False
    noon = datetime.combine(bracket.last_action, time(12), UTC)
    return int(noon.timestamp()) * US_PER_S >= since_us


def _before(bracket: Bracket, since_us: int) -> Bracket:
    """The bracket as it was then, as far as money goes."""
    legs = tuple(
        replace(leg, fills=tuple(fill for fill in leg.fills if fill.ts_event < since_us))
        for leg in bracket.legs
    )
    missing = ZERO if bracket.missing_us >= since_us else bracket.missing
    if not _acted(bracket, since_us):
        return replace(bracket, legs=legs, missing=missing)
    return replace(bracket, legs=legs, adjustment=ZERO, cash_adjustment=ZERO, missing=missing)
