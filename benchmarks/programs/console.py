"""The console on a link that has one picture ready: what is measured is the console, not an engine."""

import asyncio
import sys
from collections.abc import AsyncIterator
from decimal import Decimal

from engine.model.candidates import Vote
from engine.model.commands import Actor, Answer, Command
from engine.model.ids import CorrelationId, Symbol
from engine.model.positions import AccountKind
from tui.app import ConsoleApp
from tui.link import Question
from tui.shown.deck import DeckView, GapRow, HeaderView, LinkState, MarketView, RowState

NOW_US = 1_451_918_400_000_000


class StillLink:
    """One picture, and then nothing."""

    def __init__(self, view: DeckView) -> None:
        self._view = view

    async def deck(self) -> DeckView:
        return self._view

    async def changes(self) -> AsyncIterator[DeckView]:
        yield self._view
        await asyncio.Event().wait()

    async def give(self, command: Command) -> Answer:
        return Answer(False, "view_only", "a picture takes no commands")

    async def ask(self, question: Question) -> object:
        return []

    async def resume_market(self) -> bool:
        return False

    async def close(self) -> None:
        pass


def picture(gaps: int) -> DeckView:
    header = HeaderView(
        kind=AccountKind.SIMULATION,
        account="simulation",
        currency="USD",
        equity=Decimal("27512.40"),
        day_pnl=Decimal("84.10"),
        day_pnl_ratio=0.0031,
        drawdown_ratio=0.012,
        regime="normal",
        engine_state="RUNNING",
        engine_reason="",
        engine_since_us=NOW_US,
        now_us=NOW_US,
        session_open_us=NOW_US,
        session_close_us=NOW_US + 23_400_000_000,
        unknown_orders=0,
        protected=0,
        positions=0,
        link=LinkState.IN_PROCESS,
        market=MarketView("replay", False, 390.0, 1, 1, False),
    )
    rows = tuple(gap_row(n) for n in range(gaps))
    return DeckView(header, rows, "scan 09:30 ET", (), (), (), "")


def gap_row(n: int) -> GapRow:
    return GapRow(
        correlation=CorrelationId(f"{n:026d}"),
        symbol=Symbol("GAP" + (chr(65 + n) if n < 26 else str(n))),
        gap_ratio=-0.05 - 0.0004 * n,
        price=2.0 + 0.37 * n,
        q_bounce=None,
        p_touch=None,
        bcs=None,
        ev_ratio=None,
        votes=(Vote.APPROVE, Vote.VETO, Vote.ABSTAIN, Vote.APPROVE, Vote.ABSTAIN, Vote.APPROVE),
        state=RowState.BLOCKED,
        ticket=None,
        number=None,
        expires_us=None,
        reason="ADV 1.2M < 5M",
        details=("Screener: average daily value 1.2M USD, limit 5M",),
    )


if __name__ == "__main__":
    ConsoleApp(StillLink(picture(int(sys.argv[1]))), actor=Actor("bench", "pty")).run()
