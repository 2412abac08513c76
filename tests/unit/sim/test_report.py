"""Every row of R1-R12 can be missed, by every part that it is measured with."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

GAP = 8_000_000


@pytest.fixture
def report(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("report")


@pytest.fixture
def parts(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("report_parts")


@pytest.fixture
def result(sim: Callable[[str], ModuleType]) -> Callable[..., Any]:
    """One session without a fault."""
    session, recovery = sim("simulator.session"), sim("simulator.recovery")

    def make(seed: int, **values: Any) -> Any:
        restarts = [recovery.Restart(0, 0, 2_600_000, 2_600_000)]
        given = {"brackets": 2, "covered": Decimal(100), "restarts": restarts, "card": "CALM", **values}
        return session.Result(seed, "swarm", **given)

    return make


@pytest.fixture
def measured(
    sim: Callable[[str], ModuleType], parts: ModuleType, result: Callable[..., Any]
) -> Callable[..., Any]:
    """Everything as it should be, at full size."""
    mutants, soak, fuzz = sim("mutants"), sim("soak"), sim("fuzz")
    crashes, iofaults, powerloss = sim("crashes"), sim("iofaults"), sim("powerloss")
    stopping, restarting = sim("stopping"), sim("restarting")
    sample = soak.Sample(50_000_000, 6, 15, 0, 0, 0, 50, 100, 300, 200)

    def make(**parts_changed: Any) -> Any:
        found = parts.Measured()
        found.figures.add(result(seed) for seed in range(100))
        # What a hundred sessions showed stands for ten thousand.
        found.figures.sessions, found.figures.brackets = 10_000, 20_000
        crash = crashes.CrashReport(45, 45, ("meta",), (), 1.0)
        io = iofaults.IoReport(9, 9, 3, 1, (), 1.0)
        found.parts = {
            "crashes": crash,
            "pairs": crash,
            "SIGKILL": crash,
            "power": powerloss.PowerReport(9, 3, (), 1.0),
            "restart": restarting.RestartReport(50, (2.6, 2.7), 2.4, 9.0),
            "disk": io,
            "memory": io,
            "fuzz": fuzz.FuzzReport(count=1_000_000, seconds=60.0),
            "soak": soak.SoakReport(24, sample, replace(sample, round_trips=400), 95, 20.0, 11.0, ()),
            "traces": (parts.Traced(7, 90, True),),
            "stopping": stopping.StopReport((stopping.Stopped("key", 0.06, 0.06, ()),), 1.0),
            **parts_changed,
        }
        found.deaths = [mutants.Death(one, 3, "I1", 1, 1.0) for one in mutants.MUTANTS]
        return found

    return make


@pytest.fixture
def verdicts(report: ModuleType, parts: ModuleType) -> Callable[..., dict[str, Any]]:
    """Row -> row."""

    def make(measured: Any, scale: Any = parts.FULL) -> dict[str, Any]:
        return {row.id: row for row in report.rows_of(report.Desk(measured, scale, 2), report.ROWS)}

    return make


def missed(rows: dict[str, Any]) -> list[str]:
    return [name for name, row in rows.items() if row.verdict == "MISSED"]


def test_all_rows_are_met_when_everything_holds(measured: Any, verdicts: Any) -> None:
    rows = verdicts(measured())
    assert list(rows) == [f"R{number}" for number in range(1, 13)]
    assert {row.verdict for row in rows.values()} == {"met"}
    assert all(row.figure and row.goal and row.command.startswith("./run ") for row in rows.values())
    assert [name for name, row in rows.items() if row.beyond] == ["R3", "R9", "R11"]


@pytest.mark.parametrize(
    ("invariant", "row"),
    [
        ("I1", "R1"), ("I2", "R2"), ("I3", "R4"), ("I4", "R4"), ("I5", "R4"), ("I6", "R3"), ("I7", "R5"),
        ("I8", "R6"), ("I9", "R4"), ("I10", "R12"), ("raised", "R7"),
    ],
)  # fmt: skip
def test_a_violation_misses_the_row_of_its_invariant(
    invariant: str, row: str, measured: Any, verdicts: Any, result: Any
) -> None:
    found = measured()
    found.figures.add(
        [result(612, violations=[(invariant, "later")]), result(77, violations=[(invariant, "why")])]
    )
    rows = verdicts(found)
    assert missed(rows) == [row]
    assert rows[row].problems == (f"2 violations of {invariant}, first in seed 77: why",)


@pytest.mark.parametrize(
    "part", ["seeds", "crashes", "pairs", "SIGKILL", "power", "restart", "disk", "memory"]
)
def test_a_part_that_failed_misses_every_row_that_needs_it(
    part: str, report: ModuleType, measured: Any, verdicts: Any
) -> None:
    found = measured()
    found.parts.pop(part, None)
    found.failed[part] = f"{part} did not run to its end: OSError: no room"
    rows = verdicts(found)
    assert missed(rows) == [name for name in report.ROWS if part in report.PARTS_OF[name]]
    assert found.failed[part] in rows[missed(rows)[0]].problems


@pytest.mark.parametrize("part", ["fuzz", "soak", "traces", "mutants", "stopping"])
def test_a_part_of_one_row_that_failed_misses_that_row(
    part: str, report: ModuleType, measured: Any, verdicts: Any
) -> None:
    found = measured()
    found.parts.pop(part, None)
    found.failed[part] = "no"
    assert missed(verdicts(found)) == [name for name in report.ROWS if part in report.PARTS_OF[name]]


@pytest.mark.parametrize("part", ["crashes", "pairs", "power", "disk", "memory"])
def test_violations_of_a_part_are_named_and_counted(part: str, measured: Any, verdicts: Any) -> None:
    found = measured()
    texts = ("stopped ((3, 'after'),): two entries", "second", "third")
    found.parts[part] = replace(found.parts[part], violations=texts)
    rows = verdicts(found)
    (row,) = missed(rows)
    assert rows[row].problems == (f"{part}: {texts[0]}", f"{part}: second", f"{part}: 3 violations in all")


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ([(GAP, Decimal(10_000))], None),
        ([(10_100_000, Decimal(10_000))], "p99 is 10.1 s, limit 10 s"),
        ([(30_100_000, Decimal("0.5"))], "the longest is 30.1 s, limit 30 s"),
    ],
)
def test_shares_without_a_stop_for_too_long_miss_r2(
    gaps: list[tuple[int, Decimal]], words: str | None, measured: Any, verdicts: Any, result: Any
) -> None:
    found = measured()
    found.figures.add([result(1, gaps=gaps)])
    rows = verdicts(found)
    assert missed(rows) == ([] if words is None else ["R2"])
    assert rows["R2"].problems == (() if words is None else (words,))


def test_sessions_that_trade_nothing_prove_nothing(measured: Any, verdicts: Any) -> None:
    found = measured()
    found.figures.brackets = 4_999
    assert missed(verdicts(found)) == ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R11", "R12"]


def test_a_process_that_was_not_killed_misses_r3(measured: Any, verdicts: Any) -> None:
    found = measured()
    found.parts["SIGKILL"] = replace(found.parts["SIGKILL"], crashes=44)
    assert verdicts(found)["R3"].problems == ("44 of 45 processes were killed",)


def test_a_restart_that_takes_too_long_misses_r4(sim: Any, measured: Any, verdicts: Any) -> None:
    slow = sim("restarting").RestartReport(50, (2.6, 10.4), 2.4, 9.0)
    assert verdicts(measured(restart=slow))["R4"].problems == ("restart: a restart took 10.4 s, limit 10 s",)


def test_a_payload_that_got_through_misses_r8(sim: Any, measured: Any, verdicts: Any) -> None:
    fuzz = sim("fuzz").FuzzReport(count=9, seconds=1.0)
    fuzz.note(fuzz.unsafe, b"\x1b[2J", "escape")
    (problem,) = verdicts(measured(fuzz=fuzz))["R8"].problems
    assert problem.startswith("1 failures, the first: ")
    assert "\x1b" not in problem


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"troubles": ("broke",)}, "broke"),
        ({"processor_seconds": 24 * 3600 * 2.5}, "1.2 cores on average, limit 1"),
    ],
)
def test_a_soak_that_fails_or_is_busy_misses_r9(
    changes: dict[str, Any], words: str, measured: Any, verdicts: Any
) -> None:
    found = measured()
    found.parts["soak"] = replace(found.parts["soak"], **changes)
    assert verdicts(found)["R9"].problems == (words,)


def test_memory_is_bounded_and_judged_over_whole_days_only(measured: Any, verdicts: Any) -> None:
    found = measured()
    soak = found.parts["soak"]
    grown = replace(soak, second=replace(soak.second, rss=1_100_000_000))
    found.parts["soak"] = grown
    assert verdicts(found)["R9"].problems == (
        "memory grew by 2100.0%, limit 5%",
        "1100 MB resident, limit 1000 MB",
    )
    found.parts["soak"] = replace(grown, hours=3)
    assert verdicts(found)["R9"].problems == ("1100 MB resident, limit 1000 MB",)


def test_mutants_that_live_or_are_too_few_and_traces_that_differ_miss_r10(
    sim: Any, parts: ModuleType, measured: Any, verdicts: Any
) -> None:
    found = measured()
    found.deaths[1] = replace(found.deaths[1], seed=None)
    name = sim("mutants").MUTANTS[1].name
    assert verdicts(found)["R10"].problems == (f"alive: {name}",)
    found = measured()
    del found.deaths[11:]
    assert verdicts(found)["R10"].problems == ("11 mutants ran, at least 12 are asked for",)
    traces = (parts.Traced(7, 90, False), parts.Traced(8, 0, True))
    assert verdicts(measured(traces=traces))["R10"].problems == (
        "seed 7 gave two different traces",
        "the trace of seed 8 is empty",
    )


def test_slow_recoveries_and_none_at_all_miss_r11(
    measured: Any, verdicts: Any, result: Any, sim: Any
) -> None:
    restart = sim("simulator.recovery").Restart
    found = measured()
    # Six of 106 that never came to it.
    found.figures.add([result(1, restarts=[restart(0, 0, None, 15_100_000)] * 6)])
    assert verdicts(found)["R11"].problems == ("p95 is 15.1 s, limit 15 s",)
    found = measured()
    found.figures.ready_us = []
    assert verdicts(found)["R11"].problems == ("nothing was restarted",)


def test_a_switch_that_is_late_misses_r12(sim: Any, measured: Any, verdicts: Any) -> None:
    stopping = sim("stopping")
    late = stopping.Stopped("file", 0.2, None, ("entries were blocked after 200 ms",))
    row = verdicts(measured(stopping=stopping.StopReport((late,), 1.0)))["R12"]
    assert row.problems == ("stopping: file: entries were blocked after 200 ms",)
    assert "file 200 ms and never" in row.figure


def test_a_smaller_run_says_in_what_it_is_smaller(measured: Any, parts: ModuleType, verdicts: Any) -> None:
    found = measured()
    found.figures.sessions = 200
    rows = verdicts(found, parts.SCALES["quick"])
    assert missed(rows) == []
    assert rows["R1"].smaller == "200 of 10,000 sessions"
    assert rows["R3"].smaller == "3 of 40 lives, 40 of 1,000 pairs, 6 of 45 kills"
    assert rows["R7"].smaller == "each 97th of all disk faults"
    assert rows["R8"].smaller == "20,000 of 1,000,000 payloads"
    assert rows["R9"].smaller == "2 of 24 hours, memory growth not judged"
    assert rows["R1"].verdict == "met at this size"


def test_only_the_parts_of_the_rows_asked_for_are_run(
    report: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = argparse.Namespace(scale="quick", jobs=1, only=("R12",), json=tmp_path / "found.json")
    asked: list[frozenset[str]] = []

    def measure(scale: Any, jobs: int, wanted: frozenset[str], say: Any) -> Any:
        asked.append(wanted)
        found = report.Measured()
        found.failed["stopping"] = "stopping did not run to its end: OSError: no room"
        say("stopping: 0.1 s of processor time")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "measure", measure)
        assert report.main(options) == 1
    assert asked == [frozenset({"seeds", "stopping"})]
    out, err = capsys.readouterr()
    assert "1 rows: 0 met, 0 met at this size, 1 MISSED" in out
    assert err == "stopping: 0.1 s of processor time\n"
    written = json.loads((tmp_path / "found.json").read_text())
    assert (written["ok"], written["rows"][0]["id"]) == (False, "R12")


def test_rows_are_asked_for_by_name(report: ModuleType) -> None:
    assert report.names_of("r1, R12") == ("R1", "R12")
    with pytest.raises(argparse.ArgumentTypeError, match="there is no row R13"):
        report.names_of("R1,R13")


def test_every_invariant_and_every_part_belongs_to_a_row(
    report: ModuleType, parts: ModuleType, sim: Callable[[str], ModuleType]
) -> None:
    counted = {name for names in report.INVARIANTS_OF.values() for name in names}
    assert counted == {*sim("simulator.command").INVARIANTS, "raised"}
    every = frozenset(part for names in report.PARTS_OF.values() for part in names)
    assert {name for name, _ in parts.tasks_of(parts.FULL, every)} == every


def test_a_part_that_raises_is_named_and_ends_nothing(parts: ModuleType) -> None:
    measured = parts.Measured()
    future: Any = parts.Future()
    future.set_exception(OSError("no room"))
    parts.take(measured, "fuzz", future)
    assert measured.failed == {"fuzz": "fuzz did not run to its end: OSError: no room"}
    assert measured.parts == {}


def test_every_seed_is_run_once(parts: ModuleType) -> None:
    scale = replace(parts.FULL, seeds=250)
    tasks = [work.args for _, work in parts.tasks_of(scale, frozenset({"seeds"}))]
    assert tasks == [(0, 100), (100, 100), (200, 50)]
