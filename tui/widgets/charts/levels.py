"""Named values of a chart, drawn as dashed levels."""

from dataclasses import dataclass
from decimal import Decimal

from tui.format import signed_percent

Price = Decimal | float


@dataclass(frozen=True, slots=True)
class Level:
    """A value with a name: `target +6.0%`. The note leaves first where room is short."""

    value: float
    name: str = ""
    note: str = ""
    ink: str = "-muted"
    """Of name and dashes."""
    value_ink: str = ""
    """Of the value on the axis, "" like `ink`."""

    @property
    def axis_ink(self) -> str:
        """Ink of the value on the axis."""
        return self.value_ink or self.ink

    @property
    def texts(self) -> tuple[str, ...]:
        """Name and note, then the name alone, then its first word."""
        return tuple(dict.fromkeys((f"{self.name} {self.note}".strip(), self.name, *self.name.split()[:1])))


def bracket_levels(
    stop: Price | None, entry: Price | None, target: Price | None, *, entry_name: str = "entry limit"
) -> tuple[Level, ...]:
    """Target, entry and stop as the pictures name them; None is a leg that is not there."""

    def away(price: Price) -> str:
        return signed_percent(float(price) / float(entry) - 1) if entry else ""

    levels: list[Level] = []
    if target is not None:
        levels.append(Level(float(target), "target", away(target), "-up"))
    if entry is not None:
        levels.append(Level(float(entry), entry_name, "", "-muted", "-strong"))
    if stop is not None:
        levels.append(Level(float(stop), "stop", away(stop), "-down"))
    return tuple(levels)
