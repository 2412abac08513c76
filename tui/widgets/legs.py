"""The orders of a bracket as rows of a table: role, order, price, state, fills, age, id (design 10)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.model.orders import OrderRole, OrderState, OrderType
from tui import format as fmt
from tui.shown.deck import BracketView, LegView, PlannedExit
from tui.widgets.columns import Column, Placed
from tui.widgets.ink import Line, Span, cut_text
from tui.widgets.look import Look

LEAD = 5
"""Cells before the first column: the tree and the role."""
ROLE = 2
"""Of them those of the role."""
GAP = 2
ID_SHORT, ID_LONG = 9, 13
COLUMNS = (
    Column("order", "order", 8, 0),
    Column("price", "price", 11, 0),
    Column("tif", "tif", 3, 3),
    Column("state", "state", 17, 0),
    Column("filled", "filled", 7, 0, right=True),
    Column("average", "average", 7, 4, right=True),
    Column("age", "age", 4, 1, right=True),
    Column("id", "id", ID_SHORT, 2, stretch=True),
)
_ENDED = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.NOTPLACED, OrderState.REJECTED})


@dataclass(frozen=True, slots=True)
class Hidden:
    """Orders that ended without a fill: a line says how many, the sheet of the bracket lists them."""

    count: int


Row = LegView | PlannedExit | Hidden


def order_rows(bracket: BracketView) -> tuple[Row, ...]:
    """The orders of a tree: entry, stops, targets, exits; those that ended unfilled are counted."""
    shown: list[Row] = [leg for leg in bracket.legs if _is_shown(leg, bracket)]
    shown += bracket.planned
    places = list(OrderRole)
    shown.sort(key=lambda row: places.index(row.role) if not isinstance(row, Hidden) else len(places))
    hidden = len(bracket.legs) + len(bracket.planned) - len(shown)
    return (*shown, Hidden(hidden)) if hidden else tuple(shown)


def _is_shown(leg: LegView, bracket: BracketView) -> bool:
    return leg.role is OrderRole.ENTRY or leg.state not in _ENDED or leg.filled > 0


@dataclass(frozen=True, slots=True)
class Measure:
    """What the rows of a picture need in common."""

    columns: tuple[Column, ...]
    before: int
    """Characters before the decimal point of the longest price: the points stand in one line."""


NO_MEASURE = Measure(COLUMNS, 0)


def measure(rows: Sequence[Row], look: Look) -> Measure:
    """Columns of numbers are as wide as their longest: no number is cut."""
    orders = [row for row in rows if not isinstance(row, Hidden)]
    before = max((len(fmt.price(row.price).partition(".")[0]) for row in orders if row.price), default=0)
    made = Measure(COLUMNS, before)
    texts = {name: [cell(row, look, made) for row in orders] for name, cell in _CELLS.items() if name != "id"}
    columns = (
        replace(column, width=max([column.width, *map(len, texts.get(column.id, ()))])) for column in COLUMNS
    )
    return replace(made, columns=tuple(columns))


def heads(placed: Sequence[Placed]) -> Line:
    """The heads of the columns that fit."""
    spans = []
    for at in placed:
        text = cut_text(at.column.head, at.width)
        spans.append(Span(text.rjust(at.width) if at.column.right else text.ljust(at.width), "-muted"))
    return _joined(spans)


def leg_line(row: Row, placed: Sequence[Placed], measured: Measure, look: Look) -> Line:
    """One order, its role first."""
    if isinstance(row, Hidden):
        many = "1 order" if row.count == 1 else f"{row.count} orders"
        return (Span(f"+ {many} ended without a fill: enter lists them", "-muted"),)
    state, ink = _state(row)
    quiet = isinstance(row, LegView) and row.state.is_terminal
    spans = []
    for at in placed:
        if at.column.id == "state":
            spans.append(Span(cut_text(state, at.width).ljust(at.width), ink))
            continue
        text = _CELLS[at.column.id](row, look, measured)
        if at.column.id == "id":
            text = _tail(text, ID_LONG if at.width >= ID_LONG else ID_SHORT)
        name = "-muted" if quiet or at.column.id in ("tif", "age", "id") else ""
        spans.append(Span(text.rjust(at.width) if at.column.right else text.ljust(at.width), name))
    return (Span(f"{row.role.value} ", "-muted" if quiet else "-strong"), *_joined(spans))


def _joined(spans: Sequence[Span]) -> Line:
    line: list[Span] = []
    for at, span in enumerate(spans):
        line += [Span(" " * GAP), span] if at else [span]
    return tuple(line)


def _state(row: LegView | PlannedExit) -> tuple[str, str]:
    """Glyph with words, and their ink."""
    if isinstance(row, PlannedExit):
        return ("○ waits for entry", "-muted") if row.waits else ("● held by engine", "")
    if row.state is OrderState.UNKNOWN:
        return "? UNKNOWN", "-danger -bold"
    if row.sleeps:
        return "○ waits for entry", "-muted"
    if row.cancelling:
        return "◐ cancelling", "-attention"
    if row.state is OrderState.WORKING:
        partly = row.role is OrderRole.ENTRY or row.filled > 0
        return ("◐ working", "-attention") if partly else ("● working", "")
    return _STATES[row.state]


_STATES = {
    OrderState.NEW: ("○ not sent", "-muted"),
    OrderState.SENDING: ("◐ sending", "-attention"),
    OrderState.FILLED: ("● filled", "-muted"),
    OrderState.CANCELED: ("■ cancelled", "-muted"),
    OrderState.EXPIRED: ("■ expired", "-muted"),
    OrderState.REJECTED: ("■ rejected", "-danger"),
    OrderState.NOTPLACED: ("– not placed", "-muted"),
}


def _order(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    """`buy   82`: a quantity that does not fit takes the room between."""
    side = "buy" if row.role is OrderRole.ENTRY else "sell"
    return f"{side:<4} {fmt.quantity(row.quantity):>3}"


def _price(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    if isinstance(row, PlannedExit):
        kind = OrderType.STOP if row.role is OrderRole.STOP else OrderType.LIMIT
    else:
        kind = row.type or (OrderType.STOP if row.role is OrderRole.STOP else OrderType.LIMIT)
    if row.price is None:
        return _TYPES[OrderType.MARKET]
    whole, point, rest = fmt.price(row.price).partition(".")
    return f"{_TYPES[kind]}  {whole.rjust(measured.before)}{point}{rest}"


_TYPES = {OrderType.LIMIT: "lmt", OrderType.STOP: "stp", OrderType.MARKET: "mkt"}


def _tif(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    return row.tif.value.lower() if isinstance(row, LegView) and row.tif is not None else ""


def _filled(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    unsent = isinstance(row, PlannedExit) or row.sleeps
    return "" if unsent else fmt.filled(row.filled, row.quantity)  # type: ignore[union-attr]  # a leg


def _average(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    return fmt.average(row.average) if isinstance(row, LegView) and row.average is not None else ""


def _age(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    if isinstance(row, PlannedExit) or row.sleeps:
        return "–"
    return fmt.age(look.now_us - row.since_us)


def _id(row: LegView | PlannedExit, look: Look, measured: Measure) -> str:
    return row.client_order_id if isinstance(row, LegView) else ("" if row.waits else "engine")


_CELLS: dict[str, Callable[[LegView | PlannedExit, Look, Measure], str]] = {
    "order": _order,
    "price": _price,
    "tif": _tif,
    "filled": _filled,
    "average": _average,
    "age": _age,
    "id": _id,
}


def _tail(identifier: str, width: int) -> str:
    """The end of an id: that is where the ids of one hour, and of one bracket, differ."""
    if len(identifier) <= width:
        return identifier
    return f"…{identifier[-(width - 1) :]}" if width >= ID_LONG else identifier[-width:]
