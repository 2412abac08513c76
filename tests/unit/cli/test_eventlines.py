"""Every event becomes lines that carry its correlation id; market data make none."""

import logging
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.model.candidates import AgentReport, GapCandidate, Regime, Verdict, Vote
from engine.model.events import (
    ALL_EVENTS,
    AgentMoved,
    Alarm,
    AnomalySeen,
    BracketChanged,
    BreakerMoved,
    CandidatesJudged,
    EngineStateChanged,
    FillRecorded,
    GemBlocked,
    GemFlagged,
    GemUnflagged,
    JobEnded,
    JobStarted,
    MarketMoved,
    PersonActed,
    PolicyMoved,
    RoundTripClosed,
    ShadowEnded,
    SymbolHalted,
    SymbolReleased,
    TicketChanged,
    TicketSnoozed,
)
from engine.model.exits import single_target
from engine.model.ids import (
    AccountId,
    CorrelationId,
    StrategyName,
    TicketId,
    client_order_id,
    instrument_id,
)
from engine.model.jobs import JobResult
from engine.model.market import MarketBatch, Provenance, Quote
from engine.model.orders import BracketSpec, Fill, OrderSide, OrderSpec, OrderType
from engine.model.policy import Author, ClosedTrade, Param, ParamMove, PolicyStep
from engine.model.positions import ExitReason, RoundTrip
from engine.model.tickets import ProposalState, Ticket
from engine.model.tokens import TokenId
from tui import redaction
from tui.eventlines import lines_of

CORRELATION = CorrelationId("01JD4Q9M7AYYYYYYYYYYYYYYYY")
TICKET = TicketId("01JD4Q9M7AZZZZZZZZZZZZZZZZ")
ABC = instrument_id("ABC")
DAY = date(2016, 1, 4)
GAPS, ACCOUNT = StrategyName("gaps"), AccountId("replay")


def ticket() -> Ticket:
    stop = OrderSpec(
        client_order_id(TICKET, "S", 0), ABC, OrderSide.SELL, OrderType.STOP, Decimal(9), None, Decimal("7.7")
    )
    target = OrderSpec(
        client_order_id(TICKET, "T", 0), ABC, OrderSide.SELL, OrderType.LIMIT, Decimal(9), Decimal("8.9")
    )
    return Ticket(
        TICKET,
        18,
        CORRELATION,
        GAPS,
        ACCOUNT,
        ABC,
        DAY,
        1,
        2,
        BracketSpec(TICKET, ACCOUNT, None, stop, target),
        single_target(Decimal("7.7"), Decimal("8.9"), 5),
        1,
        8.4,
        None,
        Quote(ABC, 8.3, 8.4, 1, 1, Provenance.REPLAY),
        Regime.NORMAL,
        (),
        (),
        (),
        Decimal(10_000),
        Decimal(9_000),
        "strategy",
        "hold",
        None,
        -0.07,
        9.0,
    )


def candidate() -> GapCandidate:
    return GapCandidate(CORRELATION, GAPS, ABC, DAY, 1, 8.4, 9.0, -0.07, None, Regime.NORMAL, ())


REPORT = AgentReport("screener", Vote.VETO, False, ("ADV 1.2M below 5M",))
EVENTS: dict[type, Any] = {
    MarketMoved: MarketMoved(MarketBatch(1)),
    AgentMoved: AgentMoved("screener", "failed", "error", "ValueError: no", "", 1),
    EngineStateChanged: EngineStateChanged("HALTED", "keys", "nina", 1),
    CandidatesJudged: CandidatesJudged("gaps", (Verdict(candidate(), (REPORT,), None, "ADV 1.2M < 5M"),), 1),
    TicketChanged: TicketChanged(ticket(), ProposalState.PENDING, "engine", "", 1),
    TicketSnoozed: TicketSnoozed(ticket(), 300_000_001, "nina on pts/7", 1),
    BracketChanged: BracketChanged(TICKET, CORRELATION, ABC, "protected", "stop rests", 1),
    FillRecorded: FillRecorded(
        TICKET,
        CORRELATION,
        Fill(
            "x1",
            client_order_id(TICKET, "E", 0),
            ABC,
            OrderSide.BUY,
            Decimal(9),
            Decimal("8.37"),
            Decimal(0),
            1,
        ),
    ),
    RoundTripClosed: RoundTripClosed(
        RoundTrip(
            TICKET,
            18,
            CORRELATION,
            GAPS,
            ACCOUNT,
            ABC,
            DAY,
            Decimal(9),
            Decimal("8.37"),
            Decimal("8.87"),
            1,
            2,
            ExitReason.TARGET,
            1,
            Decimal("4.50"),
            Decimal(0),
        )
    ),
    PersonActed: PersonActed(TicketId("T"), CORRELATION, "B-18 ABC: selling 14.", "nina on pts/7", 1),
    SymbolHalted: SymbolHalted(ABC, "by engine (the venue holds fewer)", "engine", 1),
    SymbolReleased: SymbolReleased(ABC, "nina on pts/7", 1),
    AnomalySeen: AnomalySeen("equity_jump", 7.2, 6.0, 1),
    BreakerMoved: BreakerMoved(1, 0, 0.06, Decimal(10_000), "new sizes halved", 1),
    GemFlagged: GemFlagged(TokenId("base:0x7a"), "PLINTH", 79.5, 4, 88.0, 1),
    GemUnflagged: GemUnflagged(TokenId("base:0x7a"), "PLINTH", 64.0, "score 64 < 65", 1),
    GemBlocked: GemBlocked(TokenId("base:0x7b"), "VOLE", "rug_lp", "LP 22% < 50%", True, 1),
    JobStarted: JobStarted("opening scan", 1, 1),
    JobEnded: JobEnded("opening scan", 1, JobResult.FAILED, "no answer in 5 s", 2, 1),
    ShadowEnded: ShadowEnded(
        ClosedTrade(
            id=f"shadow-{CORRELATION}",
            correlation=CORRELATION,
            strategy=GAPS,
            instrument=ABC,
            session=DAY,
            shadow=True,
            proposed=True,
            entry_us=1,
            entry_price=Decimal("8.37"),
            exit_us=2,
            exit_session=DAY,
            exit_price=Decimal("8.87"),
            exit_reason=ExitReason.TARGET,
            sessions=1,
            quantity=Decimal(9),
            cost=Decimal("0.05"),
        ),
        True,
    ),
    PolicyMoved: PolicyMoved(
        PolicyStep(
            "01JD4Q9M7AAAAAAAAAAAAAAAAA",
            3,
            GAPS,
            1,
            "gaps-full-1-0a1b2c3d",
            (ParamMove(Param.Q_MIN, 0.62, 0.63),),
            "11 of 24 at target",
            (CORRELATION,),
            Author.AUDITOR,
        ),
        "P-3 waits for you: q_min 0.62 -> 0.63",
        1,
    ),
    Alarm: Alarm("stop leg rejected", True, CORRELATION, 1, "stop_rejected"),
}


def test_every_event_is_tried_here() -> None:
    assert set(EVENTS) == set(ALL_EVENTS)


@pytest.mark.parametrize(
    "kind", [kind for kind in ALL_EVENTS if kind is not MarketMoved], ids=lambda kind: kind.__name__
)
def test_an_event_becomes_lines_with_its_time(kind: type) -> None:
    lines = list(lines_of(EVENTS[kind]))
    assert lines
    assert all("ts_us" in line.fields for line in lines)


@pytest.mark.parametrize("kind", ALL_EVENTS, ids=lambda kind: kind.__name__)
def test_no_field_of_a_line_is_taken_for_a_secret(kind: type) -> None:
    for line in lines_of(EVENTS[kind]):
        assert redaction.HIDDEN not in str(redaction.Redactor()(None, "", dict(line.fields)))


@pytest.mark.parametrize(
    "kind",
    [
        CandidatesJudged,
        TicketChanged,
        TicketSnoozed,
        BracketChanged,
        PersonActed,
        FillRecorded,
        RoundTripClosed,
        Alarm,
    ],
)
def test_what_follows_from_a_candidate_carries_its_id(kind: type) -> None:
    assert list(lines_of(EVENTS[kind]))[-1].fields["correlation"] == CORRELATION


def test_market_data_make_no_line() -> None:
    assert list(lines_of(EVENTS[MarketMoved])) == []


def test_a_judged_candidate_says_who_voted_how_and_why_it_ended() -> None:
    summary, line = lines_of(EVENTS[CandidatesJudged])
    assert (summary.fields["candidates"], summary.fields["proposals"]) == (1, 0)
    assert line.fields["votes"] == {"screener": "veto"}
    assert (line.fields["proposed"], line.fields["reason"]) == (False, "ADV 1.2M < 5M")


def test_a_ticket_line_names_the_exact_ticket() -> None:
    (line,) = lines_of(EVENTS[TicketChanged])
    assert line.fields["sha256"] == ticket().sha256
    assert (line.fields["symbol"], line.fields["number"]) == ("ABC", 18)


def test_what_a_person_must_see_is_louder() -> None:
    (halted,) = lines_of(EVENTS[EngineStateChanged])
    (alarm,) = lines_of(EVENTS[Alarm])
    assert (halted.level, alarm.level) == (logging.WARNING, logging.CRITICAL)
