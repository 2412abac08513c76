"""Followed signals as rows of the journal, and back."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from engine.errors import StorageError
from engine.execution.shadow import Shadow, ShadowTerms
from engine.execution.ticketbook import read_ticket
from engine.model.candidates import GateStatus
from engine.model.policy import ClosedTrade
from engine.model.positions import ExitReason
from engine.model.tickets import canonical_json
from engine.ports import Journal, JournalRow

TABLE = "shadow"
OPEN, CLOSED, VOID = "open", "closed", "void"
EXCUSED = frozenset({"G1", "G3"})
"""What only these gates kept back is a proposal: they say how far engine and strategy are trusted."""
Row = Mapping[str, str | int | None]


def open_row(terms: ShadowTerms) -> JournalRow:
    """A signal that is followed from now on."""
    return JournalRow(
        TABLE,
        {
            "correlation": terms.correlation,
            "strategy": terms.strategy,
            "instrument": terms.instrument,
            "session": terms.session.isoformat(),
            "opened_us": terms.opened_us,
            "terms": canonical_json(terms).decode(),
            "state": OPEN,
            "reason": "",
            "counts": 0,
        },
    )


def closed_row(trade: ClosedTrade, counts: bool) -> JournalRow:
    """How it ended; `counts`: as evidence of an edge."""
    return JournalRow(
        TABLE,
        {
            "correlation": trade.correlation,
            "state": CLOSED,
            "exit_us": trade.exit_us,
            "exit_session": trade.exit_session.isoformat(),
            "exit_px": format(trade.exit_price, "f"),
            "exit_reason": trade.exit_reason.value,
            "sessions": trade.sessions,
            "cost": format(trade.cost, "f"),
            "mae": _number(trade.mae),
            "mfe": _number(trade.mfe),
            "counts": int(counts),
        },
    )


def void_row(shadow: Shadow) -> JournalRow:
    """It has no outcome, and why."""
    return JournalRow(TABLE, {"correlation": shadow.terms.correlation, "state": VOID, "reason": shadow.void})


def restore_terms(row: Row) -> ShadowTerms:
    """What is followed. Raises StorageError for a row that makes no sense."""
    try:
        return msgspec.json.decode(str(row["terms"]), type=ShadowTerms)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _broken(row, error) from error


def restore_trade(row: Row) -> ClosedTrade:
    """A followed signal that ended. Raises StorageError for a row that makes no sense."""
    terms = restore_terms(row)
    try:
        return ClosedTrade(
            id=f"shadow-{terms.correlation}",
            correlation=terms.correlation,
            strategy=terms.strategy,
            instrument=terms.instrument,
            session=terms.session,
            shadow=True,
            proposed=terms.proposed,
            entry_us=terms.opened_us,
            entry_price=terms.entry_price,
            exit_us=int(row["exit_us"] or 0),
            exit_session=date.fromisoformat(str(row["exit_session"])),
            exit_price=Decimal(str(row["exit_px"])),
            exit_reason=ExitReason(str(row["exit_reason"])),
            sessions=int(row["sessions"] or 0),
            quantity=terms.quantity,
            cost=Decimal(str(row["cost"])),
            votes=terms.votes,
            mae=float(str(row["mae"])),
            mfe=float(str(row["mfe"])),
        )
    except (ValueError, InvalidOperation) as error:
        raise _broken(row, error) from error


def passed_gates(journal: Journal, terms: ShadowTerms) -> bool:
    """Whether the ticket of a proposal was kept back by nothing but how far it is trusted."""
    tickets = journal.rows("ticket", correlation=terms.correlation)
    if not terms.proposed or not tickets:
        return False
    gates = read_ticket(str(tickets[0]["body"])).gates
    return all(result.status is not GateStatus.FAIL or result.gate in EXCUSED for result in gates)


def _number(value: float | None) -> str | None:
    return None if value is None else repr(value)


def _broken(row: Row, error: Exception) -> StorageError:
    return StorageError(
        f"the followed signal {row['correlation']} makes no sense: {error}",
        "restore the journal from a backup",
    )
