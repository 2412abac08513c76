"""A digest or a number that was stored, beside the same worked out anew."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the comparison says. `not_checked` comes with the reason: an input was not stored."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`stored` and `derived` are fit to show; `words` says how it was derived, or why it could not be."""

    name: str
    outcome: Outcome
    stored: str
    derived: str
    words: str


def compared(name: str, stored: object, derived: object, words: str) -> Comparison:
    """Equal texts are the same."""
    left, right = str(stored), str(derived)
    return Comparison(name, Outcome.SAME if left == right else Outcome.DIFFERS, left, right, words)


def held(name: str, ok: bool, stored: str, derived: str, words: str) -> Comparison:
    """A relation that holds or does not."""
    return Comparison(name, Outcome.SAME if ok else Outcome.DIFFERS, stored, derived, words)


def unknown(name: str, why: str, stored: str = "") -> Comparison:
    """Nothing to compare with."""
    return Comparison(name, Outcome.NOT_CHECKED, stored, "", why)
