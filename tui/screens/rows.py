"""What belongs to a row of the Desk: its ticket, its candidate, its bracket."""

from engine.model.ids import TicketId
from tui.shown.deck import BracketView, EventLine, GapRow, TicketView
from tui.shown.portfolio import PositionRow
from tui.widgets.look import Look


def ticket_of(look: Look, row: object) -> TicketView | None:
    """The ticket that waits for a row of the Gaps or Tickets pane."""
    wanted: TicketId | None = None
    if isinstance(row, TicketView):
        wanted = row.ticket.id
    elif isinstance(row, GapRow):
        wanted = row.ticket
    return next((item for item in look.view.tickets if item.ticket.id == wanted), None)


def gap_of(look: Look, row: object) -> GapRow | None:
    """The candidate of this session that a row follows from."""
    gaps = look.view.gaps
    match row:
        case GapRow():
            return next((item for item in gaps if item.correlation == row.correlation), None)
        case TicketView():
            return next((item for item in gaps if item.ticket == row.ticket.id), None)
        case BracketView():
            return next((item for item in gaps if item.ticket == row.ticket), None)
        case EventLine():
            return next((item for item in gaps if item.correlation == row.correlation), None)
    return None


def bracket_of(look: Look, row: object) -> BracketView | None:
    """The bracket that grew from a row."""
    if isinstance(row, BracketView | PositionRow):
        same = (item for item in look.view.brackets if item.ticket == row.ticket)
        return next(same, row if isinstance(row, BracketView) else None)
    if isinstance(row, GapRow) and row.ticket is not None:
        return next((item for item in look.view.brackets if item.ticket == row.ticket), None)
    return None


def no_ticket(row: object) -> str:
    """Why there is nothing to approve or reject on a row."""
    if isinstance(row, GapRow):
        return f"{row.symbol} has no ticket: {row.reason}" if row.reason else f"{row.symbol} has no ticket"
    return "no ticket on this row"
