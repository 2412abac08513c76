"""Every limit of the account with the part of it that is used."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.risk import LimitRow, Unit
from tui.widgets.charts.gauge import thin_bar
from tui.widgets.columns import Column
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, TablePane

BAR = 16


class LimitsPane(TablePane[LimitRow]):
    """The fullest first."""

    place = Place.LIMITS
    columns = (
        Column("mark", " ", 1, 0),
        Column("name", "limit", 17, 0),
        Column("short", "", 7, 2),
        Column("bar", "", BAR, 3),
        Column("used", "used of allowed", 15, 0),
        Column("subject", "of", 10, 4, right=True, stretch=True),
    )

    def heading(self, look: Look) -> Title:
        risk = look.view.risk
        full = sum(row.is_full for row in risk.limits)
        count = f"{len(risk.limits)}{f' · {full} at limit' if full else ''}"
        return Title("Limits", count, "" if risk.limits_apply else "not applied in this run")

    def table(self, look: Look) -> Sequence[LimitRow]:
        return look.view.risk.limits

    def key(self, row: LimitRow) -> str:
        return f"{row.name} {row.subject}"

    def words(self, row: LimitRow) -> str:
        return f"{row.name} {row.subject} {row.note}"

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("The engine has not said yet", ())

    def is_shown(self, column: Column, rows: Sequence[LimitRow], look: Look) -> bool:
        """The long bar where there is room for it, else the short one."""
        wide = self.size.width >= 60
        return not ((column.id == "short" and wide) or (column.id == "bar" and not wide))

    def cell(self, row: LimitRow, column: str, look: Look, width: int) -> Cell:
        full = row.is_full
        match column:
            case "mark":
                return Cell("■" if full else "", "-danger")
            case "name":
                return Cell(row.name, "-strong" if full else "")
            case "bar" | "short":
                if row.share is None:
                    return Cell("not known" if width >= len("not known") else "–", "-muted")
                ink = "-danger" if full else "-accent"
                return Cell(spans=thin_bar(row.share, width, ink, self.graph))
            case "used":
                text = f"{used_words(row)} of {allowed_words(row)}"
                return Cell(f"{text}  {row.note}" if row.note == "full" else text, "-danger" if full else "")
            case "subject":
                return Cell(row.subject if row.note in ("", "full") else row.note, "-muted")
        raise KeyError(column)


def used_words(row: LimitRow) -> str:
    """`3`, `4.1`; `?` where it is not known."""
    if row.used is None:
        return "?"
    return f"{row.used * 100:.1f}" if row.unit is Unit.RATIO else f"{row.used:g}"


def allowed_words(row: LimitRow) -> str:
    """`8`, `10.0%`."""
    return fmt.percent(row.allowed) if row.unit is Unit.RATIO else f"{row.allowed:g}"
