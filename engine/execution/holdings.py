"""What the account holds that is not ours, and how far its executions were read; both survive a restart.

What was there when the account was first seen, and what foreign orders moved since, is external: known, shown
and never traded. A foreign sale beyond it took shares of ours, and that stays a difference.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.errors import StorageError
from engine.model.ids import AccountId, InstrumentId
from engine.model.orders import Fill
from engine.money import ZERO
from engine.ports import Journal, JournalRow

LOOK_BACK_US = 600_000_000
"""Executions are read again from ten minutes before the newest one seen: venues report them late."""
EXTERNAL = "external"
"""Key in the journal's `meta`."""
STREAM = "executions"
"""Name in the journal's `cursor`."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Immutable: a reading is journalled first and then takes the place of the one before."""

    external: Mapping[InstrumentId, Decimal]
    """Shares by instrument that are not ours; short ones below zero; none are left out."""
    cursor_us: int | None
    """Time of the newest execution read; None before the account was first seen."""
    seen: Mapping[str, int]
    """Foreign executions counted in `external` that may be read again: id -> time."""

    def since_us(self, venue_us: int) -> int | None:
        """From when executions are read; `venue_us` bounds a cursor that a wrong clock wrote."""
        return None if self.cursor_us is None else min(self.cursor_us, venue_us) - LOOK_BACK_US

    def after(self, foreign: Iterable[Fill], newest_us: int) -> "Holdings":
        """With foreign executions counted, each once, and everything up to `newest_us` read."""
        external, seen = dict(self.external), dict(self.seen)
        forgotten_us = 0 if self.cursor_us is None else self.cursor_us - LOOK_BACK_US
        for fill in foreign:
            if fill.exec_id in seen or fill.ts_event < forgotten_us:
                continue
            seen[fill.exec_id] = fill.ts_event
            held = external.get(fill.instrument, ZERO)
            external[fill.instrument] = max(held + fill.side.sign * fill.quantity, min(held, ZERO))
        cursor = max(newest_us, self.cursor_us or 0)
        kept = {name: ts for name, ts in seen.items() if ts >= cursor - LOOK_BACK_US}
        return Holdings(_without_none(external), cursor, kept)

    def accept(self, instrument: InstrumentId, quantity: Decimal) -> "Holdings":
        """With so many shares more of an instrument known to be foreign."""
        held = self.external.get(instrument, ZERO) + quantity
        return replace(self, external=_without_none({**self.external, instrument: held}))

    def rows(self, account: AccountId) -> tuple[JournalRow, ...]:
        """As the journal keeps it."""
        known = {name: format(quantity, "f") for name, quantity in sorted(self.external.items())}
        text = json.dumps({"held": known, "seen": self.seen}, sort_keys=True)
        cursor = {"venue": account, "stream": STREAM, "value": str(self.cursor_us)}
        return JournalRow("meta", {"k": EXTERNAL, "v": text}), JournalRow("cursor", cursor)


NOTHING_SEEN = Holdings({}, None, {})


def restore_holdings(journal: Journal, account: AccountId) -> Holdings:
    """As committed; `NOTHING_SEEN` in a new journal. Raises StorageError for a value that makes no sense."""
    stored = journal.meta(EXTERNAL)
    cursors = [row for row in journal.rows("cursor") if (row["venue"], row["stream"]) == (account, STREAM)]
    if stored is None or not cursors:
        return NOTHING_SEEN
    try:
        found = json.loads(stored)
        held = {InstrumentId(str(name)): Decimal(text) for name, text in found["held"].items()}
        seen = {str(name): int(ts) for name, ts in found["seen"].items()}
        return Holdings(held, int(str(cursors[0]["value"])), seen)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise StorageError(
            f"the journal's note of what is not ours makes no sense: {error!r}", "run tradedeck audit verify"
        ) from error


def _without_none(external: Mapping[InstrumentId, Decimal]) -> Mapping[InstrumentId, Decimal]:
    return {name: quantity for name, quantity in external.items() if quantity != ZERO}
