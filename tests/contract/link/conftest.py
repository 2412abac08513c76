"""A link with a scripted engine behind it, and the same link reached through the attach server."""

import asyncio
import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import DeckError
from engine.model.candidates import (
    AgentReport,
    FeatureValue,
    GateResult,
    GateStatus,
    MissingReason,
    Regime,
    Vote,
)
from engine.model.commands import Answer, Command
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
from tui.link import Link, Question
from tui.server.attach import AttachLimits, AttachServer
from tui.server.client import Pace, RemoteLink, attach
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
from tui.shown.details import (
    BracketDetail,
    ChartBars,
    Detail,
    EquityDetail,
    FillRow,
    GapDetail,
    GemDetail,
    HeadlineRow,
    HolderRow,
    LogDetail,
    LogRecord,
    SafetyRow,
    ScorePart,
    StoryLine,
    Topic,
)

NOW_US = 1_451_917_800_000_000
TICKET = TicketId("01JD4Q9M7AZZZZZZZZZZZZZZZZ")
CORRELATION = CorrelationId("01JD4Q9M7AYYYYYYYYYYYYYYYY")
SYMBOL = "ORVX"
FAST = Pace(first_retry_s=0.01, longest_retry_s=0.02, lost_after_s=0.05, answer_s=5, resend_s=5)


class FakeLink:
    """The in-process form, scripted: what was given is kept, answers are set by the test."""

    def __init__(self, view: DeckView) -> None:
        self.view = view
        self.given: list[Command] = []
        self.answer = Answer(True, "ok", "T-18 sent, B-18")
        self.documents: dict[Question, object] = {}
        self.details: dict[tuple[Topic, str], Detail] = {}
        self.error: DeckError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_waiting = True
        self._listeners: set[asyncio.Event] = set()

    def show(self, view: DeckView) -> None:
        self.view = view
        for listener in self._listeners:
            listener.set()

    async def deck(self) -> DeckView:
        if self.error is not None:
            raise self.error
        return self.view

    async def changes(self) -> AsyncIterator[DeckView]:
        changed = asyncio.Event()
        self._listeners.add(changed)
        try:
            while True:
                await changed.wait()
                changed.clear()
                yield self.view
        finally:
            self._listeners.discard(changed)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def give(self, command: Command) -> Answer:
        self.given.append(command)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.answer

    async def ask(self, question: Question) -> object:
        if self.error is not None:
            raise self.error
        return self.documents[question]

    async def detail(self, topic: Topic, id: str) -> Detail | None:
        if self.error is not None:
            raise self.error
        return self.details.get((topic, id))

    async def resume_market(self) -> bool:
        was_waiting, self.is_waiting = self.is_waiting, False
        return was_waiting

    async def close(self) -> None:
        return None


@pytest.fixture
def ticket() -> Ticket:
    instrument = instrument_id(SYMBOL)

    def order(role: OrderRole, side: OrderSide, kind: OrderType, price: str) -> OrderSpec:
        limit, stop = (None, Decimal(price)) if kind is OrderType.STOP else (Decimal(price), None)
        cid = client_order_id(TICKET, role.value, 1)
        return OrderSpec(cid, instrument, side, kind, Decimal(39), limit, stop, TimeInForce.GTC)

    bracket = BracketSpec(
        TICKET,
        AccountId("replay"),
        order(OrderRole.ENTRY, OrderSide.BUY, OrderType.LIMIT, "8.37"),
        order(OrderRole.STOP, OrderSide.SELL, OrderType.STOP, "7.70"),
        order(OrderRole.TARGET, OrderSide.SELL, OrderType.LIMIT, "8.87"),
    )
    features = (
        FeatureValue("z5", -1.8700000000000003, None, NOW_US, NOW_US, "bars", "1.0.0"),
        FeatureValue("rsi2", None, MissingReason.INSUFFICIENT_HISTORY, NOW_US, NOW_US, "bars", "1.0.0"),
    )
    gates = (GateResult("G1", "engine", GateStatus.PASS, "RUNNING", "RUNNING", ""),)
    reports = (
        AgentReport("screener", Vote.APPROVE, False, ("gap -7.1 % in -25 to -5 %",), "gap -7.1%", 1e-05),
    )
    return Ticket(
        id=TICKET,
        number=18,
        correlation=CORRELATION,
        strategy=StrategyName("gaps"),
        account=AccountId("replay"),
        instrument=instrument,
        session=date(2016, 1, 4),
        created_us=NOW_US,
        expires_us=NOW_US + 600_000_000,
        order=bracket,
        exit_plan=single_target(Decimal("7.70"), Decimal("8.87"), 5),
        entry_ttl_us=600_000_000,
        decision_price=8.33,
        atr=None,
        quote=Quote(instrument, None, 8.34, NOW_US, NOW_US, Provenance.REPLAY),
        regime=Regime.HIGH_VIX,
        features=features,
        reports=reports,
        gates=gates,
        equity=Decimal("1E+4"),
        cash_after=Decimal("9673.57"),
        size_binding="strategy 1.2 %",
        policy_id="hold",
        model_id=None,
        candidate_gap=-0.0714285714285714,
        prev_close=8.97,
    )


@pytest.fixture
def view(ticket: Ticket) -> DeckView:
    market = MarketView("replay", True, 390.0, 1, 1, False)
    header = HeaderView(
        kind=AccountKind.SIMULATION,
        account="replay",
        currency="USD",
        equity=Decimal("10000.00"),
        day_pnl=None,
        day_pnl_ratio=None,
        drawdown_ratio=0.0,
        regime="high_vix",
        engine_state="RUNNING",
        engine_reason="",
        engine_since_us=NOW_US,
        now_us=NOW_US,
        session_open_us=NOW_US,
        session_close_us=None,
        unknown_orders=0,
        protected=1,
        positions=1,
        link=LinkState.IN_PROCESS,
        market=market,
    )
    gap = GapRow(
        CORRELATION,
        Symbol(SYMBOL),
        -0.0714,
        8.33,
        None,
        None,
        None,
        None,
        (Vote.APPROVE, Vote.VETO, Vote.ABSTAIN, None, None, None),
        RowState.WAITING,
        TICKET,
        18,
        ticket.expires_us,
        "ADV 1.2M < 5M",
        ("Screener: average daily volume 1.2M is below 5M.",),
    )
    waiting = TicketView(
        ticket,
        ProposalState.PENDING,
        ticket.sha256,
        ticket.order_text(),
        ("BUY 39 ORVX  limit 8.37  day", "sell 39  stop 7.70  GTC", "sell 39  target 8.87  GTC"),
        Decimal("326.43"),
        Decimal("-26.13"),
        Decimal("19.50"),
        -0.0026,
        None,
        8.34,
        8.33,
        NOW_US,
        "",
    )
    cid = client_order_id(TICKET, "S", 1)
    leg = LegView(OrderRole.STOP, cid, OrderState.WORKING, Decimal("7.70"), Decimal(39), Decimal(0), NOW_US)
    bracket = BracketView(
        TICKET,
        18,
        Symbol(SYMBOL),
        "protected",
        "protected d2/5",
        "",
        Decimal(39),
        Decimal(39),
        Decimal("8.3367"),
        Decimal("8.37"),
        Decimal("7.70"),
        Decimal("8.87"),
        8.41,
        0.0088,
        False,
        True,
        (leg,),
    )
    event = EventLine(NOW_US, EventKind.YOURS, "T-18 ORVX waits for you", CORRELATION)
    return DeckView(header, (gap,), "scan 09:30 ET", (waiting,), (bracket,), (event,), "")


@pytest.fixture
def details(ticket: Ticket) -> dict[Topic, Detail]:
    """One detail for each topic, every field filled."""
    chart = ChartBars("1d", (NOW_US,), (8.97,), (9.1,), (8.2,), (8.33,), (1e6,))
    return {
        Topic.GAP: GapDetail(
            correlation=CORRELATION,
            symbol=Symbol(SYMBOL),
            sector="Energy",
            decided_us=NOW_US,
            gap_ratio=-0.0714285714285714,
            regime="high_vix",
            reports=ticket.reports,
            gates=ticket.gates,
            features=ticket.features,
            headlines=(HeadlineRow(NOW_US, "Orvix ◆ prices offering", "wire"),),
            entry_price=8.37,
            stop_price=7.7,
            target_price=8.87,
            last=None,
            charts=(chart,),
        ),
        Topic.GEM: GemDetail(
            id="eth:0x6982",
            symbol="PEPE[/]",
            name="",
            chain="ethereum",
            address="0x6982",
            quote_symbol="WETH",
            score=71.5,
            score_max=84.25,
            change_6h=None,
            confidence=0.82,
            signals=5,
            safety="caution",
            safety_score=0.1 + 0.2,
            contributions=(ScorePart("liquidity", None, 0.0, 15.0, "no pool"),),
            gates=(SafetyRow("honeypot", "unknown", "–", "no", "chain", None),),
            deductions=("LP 22 %: -5",),
            holders=(HolderRow("0xab", 12.5, "pool"),),
            holder_count=812,
            pools=("v2 WETH 1.2M",),
            missing=("posts: no source",),
            price_usd=0.00008127,
            change_24h_pct=-3.25,
            chart=chart,
            flagged_us=NOW_US,
            since_flag_ratio=None,
            seen_us=NOW_US,
        ),
        Topic.BRACKET: BracketDetail(
            TICKET,
            18,
            Symbol(SYMBOL),
            (StoryLine(NOW_US, "entry sent"), StoryLine(None, "sold at the close", is_next=True)),
            (FillRow(NOW_US, OrderRole.ENTRY, Decimal("39"), Decimal("8.3300"), Decimal("0.00")),),
        ),
        Topic.EQUITY: EquityDetail("30d", (NOW_US, NOW_US + 1), (10_000.0, 9_990.5), (0.0, -0.00095)),
        Topic.LOG: LogDetail(
            (LogRecord(7, NOW_US, "engine", "ticket", "T-18", CORRELATION, "ab" * 32, "{}"),), older=True
        ),
    }


@pytest.fixture
def fake(view: DeckView) -> FakeLink:
    return FakeLink(view)


@pytest.fixture
def sockets() -> Iterator[tuple[Path, Path]]:
    """Paths short enough for a Unix socket, whatever the test's folder is called."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o700)
        yield Path(folder) / "daemon.sock", Path(folder) / "view.sock"


Serve = Callable[..., Awaitable[AttachServer]]


@pytest.fixture
async def serve(fake: FakeLink, sockets: tuple[Path, Path]) -> AsyncIterator[Serve]:
    """Start attach servers around the fake; all are stopped at the end."""
    servers: list[AttachServer] = []

    async def start(limits: AttachLimits | None = None, uid: int | None = None) -> AttachServer:
        server = AttachServer(fake, *sockets, limits, uid)
        await server.start()
        servers.append(server)
        return server

    yield start
    fake.gate.set()
    for server in servers:
        await server.stop()


@pytest.fixture
async def remote(serve: Serve, sockets: tuple[Path, Path]) -> AsyncIterator[RemoteLink]:
    """A remote link to a server around the fake."""
    await serve()
    link = await attach(sockets[0], FAST)
    assert link is not None
    yield link
    await link.close()


@pytest.fixture(params=["in_process", "remote"])
def link(request: pytest.FixtureRequest, fake: FakeLink) -> Link:
    """Every form of the link, over the same scripted engine."""
    return fake if request.param == "in_process" else request.getfixturevalue("remote")


@pytest.fixture
def noted() -> Callable[[DeckView, str], DeckView]:
    """A view that differs in its note only."""

    def build(view: DeckView, note: str) -> DeckView:
        return dataclasses.replace(view, gaps_note=note)

    return build


@pytest.fixture
def pace() -> Pace:
    return FAST
