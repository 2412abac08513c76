"""Memory adapts only what SPEC 3.11 allows, whatever the trades were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.agents.policybook import PolicyBook, PolicyDesk
from engine.agents.policyrows import Baseline, Rules, policy_after, read_changes
from engine.clock import TestClock
from engine.model.candidates import Vote
from engine.model.commands import AcceptPolicy, Actor, RevertPolicy
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, UlidFactory
from engine.model.market import Session
from engine.model.policy import Author, ClosedTrade, Param, PolicyStep, StepState
from engine.model.positions import AccountKind, ExitReason
from engine.risk.daily import day_of
from engine.risk.limits import FULL
from engine.strategies.adapting import BOUNDS, STEPS_PER_QUARTER, quarter_of
from engine.strategies.gaps_config import GapsConfig
from storage.journal import SqliteJournal, open_journal

GAPS, NINA = StrategyName("gaps"), Actor("nina", "pts/7")
START = datetime(2016, 1, 4, 21, tzinfo=UTC)
DAY_US = 86_400_000_000
REASONS = [ExitReason.TARGET, ExitReason.STOP, ExitReason.TIME, ExitReason.MANUAL]


class Weekdays:
    """A calendar of weekdays."""

    def between(self, first: date, last: date) -> list[Session]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [Session(day, 0, 1) for day in days if day.weekday() < 5]


class World:
    """A policy book on a real journal, and a clock."""

    def __init__(self, journal: SqliteJournal, config: GapsConfig, kind: AccountKind) -> None:
        self.journal = journal
        self.clock = TestClock(int(START.timestamp()) * 1_000_000)
        self.config = config
        self.kind = kind
        self.count = 0
        self.ids = UlidFactory(self.clock.now_us, lambda bits: 1)
        self.book = self.open()

    def open(self) -> PolicyBook:
        calendar: Any = Weekdays()
        desk = PolicyDesk(self.journal, self.clock, calendar, self.ids.new, lambda event: None)
        book = PolicyBook(desk, GAPS, Rules(self.config, self.kind, FULL, 0.10))
        book.restore()
        return book

    def trade(self, reason: ExitReason, win: bool) -> None:
        self.count += 1
        now = self.clock.now_us()
        price = {ExitReason.TARGET: "10.6", ExitReason.STOP: "9.2"}.get(reason, "10.2" if win else "9.8")
        day = day_of(now, UTC)
        self.book.learn(
            ClosedTrade(
                id=f"T{self.count}",
                correlation=CorrelationId(f"C{self.count}"),
                strategy=GAPS,
                instrument=InstrumentId(f"A{self.count % 7}.US"),
                session=day,
                shadow=False,
                proposed=True,
                entry_us=now,
                entry_price=Decimal(10),
                exit_us=now,
                exit_session=day,
                exit_price=Decimal(price),
                exit_reason=reason,
                sessions=1,
                quantity=Decimal(5),
                cost=Decimal("0.02"),
                votes={"trader": Vote.APPROVE},
            )
        )


@contextmanager
def world(folder: Path, config: GapsConfig, kind: AccountKind) -> Iterator[World]:
    path = folder / "journal.db"
    path.unlink(missing_ok=True)
    with open_journal(path, "paper", AccountKind.SIMULATION) as journal:
        yield World(journal, config, kind)


acts = st.one_of(
    st.tuples(st.just("trades"), st.sampled_from(REASONS), st.booleans(), st.integers(1, 25)),
    st.tuples(st.just("review")),
    st.tuples(st.just("season"), st.sampled_from(REASONS[:2]), st.integers(1, 6)),
    st.tuples(st.just("days"), st.integers(1, 60)),
    st.tuples(st.just("accept"), st.integers(1, 6)),
    st.tuples(st.just("revert"), st.integers(1, 6)),
    st.tuples(st.just("restart")),
)
configs = st.builds(
    GapsConfig,
    q_min=st.sampled_from([0.60, 0.62, 0.70, 0.745]),
    bcs_min=st.sampled_from([5.5, 6.1, 7.9]),
    auto_adapt=st.booleans(),
)


def _thresholds(book: PolicyBook) -> dict[str, float]:
    policy = book.current()
    return {param.value: getattr(policy, param) for param in Param}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapting")


@settings(max_examples=60, deadline=None)
@given(
    config=configs,
    kind=st.sampled_from([AccountKind.PAPER, AccountKind.LIVE]),
    script=st.lists(acts, min_size=5, max_size=40),
)
def test_memory_adapts_only_what_is_allowed(
    folder: Path, config: GapsConfig, kind: AccountKind, script: list[tuple[Any, ...]]
) -> None:
    with world(folder, config, kind) as w:
        for act in script:
            before = _thresholds(w.book)
            steps = len(w.book.steps())
            _play(w, act)
            after = _thresholds(w.book)
            _only_what_is_allowed(w, act, before, after, steps)
        _is_read_again_as_it_was(w)


def _play(w: World, act: tuple[Any, ...]) -> None:
    match act:
        case ("trades", reason, win, count):
            for _ in range(count):
                w.trade(reason, win)
        case ("review",):
            w.book.review()
        case ("season", reason, reviews):
            for _ in range(reviews):
                for _ in range(12):
                    w.trade(reason, reason is ExitReason.TARGET)
                w.book.review()
                for step in w.book.waiting():
                    w.book.accept(AcceptPolicy(step.id, NINA))
        case ("days", count):
            w.clock.advance_to(w.clock.now_us() + count * DAY_US)
        case ("accept", number):
            w.book.accept(AcceptPolicy(f"P-{number}", NINA))
        case ("revert", number):
            w.book.revert(RevertPolicy(str(number), NINA))
        case ("restart",):
            # Trades of this test are in no table: what a restart must keep is the policy.
            known = w.book.trades
            w.book = w.open()
            for trade in known:
                w.book.learn(trade)


def _only_what_is_allowed(
    w: World, act: tuple[Any, ...], before: dict[str, float], after: dict[str, float], steps: int
) -> None:
    own = {param: getattr(w.config, param) for param in Param}
    for param, (low, high) in BOUNDS.items():
        assert low <= after[param] <= high
        partner = f"{param}_highvix"
        # The `_highvix` keys move along: the distance is what the person configured.
        assert after[partner] - after[param] == pytest.approx(own[Param(partner)] - own[param], abs=1e-5)
    if act[0] not in ("review", "season", "accept", "revert"):
        assert after == before, "nothing else changes a threshold"
    if act[0] == "review":
        assert len(w.book.steps()) <= steps + 1, "one step a review"
        if w.kind is AccountKind.LIVE or not w.config.auto_adapt:
            assert after == before, "a step waits for a person"
        assert abs(after["bcs_min"] - before["bcs_min"]) <= 0.25 + 1e-9
        assert abs(after["q_min"] - before["q_min"]) <= 0.01 + 1e-9
    made = [
        step
        for step in w.book.steps()
        if step.state is StepState.APPLIED and step.author is Author.AUDITOR and step.decided_us is not None
    ]
    quarters = [quarter_of(day_of(step.decided_us or 0, UTC)) for step in made]
    assert all(quarters.count(quarter) <= STEPS_PER_QUARTER for quarter in quarters)
    assert all(len(set(step.trades)) >= 20 for step in made), "the trades behind a step are named"
    assert len(w.book.waiting()) <= 1


def _is_read_again_as_it_was(w: World) -> None:
    """The policy follows from the journal alone, and nothing in it was ever written over."""
    changes = read_changes(w.journal, GAPS)
    policy = policy_after(changes)
    assert policy is not None
    assert {param.value: getattr(policy, param) for param in Param} == _thresholds(w.book)
    assert policy.policy_id == w.book.current().policy_id
    (baseline,) = [change for change in changes if isinstance(change, Baseline)]
    assert baseline.rules.gaps == w.config, "everything else is what the person configured"
    for step in (change for change in changes if isinstance(change, PolicyStep)):
        assert {move.param for move in step.moves} <= set(Param)
        if step.reverts:
            assert step.author is Author.USER
            assert any(other.id == step.reverts for other in w.book.steps()), "going back is a row of its own"


def test_no_other_parameter_has_a_place_in_the_policy() -> None:
    adapted = {field.name for field in fields(GapsConfig)} & {param.value for param in Param}
    assert adapted == {"bcs_min", "bcs_min_highvix", "q_min", "q_min_highvix"}


def test_what_a_person_changes_is_theirs_and_the_rest_stays_moved(folder: Path) -> None:
    with world(folder, GapsConfig(), AccountKind.PAPER) as w:
        for _ in range(25):
            w.trade(ExitReason.STOP, False)
        step = w.book.review()
        assert step is not None
        assert _thresholds(w.book)["q_min"] == 0.63
        w.clock.advance_to(w.clock.now_us() + DAY_US)
        w.config = replace(w.config, bcs_min=6.5, size_pct=0.01)
        w.book = w.open()
        assert _thresholds(w.book) == {
            "bcs_min": 6.5,
            "bcs_min_highvix": 6.25,
            "q_min": 0.63,
            "q_min_highvix": 0.69,
        }
        assert w.book.current().policy_id not in (step.id, step.parent_id)
        w.config = GapsConfig()
        w.book = w.open()
        assert w.book.current().policy_id == f"{step.parent_id}.2", "an id is used once"
