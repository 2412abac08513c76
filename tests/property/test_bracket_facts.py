"""Facts about an order in any order and any number: the same end, nothing shrinks, only legal moves."""

import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execution.bracket import Bracket, open_bracket
from engine.execution.evidence import Accepted, AnswerLost, Fact, Found, NotFound, Refused, apply
from engine.execution.planner import next_wake, plan
from engine.execution.records import changed_rows, restore_brackets
from engine.execution.steps import Circumstances, SendBracket
from engine.model.ids import VenueOrderId
from engine.model.orders import Fill, OrderRole, OrderState, VenueOrder

QUANTITY = 10
PARTS = (3, 5, 2)
MAX_STEPS = 50


def load() -> ModuleType:
    # By path: another distribution installs a top-level package `tests`.
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


world = load()
START = open_bracket(world.make_ticket(), world.OPEN_US)
LEGS = st.sampled_from(range(3))


def report(leg: int, state: OrderState, cum: int) -> VenueOrder:
    spec = START.legs[leg].spec
    return VenueOrder(
        spec.client_order_id,
        VenueOrderId("V"),
        spec.instrument,
        spec.side,
        state,
        spec.quantity,
        Decimal(cum),
    )


def execution(leg: int, part: int) -> Fill:
    spec = START.legs[leg].spec
    return Fill(
        f"X{leg}{9 - part}",
        spec.client_order_id,
        spec.instrument,
        spec.side,
        Decimal(PARTS[part]),
        Decimal(100),
        Decimal(0),
        world.OPEN_US + part,
    )


def truth(leg: int) -> list[Fact]:
    """What a venue tells of an order that fills in three parts."""
    cums = (0, 3, 8, 10)
    working: list[Fact] = [report(leg, OrderState.WORKING, cum) for cum in cums[:3]]
    fills: list[Fact] = [execution(leg, part) for part in range(3)]
    return [*working, *fills, report(leg, OrderState.FILLED, QUANTITY)]


FACTS = st.one_of(
    st.builds(report, LEGS, st.sampled_from(OrderState), st.integers(0, QUANTITY)),
    st.builds(
        lambda leg, state, cum: Found(report(leg, state, cum)),
        LEGS,
        st.sampled_from(OrderState),
        st.integers(0, 10),
    ),
    st.builds(execution, LEGS, st.sampled_from(range(3))),
    st.builds(
        lambda leg, kind: kind(START.legs[leg].id),
        LEGS,
        st.sampled_from([Accepted, NotFound]),
    ),
    st.builds(
        lambda leg, kind: kind(START.legs[leg].id, "why"),
        LEGS,
        st.sampled_from([Refused, AnswerLost]),
    ),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(leg=LEGS, order=st.permutations(range(7)), again=st.lists(st.integers(0, 6), max_size=5))
def test_the_order_of_fills_and_reports_does_not_matter(leg: int, order: list[int], again: list[int]) -> None:
    facts = truth(leg)
    bracket = START
    for index in (*order, *again):
        bracket = apply(facts[index], bracket, world.OPEN_US)
    end = bracket.legs[leg]
    assert (end.state, end.cum, end.unbooked) == (OrderState.FILLED, QUANTITY, 0)
    assert [fill.ts_event for fill in end.fills] == sorted(fill.ts_event for fill in end.fills)
    assert bracket.position == START.legs[leg].spec.side.sign * QUANTITY


@settings(max_examples=150, deadline=None, derandomize=True)
@given(facts=st.lists(FACTS, max_size=12))
def test_any_facts_only_move_forward_and_restore(facts: list[Fact]) -> None:
    bracket, rows = START, {row.table: {} for row in changed_rows(None, START)} | {"fill": {}}
    store(rows, None, START)
    for step, fact in enumerate(facts):
        now = world.OPEN_US + step * 700_000
        after = apply(fact, bracket, now)
        for old, new in zip(bracket.legs, after.legs, strict=True):
            assert new.cum >= old.cum
            assert new.state is old.state or old.state.can_become(new.state)
            assert len(new.fills) >= len(old.fills)
        if isinstance(fact, VenueOrder | Fill):
            assert apply(fact, after, now).position == after.position
        store(rows, bracket, after)
        bracket = after
    assert restored(rows) == bracket


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    facts=st.lists(FACTS, max_size=8),
    halted=st.booleans(),
    is_open=st.booleans(),
    price=st.sampled_from([None, Decimal(90), Decimal(100), Decimal(120)]),
)
def test_every_plan_settles_and_sends_no_entry(
    facts: list[Fact], halted: bool, is_open: bool, price: Decimal | None
) -> None:
    bracket = START
    for step, fact in enumerate(facts):
        now = world.OPEN_US + step * 700_000
        bracket = apply(fact, bracket, now)
        circumstances = Circumstances(now, halted, is_open, price, world.CARD)
        for _ in range(MAX_STEPS):
            taken = plan(bracket, circumstances)
            for action in taken.actions:
                assert not isinstance(action, SendBracket) or action.spec.entry is None
            if taken.bracket == bracket:
                break
            bracket = taken.bracket
        else:
            raise AssertionError("the plan does not settle")
        assert len(bracket.of_role(OrderRole.ENTRY)) == 1
        wake = next_wake(bracket, circumstances)
        assert wake is None or wake > now


def store(rows: dict[str, dict[str, dict[str, object]]], before: Bracket | None, after: Bracket) -> None:
    key = {"bracket": "id", "ord": "cid", "fill": "exec_id"}
    for row in changed_rows(before, after):
        rows[row.table].setdefault(str(row.values[key[row.table]]), {}).update(row.values)


def restored(rows: dict[str, dict[str, dict[str, object]]]) -> Bracket:
    (bracket,) = restore_brackets(
        *([table[key] for key in sorted(table)] for table in (rows["bracket"], rows["ord"], rows["fill"]))  # type: ignore[arg-type]
    )
    return bracket
