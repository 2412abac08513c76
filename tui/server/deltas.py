"""What changed between two values of one dataclass, small enough to be sent twice a second.

`apply(old, diff(old, new))` is `new`, whatever the two are: a value counts as unchanged only where it would
be written with the same bytes, so `8.30` is not `8.3`. Nested dataclasses go by field, tuples of dataclasses
by row; everything else whole. All follows from the types, so a new field or a new row needs no code here.
"""

import dataclasses
import types
import typing
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")
NEW_ROWS = -1
"""Stands in `order` for rows that were not there before."""
_encoder = msgspec.json.Encoder()


class OutOfStep(ValueError):
    """A change that does not fit the value it is applied to."""


def diff(old: T, new: T) -> msgspec.Struct:
    """What leads from `old` to `new`, both of one dataclass: an instance of its `delta_type`."""
    kind: Any = type(old)
    changes: msgspec.Struct = _shape(kind).diff(old, new)
    return changes


def apply(old: T, changes: msgspec.Struct) -> T:
    """The value that `diff` was made for. Raises OutOfStep where `old` is not the one it was made from."""
    kind: Any = type(old)
    new: T = _shape(kind).apply(old, changes)
    return new


def delta_type(kind: type) -> type[msgspec.Struct]:
    """The wire form of a change of a dataclass: one optional field for each of its fields."""
    wire: type[msgspec.Struct] = _shape(kind).wire
    return wire


class _Plain:
    """A value that is sent whole."""

    def __init__(self, kind: Any) -> None:
        self.wire = kind

    def diff(self, old: Any, new: Any) -> Any:
        return new

    def apply(self, old: Any, change: Any) -> Any:
        return change


class _Fields:
    """A dataclass: the fields that changed."""

    def __init__(self, kind: type) -> None:
        hints = typing.get_type_hints(kind)
        self._shapes = {field.name: _shape(hints[field.name]) for field in dataclasses.fields(kind)}
        self.wire: Any = msgspec.defstruct(
            f"{kind.__name__}Delta",
            [(name, shape.wire | UnsetType, UNSET) for name, shape in self._shapes.items()],
            forbid_unknown_fields=True,
        )

    def diff(self, old: Any, new: Any) -> Any:
        changes = self.wire()
        for name, shape in self._shapes.items():
            before, after = getattr(old, name), getattr(new, name)
            if not _same(before, after):
                setattr(changes, name, shape.diff(before, after))
        return changes

    def apply(self, old: Any, change: Any) -> Any:
        changed = {
            name: shape.apply(getattr(old, name), getattr(change, name))
            for name, shape in self._shapes.items()
            if getattr(change, name) is not UNSET
        }
        return dataclasses.replace(old, **changed) if changed else old


class _Maybe:
    """A dataclass or None: `whole` when one of the two is None, else its `fields`."""

    def __init__(self, kind: type) -> None:
        self._fields = _shape(kind)
        self.wire: Any = msgspec.defstruct(
            f"Maybe{kind.__name__}Delta",
            [("whole", kind | None | UnsetType, UNSET), ("fields", self._fields.wire | UnsetType, UNSET)],
            forbid_unknown_fields=True,
        )

    def diff(self, old: Any, new: Any) -> Any:
        if old is None or new is None:
            return self.wire(whole=new)
        return self.wire(fields=self._fields.diff(old, new))

    def apply(self, old: Any, change: Any) -> Any:
        if change.fields is UNSET:
            if change.whole is UNSET:
                raise OutOfStep("a change of nothing")
            return change.whole
        if old is None:
            raise OutOfStep("fields of what was not there")
        return self._fields.apply(old, change.fields)


class _Rows:
    """A tuple of rows: those that changed `at` their old place, the `new` ones, and the `order`.

    `order` is missing while the old rows stay at their places; else it is a list of runs `[start, count]` of
    old rows, -1 in place of the start for as many of the new ones. Rows that it does not name are gone.
    """

    def __init__(self, kind: type) -> None:
        self._fields = _shape(kind)
        self.wire: Any = msgspec.defstruct(
            f"{kind.__name__}RowsDelta",
            [
                ("at", dict[int, self._fields.wire] | UnsetType, UNSET),  # type: ignore[name-defined]
                ("new", list[kind] | UnsetType, UNSET),  # type: ignore[valid-type]
                ("order", list[tuple[int, int]] | UnsetType, UNSET),
            ],
            forbid_unknown_fields=True,
        )

    def diff(self, old: Sequence[Any], new: Sequence[Any]) -> Any:
        pairs = _pairs(old, new)
        at = {
            place: self._fields.diff(old[place], row)
            for place, row in zip(pairs, new, strict=True)
            if place != NEW_ROWS and not _same(old[place], row)
        }
        fresh = [row for place, row in zip(pairs, new, strict=True) if place == NEW_ROWS]
        moved = pairs != list(range(len(old)))
        return self.wire(
            at=at or UNSET,
            new=fresh or UNSET,
            order=_runs(pairs) if moved else UNSET,
        )

    def apply(self, old: Sequence[Any], change: Any) -> Any:
        rows = list(old)
        for place, fields in ({} if change.at is UNSET else change.at).items():
            if not 0 <= place < len(rows):
                raise OutOfStep(f"row {place} of {len(rows)}")
            rows[place] = self._fields.apply(rows[place], fields)
        if change.order is UNSET:
            return tuple(rows)
        fresh: list[Any] = [] if change.new is UNSET else change.new
        taken = 0
        ordered: list[Any] = []
        for start, count in change.order:
            first, rows_of = (taken, fresh) if start == NEW_ROWS else (start, rows)
            if first < 0 or count < 1 or first + count > len(rows_of):
                raise OutOfStep(f"rows {first} to {first + count} of {len(rows_of)}")
            ordered += rows_of[first : first + count]
            taken += count if rows_of is fresh else 0
        return tuple(ordered)


@cache
def _shape(kind: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return _Fields(typing.cast(type, kind))
    args = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and len(args) == 2 and args[1] is Ellipsis:
        return _Rows(typing.cast(type, args[0])) if dataclasses.is_dataclass(args[0]) else _Plain(kind)
    if typing.get_origin(kind) in (types.UnionType, typing.Union) and len(args) == 2:
        only = [arg for arg in args if dataclasses.is_dataclass(arg)]
        if len(only) == 1 and types.NoneType in args:
            return _Maybe(typing.cast(type, only[0]))
    return _Plain(kind)


def _same(old: Any, new: Any) -> bool:
    return old is new or _encoder.encode(old) == _encoder.encode(new)


def _pairs(old: Sequence[Any], new: Sequence[Any]) -> list[int]:
    """For each new row the place of the old one it is made from, or NEW_ROWS; no old row is used twice.

    First the unchanged rows find each other, then those with the same key. Which rows are paired decides how
    long the message is and never what it says.
    """
    keys = [_key(row) for row in new]
    if [_key(row) for row in old] == keys and len(set(keys)) == len(keys):
        return list(range(len(old)))
    pairs = _matched([_encoder.encode(row) for row in old], [_encoder.encode(row) for row in new])
    taken = set(pairs)
    left = [place for place in range(len(old)) if place not in taken]
    open_places = [place for place, pair in enumerate(pairs) if pair == NEW_ROWS]
    found = _matched([_key(old[place]) for place in left], [keys[place] for place in open_places])
    for place, pair in zip(open_places, found, strict=True):
        pairs[place] = left[pair] if pair != NEW_ROWS else NEW_ROWS
    return pairs


def _matched(old: Iterable[Hashable], new: Iterable[Hashable]) -> list[int]:
    places: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for place, name in enumerate(old):
        places[name].append(place)
    return [places[name].popleft() if places.get(name) else NEW_ROWS for name in new]


def _key(row: Any) -> Hashable:
    """A row's first field, or that one's first field: its id, as rows are written."""
    first = getattr(row, dataclasses.fields(row)[0].name)
    if dataclasses.is_dataclass(first):
        return _key(first)
    return first if isinstance(first, Hashable) else _encoder.encode(first)


def _runs(pairs: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for place in pairs:
        if runs:
            start, count = runs[-1]
            if (place == start == NEW_ROWS) or (start != NEW_ROWS and place == start + count):
                runs[-1] = (start, count + 1)
                continue
        runs.append((place, 1))
    return runs
