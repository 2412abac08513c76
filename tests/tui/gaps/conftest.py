"""Gap candidates with names and sectors, and what is known of each: tests say `gap_view` and `details`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.css.scalar import Scalar

from engine.model.candidates import AgentReport, FeatureValue, GateResult, GateStatus, MissingReason, Vote
from tui.app import ConsoleApp
from tui.screens.gaps import GapsScreen
from tui.shown.deck import DeckView, GapRow
from tui.shown.details import ChartBars, Detail, GapDetail, HeadlineRow, Topic
from tui.widgets.pane import Pane

Build = Callable[..., tuple[ConsoleApp, Any]]
S = 1_000_000
FIVE_MINUTES_US = 300 * S
DAY_US = 86_400 * S
OPEN = round(datetime(2026, 11, 6, 14, 30, tzinfo=UTC).timestamp() * S)
SECTORS = ("Health", "Retail", "Tech", "Energy", "Finance", "Mining", None)


def minutes(last: float, count: int) -> ChartBars:
    """A fall and a slow rise that ends at `last`."""
    closes = [
        round(last * (1 + 0.004 * ((at * 7) % 5 - 2) - 0.001 * (count - 1 - at)), 2) for at in range(count)
    ]
    closes[-1] = last
    opens = [closes[0], *closes[:-1]]
    return ChartBars(
        "5m",
        tuple(OPEN + at * FIVE_MINUTES_US for at in range(count)),
        tuple(opens),
        tuple(max(pair) + 0.01 for pair in zip(opens, closes, strict=True)),
        tuple(min(pair) - 0.01 for pair in zip(opens, closes, strict=True)),
        tuple(closes),
        (),
    )


def days(last: float) -> ChartBars:
    """Sixty days up to the one before; the last closes 8 % above `last`."""
    closes = [round(last * 1.08 * (1 + 0.01 * ((at * 5) % 7 - 3) - 0.002 * (59 - at)), 2) for at in range(60)]
    closes[-1] = round(last / 0.92, 2)
    opens = [closes[0], *closes[:-1]]
    midnight = OPEN // DAY_US * DAY_US
    return ChartBars(
        "1d",
        tuple(midnight - (60 - at) * DAY_US for at in range(60)),
        tuple(opens),
        tuple(max(pair) * 1.01 for pair in zip(opens, closes, strict=True)),
        tuple(min(pair) * 0.99 for pair in zip(opens, closes, strict=True)),
        tuple(closes),
        tuple(1e6 + 5e5 * ((at * 3) % 4) for at in range(60)),
    )


def features() -> tuple[FeatureValue, ...]:
    values = (("z5", -2.31), ("rsi2", 4.1), ("adv_usd_20", 12_050_209.0), ("gap_dn", -0.072))
    known = tuple(FeatureValue(id, value, None, OPEN, OPEN, "bars", "1.0.0") for id, value in values)
    missing = MissingReason.INSUFFICIENT_HISTORY
    return (*known, FeatureValue("trend_63", None, missing, OPEN, OPEN, "bars", "1.0.0"))


def reports(row: GapRow) -> tuple[AgentReport, ...]:
    said = {
        "sentinel": "regime normal: SPY +4.1% from its 200-session mean, limit -10.0%",
        "screener": "gap -7.20%, limit -3.00%",
        "forecaster": "no_model: no registered model gives a probability",
        "riskofficer": "39 at 8.37: strategy allows 330.00",
        "newssentry": "4 headlines, worst -0.11",
        "trader": "quote 0.8 s old, limit 15s",
    }
    found = []
    for at, (agent, vote) in enumerate(zip(said, row.votes, strict=True)):
        words = (
            said[agent] if vote is not Vote.VETO else f"{row.reason}: measured against its limit of the rule"
        )
        note = row.reason if vote is Vote.VETO else "no_model" if vote is Vote.ABSTAIN else ""
        more = ("spread 0.12%, limit 1.00%",) if agent == "trader" else ()
        found.append(
            AgentReport(agent, vote or Vote.ABSTAIN, False, (words, *more), note, elapsed_us=at * 3_000)
        )
    return tuple(found)


def gates() -> tuple[GateResult, ...]:
    yes, out = GateStatus.PASS, GateStatus.NOT_APPLICABLE
    return (
        GateResult("G1", "engine", yes, "RUNNING", "RUNNING", ""),
        GateResult("G2", "data", yes, "0.8 s", "15 s", ""),
        GateResult("G7", "liquidity", out, "not measured", "none", "the rule has its own liquidity limit"),
        GateResult("G9", "size", yes, "39", "> 0", ""),
        GateResult("G11", "order", GateStatus.FAIL, "326.43", "<= 300.00", "too large for one order"),
    )


def headlines(row: GapRow) -> tuple[HeadlineRow, ...]:
    first = f"{row.symbol} names a new chief financial officer after the last one left"
    return (
        HeadlineRow(OPEN - 3600 * S, first, "Openbell News"),
        HeadlineRow(OPEN - 26 * 3600 * S, "Sector slides as yields rise", "Plainwire"),
    )


def make_detail(row: GapRow, view: DeckView) -> GapDetail:
    ticket = next((item.ticket for item in view.tickets if item.ticket.id == row.ticket), None)
    order = None if ticket is None else ticket.order
    return GapDetail(
        correlation=row.correlation,
        symbol=row.symbol,
        sector=row.sector,
        decided_us=OPEN,
        gap_ratio=row.gap_ratio,
        regime="normal",
        reports=reports(row),
        gates=gates() if row.ticket is not None else (),
        features=features(),
        headlines=(
            HeadlineRow(
                OPEN - 3600 * S, f"{row.symbol} names a new chief financial officer", "Openbell News"
            ),
            HeadlineRow(OPEN - 26 * 3600 * S, "Sector slides as yields rise", "Plainwire"),
        )
        if row.ticket is not None
        else (),
        entry_price=None if order is None or order.entry is None else float(order.entry.limit_price or 0),
        stop_price=None if order is None else float(order.stop.stop_price or 0),
        target_price=None if order is None else float(order.target.limit_price or 0),
        last=row.price,
        charts=(minutes(row.price, 20), days(row.price)),
        name=row.name,
    )


@pytest.fixture
def gap_view(view: DeckView) -> DeckView:
    """The market of the pictures with names, sectors and counted filters."""
    rows = tuple(
        replace(
            row,
            name=f"{row.symbol.title()} Biologics",
            sector=SECTORS[at % len(SECTORS)],
            filters=None if row.q_bounce is None else (5 - at % 2, 5),
            details=("screener: ADV 1,200,000 USD is below the limit 5,000,000",) if row.reason else (),
        )
        for at, row in enumerate(view.gaps)
    )
    return replace(view, gaps=rows)


@pytest.fixture
def today_view(gap_view: DeckView) -> DeckView:
    """As it is in this release: no model, so no probability, score or expected value."""
    votes = {Vote.APPROVE: Vote.APPROVE, Vote.VETO: Vote.VETO}
    rows = tuple(
        replace(
            row,
            q_bounce=None,
            p_touch=None,
            bcs=None,
            ev_ratio=None,
            filters=None,
            votes=(*row.votes[:2], votes.get(row.votes[2]) and Vote.ABSTAIN, *row.votes[3:]),
        )
        for row in gap_view.gaps
    )
    return replace(gap_view, gaps=rows)


@pytest.fixture
def details() -> Callable[[DeckView], dict[tuple[Topic, str], Detail]]:
    """What a link answers about every candidate of a view."""

    def build(view: DeckView) -> dict[tuple[Topic, str], Detail]:
        return {(Topic.GAP, row.correlation): make_detail(row, view) for row in view.gaps}

    return build


@pytest.fixture
def gap_detail(gap_view: DeckView) -> GapDetail:
    """Of the first candidate, which has a ticket."""
    return make_detail(gap_view.gaps[0], gap_view)


@pytest.fixture
def open_gaps(
    console: Build, details: Callable[[DeckView], dict[tuple[Topic, str], Detail]]
) -> Callable[..., tuple[ConsoleApp, Any]]:
    """A console whose link knows the details of its view."""

    def build(view: DeckView, **options: object) -> tuple[ConsoleApp, Any]:
        app, link = console(view, **options)
        link.details = details(view)
        return app, link

    return build


async def wait_until_drawn(app: ConsoleApp, pilot: Any) -> None:
    """Until the screen has the answer about its candidate, and every pane the cells that it is to have."""
    for _ in range(200):
        await pilot.pause()
        if _is_answered(app) and _is_laid_out(app):
            break
    await pilot.pause()


def _is_answered(app: ConsoleApp) -> bool:
    screen, look = app.screen, app.look()
    if not isinstance(screen, GapsScreen) or look is None:
        return True
    known = screen._detail
    return screen.subject(look) == (None if known is None else known[0])


def _is_laid_out(app: ConsoleApp) -> bool:
    wanted = {pane for pane in app.screen.query(Pane) if pane.display}
    drawn = {widget for widget in app.screen._compositor.full_map if isinstance(widget, Pane)}
    return wanted == drawn and all(
        (pane.styles.width, pane.styles.height)
        == (Scalar.from_number(pane.size.width), Scalar.from_number(pane.size.height))
        for pane in wanted
    )


@pytest.fixture
def settled() -> Callable[[ConsoleApp, Any], Awaitable[None]]:
    """Wait until what a key changed stands on the terminal."""
    return wait_until_drawn
