"""`apply(old, diff(old, new))` is `new`, in memory and over the wire, for any two views."""

import itertools
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.server.deltas import OutOfStep, apply, delta_type, diff
from tui.shown.deck import DeckView, EventLine
from tui.shown.details import DETAILS

SEEDS = st.integers(0, 2**32)
KINDS = [DeckView, *DETAILS.values()]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a table has it; `id` first."""

    id: str
    price: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A view with two tables and an inner value that may be missing."""

    rows: tuple[Row, ...]
    best: Row | None = None
    title: str = ""


def over_the_wire(old: Any, new: Any) -> bytes:
    written = msgspec.json.encode(diff(old, new))
    read = msgspec.json.decode(written, type=delta_type(type(old)))
    assert repr(apply(old, read)) == repr(new)
    return written


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_change_leads_to_the_new_value(maker: Any, kind: Any, seed: int) -> None:
    make = maker(Random(seed))
    old = make.value(kind)
    for new in (make.edited(old, kind), make.value(kind), old):
        assert repr(apply(old, diff(old, new))) == repr(new)
        over_the_wire(old, new)
        old = new


@given(seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_a_row_of_changes_ends_at_the_last_view(maker: Any, seed: int) -> None:
    make = maker(Random(seed))
    shown = sent = make.value(Table)
    for _ in range(10):
        new = make.edited(sent, Table)
        shown = apply(shown, diff(sent, new))
        sent = new
    assert repr(shown) == repr(sent)


@given(seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_a_change_of_another_value_is_out_of_step_or_a_value_and_never_another_error(
    maker: Any, seed: int
) -> None:
    make = maker(Random(seed))
    one, two, other = make.value(Table), make.value(Table), make.value(Table)
    try:
        found = apply(other, diff(one, two))
    except OutOfStep:
        return
    assert isinstance(found, Table)


def rows(*names: str) -> tuple[Row, ...]:
    return tuple(Row(name, Decimal("8.30"), "x" * 40) for name in names)


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        (rows("a", "b"), rows("a", "b"), {}),
        (rows("a", "b"), rows("b", "a"), {"rows": {"order": [[1, 1], [0, 1]]}}),
        (rows("a", "b", "c"), rows("b", "c"), {"rows": {"order": [[1, 2]]}}),
        (rows("a", "b"), (), {"rows": {"order": []}}),
        (
            rows("a", "b"),
            (rows("a")[0], replace(rows("b")[0], price=Decimal("8.3"))),
            {"rows": {"at": {"1": {"price": "8.3"}}}},
        ),
        (
            rows("b", "c"),
            (Row("a", Decimal("1"), ""), *rows("b", "c")),
            {"rows": {"new": [{"id": "a", "price": "1", "note": ""}], "order": [[-1, 1], [0, 2]]}},
        ),
        # Two rows of one key: the unchanged one is not touched.
        (
            (Row("a", Decimal("1")), Row("a", Decimal("2"))),
            (Row("a", Decimal("3")), Row("a", Decimal("1"))),
            {"rows": {"at": {"1": {"price": "3"}}, "order": [[1, 1], [0, 1]]}},
        ),
    ],
    ids=["same", "order", "removed", "emptied", "changed", "added", "one key twice"],
)
def test_only_what_changed_is_written(
    old: tuple[Row, ...], new: tuple[Row, ...], written: dict[str, Any]
) -> None:
    assert msgspec.json.decode(over_the_wire(Table(old), Table(new))) == written


def test_a_missing_value_comes_changes_and_goes() -> None:
    (row,) = rows("a")
    states = [None, row, replace(row, note="y"), None]
    written = [
        msgspec.json.decode(over_the_wire(Table((), old), Table((), new)))["best"]
        for old, new in itertools.pairwise(states)
    ]
    assert written == [
        {"whole": {"id": "a", "price": "8.30", "note": "x" * 40}},
        {"fields": {"note": "y"}},
        {"whole": None},
    ]


@pytest.mark.parametrize(
    "changes",
    [
        '{"rows":{"at":{"2":{"note":""}}}}',
        '{"rows":{"at":{"-1":{"note":""}}}}',
        '{"rows":{"order":[[1,2]]}}',
        '{"rows":{"order":[[-2,1]]}}',
        '{"rows":{"order":[[-1,1]]}}',
        '{"rows":{"order":[[0,-1],[0,2]]}}',
        '{"best":{"fields":{"note":""}}}',
        '{"best":{}}',
    ],
)
def test_a_change_that_does_not_fit_is_out_of_step(changes: str) -> None:
    read = msgspec.json.decode(changes, type=delta_type(Table))
    with pytest.raises(OutOfStep):
        apply(Table(rows("a", "b")), read)


@pytest.mark.parametrize("changes", ['{"colour":1}', '{"rows":[]}', '{"title":7}', '{"rows":{"rows":1}}'])
def test_a_change_of_what_is_not_there_cannot_be_read(changes: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(changes, type=delta_type(Table))


def test_an_ordinary_change_of_a_busy_view_is_a_small_part_of_it(maker: Any) -> None:
    """The clock, ten prices and one event."""
    view = maker(Random(7), longest=60).value(DeckView)
    gaps = tuple(replace(row, price=row.price + 0.01) if at < 10 else row for at, row in enumerate(view.gaps))
    events = (*maker(Random(8)).value(tuple[EventLine, EventLine])[:1], *view.events)
    header = replace(view.header, now_us=view.header.now_us + 500_000)
    new = replace(view, header=header, gaps=gaps, events=events)
    written = over_the_wire(view, new)
    assert len(written) < 1_000
    assert len(written) < 0.02 * len(msgspec.json.encode(new))
