"""The account that this engine trades, fact by fact."""

from tui import format as fmt
from tui.actions import Place
from tui.shown.portfolio import RoundTripRow
from tui.widgets.freepane import FreePane
from tui.widgets.ink import EMPTY, Line, Span, cut_text, spread
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title


class AccountsPane(FreePane):
    """One engine keeps one account: others run beside it."""

    place = Place.ACCOUNTS

    def heading(self, look: Look) -> Title:
        return Title("Accounts", "1", look.view.header.currency)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        view, header = look.view.portfolio, look.view.header
        since = "–" if view.started_us is None else fmt.date_utc(view.started_us)
        free = None if view.equity is None or view.exposure is None else view.equity - view.exposure
        facts = (
            ("kind", header.kind.value),
            ("since", since),
            ("put in", fmt.money(view.put_in)),
            ("made since", f"{fmt.signed_money(view.change)}  {fmt.signed_percent(view.change_ratio)}"),
            ("", ""),
            ("held at last prices", fmt.money(view.exposure)),
            ("not invested", fmt.money(free)),
            ("start of day", fmt.money(view.day_start)),
            ("booked today", fmt.signed_money(view.realised_today)),
            ("", ""),
            ("profit factor", _factor(view.profit_factor, view.win.n)),
            ("mean of a trade", _mean(fmt.signed_money(view.expectancy), view.win.n)),
            ("best trade", _trade(view.best)),
            ("worst trade", _trade(view.worst)),
        )
        lines: list[Line] = [(Span(cut_text(header.account, width), "-strong"),)]
        for name, value in facts:
            lines.append(spread((Span(name, "-muted"),), (Span(value),), width) if name else EMPTY)
        return lines


def _factor(value: float | None, n: int) -> str:
    if n < 20:
        return f"not meaningful, {n} of 20"
    return "– no losing trade" if value is None else f"{value:.2f}"


def _mean(text: str, n: int) -> str:
    return f"not meaningful, {n} of 20" if n < 20 else text


def _trade(row: RoundTripRow | None) -> str:
    return "–" if row is None else f"{row.symbol}  {fmt.signed_money(row.pnl)}"
