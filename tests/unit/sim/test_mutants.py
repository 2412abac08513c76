"""The seeded mutants still fit the engine's source: one that fits no more tests nothing."""

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def mutants(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("mutants")


def test_every_edit_of_every_mutant_fits_the_source_and_still_is_a_program(
    mutants: ModuleType, sim: Callable[[str], ModuleType]
) -> None:
    for mutant in mutants.MUTANTS:
        sources: dict[str, str] = {}
        for edit in mutant.edits:
            path = ROOT.joinpath(*edit.module.split(".")).with_suffix(".py")
            source = sources.get(edit.module, path.read_text())
            changed = edit.changed(source)
            assert changed != source, mutant.name
            sources[edit.module] = changed
        for source in sources.values():
            ast.parse(source)


def test_there_are_fourteen_or_more_with_names_and_rules_of_their_own(mutants: ModuleType) -> None:
    names = [mutant.name for mutant in mutants.MUTANTS]
    rules = [mutant.rule for mutant in mutants.MUTANTS]
    assert len(names) >= 14
    assert len(set(names)) == len(names)
    assert len(set(rules)) == len(rules)


def test_the_seeds_that_kill_are_of_mutants_that_exist(mutants: ModuleType) -> None:
    killers = json.loads(mutants.KILLERS.read_text())
    assert set(killers) <= {mutant.name for mutant in mutants.MUTANTS}
    assert all(isinstance(seed, int) and seed >= 0 for seed in killers.values())


def test_a_mutant_lives_or_dies_by_what_the_seeds_say(
    mutants: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, int, int]] = []

    def run(mutant: object, first: int, count: int) -> tuple[int | None, str, int]:
        name = mutant.name  # type: ignore[attr-defined]
        ran.append((name, first, count))
        return (5, "I1", 6) if name == weak.name and count > 1 else (None, "", count)

    weak, strong = mutants.MUTANTS[:2]
    monkeypatch.setattr(mutants, "_run", run)
    monkeypatch.setattr(mutants, "known_killers", lambda: {weak.name: 71})
    deaths = list(mutants.hunt((weak, strong), 30, 1))
    assert ran == [(weak.name, 71, 1), (weak.name, 0, 30), (strong.name, 0, 30)]
    assert [(death.seed, death.tried) for death in deaths] == [(5, 7), (None, 30)]
    ran.clear()
    list(mutants.hunt((replace(strong, family=(7, 10)),), 30, 1))
    assert ran == [(strong.name, 7, 30)]
