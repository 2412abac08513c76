"""The Gaps pane: candidates of the session as columns (design 10)."""

from collections.abc import Sequence
from dataclasses import replace

from engine.model.candidates import Vote
from engine.model.ids import TicketId
from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.deck import BracketView, GapRow, RowState
from tui.widgets.columns import Column, Placed, fit_columns
from tui.widgets.ink import Line, Span, cut_text, over
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Pane, Title

COLUMNS = (
    Column("sym", "sym", 5, 0),
    Column("gap", "gap%", 5, 0, right=True),
    Column("price", "price", 8, 3, right=True),
    Column("q", "q", 3, 0, right=True),
    Column("touch", "tch", 3, 5, right=True),
    Column("bcs", "BCS", 3, 1, right=True),
    Column("ev", "EV%", 4, 2, right=True),
    Column("votes", "votes", 6, 4),
    Column("state", "state", 16, 0, stretch=True),
)
_ORDER = {
    RowState.WAITING: 0,
    RowState.HELD: 0,
    RowState.UNKNOWN: 1,
    RowState.WORKING: 2,
    RowState.BLOCKED: 3,
    RowState.DONE: 3,
}
_PASSIVE = frozenset({RowState.BLOCKED, RowState.DONE})


def sort_gaps(rows: Sequence[GapRow]) -> list[GapRow]:
    """Tickets, held, then by expected value; rows without one keep the engine's order."""
    return sorted(
        rows, key=lambda row: (_ORDER[row.state], float("inf") if row.ev_ratio is None else -row.ev_ratio)
    )


class GapsPane(Pane[GapRow]):
    """Gap candidates of the current session."""

    place = Place.GAPS
    indent = 3

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._columns: tuple[Placed, ...] = ()
        self._has_small = False
        """Whether a price below 1 with four decimals stands in the column."""
        self._brackets: dict[TicketId, BracketView] = {}

    def heading(self, look: Look) -> Title:
        rows = look.view.gaps
        waiting = len(look.view.tickets)
        if not rows:
            return Title("Gaps", "0 candidates", look.view.gaps_note)
        tickets = f" · {waiting} ticket{'' if waiting == 1 else 's'}" if waiting else ""
        return Title("Gaps", f"{len(rows)}{tickets}", look.view.gaps_note)

    def rows(self, look: Look) -> Sequence[GapRow]:
        return sort_gaps(look.view.gaps)

    def key(self, row: GapRow) -> str:
        return row.correlation

    def words(self, row: GapRow) -> str:
        return f"{row.symbol} {row.reason} {row.state.value}"

    def height_of(self, row: GapRow) -> int:
        return 1

    def empty(self, look: Look) -> Emptiness:
        header = look.view.header
        if header.market.ended:
            return Emptiness("The replay has ended", ("There are no more recorded days.",))
        opens = header.session_open_us
        if opens is not None and look.now_us < opens:
            wait = fmt.countdown(opens - look.now_us)
            return Emptiness(f"Scan at {fmt.clock_new_york(opens)}, in {wait}", ("Nothing is broken.",))
        closes = header.session_close_us
        if opens is not None and closes is not None and opens <= header.engine_since_us < closes:
            since = fmt.clock_utc(header.engine_since_us)
            why = f"The engine runs since {since}, after the scan of this session."
            return Emptiness("No gap candidates known", (why, "Tickets and brackets are all here."))
        return Emptiness("No gap candidates today", ("Nothing is broken.",))

    def prepare(self, width: int, look: Look) -> None:
        rows = look.view.gaps
        self._has_small = any(abs(row.price) < 1 for row in rows)
        self._brackets = {bracket.ticket: bracket for bracket in look.view.brackets}
        # The longest text is that of the dearest row, or of a price below 1 with its four decimals.
        ends = (max(rows, key=_price_of), min(rows, key=_price_of)) if rows else ()
        longest = max((len(self._price(row, look)) for row in ends), default=0)
        columns = [
            replace(column, width=max(column.width, longest)) if column.id == "price" else column
            for column in COLUMNS
            if not rows or _is_known(column, rows)
        ]
        self._columns = fit_columns(columns, width, self._gap)

    def head(self, width: int, look: Look) -> Line:
        cells: list[Line] = []
        for at in self._columns:
            head = at.column.head
            cells.append((Span(head.rjust(at.width) if at.column.right else head.ljust(at.width), "-muted"),))
        return self._join(cells)

    def draw(self, row: GapRow, width: int, look: Look, *, selected: bool) -> list[Line]:
        cells = [
            self._votes(row, look)
            if at.column.id == "votes"
            else self._cell(row, at, look, selected=selected)
            for at in self._columns
        ]
        return [self._join(cells)]

    def _join(self, cells: Sequence[Line]) -> Line:
        gap = Span(" " * self._gap)
        line: list[Span] = []
        for at, cell in enumerate(cells):
            line += [gap, *cell] if at else cell
        return tuple(line)

    @property
    def _gap(self) -> int:
        return 1 if self.compact else 2

    def _price(self, row: GapRow, look: Look) -> str:
        """Padded on the right so that the points of the column stand in one line."""
        text = ("~" if look.stale else "") + fmt.price(row.price)
        return f"{text}  " if self._has_small and abs(row.price) >= 1 else text

    def _cell(self, row: GapRow, at: Placed, look: Look, *, selected: bool) -> Line:
        if at.column.id == "state":
            return self._state(row, at.width, look)
        text, value = self._number(row, at.column.id, look)
        passive = row.state in _PASSIVE
        ink = "-muted" if passive else ""
        if at.column.id == "sym":
            ink = "-strong" if selected else ink
            return (Span(cut_text(row.symbol, at.width).ljust(at.width), ink),)
        if at.column.id in ("gap", "ev") and not passive:
            quiet = is_held(row, look) or look.stale or text[0] not in "+-"
            ink = "-muted" if quiet else "-up" if text[0] == "+" else "-down"
        if at.column.id == "price" and look.stale:
            ink = "-stale"
        lit = self.flashes.ink(row.correlation, at.column.id, value, self._options.now())
        lead = Span(" " * (at.width - len(text)))
        return (lead, *over((Span(text.rstrip(), ink),), lit), Span(text[len(text.rstrip()) :]))

    def _number(self, row: GapRow, column: str, look: Look) -> tuple[str, float | None]:
        match column:
            case "gap":
                return fmt.signed_percent(row.gap_ratio, ""), row.gap_ratio
            case "price":
                return self._price(row, look), row.price
            case "q":
                return fmt.probability(row.q_bounce), row.q_bounce
            case "touch":
                return fmt.probability(row.p_touch), row.p_touch
            case "bcs":
                return fmt.score(row.bcs), row.bcs
            case "ev":
                return fmt.signed_percent(row.ev_ratio, ""), row.ev_ratio
        return "", None

    def _votes(self, row: GapRow, look: Look) -> Line:
        """Six glyphs of one cell; the ones that say no keep their color in a passive row."""
        alive = row.state not in _PASSIVE and not is_held(row, look)
        line = []
        for vote in row.votes[:6]:
            if vote is Vote.APPROVE:
                line.append(Span("●", "-up" if alive else "-faint"))
            elif vote is Vote.VETO:
                line.append(Span("■", "-danger"))
            else:
                line.append(Span("○", "-faint"))
        return (*line, Span(" " * (6 - len(line)))) if len(line) < 6 else tuple(line)

    def _state(self, row: GapRow, width: int, look: Look) -> Line:
        bracket = None if row.ticket is None else self._brackets.get(row.ticket)
        glyph, glyph_ink, words, ink = state_words(row, bracket, look)
        text = cut_text(f" {words}", width - 1)
        return (Span(glyph, glyph_ink), Span(text.ljust(width - 1), ink))


def _price_of(row: GapRow) -> float:
    return abs(row.price)


def _is_known(column: Column, rows: Sequence[GapRow]) -> bool:
    """A column that has no value in any row gives its room to others; `w` says why there is none."""
    match column.id:
        case "q":
            return any(row.q_bounce is not None for row in rows)
        case "touch":
            return any(row.p_touch is not None for row in rows)
        case "bcs":
            return any(row.bcs is not None for row in rows)
        case "ev":
            return any(row.ev_ratio is not None for row in rows)
    return True


def is_held(row: GapRow, look: Look) -> bool:
    """Whether the row's ticket waits but cannot be approved now."""
    return row.state is RowState.HELD or (row.state is RowState.WAITING and bool(look.held))


def state_words(row: GapRow, bracket: BracketView | None, look: Look) -> tuple[str, str, str, str]:
    """Glyph, its ink, words and their ink of the state column."""
    number = "" if row.number is None else f"{row.number}"
    match row.state:
        case RowState.WAITING | RowState.HELD:
            if is_held(row, look):
                return "◆", "-held", f"T-{number} held", "-held"
            left = None if row.expires_us is None else row.expires_us - look.now_us
            return "◆", "-yours", f"T-{number} {fmt.countdown(left)}", "-yours"
        case RowState.UNKNOWN:
            return "?", "-danger -bold", "fate unknown", "-danger -bold"
        case RowState.WORKING:
            if bracket is None:
                return "◐", "-attention", row.reason or f"B-{number}", "-attention"
            share = f"B-{number} {fmt.filled(bracket.held, bracket.quantity)}"
            if bracket.protected and bracket.held >= bracket.quantity:
                return "●", "", share, ""
            return "◐", "-attention", share, "-attention"
        case RowState.DONE:
            return "●", "-muted", row.reason or "closed", "-muted"
        case RowState.BLOCKED:
            return "■", "-muted", row.reason, "-muted"
