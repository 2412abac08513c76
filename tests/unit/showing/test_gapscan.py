"""Funnel, nearest miss and reason of a scan; the shadow book from a journal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.execution.shadow import ShadowTerms
from engine.execution.shadow_rows import closed_row, open_row
from engine.execution.ticketbook import Entry
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, GapCandidate, GateResult, Proposal, Regime, Verdict, Vote
from engine.model.checks import Check, GateStatus, Step
from engine.model.events import ShadowEnded
from engine.model.evidence import EdgeEvidence
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.policy import ClosedTrade
from engine.model.positions import AccountKind, ExitReason
from storage.journal import open_journal
from tui.showing.assessed import limits_of, numbers_of
from tui.showing.gaps import GapBoard, followed, read_tally
from tui.showing.gapscan import against, funnel, nearest, why
from tui.shown.gaps import LimitRow

PASS, FAIL, OUT = GateStatus.PASS, GateStatus.FAIL, GateStatus.NOT_APPLICABLE
GAPS = StrategyName("gaps")
DAY = date(2026, 11, 6)
OK = AgentReport("sentinel", Vote.APPROVE, False, ("fine",))


def veto(agent: str, reason: str, note: str, value: str = "", limit: str = "") -> AgentReport:
    return AgentReport(agent, Vote.VETO, True, (reason,), note, value=value, limit=limit)


def check(name: str, step: Step, status: GateStatus, value: str = "1", limit: str = ">= 2") -> Check:
    return Check(name, step, status, value, limit, f"{name} {value}, limit {limit}", f"{name} {value} < 2")


def assessed(*checks: Check, **changes: Any) -> Assessment:
    empty = Assessment(None, "no model", None, None, None, 0.62, 5.5, None, None, checks)
    return replace(empty, **changes)


def verdict(
    symbol: str, *reports: AgentReport, found: Assessment | None = None, proposed: bool = False
) -> Verdict:
    candidate = GapCandidate(
        correlation=CorrelationId(f"C-{symbol}"),
        strategy=GAPS,
        instrument=InstrumentId(f"{symbol}.US"),
        session=DAY,
        decided_us=1,
        decision_price=9.0,
        prev_close=10.0,
        gap=-0.1,
        adv_usd_20=None,
        regime=Regime.NORMAL,
        features=(),
        assessment=found,
    )
    proposal: Any = SimpleNamespace() if proposed else None
    made: Proposal | None = proposal
    return Verdict(candidate, reports, made, "no votes" if not reports else "")


def entry(*gates: GateResult, number: int = 0) -> Entry:
    found: Any = SimpleNamespace(ticket=SimpleNamespace(gates=gates, number=number))
    made: Entry = found
    return made


G8 = GateResult("G8", "positions", FAIL, "3 this session", "< 3 this session", "full")
JUDGED = (
    (
        verdict(
            "AAA", veto("screener", "too little", "ADV 1.2M < 5M", "ADV 1,200,000 USD", ">= 5,000,000 USD")
        ),
        None,
    ),
    (
        verdict(
            "BBB", OK, veto("screener", "too little", "ADV 3M < 5M", "ADV 3,000,000 USD", ">= 5,000,000 USD")
        ),
        None,
    ),
    (verdict("CCC", OK, veto("screener", "dear", "price 61 > 50", "price 61", "<= 50")), None),
    (verdict("DDD", OK, veto("newssentry", "offering", "news: offering"), veto("trader", "x", "x")), None),
    (verdict("EEE", OK, proposed=True), entry(G8)),
    (verdict("FFF", OK, proposed=True), None),
    (verdict("GGG", OK, proposed=True), entry(number=4)),
    (verdict("HHH"), None),
)


def test_the_funnel_counts_who_is_left_after_each_step() -> None:
    steps = {step.name: (step.left, step.lost, step.words) for step in funnel(JUDGED, 80)}
    assert steps == {
        "quoted": (80, 0, ""),
        "opened lower": (8, 72, ""),
        "Sentinel": (8, 0, ""),
        "Screener": (5, 3, "ADV"),
        "Forecaster": (5, 0, ""),
        "RiskOfficer": (5, 0, ""),
        "NewsSentry": (4, 1, "news"),
        "Trader": (4, 0, ""),
        "gates": (1, 3, "G8 positions"),
        "tickets": (1, 0, ""),
    }


def test_every_candidate_is_lost_once_or_has_a_ticket() -> None:
    steps = funnel(JUDGED, 80)
    assert sum(step.lost for step in steps[2:]) + steps[-1].left == len(JUDGED)


def test_a_check_of_the_full_rule_comes_before_the_agents() -> None:
    found = assessed(
        check("EV", Step.SCORES, FAIL), check("rsi2", Step.TRIGGER, FAIL), check("cap", Step.UNIVERSE, OUT)
    )
    judged = (
        (verdict("AAA", veto("forecaster", "EV 1, limit >= 2", "EV"), found=found), None),
        (verdict("BBB", veto("forecaster", "no model", "no_model"), found=assessed()), None),
    )
    steps = {step.name: (step.left, step.lost, step.words) for step in funnel(judged, 2)}
    assert steps["trigger"] == (1, 1, "rsi2")
    assert steps["scores"] == (1, 0, "")
    assert steps["Forecaster"] == (0, 1, "no_model")


@pytest.mark.parametrize(
    ("judged", "quoted", "words"),
    [
        ((), 0, "nothing was quoted at the decision"),
        ((), 80, "none of 80 that were quoted opened low enough"),
        (JUDGED, 80, "3 of 8 fell at Screener (ADV)"),
        (JUDGED[6:7], 80, ""),
    ],
)
def test_the_reason_names_the_step_that_took_most(judged: Any, quoted: int, words: str) -> None:
    proposals = sum(one is not None and one.ticket.number > 0 for _, one in judged)
    assert why(funnel(judged, quoted), proposals, len(judged), quoted) == words


def test_the_nearest_miss_lacks_least_of_those_with_one_objection() -> None:
    near = nearest(JUDGED)
    assert near is not None
    assert near.symbol == "EEE"
    near = nearest([pair for pair in JUDGED if pair[0].candidate.correlation != "C-EEE"])
    assert near is not None
    assert (near.symbol, near.others) == ("CCC", 0)
    assert near.blocked_by == LimitRow("Screener", FAIL, "price 61", "<= 50", "needs 11 less")


def test_without_an_objection_nothing_missed() -> None:
    assert nearest(JUDGED[6:7]) is None
    assert nearest(()) is None


def test_a_rule_that_an_agent_took_up_is_told_once() -> None:
    failed = check("EV", Step.SCORES, FAIL)
    found = assessed(failed, check("rsi2", Step.TRIGGER, PASS))
    one = verdict(
        "AAA", veto("forecaster", failed.reason, "EV"), veto("trader", "wide", "spread"), found=found
    )
    rows = against(one, entry(G8))
    assert [row.name for row in rows] == ["EV", "Trader", "G8 positions"]
    assert rows[0].margin == "needs 1 more"
    names = [row.name for row in limits_of(one.reports, found, (G8,))]
    assert names == ["EV", "rsi2", "Trader", "G8 positions"]


def test_hostile_words_are_cleaned_on_the_way() -> None:
    bad = "\x1b]52;c;aGk=\x07x\u202ey"
    one = verdict("AAA", veto(bad, bad, bad, bad, bad))
    row = against(one, None)[0]
    for text in (
        row.name,
        row.value,
        row.limit,
        row.margin,
        *(step.words for step in funnel([(one, None)], 1)),
    ):
        assert text.isprintable()


def test_numbers_of_nothing_are_none() -> None:
    assert set(numbers_of(None).values()) == {None, False}
    filters = (check("a", Step.FILTERS, PASS), check("b", Step.FILTERS, FAIL), check("c", Step.FILTERS, OUT))
    assert numbers_of(assessed(*filters))["filters"] == (1, 2)
    assert numbers_of(assessed(check("a", Step.FILTERS, OUT)))["filters"] is None


def terms(name: str, *, proposed: bool) -> ShadowTerms:
    return ShadowTerms(
        CorrelationId(name), GAPS, InstrumentId("ABC.US"), DAY, proposed, False, 1, Decimal(10),
        Decimal("9.2"), Decimal("10.6"), 5, Decimal(10), 0.001, 0.001, "P", None, {},
    )  # fmt: skip


def ended(name: str, reason: ExitReason, price: str) -> ClosedTrade:
    return ClosedTrade(
        f"shadow-{name}", CorrelationId(name), GAPS, InstrumentId("ABC.US"), DAY, True, True, 1, Decimal(10),
        2, DAY, Decimal(price), reason, 2, Decimal(10), Decimal("0.10"), {}, -0.01, 0.02,
    )  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Callable[..., Any]:
    """What the maker asks of an engine: its journal, and what it learned."""

    def build(evidence: EdgeEvidence | None) -> Any:
        journal = open_journal(tmp_path / "journal.db", "a", AccountKind.SIMULATION)
        rows = [open_row(terms(name, proposed=name != "C2")) for name in ("C1", "C2", "C3", "C4")]
        rows += [
            closed_row(ended("C1", ExitReason.TARGET, "10.6"), True),
            closed_row(ended("C3", ExitReason.STOP, "9.2"), True),
            closed_row(ended("C4", ExitReason.TARGET, "10.6"), False),
        ]
        journal.commit(rows, ())
        learned = SimpleNamespace(evidence=lambda strategy: evidence)
        return SimpleNamespace(learned=learned, parts=SimpleNamespace(journal=journal))

    return build


def test_the_shadow_book_counts_what_is_evidence_and_what_is_followed(engine: Any) -> None:
    found = engine(EdgeEvidence(2, 1, -0.01, None, None, None))
    tally = read_tally(found.parts.journal)
    edge, follow, base = followed(found, tally)
    assert edge is not None
    assert (edge.n, edge.won.of, edge.won.hits, edge.bound, edge.is_shown) == (2, 2, 1, None, False)
    assert (edge.needs_n, edge.needs_sessions) == (100, 60)
    assert follow is not None
    assert (follow.proposed, follow.vetoed) == (0, 1)
    assert follow.last.startswith("ABC ")
    assert (base.of, base.hits) == (3, 2)
    assert base.low is not None


def test_where_nothing_is_learned_nothing_is_shown(engine: Any) -> None:
    found = engine(None)
    assert followed(found, read_tally(found.parts.journal))[:2] == (None, None)
    assert followed(SimpleNamespace(learned=None), None)[:2] == (None, None)  # type: ignore[arg-type]


def test_what_ends_is_counted_as_it_is_told(engine: Any) -> None:
    found = engine(EdgeEvidence(2, 1, -0.01, None, None, None))
    found.verdicts, found.picture = {}, SimpleNamespace(quotes={})
    board = GapBoard(found)
    before = board.make()
    assert before.edge is not None
    assert (before.base.of, before.edge.won.of) == (3, 2)
    assert board.make() is before
    board.hear(ShadowEnded(ended("C2", ExitReason.TARGET, "10.6"), True))
    after = board.make()
    assert after.edge is not None
    assert (after.base.of, after.base.hits, after.edge.won.of, after.edge.won.hits) == (4, 3, 3, 2)
