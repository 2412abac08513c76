"""The account in a row of figures: value, day, win rate, Sharpe, drawdown."""

from dataclasses import dataclass

from tui import format as fmt
from tui.actions import Place
from tui.shown.portfolio import PortfolioView, RateView
from tui.widgets.ink import Line, Span, cut, pad
from tui.widgets.look import Look
from tui.widgets.pane import Pane, Title

LEAST = 17
"""Cells of a figure; those that do not fit leave from the right."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A label, the value, and what else is to be said of it."""

    label: str
    value: Line
    note: Line


class FiguresPane(Pane):
    """Three rows side by side, without a title: the figures name themselves."""

    place = Place.FIGURES

    def heading(self, look: Look) -> Title:
        return Title("", "")

    def redraw(self) -> None:
        look, width = self._look, self.size.width
        if look is None or width < 10:
            return
        found = figures(look)
        count = min(len(found), max((width - 2) // LEAST, 1))
        each = (width - 2) // count
        rows: list[Line] = []
        for part in ("label", "value", "note"):
            line: list[Span] = []
            for at, figure in enumerate(found[:count]):
                text = (Span(figure.label, "-muted"),) if part == "label" else getattr(figure, part)
                line += [Span(" " if at == 0 else "▏", "-line"), Span(" ")]
                line += pad(cut(text, each - 3), each - 2)
            rows.append(tuple(line))
        self.show_lines(rows[: self.size.height])


def figures(look: Look) -> list[Figure]:
    """In the order of what a person looks for."""
    view = look.view.portfolio
    return [
        Figure("Equity", _level(fmt.money(view.equity), look), _since_start(view, look)),
        Figure("Day P&L", _signed(view.day_pnl, look), _day(view, look)),
        Figure("Win rate", *_win(view)),
        Figure("Drawdown", _fall(view.drawdown_ratio), _worst(view)),
        Figure("Sharpe, year", *_sharpe(view)),
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


def _since_start(view: PortfolioView, look: Look) -> Line:
    if view.change is None:
        return (Span("since start –", "-muted"),)
    ink = _ink(float(view.change), look)
    ratio = "" if view.change_ratio is None else f"{fmt.signed_percent(view.change_ratio)} "
    return (Span(f"{ratio}{fmt.signed_money(view.change)}", ink), Span(" all", "-muted"))


def _day(view: PortfolioView, look: Look) -> Line:
    ratio = view.day_pnl_ratio
    line: Line = (Span(fmt.signed_percent(ratio), _ink(ratio, look)),)
    if view.realised_today is None:
        return line
    return (*line, Span(f"  real. {fmt.signed_money(view.realised_today)}", "-muted"))


def rate_words(rate: RateView) -> str:
    """`39–76%`, or that there are too few trades to say."""
    if rate.is_too_few or rate.low is None or rate.high is None:
        return "too few"
    return f"{rate.low * 100:.0f}–{rate.high * 100:.0f}%"


def _win(view: PortfolioView) -> tuple[Line, Line]:
    rate = view.win
    value: Line = (Span("–" if rate.ratio is None else fmt.percent(rate.ratio), "-strong"),)
    words = f"{rate.wins} of {rate.n}"
    note: Line = (Span(f"{words}  {rate_words(rate)}", "-muted"),)
    if view.win_change is not None:
        ink = "-up" if view.win_change > 0 else "-down" if view.win_change < 0 else "-muted"
        value = (*value, Span(f"  {fmt.signed_percent(view.win_change, '')} pts 30d", ink))
    return value, note


def _fall(ratio: float | None) -> Line:
    ink = "-strong" if ratio is None or ratio < 0.05 else "-attention -bold"
    return (Span(fmt.percent(ratio), ink),)


def _worst(view: PortfolioView) -> Line:
    return (Span(f"worst {fmt.percent(view.worst_drawdown_ratio)}", "-muted"),)


def _sharpe(view: PortfolioView) -> tuple[Line, Line]:
    if view.sharpe is None:
        reason, _, why = view.sharpe_reason.partition(": ")
        return (Span(reason or "–", "-muted"),), (Span(why, "-muted"),)
    note = ""
    if view.sharpe_low is not None and view.sharpe_high is not None:
        note = f"{view.sharpe_low:.1f}–{view.sharpe_high:.1f}, {view.sharpe_days} days"
    return (Span(f"{view.sharpe:.2f}", "-strong"),), (Span(note, "-muted"),)


def _var(look: Look) -> tuple[Line, Line]:
    risk = look.view.risk
    if risk.var is None:
        return (Span("–", "-muted"),), (Span(risk.var_reason or "not known", "-muted"),)
    return (Span(fmt.money(risk.var), "-strong"),), (
        Span(f"{fmt.percent(risk.var_ratio)} of equity", "-muted"),
    )
