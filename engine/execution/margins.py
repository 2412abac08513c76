"""How far a measured value is from its limit, in words: `needs 0.9 points more`."""

import re
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(
    r"(?P<relation><=|>=|<|>)?\s*(?<![\w.])(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?!\w)\s*(?P<unit>\S.*)?"
)
_MEASURES = {"": "", "%": " points", "USD": " USD", "s": " s", "bps": " bps"}
_INVERSE = {"<": "less", "<=": "less", ">": "more", ">=": "more"}


@dataclass(frozen=True, slots=True)
class _Amount:
    relation: str
    number: Decimal
    unit: str


def margin(value: str, limit: str) -> str:
    """What would have let `value` pass `limit`; both as a gate or an agent shows them, "" for nothing.

    Texts of several parts (`8 in strategy, 9 in all` and `< 8 in strategy, < 20 in all`) are compared part by
    part, and the first part that fails is told.
    """
    if not limit:
        return ""
    values, limits = value.split(", "), limit.split(", ")
    if len(values) == len(limits):
        for part, bound in zip(values, limits, strict=True):
            if words := _part(part, bound):
                return words
    return f"needs {limit}"


def _part(value: str, limit: str) -> str:
    measured, bound = _amount(value), _amount(limit)
    if measured is None or bound is None:
        return ""
    relation = bound.relation or ("<=" if measured.number > bound.number else ">=")
    if not _fails(measured.number, relation, bound.number):
        return ""
    # A measure belongs to its number, what is counted stands behind: `2 USD less`, `1 less in all`.
    counted = "" if bound.unit in _MEASURES else f" {bound.unit}"
    unit = _MEASURES.get(bound.unit, "")
    missing = abs(measured.number - bound.number)
    if relation in ("<", ">"):
        if not (_is_whole(measured.number) and _is_whole(bound.number)):
            than = "below" if relation == "<" else "above"
            return f"needs a value {than} {_plain(bound.number)}{unit}{counted}"
        missing += 1
    return f"needs {_plain(missing)}{unit} {_INVERSE[relation]}{counted}"


def _fails(value: Decimal, relation: str, bound: Decimal) -> bool:
    passes = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}
    return not passes[relation]


def _amount(text: str) -> _Amount | None:
    """The first number of a text that stands alone, with the relation before it and the unit behind."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    return _Amount(found["relation"] or "", Decimal(found["number"].replace(",", "")), found["unit"] or "")


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def _plain(number: Decimal) -> str:
    return f"{number:,f}"
