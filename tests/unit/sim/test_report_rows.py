"""A row can be missed, a smaller run is never called the whole, and one missed row fails the report."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def rows(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("report_rows")


@pytest.fixture
def row(rows: ModuleType) -> Any:
    return rows.Row("R8", "No payload can fool it", "9 payloads, 0 unhandled", "0 of 9", "./run sim --fuzz 9")


def test_a_row_is_met_met_at_a_smaller_size_or_missed(row: Any) -> None:
    assert row.verdict == "met"
    assert replace(row, smaller="3 of 9 payloads").verdict == "met at this size"
    assert replace(row, problems=("1 failure",)).verdict == "MISSED"
    assert replace(row, smaller="3 of 9 payloads", problems=("1 failure",)).verdict == "MISSED"


def test_what_no_run_can_measure_is_named_and_misses_nothing(row: Any, rows: ModuleType) -> None:
    named = replace(row, beyond="seven days of real time")
    assert named.verdict == "met"
    assert rows.exit_code([named]) == 0
    assert "    not measured here: seven days of real time" in named.lines()


def test_one_missed_row_of_many_fails(row: Any, rows: ModuleType) -> None:
    missed = replace(row, problems=("1 failure",))
    assert rows.exit_code([row, replace(row, smaller="3 of 9")]) == 0
    assert rows.exit_code([row, missed, row]) == 1
    assert rows.exit_code([]) == 0


def test_a_row_shows_figure_goal_reason_and_command(row: Any) -> None:
    shown = replace(row, problems=("1 failure", "it took too long")).lines()
    assert shown[0].startswith("R8  No payload can fool it")
    assert shown[0].endswith(" MISSED")
    assert shown[1:] == (
        "    9 payloads, 0 unhandled",
        "    to reach: 0 of 9",
        "    missed: 1 failure",
        "    missed: it took too long",
        "    ./run sim --fuzz 9",
    )


def test_long_figures_are_wrapped_and_commands_never(row: Any) -> None:
    command = "./run sim " + "--seeds 10000 " * 12
    shown = replace(row, figure="many words " * 30, command=command).lines()
    assert max(len(line) for line in shown[:-1]) <= 100
    assert shown[-1] == f"    {command}"


def test_the_table_counts_each_verdict(row: Any, rows: ModuleType) -> None:
    several = [row, replace(row, smaller="3 of 9"), replace(row, problems=("1 failure",)), row]
    assert rows.table(several).splitlines()[-1] == "4 rows: 2 met, 1 met at this size, 1 MISSED"


def test_the_document_holds_what_the_table_shows(row: Any, rows: ModuleType) -> None:
    missed = replace(row, problems=("1 failure",))
    found = rows.document([row, missed], "ci", 12.34, {"fuzz": 1.26})
    assert (found["scale"], found["seconds"], found["ok"]) == ("ci", 12.3, False)
    assert found["processor_seconds"] == {"fuzz": 1.3}
    assert [one["verdict"] for one in found["rows"]] == ["met", "MISSED"]
    assert found["rows"][1]["problems"] == ("1 failure",)
