"""Which columns of a list fit a width (design 10)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`rank`: columns leave from the highest down; `stretch`: the one that takes what is left."""

    id: str
    head: str
    width: int
    rank: int
    right: bool = False
    stretch: bool = False
    aligned: bool = False
    """Decimal points stand in one line."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown, with the width it got."""

    column: Column
    width: int


def fit_columns(columns: Sequence[Column], width: int, gap: int) -> tuple[Placed, ...]:
    """Columns that fit, in their order: by rising rank, then freed space refilled by the lowest that fits."""
    chosen: list[Column] = []
    room = width + gap
    for column in sorted(columns, key=lambda column: column.rank):
        if column.width + gap <= room:
            chosen.append(column)
            room -= column.width + gap
    return tuple(
        Placed(column, column.width + (room if column.stretch else 0))
        for column in columns
        if column in chosen
    )
