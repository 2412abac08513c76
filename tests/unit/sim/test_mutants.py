"""The simulator's table of broken rules still fits the engine it breaks."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[3]


def test_every_edit_stands_once_in_the_source_of_today(sim: Callable[[str], ModuleType]) -> None:
    mutants, mutating = sim("mutants"), sim("mutating")

    for mutant in mutants.MUTANTS:
        mutating.check(mutant.edits, ROOT)
