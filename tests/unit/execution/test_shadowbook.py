"""The shadow book follows what was judged, over restarts, and says when it cannot know (SPEC 3.14)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from engine.errors import StorageError
from engine.execution.matching import STANDARD, MatchRules, Resting
from engine.execution.shadow import LONGEST_SILENCE
from engine.execution.shadow_rows import restore_terms, restore_trade
from engine.execution.shadowbook import MOST_VETOED, ShadowBook, ShadowDesk, ShadowPlan
from engine.model.candidates import AgentReport, GateResult, GateStatus, Verdict, Vote
from engine.model.events import CandidatesJudged, MarketMoved, ShadowEnded
from engine.model.ids import CorrelationId, InstrumentId, encode_ulid, instrument_id
from engine.model.market import (
    Bar,
    CorporateAction,
    CorporateActionKind,
    MarketBatch,
    Provenance,
    Quote,
    Session,
    SessionPhase,
    Trade,
)
from engine.model.positions import ExitReason
from engine.ports import BarColumns, JournalRow
from engine.state import LivePicture

MONDAY = date(2016, 1, 4)
BARS = replace(STANDARD, resting=Resting.BARS)
ABC = instrument_id("ABC")


def hours(day: date) -> Session:
    start = int(datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC).timestamp()) * 1_000_000
    return Session(day, start, start + 23_400_000_000)


class Weekdays:
    """A calendar of weekdays."""

    def between(self, first: date, last: date) -> list[Session]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [hours(day) for day in days if day.weekday() < 5]


@dataclass
class Scene:
    """A shadow book on a fake journal; days are told one by one."""

    world: ModuleType
    journal: Any
    rules: MatchRules = BARS
    bars: dict[InstrumentId, BarColumns] = field(default_factory=dict)
    told: list[ShadowEnded] = field(default_factory=list)
    plan: Callable[[Verdict, Quote], ShadowPlan | None] = lambda verdict, quote: ShadowPlan(
        Decimal(100), Decimal(92), Decimal(106), 5, Decimal(10), 0.001, 0.002, "p", None
    )

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """A process begins on the journal that there is."""
        self.picture = LivePicture()
        calendar: Any = Weekdays()
        self.book = ShadowBook(
            ShadowDesk(
                journal=self.journal,
                picture=self.picture,
                sessions=calendar,
                history=lambda session: self,
                rules=self.rules,
                tick_of=lambda instrument: Decimal("0.01"),
                plan_of=lambda verdict, quote: self.plan(verdict, quote),
                publish=self.told.append,  # type: ignore[arg-type]
            )
        )
        self.book.restore()

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None:
        return self.bars.get(instrument)

    def tell(self, batch: MarketBatch) -> None:
        self.picture.take(batch)
        self.book.hear(MarketMoved(batch))

    def open(self, day: date, *quotes: Quote, actions: tuple[CorporateAction, ...] = ()) -> None:
        ts = hours(day).open_us
        self.tell(MarketBatch(ts, actions, quotes=quotes, session=day, phase=SessionPhase.OPEN))

    def close(self, day: date, *bars: Bar) -> None:
        ts = hours(day).close_us
        self.tell(MarketBatch(ts, bars=bars, session=day, phase=SessionPhase.CLOSE))

    def judge(self, *verdicts: Verdict) -> None:
        self.book.hear(CandidatesJudged("gaps", verdicts, hours(MONDAY).open_us))

    def verdict(self, number: int = 1, *, proposed: bool = True, vetoes: int = 1, **changes: Any) -> Verdict:
        made = self.world.make_verdict(number, **changes)
        if proposed:
            return made  # type: ignore[no-any-return]
        veto = AgentReport("screener", Vote.VETO, True, ("no",))
        return replace(made, proposal=None, reports=(*made.reports, *[veto] * vetoes))  # type: ignore[no-any-return]

    def row(self, number: int = 1) -> Any:
        (found,) = self.journal.rows("shadow", correlation=encode_ulid(1, number))
        return found


def quote(price: float, day: date = MONDAY, instrument: InstrumentId = ABC, after_us: int = 0) -> Quote:
    ts = hours(day).open_us + after_us
    return Quote(instrument, price, price, ts, ts, Provenance.REPLAY)


def bar(
    day: date, open_: float, high: float, low: float, close: float, instrument: InstrumentId = ABC
) -> Bar:
    session = hours(day)
    return Bar(instrument, open_, high, low, close, 1e6, session.open_us, session.close_us, Provenance.REPLAY)


def columns(*rows: tuple[date, float, float, float, float], ratios: dict[date, float] | None = None) -> Any:
    table = np.array([row[1:] for row in rows]).T
    days = [row[0] for row in rows]
    ratio = np.array([(ratios or {}).get(day, 1.0) for day in days])
    return BarColumns(ABC, np.array(days, dtype="datetime64[D]"), *table, np.full(len(rows), 1e6), ratio)


def later(days: int) -> date:
    """Weekdays after MONDAY."""
    return Weekdays().between(MONDAY, MONDAY + timedelta(days=2 * days + 3))[days].day


@pytest.fixture
def scene(world: ModuleType) -> Scene:
    return Scene(world, world.FakeJournal())


@pytest.fixture
def ticks(world: ModuleType) -> Scene:
    return Scene(world, world.FakeJournal(), STANDARD)


def add_ticket(scene: Scene, *gates: GateResult) -> None:
    ticket = replace(scene.world.make_ticket(), gates=gates)
    values = {"id": ticket.id, "correlation": ticket.correlation, "body": ticket.canonical().decode()}
    scene.journal.commit([JournalRow("ticket", values)], ())


def gate(name: str, status: GateStatus) -> GateResult:
    return GateResult(name, name, status, "", "", "")


def test_proposal_is_followed_to_its_target(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    add_ticket(scene, gate("G3", GateStatus.FAIL), gate("G8", GateStatus.PASS))
    scene.judge(scene.verdict())
    assert scene.row()["state"] == "open"
    scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    assert scene.book.following() == ()
    (ended,) = scene.told
    assert (ended.trade.exit_reason, ended.trade.exit_price, ended.counts) == (
        ExitReason.TARGET,
        Decimal(106),
        True,
    )
    assert restore_trade(scene.row()) == ended.trade
    assert ended.trade.cost == Decimal("1.000000") + Decimal("0.03"), "10 x 100 x 0.1 % and the sale's fees"


@pytest.mark.parametrize(
    ("name", "counts"), [("G1", True), ("G3", True), ("G2", False), ("G8", False), ("G10", False)]
)
def test_only_trust_in_the_strategy_is_excused(scene: Scene, name: str, counts: bool) -> None:
    scene.open(MONDAY, quote(100))
    add_ticket(scene, gate(name, GateStatus.FAIL))
    scene.judge(scene.verdict())
    scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    assert scene.told[0].counts is counts
    assert scene.row()["counts"] == int(counts)


def test_vetoed_candidate_is_followed_and_is_no_evidence(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict(proposed=False))
    scene.close(MONDAY, bar(MONDAY, 100, 101, 90, 91))
    (ended,) = scene.told
    assert (ended.trade.exit_reason, ended.trade.proposed, ended.counts) == (ExitReason.STOP, False, False)
    assert ended.trade.votes == {"sentinel": Vote.APPROVE, "screener": Vote.VETO}


def test_second_proposal_of_an_instrument_is_no_evidence_of_its_own(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict(1), scene.verdict(2), scene.verdict(3, proposed=False))
    assert [signal.terms.is_second for signal in scene.book.following()] == [False, True, False]


def test_vetoed_candidates_that_came_nearest_are_followed(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    far = [scene.verdict(n, proposed=False, vetoes=3) for n in range(1, MOST_VETOED + 1)]
    near = [scene.verdict(n + 100, proposed=False) for n in range(5)]
    scene.judge(*far, *near, scene.verdict(500))
    found = {signal.terms.correlation for signal in scene.book.following()}
    assert len(found) == MOST_VETOED + 1
    assert {verdict.candidate.correlation for verdict in near} < found
    assert CorrelationId(encode_ulid(1, 500)) in found


def test_candidate_without_a_price_is_not_followed(scene: Scene) -> None:
    scene.open(MONDAY)
    scene.judge(scene.verdict())
    scene.open(MONDAY, quote(100))
    scene.plan = lambda verdict, quote: None
    scene.judge(scene.verdict(), scene.verdict(2, proposed=False))
    scene.judge()
    assert scene.book.following() == ()
    assert scene.journal.rows("shadow") == []


def test_instant_that_is_judged_again_follows_nothing_twice(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.judge(scene.verdict())
    scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    scene.judge(scene.verdict())
    assert scene.book.following() == ()
    assert len(scene.told) == 1


def test_each_price_of_a_session_tells_where_prices_count(ticks: Scene) -> None:
    ticks.open(MONDAY, quote(100))
    ticks.judge(ticks.verdict())
    at = hours(MONDAY).open_us + 60_000_000
    trade = Trade(ABC, 105.0, at, at, Provenance.REPLAY)
    ticks.tell(MarketBatch(at, trades=(trade,), session=MONDAY))
    (signal,) = ticks.book.following()
    assert signal.high == Decimal("105.0")
    lone = Quote(ABC, None, 91.0, at + 1, at + 1, Provenance.REPLAY)
    ticks.tell(MarketBatch(at + 1, quotes=(lone,), session=MONDAY))
    assert ticks.book.following(), "an ask is nothing that it could be sold at"
    ticks.tell(MarketBatch(at + 2, quotes=(quote(91.5, after_us=60_000_002),), session=MONDAY))
    assert ticks.told[0].trade.exit_price == Decimal("91.5")


def test_prices_between_sessions_tell_nothing(ticks: Scene) -> None:
    ticks.open(MONDAY, quote(100))
    ticks.judge(ticks.verdict())
    ticks.close(MONDAY, bar(MONDAY, 100, 101, 99, 100))
    night = hours(MONDAY).close_us + 3_600_000_000
    ticks.tell(MarketBatch(night, quotes=(quote(80),)))
    assert ticks.book.following()


def test_daily_bars_are_waited_for_where_only_they_count(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.open(later(1), quote(80, later(1)))
    assert scene.book.following()


def test_market_is_not_looked_at_before_its_first_session(scene: Scene) -> None:
    scene.tell(MarketBatch(1, quotes=(quote(80),)))
    assert scene.told == []


def test_split_is_taken_from_the_market(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.close(MONDAY, bar(MONDAY, 100, 101, 99, 100))
    tuesday = later(1)
    action = CorporateAction(ABC, CorporateActionKind.SPLIT, 0.5, 100.0, tuesday, 1)
    scene.open(tuesday, quote(50, tuesday), actions=(action,))
    scene.close(tuesday, bar(tuesday, 50, 53.5, 49.5, 53))
    assert scene.told[0].trade.exit_price == Decimal(106)


def test_restart_looks_at_the_missed_sessions_again(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.close(MONDAY, bar(MONDAY, 100, 101, 99, 100))
    scene.boot()
    assert scene.book.following()[0].done is None
    missed = [(MONDAY, 100, 101, 99, 100), (later(1), 50, 50.2, 49.6, 50), (later(2), 50, 50.2, 44, 45)]
    scene.bars[ABC] = columns((later(-1), 1, 1, 1, 1), *missed, ratios={later(1): 0.5})  # type: ignore[arg-type]
    scene.open(later(3), quote(60, later(3)))
    (ended,) = scene.told
    assert (ended.trade.exit_reason, ended.trade.sessions) == (ExitReason.STOP, 3)
    assert ended.trade.exit_price == Decimal(92)
    assert ended.trade.exit_session == later(2)
    assert ended.trade.exit_us == hours(later(2)).close_us


def test_restart_inside_the_session_of_the_entry_goes_on(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.boot()
    scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    assert scene.told[0].trade.exit_reason is ExitReason.TARGET


def test_day_on_which_it_did_not_trade_is_no_day_that_is_missing(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.boot()
    scene.bars[ABC] = columns((MONDAY, 100, 101, 99, 100), (later(2), 100, 101, 99, 100))
    scene.open(later(3), quote(100, later(3)))
    (signal,) = scene.book.following()
    assert (signal.held, signal.done) == (2, later(2))


def test_what_is_told_is_not_believed_while_bars_are_missing(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.boot()
    scene.open(later(1), quote(100, later(1)))
    scene.close(later(1), bar(later(1), 100, 120, 99, 110))
    assert scene.book.following(), "it may have been stopped out on Monday"
    scene.bars[ABC] = columns((MONDAY, 100, 101, 90, 91), (later(1), 100, 120, 99, 110))
    scene.open(later(2), quote(100, later(2)))
    assert scene.told[0].trade.exit_reason is ExitReason.STOP
    assert scene.told[0].trade.exit_session == MONDAY


def test_bars_that_never_come_leave_no_outcome(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.boot()
    scene.open(later(LONGEST_SILENCE), quote(100, later(LONGEST_SILENCE)))
    assert scene.book.following() == ()
    assert scene.told == []
    assert (scene.row()["state"], scene.row()["reason"]) == ("void", f"no bars of {LONGEST_SILENCE} sessions")


def test_refused_write_is_kept_and_written_with_the_next(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.journal.failures = 1
    with pytest.raises(StorageError):
        scene.judge(scene.verdict())
    assert scene.book.following()
    scene.journal.failures = 1
    with pytest.raises(StorageError):
        scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    assert scene.told == [], "told when it is durable"
    scene.close(later(1))
    assert scene.row()["state"] == "closed"
    assert len(scene.told) == 1


def test_two_signals_of_one_instrument_end_each_for_itself(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict(1))
    scene.plan = lambda verdict, quote: ShadowPlan(
        Decimal(100), Decimal(80), Decimal(130), 5, Decimal(10), 0.0, 0.0, "p", None
    )
    scene.judge(scene.verdict(1), scene.verdict(2))
    scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    (left,) = scene.book.following()
    assert left.terms.correlation == encode_ulid(1, 2)


@pytest.mark.parametrize(
    ("column", "value"), [("terms", "{"), ("exit_px", "eight"), ("exit_reason", "dance"), ("mae", "x")]
)
def test_row_that_makes_no_sense_is_a_damaged_journal(scene: Scene, column: str, value: str) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    scene.close(MONDAY, bar(MONDAY, 100, 107, 99, 106.5))
    with pytest.raises(StorageError, match="makes no sense"):
        restore_trade({**scene.row(), column: value})


def test_terms_are_read_back_as_they_were(scene: Scene) -> None:
    scene.open(MONDAY, quote(100))
    scene.judge(scene.verdict())
    assert restore_terms(scene.row()) == scene.book.following()[0].terms
