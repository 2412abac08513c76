"""The policy book: steps wait, are applied, refused and taken back; all of it is in the journal."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.agents.policybook import PolicyBook, PolicyDesk, words_of
from engine.agents.policyrows import Rules, policy_after, read_changes
from engine.clock import TestClock
from engine.errors import InvariantBroken, StorageError
from engine.model.commands import AcceptPolicy, Actor, RevertPolicy
from engine.model.events import PolicyMoved
from engine.model.ids import StrategyName, UlidFactory
from engine.model.policy import ClosedTrade, StepState
from engine.model.positions import AccountKind, ExitReason
from engine.ports import JournalRow
from storage.journal import SqliteJournal

GAPS, NINA = StrategyName("gaps"), Actor("nina", "pts/7")
DAY_US = 86_400_000_000


class Setting:
    """A book that can be opened again."""

    def __init__(self, journal: SqliteJournal, clock: TestClock, calendar: Any, ids: UlidFactory) -> None:
        self.journal, self.clock = journal, clock
        self.told: list[PolicyMoved] = []
        self.desk = PolicyDesk(journal, clock, calendar, ids.new, self.told.append)  # type: ignore[arg-type]

    def open(self, rules: Rules) -> PolicyBook:
        book = PolicyBook(self.desk, GAPS, rules)
        book.restore()
        return book


@pytest.fixture
def setting(journal: SqliteJournal, clock: TestClock, calendar: Any, ids: UlidFactory) -> Setting:
    return Setting(journal, clock, calendar, ids)


@pytest.fixture
def live(rules: Rules) -> Rules:
    return replace(rules, kind=AccountKind.LIVE)


def teach(
    book: PolicyBook,
    trade: Callable[..., ClosedTrade],
    count: int,
    reason: ExitReason = ExitReason.STOP,
    first: int = 0,
) -> None:
    for n in range(first, first + count):
        book.learn(trade(n, reason))


def test_step_waits_for_a_person_on_a_live_account(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(live)
    teach(book, trade, 20)
    step = book.review()
    assert step is not None
    assert (step.state, step.number) == (StepState.WAITING, 1)
    assert book.current().q_min == 0.62
    assert setting.told[0].text.startswith("P-1 waits for you: bcs_min 5.5 -> 5.75")
    assert book.accept(AcceptPolicy("P-1", NINA)).text.startswith("P-1 applied by nina on pts/7:")
    assert book.current().policy_id == step.id
    again = setting.open(live)
    assert again.current().q_min == 0.63
    assert again.steps() == book.steps()


def test_review_that_finds_the_same_leaves_the_step_waiting(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(live)
    teach(book, trade, 20)
    first = book.review()
    teach(book, trade, 1, first=20)
    assert book.review() == first
    assert len(book.steps()) == 1


def test_review_that_finds_nothing_more_ends_what_waited(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(live)
    teach(book, trade, 20)
    book.review()
    teach(book, trade, 30, ExitReason.TARGET, first=20)
    assert book.review() is None
    (step,) = book.steps()
    assert step.state is StepState.DISMISSED
    assert setting.told[-1].text.endswith("the next review asked for nothing")
    assert book.accept(AcceptPolicy("1", NINA)).code == "not_waiting"


def test_review_that_turns_round_puts_another_step_in_its_place(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(replace(live, gaps=replace(live.gaps, q_min=0.65, bcs_min=6.0)))
    teach(book, trade, 20)
    book.review()
    teach(book, trade, 200, ExitReason.TARGET, first=20)
    step = book.review()
    assert step is not None
    assert [(s.number, s.state) for s in book.steps()] == [(1, StepState.DISMISSED), (2, StepState.WAITING)]
    assert step.moves[0].new == 5.75


def test_evidence_moves_nothing_a_second_time(
    setting: Setting, rules: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(rules)
    teach(book, trade, 20)
    assert book.review() is not None
    assert book.review() is None
    book.learn(trade(90, ExitReason.TIME))
    assert book.review() is None, "a time exit decides nothing"
    teach(book, trade, 1, first=20)
    assert book.review() is not None


def test_quarter_has_four_steps_also_where_a_person_accepts(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(live)
    for n in range(4):
        teach(book, trade, 20, first=20 * n)
        step = book.review()
        assert step is not None
        assert book.accept(AcceptPolicy(step.id, NINA)).ok
    teach(book, trade, 20, first=80)
    assert book.review() is None
    setting.clock.advance_to(setting.clock.now_us() + 90 * DAY_US)
    assert book.review() is not None
    assert book.current().q_min == 0.66


def test_step_that_waited_over_a_full_quarter_waits_on(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    """Two consoles may have accepted others in between: the bound is looked at when it is applied."""
    book = setting.open(live)
    teach(book, trade, 20)
    waiting = book.review()
    assert waiting is not None
    for n in range(4):
        made = replace(
            waiting, id=f"S{n}", number=n + 10, state=StepState.APPLIED, decided_us=setting.clock.now_us()
        )
        book._put(made)
    answer = book.accept(AcceptPolicy("P-1", NINA))
    assert answer.code in ("quarter_full", "outdated")


def test_step_about_rules_that_changed_is_over(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(live)
    teach(book, trade, 20)
    book.review()
    setting.clock.advance_to(setting.clock.now_us() + 1)
    again = setting.open(replace(live, gaps=replace(live.gaps, size_pct=0.01)))
    assert again.waiting() == ()
    assert again.current().q_min == 0.62


def test_step_of_a_policy_that_does_not_hold_any_more_is_outdated(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(live)
    teach(book, trade, 20)
    step = book.review()
    assert step is not None
    book._put(replace(step, parent_id="of before"))
    assert book.accept(AcceptPolicy("P-1", NINA)).code == "outdated"


def test_revert_stops_at_the_bound(setting: Setting, rules: Rules, trade: Callable[..., ClosedTrade]) -> None:
    book = setting.open(replace(rules, gaps=replace(rules.gaps, q_min=0.60, q_min_highvix=0.66)))
    teach(book, trade, 20)
    assert book.review() is not None
    teach(book, trade, 300, ExitReason.TARGET, first=20)
    assert book.review() is not None
    assert book.current().q_min == 0.60
    answer = book.revert(RevertPolicy("P-1", NINA))
    assert (answer.ok, answer.code) == (False, "reverted"), answer
    assert book.current().q_min == 0.60
    assert book.revert(RevertPolicy("P-9", NINA)).code == "unknown_step"


def test_refused_write_changes_nothing(
    setting: Setting, live: Rules, trade: Callable[..., ClosedTrade], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = setting.open(live)
    teach(book, trade, 20)
    book.review()

    def full(*arguments: Any) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(setting.journal, "commit", full)
    answer = book.accept(AcceptPolicy("P-1", NINA))
    assert (answer.ok, answer.code) == (False, "not_journalled")
    assert book.current().q_min == 0.62
    assert book.waiting()


def test_trade_of_another_strategy_teaches_nothing(
    setting: Setting, rules: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(rules)
    book.learn(trade(1, strategy=StrategyName("gems")))
    assert (book.current().closed_trades, book.trades) == (0, [])


def test_book_that_read_nothing_has_no_policy(setting: Setting, rules: Rules) -> None:
    with pytest.raises(InvariantBroken, match="before its rules were read"):
        PolicyBook(setting.desk, GAPS, rules).current()
    assert policy_after(()) is None


@pytest.mark.parametrize("column", ["moves", "evidence", "state", "author"])
def test_row_that_makes_no_sense_is_a_damaged_journal(
    setting: Setting, rules: Rules, trade: Callable[..., ClosedTrade], column: str
) -> None:
    book = setting.open(rules)
    teach(book, trade, 20)
    step = book.review()
    assert step is not None
    setting.journal.commit([JournalRow("policy", {"id": step.id, column: "{"})], ())
    with pytest.raises(StorageError, match="makes no sense"):
        read_changes(setting.journal, GAPS)


def test_words_of_a_step_name_what_moved_and_why(
    setting: Setting, rules: Rules, trade: Callable[..., ClosedTrade]
) -> None:
    book = setting.open(rules)
    teach(book, trade, 24)
    step = book.review()
    assert step is not None
    assert words_of(step) == (
        "P-1 applied: bcs_min 5.5 -> 5.75, bcs_min_highvix 6 -> 6.25, q_min 0.62 -> 0.63, q_min_highvix 0.68"
        " -> 0.69 (0 of 24 at target: P(rate < 0.571) 1.000, limit 0.80; P(rate > 0.62) 0.000, limit 0.90"
        " with profit factor 0.00, limit 1.5)"
    )
