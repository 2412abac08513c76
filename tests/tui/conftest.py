"""A link without an engine, and builders for what it shows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import textual.app
import textual.pilot
from textual._compositor import Compositor
from textual._context import active_app, visible_screen_stack
from textual.screen import Screen

from engine.model.candidates import (
    AgentReport,
    FeatureValue,
    GateResult,
    GateStatus,
    MissingReason,
    Regime,
    Vote,
)
from engine.model.commands import Actor, Answer, Command
from engine.model.exits import single_target
from engine.model.ids import (
    AccountId,
    CorrelationId,
    StrategyName,
    Symbol,
    TicketId,
    client_order_id,
    instrument_id,
)
from engine.model.market import Provenance, Quote
from engine.model.orders import (
    BracketSpec,
    OrderRole,
    OrderSide,
    OrderSpec,
    OrderState,
    OrderType,
    TimeInForce,
)
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState, Ticket
from tui.app import ConsoleApp
from tui.link import Question
from tui.options import ConsoleOptions
from tui.shown.deck import (
    BracketView,
    DeckView,
    EventKind,
    EventLine,
    GapRow,
    HeaderView,
    LegView,
    LinkState,
    MarketView,
    RowState,
    TicketView,
)
from tui.shown.details import Detail, Topic

S = 1_000_000
PAINTS = 20
"""At most so many pictures follow from one key; a screen that paints itself for ever is let go."""


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * S)


NOW = us("2026-11-06T14:51:38")


def ulid(number: int) -> str:
    return f"01JD4Q7XK{number:03d}BCDEFGHJKMNPQ"[:26].ljust(26, "0")


async def drained() -> None:
    """Until nothing is ready to run in the loop."""
    loop: Any = asyncio.get_running_loop()
    quiet = 0
    while quiet < 3:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1


async def settled(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Until all messages are handled and the screen is painted, without waiting for its timers."""
    app = active_app.get()
    await drained()
    if app._resize_timer is not None:
        app._check_resize()
        await drained()
    for _ in range(PAINTS):
        if not app._screen_stack:
            return
        # A resize reaches the screens behind a dialog too, and they show through it.
        for screen in app.screen_stack:
            screen._on_timer_update()
        await drained()
        if not any(_is_unpainted(screen) for screen in app.screen_stack):
            return


def _is_unpainted(screen: Screen[Any]) -> bool:
    """What Textual looks at before it starts the timer of the next picture."""
    return bool(
        screen._layout_required
        or screen._repaint_required
        or screen._scroll_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def unpainted(
    compositor: Compositor, full: bool = False, screen_stack: Any = None, simplify: bool = False
) -> None:
    """Nothing to write: no terminal looks on, and `screen_text` draws what it reads."""
    visible_screen_stack.set(screen_stack or [])
    compositor._dirty_regions.clear()


@pytest.fixture(autouse=True)
def _pilots_wait_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    # Textual waits until the processor is calm for 20 ms, up to a second and three times for each key.
    monkeypatch.setattr(textual.pilot, "wait_for_idle", settled)
    monkeypatch.setattr(textual.app, "wait_for_idle", settled)
    # A change of screens is held back for 50 ms, to hide what comes between: nobody looks here.
    monkeypatch.setattr(textual.app.App, "delay_update", lambda app, delay=0.05: None)
    monkeypatch.setattr(Compositor, "render_update", unpainted)


@dataclass
class FakeLink:
    """Shows what it is told and remembers what it was asked."""

    view: DeckView
    given: list[Command] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    details: dict[tuple[Topic, str], Detail] = field(default_factory=dict)
    went_on: int = 0
    silent: bool = False
    """Details are asked for and never answered."""
    _queue: "asyncio.Queue[DeckView | None]" = field(default_factory=asyncio.Queue)

    async def deck(self) -> DeckView:
        return self.view

    async def changes(self) -> AsyncIterator[DeckView]:
        yield self.view
        while (view := await self._queue.get()) is not None:
            yield view

    async def give(self, command: Command) -> Answer:
        self.given.append(command)
        return self.answers.pop(0) if self.answers else Answer(True, "ok", "done")

    async def ask(self, question: Question) -> object:
        return {}

    async def detail(self, topic: Topic, id: str) -> Detail | None:
        if self.silent:
            await asyncio.Event().wait()
        return self.details.get((topic, id))

    async def resume_market(self) -> bool:
        self.went_on += 1
        return self.view.header.market.paused

    async def close(self) -> None:
        self._queue.put_nowait(None)

    def push(self, view: DeckView) -> None:
        self.view = view
        self._queue.put_nowait(view)

    def end(self) -> None:
        self._queue.put_nowait(None)


class Now:
    """The dialogs' clock, stepped by the test."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def make_ticket(
    number: int, symbol: str, quantity: int, limit: str, stop: str, target: str, left_s: int, last: float
) -> TicketView:
    ticket_id = TicketId(ulid(number))
    instrument = instrument_id(symbol)

    def order(
        role: str, side: OrderSide, kind: OrderType, tif: TimeInForce, limit: str | None, stop: str | None
    ) -> OrderSpec:
        return OrderSpec(
            client_order_id(ticket_id, role, 0),
            instrument,
            side,
            kind,
            Decimal(quantity),
            None if limit is None else Decimal(limit),
            None if stop is None else Decimal(stop),
            tif,
        )

    spec = BracketSpec(
        ticket_id,
        AccountId("paper-1"),
        order("E", OrderSide.BUY, OrderType.LIMIT, TimeInForce.DAY, limit, None),
        order("S", OrderSide.SELL, OrderType.STOP, TimeInForce.GTC, None, stop),
        order("T", OrderSide.SELL, OrderType.LIMIT, TimeInForce.GTC, target, None),
    )
    reports = (
        AgentReport("sentinel", Vote.APPROVE, False, ("regime normal, VIX percentile .41, market open",)),
        AgentReport("screener", Vote.APPROVE, False, ("gap -7.2 %, z5 -2.31, rsi2 4.1",)),
        AgentReport("forecaster", Vote.ABSTAIN, False, ("no_model",)),
        AgentReport("riskofficer", Vote.APPROVE, False, (f"{quantity} shares, 2 of 8 positions open",)),
        AgentReport("newssentry", Vote.ABSTAIN, False, ("no_source",)),
        AgentReport("trader", Vote.APPROVE, False, ("spread 0.12 %, quote 0.8 s old",)),
    )
    titles = (
        "engine and account",
        "data quality",
        "strategy stage",
        "strategy's own",
        "regime",
        "safety and news",
        "liquidity",
        "position limits",
        "size",
        "correlation, VaR",
        "broker checks",
    )
    absent = {6, 7, 10}
    gates = tuple(
        GateResult(
            f"G{at}",
            title,
            GateStatus.NOT_APPLICABLE if at in absent else GateStatus.PASS,
            "" if at in absent else "RUNNING" if at == 1 else f"{at} measured",
            "" if at in absent else f"limit {at}",
            "no source for it in this release" if at in absent else "",
        )
        for at, title in enumerate(titles, 1)
    )
    features = (
        FeatureValue("z5", -2.31, None, NOW, NOW, "bars", "1.0.0"),
        FeatureValue("rsi2", 4.1, None, NOW, NOW, "bars", "1.0.0"),
        FeatureValue("trend_63", None, MissingReason.INSUFFICIENT_HISTORY, NOW, NOW, "bars", "1.0.0"),
    )
    equity = Decimal("27512.40")
    ticket = Ticket(
        ticket_id,
        number,
        CorrelationId(f"C{ulid(number)[1:]}"),
        StrategyName("gaps"),
        AccountId("paper-1"),
        instrument,
        date(2026, 11, 6),
        NOW - 600 * S + left_s * S,
        NOW + left_s * S,
        spec,
        single_target(Decimal(stop), Decimal(target), 5),
        3600 * S,
        float(limit),
        None,
        Quote(instrument, last - 0.01, last + 0.01, NOW - 800_000, NOW - 800_000, Provenance.LIVE),
        Regime.NORMAL,
        features,
        reports,
        gates,
        equity,
        Decimal("23791.00"),
        "strategy 1.2%",
        "paper-manual",
        None,
        -0.072,
        last / 0.928,
    )
    loss = (Decimal(stop) - Decimal(limit)) * quantity
    gain = (Decimal(target) - Decimal(limit)) * quantity
    return TicketView(
        ticket,
        ProposalState.PENDING,
        ticket.sha256,
        ticket.order_text(),
        (
            f"BUY {quantity} {symbol}  limit {limit}  day",
            f"sell {quantity}  stop {stop}  GTC",
            f"sell {quantity}  target {target}  GTC",
        ),
        Decimal(limit) * quantity,
        loss,
        gain,
        float(loss / equity),
        last - 0.01,
        last + 0.01,
        last,
        NOW - 800_000,
        "",
    )


def make_bracket(
    number: int,
    symbol: str,
    words: str,
    *,
    quantity: int,
    held: int,
    entry: str | None,
    stop: str,
    target: str,
    last: float | None,
    unknown: bool = False,
    note: str = "",
    phase: str = "protected",
) -> BracketView:
    ticket = TicketId(ulid(number))
    states = (OrderState.UNKNOWN if unknown else OrderState.FILLED, OrderState.WORKING, OrderState.WORKING)
    legs = tuple(
        LegView(
            role,
            client_order_id(ticket, role.value, 0),
            state,
            Decimal(price),
            Decimal(quantity),
            Decimal(held if role is OrderRole.ENTRY else 0),
            NOW - 14 * S,
        )
        for role, state, price in zip(
            (OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET),
            states,
            (entry or stop, stop, target),
            strict=True,
        )
    )
    pnl = None if last is None or entry is None or held == 0 else last / float(entry) - 1
    return BracketView(
        ticket,
        number,
        Symbol(symbol),
        phase,
        words,
        note,
        Decimal(quantity),
        Decimal(held),
        None if entry is None or held == 0 else Decimal(entry),
        Decimal(entry or stop),
        Decimal(stop),
        Decimal(target),
        last,
        pnl,
        unknown,
        held > 0 and phase == "protected",
        legs,
    )


YES, NO, OUT = Vote.APPROVE, Vote.VETO, Vote.ABSTAIN


def make_gap(
    symbol: str,
    gap: float,
    price: float,
    q: float | None,
    bcs: float | None,
    ev: float | None,
    votes: str,
    state: RowState,
    reason: str = "",
    number: int | None = None,
    left_s: int | None = None,
) -> GapRow:
    marks = {"y": YES, "n": NO, "o": OUT, "-": None}
    ticket = None if number is None else TicketId(ulid(number))
    correlation = f"C{ulid(number)[1:]}" if number is not None else f"C-{symbol}"
    return GapRow(
        CorrelationId(correlation),
        Symbol(symbol),
        gap,
        price,
        q,
        None if q is None else q + 0.1,
        bcs,
        ev,
        tuple(marks[mark] for mark in votes),
        state,
        ticket,
        number,
        None if left_s is None else NOW + left_s * S,
        reason,
        (f"{reason}: measured and limit in one sentence",) if reason else (),
    )


def make_view() -> DeckView:
    """The market of the pictures 01."""
    header = HeaderView(
        AccountKind.PAPER,
        "paper-1",
        "USD",
        Decimal("27512.40"),
        Decimal("84.10"),
        0.0031,
        0.012,
        "normal",
        "RUNNING",
        "",
        NOW - 3600 * S,
        NOW,
        us("2026-11-06T14:30:00"),
        us("2026-11-06T21:00:00"),
        1,
        3,
        3,
        LinkState.IN_PROCESS,
        MarketView("live", False, None, 11, 12, False),
    )
    waiting, blocked, working = RowState.WAITING, RowState.BLOCKED, RowState.WORKING
    gaps = (
        make_gap("ORVX", -0.072, 8.37, 0.68, 7.3, 0.016, "yyyyyy", waiting, "", 18, 274),
        make_gap("MRDN", -0.064, 3.94, 0.66, 6.9, 0.012, "yyyyyy", waiting, "", 20, 422),
        make_gap("KYTE", -0.060, 4.05, 0.64, 6.4, 0.010, "yyyyyy", working, "filled 41/82", 30),
        make_gap("TLMN", -0.074, 2.14, 0.65, 6.1, 0.009, "yyyyyy", RowState.UNKNOWN, "", 31),
        make_gap("LUMZ", -0.088, 9.14, 0.70, 7.0, 0.019, "yyyyny", blocked, "8-K 4.02"),
        make_gap("CYDR", -0.075, 6.88, 0.64, 6.6, 0.011, "yyynyy", blocked, "sector 3/3"),
        make_gap("VNTA", -0.071, 12.06, 0.63, 5.9, 0.006, "yyyyny", blocked, "news: offering"),
        make_gap("BRVO", -0.096, 0.8820, 0.67, 5.8, 0.004, "yyyyyn", blocked, "spread 1.4%"),
        make_gap("QUOR", -0.085, 1.72, 0.61, 5.2, 0.001, "ynnyyy", blocked, "earnings?"),
        make_gap("SPLQ", -0.054, 5.41, 0.59, 4.8, -0.003, "yynyyy", blocked, "p .59 < .62"),
        make_gap("PTHN", -0.087, 17.25, 0.57, 4.1, -0.008, "yynyyy", blocked, "p .57 < .62"),
        make_gap("WXEL", -0.114, 2.96, None, None, None, "yn----", blocked, "halt 6 min ago"),
    )
    tickets = (
        make_ticket(18, "ORVX", 39, "8.37", "7.70", "8.87", 274, 8.36),
        make_ticket(20, "MRDN", 83, "3.94", "3.62", "4.18", 422, 3.95),
    )
    brackets = (
        make_bracket(
            31,
            "TLMN",
            "entry UNKNOWN 0:14",
            quantity=154,
            held=0,
            entry="2.14",
            stop="1.97",
            target="2.27",
            last=2.14,
            unknown=True,
            note="asked 4 times, no answer. TLMN entries off",
            phase="entering",
        ),
        make_bracket(
            30,
            "KYTE",
            "entry filling 50%",
            quantity=82,
            held=41,
            entry="4.02",
            stop="3.70",
            target="4.26",
            last=4.05,
        ),
        make_bracket(
            27,
            "HELQ",
            "protected d2/5",
            quantity=78,
            held=78,
            entry="4.19",
            stop="3.85",
            target="4.44",
            last=4.31,
        ),
    )
    lines = (
        ("14:51:24", EventKind.UNKNOWN, "B-31 TLMN: no answer, asked 4 times; entries off"),
        ("14:51:02", EventKind.WORKING, "B-30 KYTE filled 41 of 82 at 4.02"),
        ("14:50:41", EventKind.BLOCKED, "SPLQ out: p .59 below .62"),
        ("14:49:58", EventKind.YOURS, "T-20 MRDN waiting for you, 10 min"),
        ("14:47:30", EventKind.INFO, "GeckoTerminal budget used, next call in 38 s"),
        ("14:46:12", EventKind.YOURS, "T-18 ORVX waiting for you, 10 min"),
    )
    events = tuple(EventLine(us(f"2026-11-06T{at}"), kind, text, "") for at, kind, text in lines)
    return DeckView(header, gaps, "scan 09:45 ET", tickets, brackets, events, "")


def make_empty() -> DeckView:
    view = make_view()
    header = replace(
        view.header,
        kind=AccountKind.SIMULATION,
        account="replay",
        day_pnl=Decimal("-12.60"),
        day_pnl_ratio=-0.0005,
        unknown_orders=0,
        protected=0,
        positions=0,
        market=MarketView("replay", False, 390.0, 1, 1, False),
    )
    return DeckView(header, (), "scan 09:30 ET", (), (), (), "HELQ 14:41Z, target, +19.62")


@pytest.fixture
def view() -> DeckView:
    return make_view()


@pytest.fixture
def empty_view() -> DeckView:
    return make_empty()


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def console(now: Now) -> Callable[..., tuple[ConsoleApp, FakeLink]]:
    def build(view: DeckView, **options: object) -> tuple[ConsoleApp, FakeLink]:
        link = FakeLink(view)
        chosen = ConsoleOptions(now=now, **options)  # type: ignore[arg-type]
        return ConsoleApp(link, actor=Actor("nina", "pts/7"), options=chosen), link

    return build


def screen_text(app: ConsoleApp) -> str:
    """What stands on the terminal, row by row."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


@pytest.fixture
def dump() -> Callable[[ConsoleApp], str]:
    return screen_text


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a screen with its file, or write it under --update-golden."""
    folder = Path(__file__).parent / "golden"

    def check(name: str, text: str, ending: str = "txt") -> None:
        path = folder / f"{name}.{ending}"
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), (
            f"{name} differs; read the diff, then --update-golden"
        )

    return check
