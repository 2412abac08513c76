"""Lists of gap candidates: on the Desk, and with every column on their own screen (design 10)."""

from collections.abc import Sequence

from engine.model.candidates import Vote
from engine.model.ids import TicketId
from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.deck import BracketView, GapRow, RowState
from tui.widgets.columns import Column
from tui.widgets.ink import Line, Span, cut_text
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, Sort, TablePane

COLUMNS = (
    Column("sym", "sym", 5, 0),
    Column("gap", "gap%", 5, 0, right=True),
    Column("price", "price", 8, 3, right=True, aligned=True),
    Column("q", "q", 3, 0, right=True),
    Column("range", "90% range", 9, 9, right=True),
    Column("touch", "tch", 3, 5, right=True),
    Column("bcs", "BCS", 3, 1, right=True),
    Column("ev", "EV%", 4, 2, right=True),
    Column("votes", "votes", 6, 4),
    Column("filters", "filt", 4, 7),
    Column("sector", "sector", 7, 8),
    Column("state", "state", 16, 0, stretch=True),
    Column("margin", "what it lacks", 28, 10),
)
_ORDER = {
    RowState.WAITING: 0,
    RowState.HELD: 0,
    RowState.SNOOZED: 0,
    RowState.UNKNOWN: 1,
    RowState.WORKING: 2,
    RowState.BLOCKED: 3,
    RowState.DONE: 3,
}
_PASSIVE = frozenset({RowState.SNOOZED, RowState.BLOCKED, RowState.DONE})


def rank(row: GapRow) -> tuple[int, float, float]:
    """Tickets, held, then by expected value; those without one by how far they fell."""
    return (_ORDER[row.state], float("inf") if row.ev_ratio is None else -row.ev_ratio, row.gap_ratio)


class GapTable(TablePane[GapRow]):
    """Gap candidates of the current session."""

    indent = 3

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._brackets: dict[TicketId, BracketView] = {}

    def heading(self, look: Look) -> Title:
        return Title("Gaps", counts(look, word=""), look.view.gaps_note)

    def table(self, look: Look) -> Sequence[GapRow]:
        return sorted(look.view.gaps, key=rank)

    def key(self, row: GapRow) -> str:
        return row.correlation

    def words(self, row: GapRow) -> str:
        return f"{row.symbol} {row.name or ''} {row.sector or ''} {row.reason} {row.state.value}"

    def empty(self, look: Look) -> Emptiness:
        return no_gaps(look)

    def prepare(self, width: int, look: Look) -> None:
        self._brackets = {bracket.ticket: bracket for bracket in look.view.brackets}
        super().prepare(width, look)

    def is_shown(self, column: Column, rows: Sequence[GapRow], look: Look) -> bool:
        return _is_known(column, rows)

    def is_passive(self, row: GapRow, look: Look) -> bool:
        return row.state in _PASSIVE

    def cell(self, row: GapRow, column: str, look: Look, width: int) -> Cell:
        match column:
            case "sym":
                ink = "-strong" if self.active and row is self.selected_row else ""
                return Cell(row.symbol, ink)
            case "votes":
                return Cell(spans=self._votes(row, look))
            case "state":
                return Cell(spans=self._state(row, width, look))
            case "gap":
                return self._signed(row.gap_ratio, row, look)
            case "ev":
                return self._signed(row.ev_ratio, row, look)
            case "price":
                mark, ink = ("~", "-stale") if look.stale else ("", "")
                return Cell(mark + fmt.price(row.price), ink, row.price)
            case "q":
                return Cell(fmt.probability(row.q_bounce), "", row.q_bounce)
            case "range":
                return Cell(_range(row), "-muted")
            case "margin":
                return Cell("" if row.blocked_by is None else row.blocked_by.margin, "-muted")
            case "touch":
                return Cell(fmt.probability(row.p_touch), "", row.p_touch)
            case "bcs":
                return Cell(fmt.score(row.bcs), "", row.bcs)
            case "filters":
                passed = fmt.NO_VALUE if row.filters is None else f"{row.filters[0]}/{row.filters[1]}"
                return Cell(passed, "-muted")
            case "sector":
                return Cell(row.sector or fmt.NO_VALUE, "-muted")
        raise KeyError(column)

    def _signed(self, ratio: float | None, row: GapRow, look: Look) -> Cell:
        text = fmt.signed_percent(ratio, "")
        quiet = is_held(row, look) or look.stale or text[0] not in "+-"
        return Cell(text, "-muted" if quiet else "-up" if text[0] == "+" else "-down", ratio)

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
        return tuple(line)

    def _state(self, row: GapRow, width: int, look: Look) -> Line:
        bracket = None if row.ticket is None else self._brackets.get(row.ticket)
        glyph, glyph_ink, words, ink = state_words(row, bracket, look)
        return (Span(glyph, glyph_ink), Span(f" {cut_text(words, width - 2)}", ink))


class GapsPane(GapTable):
    """On the Desk, where the sector gives way to the rest."""

    place = Place.GAPS
    columns = tuple(column for column in COLUMNS if column.id not in ("filters", "sector", "range", "margin"))


class GapListPane(GapTable):
    """Every candidate, in the order that the person wants."""

    place = Place.GAP_LIST
    columns = COLUMNS
    sorts: tuple[Sort[GapRow], ...] = (
        Sort("state", rank),
        Sort("gap% ▲", lambda row: row.gap_ratio),
        Sort("price ▼", lambda row: -row.price),
        Sort("sym", lambda row: row.symbol),
        Sort("sector", lambda row: (row.sector is None, row.sector or "", row.gap_ratio)),
    )

    def heading(self, look: Look) -> Title:
        note = f"{self.sort_words}  {look.view.gaps_note}" if look.view.gaps else look.view.gaps_note
        return Title("Gaps", counts(look, word="candidate"), note)


def counts(look: Look, *, word: str) -> str:
    """`12 candidates · 2 tickets`; without a `word` the first number stands alone."""
    found, waiting = len(look.view.gaps), len(look.view.in_sight)
    named = f"{found} {word}{'' if found == 1 else 's'}" if word else f"{found}"
    if not found:
        return "0 candidates"
    return f"{named} · {waiting} ticket{'' if waiting == 1 else 's'}" if waiting else named


def no_gaps(look: Look) -> Emptiness:
    """Why the list is empty, and when the next scan is."""
    header = look.view.header
    opens, closes = header.session_open_us, header.session_close_us
    if header.market.ended:
        return Emptiness("The replay has ended", ("There are no more recorded days.",))
    if opens is not None and look.now_us < opens:
        at, wait = fmt.opening(opens, look.now_us), fmt.countdown(opens - look.now_us)
        today = at[0].isdigit()
        return Emptiness(f"Scan {'at ' if today else ''}{at}, in {wait}", ("Nothing is broken.",))
    if opens is not None and closes is not None and opens <= header.engine_since_us < closes:
        since = fmt.clock_utc(header.engine_since_us)
        why = f"The engine runs since {since}, after the scan of this session."
        return Emptiness("No gap candidates known", (why, "Tickets and brackets are all here."))
    return Emptiness("No gap candidates today", ("The scan at the open found none. Nothing is broken.",))


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
        case "range":
            return any(row.q_low is not None for row in rows)
        case "margin":
            return any(row.blocked_by is not None and row.blocked_by.margin for row in rows)
        case "filters":
            return any(row.filters is not None for row in rows)
        case "sector":
            return any(row.sector is not None for row in rows)
    return True


def _range(row: GapRow) -> str:
    """`.61–.74`: what holds q with 90 % confidence."""
    return fmt.NO_VALUE if row.q_low is None or row.q_high is None else fmt.interval(row.q_low, row.q_high)


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
        case RowState.SNOOZED:
            return "◆", "-muted", f"T-{number} snoozed", "-muted"
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
