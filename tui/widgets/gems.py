"""Lists of scored tokens: on the Desk, and with every column on their own screen."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.gems import GemKind, GemRow, GemsView, SafetyWord
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.parts import stacked
from tui.widgets.columns import Column
from tui.widgets.ink import Line, Span, cut_text
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, Sort, TablePane

COLUMNS = (
    Column("token", "token", 8, 0),
    Column("score", "score", 5, 0, right=True),
    Column("max", "max", 5, 9, right=True),
    Column("conf", "conf", 4, 2, right=True),
    Column("safety", "safety", 8, 4),
    Column("parts", "parts", 8, 3),
    Column("liq", "liq $", 6, 5, right=True),
    Column("chain", "chain", 5, 6),
    Column("volume", "vol 24h", 7, 7, right=True),
    Column("age", "age", 4, 8, right=True),
    Column("day", "24h%", 6, 2, right=True),
    Column("state", "state", 12, 1, stretch=True),
)
BRIGHT_PART = 0.6
"""Sub-scores from here on count as a signal (SPEC 2.5); they are drawn bright."""
_WAITS = frozenset({GemKind.FLAGGED, GemKind.HELD})
CHAINS = {"ethereum": "eth", "solana": "sol", "arbitrum": "arb", "optimism": "op", "polygon": "pol"}
"""Short names for a narrow column; others stand as they are."""
_SAFETY_INKS = {
    SafetyWord.PASS: "",
    SafetyWord.CAUTION: "-attention",
    SafetyWord.BLOCK: "-danger",
    SafetyWord.UNKNOWN: "-danger",
}


class GemTable(TablePane[GemRow]):
    """Scored tokens, the best first."""

    indent = 3

    def heading(self, look: Look) -> Title:
        view = look.view.gems
        return Title("Gems", _counts(view, with_blocked=False), _scanned(view, look))

    def table(self, look: Look) -> Sequence[GemRow]:
        return look.view.gems.rows

    def key(self, row: GemRow) -> str:
        return row.id

    def words(self, row: GemRow) -> str:
        return f"{row.symbol} {row.chain} {row.words} {row.safety.value} {row.kind.value}"

    def empty(self, look: Look) -> Emptiness:
        view = look.view.gems
        why = () if view.last_scan_us is None else (f"{view.scanned:,} scanned, none of them can be scored.",)
        return Emptiness(view.note or "No tokens scored yet", why)

    def is_passive(self, row: GemRow, look: Look) -> bool:
        return row.kind not in _WAITS

    def cell(self, row: GemRow, column: str, look: Look, width: int) -> Cell:
        match column:
            case "token":
                return Cell(row.symbol, "-strong" if row.kind in _WAITS else "")
            case "score":
                return Cell(f"{row.score:.1f}", "-strong", row.score)
            case "max":
                return Cell(f"{row.score_max:.1f}", "-muted")
            case "conf":
                return Cell(f"{row.confidence:.0f}")
            case "safety":
                return self._safety(row)
            case "parts":
                return Cell(spans=self._parts(row))
            case "chain":
                return Cell(CHAINS.get(row.chain, row.chain), "-muted")
            case "liq":
                return _level(row.liquidity_usd, look)
            case "volume":
                return _level(row.volume_24h_usd, look)
            case "age":
                return Cell(fmt.age(row.age_us), "-muted")
            case "day":
                text = fmt.signed_percent(row.change_24h_ratio, "")
                quiet = look.stale or text[0] not in "+-"
                return Cell(text, "-muted" if quiet else "-up" if text[0] == "+" else "-down")
            case "state":
                return Cell(spans=state_of(row, width))
        raise KeyError(column)

    def _safety(self, row: GemRow) -> Cell:
        ink = _SAFETY_INKS[row.safety] or ("-muted" if row.kind not in _WAITS else "")
        if row.safety is SafetyWord.BLOCK:
            return Cell(spans=(Span("■ block", ink),))
        if row.safety is SafetyWord.UNKNOWN:
            return Cell(spans=(Span("? unkn", ink),))
        return Cell(spans=(Span(row.safety.value, ink),))

    def _parts(self, row: GemRow) -> Line:
        """Eight bars, `·` where a sub-score is missing."""
        line = []
        for part in row.parts:
            bright = part is not None and part >= BRIGHT_PART
            ink = "-muted" if row.kind not in _WAITS else "-accent" if bright else "-faint"
            drawn = "·" if part is None else stacked([max(part, 0.01)], 1, Graph.BRAILLE)[0]
            line.append(Span(drawn, ink))
        return tuple(line)


def _level(value: float | None, look: Look) -> Cell:
    """An amount, marked while it is old."""
    if value is None or not look.stale:
        return Cell(fmt.amount(value))
    return Cell(f"~{fmt.amount(value)}", "-stale")


def state_of(row: GemRow, width: int) -> Line:
    """`◆ flagged`, `● held`, `■ freezable`, `? unproved`, else the decisive words alone."""
    marks = {
        GemKind.FLAGGED: ("◆ ", "-yours", "-yours"),
        GemKind.HELD: ("● ", "", ""),
        GemKind.PROVISIONAL: ("◐ ", "-attention", "-muted"),
        GemKind.BLOCKED: ("■ ", "-danger", "-muted"),
        GemKind.PASSIVE: ("", "", "-muted"),
    }
    glyph, glyph_ink, ink = marks[row.kind]
    return (Span(glyph, glyph_ink), Span(cut_text(row.words, width - len(glyph)), ink))


def _counts(view: GemsView, *, with_blocked: bool) -> str:
    parts = [f"{len(view.rows)}"] if view.rows else []
    if view.flagged:
        parts.append(f"{view.flagged} flagged")
    if view.provisional:
        parts.append(f"{view.provisional} provisional")
    if with_blocked and view.blocked:
        parts.append(f"{view.blocked} blocked")
    return " · ".join(parts)


def _scanned(view: GemsView, look: Look) -> str:
    if view.last_scan_us is None:
        return ""
    return f"{view.scanned:,} scanned · {fmt.age(look.now_us - view.last_scan_us)} ago"


class DeskGemsPane(GemTable):
    """The best tokens, in few columns."""

    place = Place.GEMS
    columns = tuple(column for column in COLUMNS if column.id not in ("parts", "max", "chain", "age"))


class GemListPane(GemTable):
    """Every scored token."""

    place = Place.GEM_LIST
    columns = COLUMNS
    sorts: tuple[Sort[GemRow], ...] = (
        Sort("score ▼", lambda row: (-row.score, -row.confidence)),
        Sort("24h% ▼", lambda row: -(row.change_24h_ratio or 0.0)),
        Sort("liq ▼", lambda row: -(row.liquidity_usd or 0.0)),
        Sort("age ▲", lambda row: row.age_us or 0),
        Sort("conf ▼", lambda row: -row.confidence),
        Sort("token", lambda row: row.symbol.lower()),
    )

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self.narrow = False
        """Whether the screen shows more about the selected row beside the list."""

    def heading(self, look: Look) -> Title:
        view = look.view.gems
        note = f"{self.sort_words}  {_scanned(view, look)}" if not self.narrow else self.sort_words
        return Title("Gems", _counts(view, with_blocked=True), note)
