"""The account in a row of figures: value, day, win rate, Sharpe, drawdown."""

from dataclasses import dataclass

from tui import format as fmt
from tui.actions import Place
from tui.shown.portfolio import PortfolioView, RateView
from tui.widgets.ink import EMPTY, Line, Span, cut_text, pad, width_of
from tui.widgets.look import Look
from tui.widgets.pane import Pane, Title

LEAST = 23
"""Cells of a figure; those that do not fit leave from the right."""
LEAST_NARROW = 19
"""On a pane under NARROW cells, where shorter forms stand."""
NARROW = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """A label, the value, and what else is to be said of it; of both the fullest form first."""

    label: str
    value: tuple[Line, ...]
    note: tuple[Line, ...]


class FiguresPane(Pane):
    """Three rows side by side, without a title: the figures name themselves."""

    place = Place.FIGURES

    def heading(self, look: Look) -> Title:
        return Title("", "")

    def redraw(self) -> None:
        look, width = self._look, self.size.width
        if look is None or width < 10:
            return
        found, least = figures(look), LEAST_NARROW if width < NARROW else LEAST
        count = min(len(found), max((width - 2) // least, 1))
        each = (width - 2) // count
        rows: list[Line] = []
        for part in ("label", "value", "note")[: self.size.height]:
            line: list[Span] = []
            for at, figure in enumerate(found[:count]):
                line += [Span(" " if at == 0 else "▏", "-line"), Span(" ")]
                line += pad(_part(figure, part, each - 2), each - 2)
            rows.append(tuple(line))
        self.show_lines(rows)


def _part(figure: Figure, part: str, room: int) -> Line:
    """The fullest form that fits: no number is cut."""
    if part == "label":
        return (Span(figure.label, "-muted"),)
    forms = figure.value if part == "value" else figure.note
    return next((form for form in forms if width_of(form) < room), EMPTY)


def figures(look: Look) -> list[Figure]:
    """In the order of what a person looks for."""
    view = look.view.portfolio
    return [
        Figure("Equity", (_level(fmt.money(view.equity), look),), _since_start(view, look)),
        Figure("Day P&L", (_signed(view.day_pnl, look),), _day(view, look)),
        Figure("Win rate", *_win(view)),
        Figure("Sharpe, year", *_sharpe(view)),
        Figure("Drawdown", (_fall(view.drawdown_ratio),), (_worst(view),)),
        Figure("VaR 95% 1 day", *_var(look)),
    ]


def _level(text: str, look: Look) -> Line:
    return (Span(f"~{text}", "-stale"),) if look.stale else (Span(text, "-strong"),)


def _ink(value: float | None, look: Look) -> str:
    return "-muted" if look.stale or not value else "-up" if value > 0 else "-down"


def _signed(value: object, look: Look) -> Line:
    number = None if value is None else float(str(value))
    text, ink = fmt.signed_money(number), _ink(number, look)
    arrow = "▲ " if ink == "-up" else "▼ " if ink == "-down" else "~" if look.stale else ""
    return (Span(f"{arrow}{text}", f"{ink} -bold"),)


def _since_start(view: PortfolioView, look: Look) -> tuple[Line, ...]:
    if view.change is None:
        return ((Span("since start –", "-muted"),),)
    ink = _ink(float(view.change), look)
    money = Span(fmt.signed_money(view.change), ink)
    ratio = Span(f"{fmt.signed_percent(view.change_ratio)} ", ink)
    return (
        (ratio, money, Span(" since start", "-muted")),
        (ratio, money, Span(" all", "-muted")),
        (ratio, money),
        (money,),
    )


def _day(view: PortfolioView, look: Look) -> tuple[Line, ...]:
    ratio = Span(fmt.signed_percent(view.day_pnl_ratio), _ink(view.day_pnl_ratio, look))
    if view.realised_today is None:
        return ((ratio,),)
    realised = fmt.signed_money(view.realised_today)
    return (
        (ratio, Span(f"  realised {realised}", "-muted")),
        (ratio, Span(f"  booked {realised}", "-muted")),
        (ratio,),
    )


def rate_words(rate: RateView) -> str:
    """`39–76%`, or that there are too few trades to say."""
    if rate.is_too_few or rate.low is None or rate.high is None:
        return "too few"
    return f"{rate.low * 100:.0f}–{rate.high * 100:.0f}%"


def _win(view: PortfolioView) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    rate = view.win
    if rate.is_too_few:  # 100 % of one trade says nothing
        return ((Span("too few", "-muted"),),), ((Span(f"{rate.wins} of {rate.n} won", "-muted"),),)
    value = Span("–" if rate.ratio is None else fmt.percent(rate.ratio), "-strong")
    values: tuple[Line, ...] = ((value,),)
    if view.win_change is not None:
        ink = "-up" if view.win_change > 0 else "-down" if view.win_change < 0 else "-muted"
        change = Span(f"  {fmt.signed_percent(view.win_change, '')}", ink)
        words = (Span(" points in 30 d", "-muted"), Span(" pts 30 d", "-muted"), Span(" pts", "-muted"))
        values = (*((value, change, each) for each in words), (value,))
    count = f"{rate.wins} of {rate.n}"
    return values, (
        (Span(f"{count}  {rate_words(rate)}", "-muted"),),
        (Span(f"{count} {rate_words(rate)}", "-muted"),),
        (Span(count, "-muted"),),
    )


def _fall(ratio: float | None) -> Line:
    ink = "-strong" if ratio is None or ratio < 0.05 else "-attention -bold"
    return (Span(fmt.percent(ratio), ink),)


def _worst(view: PortfolioView) -> Line:
    return (Span(f"worst {fmt.percent(view.worst_drawdown_ratio)}", "-muted"),)


def _sharpe(view: PortfolioView) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    if view.sharpe is None:
        reason, _, why = view.sharpe_reason.partition(": ")
        return ((Span(reason or "–", "-muted"),),), ((Span(why, "-muted"),),)
    value: Line = (Span(f"{view.sharpe:.2f}", "-strong"),)
    if view.sharpe_low is None or view.sharpe_high is None:
        return (value,), ()
    interval = f"{view.sharpe_low:.1f}–{view.sharpe_high:.1f}"
    return (value,), ((Span(f"{interval}, {view.sharpe_days} days", "-muted"),),)


def _var(look: Look) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    risk = look.view.risk
    if risk.var is None:
        return ((Span("–", "-muted"),),), ((Span(cut_text(risk.var_reason or "not known", 20), "-muted"),),)
    return ((Span(fmt.money(risk.var), "-strong"),),), (
        (Span(f"{fmt.percent(risk.var_ratio)} of equity", "-muted"),),
    )
