"""Values of any message type, made from the type itself: a new field or message needs nothing here."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any

import pytest

from engine.model.candidates import FeatureValue, MissingReason
from engine.model.exits import ExitPlan, single_target
from engine.model.orders import BracketSpec, OrderSide, OrderSpec, OrderType

WORDS = ("", "T-18", "◆ „1.4 %“", "\x1b[31m", "a\u202eb", '"\\/', "\x00", "x" * 300, "PEPE[/]", "0.10")
FLOATS = (0.0, -0.0, 1.0, 0.1 + 0.2, -1e-7, 1e22, 5e-324, 1.7976931348623157e308, 8.330000000000002)
DECIMALS = ("0", "-0.00", "8.3", "8.30", "1E+4", "10000", "0.00008127", "-26.13", "99999999999999999999.99")
INTS = (0, 1, -1, 1_451_917_800_000_000, 2**53 + 1, 2**63 - 1)


class Maker:
    """Makes values, and edits of values, from a seeded source of chance."""

    def __init__(self, random: Random, longest: int = 4) -> None:
        self._random = random
        self._longest = longest

    def value(self, kind: Any) -> Any:
        """Any value of a type that a message may hold."""
        random = self._random
        if kind in _SPECIAL:
            return _SPECIAL[kind](self)
        if dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            return kind(**{f.name: self.value(hints[f.name]) for f in dataclasses.fields(kind)})  # type: ignore[operator]
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin in (types.UnionType, typing.Union):
            return self.value(random.choice(args))
        if origin is tuple:
            if args[1:] == (Ellipsis,):
                return tuple(self.value(args[0]) for _ in range(random.randint(0, self._longest)))
            return tuple(self.value(arg) for arg in args)
        if isinstance(kind, typing.NewType):
            return self.value(kind.__supertype__)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return random.choice(list(kind))
        return _PLAIN[kind](random)

    def edited(self, value: Any, kind: Any) -> Any:
        """The value a moment later: some fields, rows and places differ."""
        random = self._random
        args = typing.get_args(kind)
        if kind not in _SPECIAL and dataclasses.is_dataclass(kind) and isinstance(value, kind):  # type: ignore[arg-type]
            hints = typing.get_type_hints(kind)
            changed = [f.name for f in dataclasses.fields(kind) if random.random() < 0.3]
            edits = {name: self.edited(getattr(value, name), hints[name]) for name in changed}
            return dataclasses.replace(value, **edits)  # type: ignore[type-var]
        if typing.get_origin(kind) is tuple and args[1:] == (Ellipsis,):
            rows = [row if random.random() < 0.7 else self.edited(row, args[0]) for row in value]
            rows = [row for row in rows if random.random() < 0.9]
            for _ in range(random.randint(0, 2)):
                rows.insert(random.randint(0, len(rows)), self.value(args[0]))
            if random.random() < 0.3:
                random.shuffle(rows)
            return tuple(rows)
        if typing.get_origin(kind) in (types.UnionType, typing.Union) and random.random() < 0.7:
            inner = [arg for arg in args if dataclasses.is_dataclass(arg) and isinstance(value, arg)]  # type: ignore[arg-type]
            return self.edited(value, inner[0]) if inner else self.value(kind)
        return self.value(kind)

    def order(self, price: Decimal, kind: OrderType) -> OrderSpec:
        """An order of any side with that price."""
        hints = typing.get_type_hints(OrderSpec)
        limit = price if kind is OrderType.LIMIT else None
        stop = price if kind is OrderType.STOP else None
        rest = {name: self.value(hints[name]) for name in ("client_order_id", "instrument", "tif")}
        side, quantity = self._random.choice(list(OrderSide)), Decimal(self._random.randint(1, 999))
        return OrderSpec(side=side, type=kind, quantity=quantity, limit_price=limit, stop_price=stop, **rest)

    def any_order(self) -> OrderSpec:
        """An order of any type."""
        return self.order(Decimal("8.30"), self._random.choice(list(OrderType)))

    def bracket(self) -> BracketSpec:
        """An entry between its legs."""
        return BracketSpec(
            self.value(typing.get_type_hints(BracketSpec)["ticket"]),
            self.value(typing.get_type_hints(BracketSpec)["account"]),
            self.order(Decimal("8.37"), OrderType.LIMIT),
            self.order(Decimal("7.70"), OrderType.STOP),
            self.order(Decimal("8.870"), OrderType.LIMIT),
        )

    def feature(self) -> FeatureValue:
        """One with a value, or one that says why it has none."""
        value = self._random.choice((None, *FLOATS))
        missing = None if value is not None else self._random.choice(list(MissingReason))
        hints = typing.get_type_hints(FeatureValue)
        rest = {name: self.value(hint) for name, hint in hints.items() if name not in ("value", "missing")}
        return FeatureValue(value=value, missing=missing, **rest)

    def plan(self) -> ExitPlan:
        """A stop, a target and an end."""
        return single_target(Decimal("7.70"), Decimal("8.87"), self._random.randint(1, 9))


_SPECIAL: dict[Any, Callable[[Maker], Any]] = {
    OrderSpec: Maker.any_order,
    BracketSpec: Maker.bracket,
    FeatureValue: Maker.feature,
    ExitPlan: Maker.plan,
}
"""Types whose fields must agree with each other."""
_PLAIN: dict[Any, Callable[[Random], Any]] = {
    bool: lambda random: random.random() < 0.5,
    int: lambda random: random.choice((*INTS, random.randint(0, 10**9))),
    float: lambda random: random.choice((*FLOATS, random.gauss(0, 1))),
    str: lambda random: random.choice((*WORDS, str(random.random()))),
    Decimal: lambda random: random.choice((*map(Decimal, DECIMALS), Decimal(random.randint(0, 10**6)) / 100)),
    date: lambda random: date.fromordinal(random.randint(date(1998, 1, 1).toordinal(), 738_000)),
    types.NoneType: lambda random: None,
}
assert all(map(math.isfinite, FLOATS))


@pytest.fixture(scope="session")
def maker() -> type[Maker]:
    return Maker
