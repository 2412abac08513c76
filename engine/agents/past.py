"""What the journal alone says of the past: the trades that ended, and the signals that were followed."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.execution.excursions import TABLE as EXCURSIONS
from engine.execution.records import restore_round_trip
from engine.execution.shadow_rows import CLOSED, restore_trade
from engine.execution.shadow_rows import TABLE as SHADOWS
from engine.execution.ticketbook import read_ticket
from engine.model.candidates import Vote
from engine.model.policy import ClosedTrade
from engine.model.positions import RoundTrip
from engine.ports import Journal
from engine.risk.daily import day_of

EXCHANGE = ZoneInfo("America/New_York")
"""An exit is of the session of its day there."""


def real_trades(journal: Journal) -> tuple[ClosedTrade, ...]:
    """Trades with real orders, in order of exit. Raises StorageError for a row that makes no sense."""
    found = [closed_trade(journal, restore_round_trip(row)) for row in journal.rows("round_trip")]
    return tuple(sorted(found, key=lambda trade: (trade.exit_us, trade.id)))


def followed_trades(journal: Journal) -> tuple[ClosedTrade, ...]:
    """Signals that were followed to their end, in order of exit."""
    found = [restore_trade(row) for row in journal.rows(SHADOWS, state=CLOSED)]
    return tuple(sorted(found, key=lambda trade: (trade.exit_us, trade.id)))


def counted_trades(journal: Journal) -> tuple[ClosedTrade, ...]:
    """Those followed proposals that count as evidence of an edge (SPEC 3.3.6), in order of exit."""
    found = [restore_trade(row) for row in journal.rows(SHADOWS, state=CLOSED) if row["counts"]]
    return tuple(sorted(found, key=lambda trade: (trade.exit_us, trade.id)))


def closed_trade(journal: Journal, trip: RoundTrip) -> ClosedTrade:
    """A finished round trip with the votes of its ticket and how far prices went."""
    low = high = None
    for row in journal.rows(EXCURSIONS, ticket=trip.ticket):
        low, high = Decimal(str(row["low_px"])), Decimal(str(row["high_px"]))
    return ClosedTrade(
        id=trip.ticket,
        correlation=trip.correlation,
        strategy=trip.strategy,
        instrument=trip.instrument,
        session=trip.session,
        shadow=False,
        proposed=True,
        entry_us=trip.entry_us,
        entry_price=trip.entry_price,
        exit_us=trip.exit_us,
        exit_session=day_of(trip.exit_us, EXCHANGE),
        exit_price=trip.exit_price,
        exit_reason=trip.exit_reason,
        sessions=trip.sessions,
        quantity=trip.quantity,
        cost=trip.fees,
        votes=_votes(journal, trip),
        mae=None if low is None else float(low / trip.entry_price) - 1,
        mfe=None if high is None else float(high / trip.entry_price) - 1,
    )


def _votes(journal: Journal, trip: RoundTrip) -> dict[str, Vote]:
    for row in journal.rows("ticket", id=trip.ticket):
        return {report.agent: report.vote for report in read_ticket(str(row["body"])).reports}
    return {}
