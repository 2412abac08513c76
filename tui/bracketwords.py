"""What may be done by hand with a bracket, and what that does: dialogs and commands use the same words."""

from engine.model.orders import OrderRole, OrderState
from tui import format as fmt
from tui.shown.deck import BracketView, LegView

_LIVE = frozenset({OrderState.NEW, OrderState.SENDING, OrderState.WORKING, OrderState.UNKNOWN})
_NAMES = {OrderRole.ENTRY: "the entry", OrderRole.STOP: "stop", OrderRole.TARGET: "target"}


def name_of(row: BracketView) -> str:
    """`B-29 HELQ`."""
    return f"B-{row.number} {row.symbol}"


def is_entering(row: BracketView) -> bool:
    """Whether its entry may still buy."""
    return any(leg.role is OrderRole.ENTRY and leg.state in _LIVE for leg in row.legs)


def why_no_question(row: BracketView) -> str:
    """Why the venue is not asked about it; "" when it is."""
    return "" if row.unknown else f"B-{row.number} has 0 orders UNKNOWN"


def why_no_cancel(row: BracketView) -> str:
    """Why there is nothing to cancel; "" when there is."""
    if not is_entering(row):
        return f"of B-{row.number}'s entry 0 of {fmt.quantity(row.quantity)} works"
    return f"B-{row.number}'s entry is being cancelled already" if row.dropped else ""


def why_no_close(row: BracketView) -> str:
    """Why there is nothing to sell; "" when there is."""
    if row.exiting and row.exiting != "time" and row.phase != "closed":
        return f"B-{row.number} is being sold already: {row.exiting}"
    if row.held > 0 or (row.unknown and is_entering(row)):
        return ""
    return f"B-{row.number} holds 0{', cancel its entry' if is_entering(row) else ''}"


def cancel_words(row: BracketView) -> tuple[str, str]:
    """What is cancelled, and what that leaves."""
    entry = row.legs[0]
    rest, whole = entry.quantity - entry.filled, fmt.quantity(entry.quantity)
    words = f"Cancel the rest: {fmt.quantity(rest)} of {whole}."
    if entry.filled == 0:
        words = f"Cancel the entry: {whole} of {whole}."
    if rest == 0:
        words = "The entry is filled: nothing of it is left to cancel."
    if entry.state is OrderState.UNKNOWN:
        return words, "Its fate is not known: what works of it is cancelled once it is found."
    if row.held > 0:
        kept = f"stop {fmt.price(row.stop_price)} and target {fmt.price(row.target_price)}"
        return words, f"The {fmt.quantity(row.held)} held keep {kept}."
    return words, "Nothing is held, so nothing is left of this bracket."


def sale_words(row: BracketView) -> str:
    """`SELL 78 HELQ at market, cancels stop 3.85 and target 4.44 first`."""
    if row.held <= 0:
        most = fmt.quantity(row.quantity)
        return f"SELL what the unknown entry bought, up to {most} {row.symbol}, at market"
    names = [_working(leg) for leg in row.legs if leg.state in _LIVE and leg.role in _NAMES]
    ends = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"SELL {fmt.quantity(row.held)} {row.symbol} at market{f', cancels {ends} first' if ends else ''}"


def _working(leg: LegView) -> str:
    name = _NAMES[leg.role]
    return name if leg.role is OrderRole.ENTRY else f"{name} {fmt.price(leg.price)}"


def worst_words(row: BracketView) -> str:
    """The worst price that a sale by hand may get."""
    if row.held <= 0:
        return "It is sold as soon as it is found. No price is promised."
    if row.exit_limit is None:
        return "No price is promised: it is sold at market as soon as it trades."
    limit = fmt.price(row.exit_limit)
    return f"Worst price {limit} for 5 s, 2% under the last; after that any price."
