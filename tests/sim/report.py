"""`./run sim --report`: the table R1-R12 of RELIABILITY 1, each row measured, with the command behind it.

Exit code 1 when a row is missed. What no run of a program can show (days of real time, a real service
manager, a real venue) is named in its row and fails nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from report_parts import FULL, SCALES, Measured, Scale, measure
from report_rows import Row, document, exit_code, table
from simulator.figures import READY_MAX_S

UNPROTECTED_P99_S, UNPROTECTED_MAX_S = 10.0, 30.0
"""RELIABILITY 1, R2."""
LEAST_MUTANTS = 12
RSS_MAX = 10**9
"""Bytes; one core on average is the other half of that promise."""
INVARIANTS_OF = {
    "R1": ("I1",),
    "R2": ("I2",),
    "R3": ("I6",),
    "R4": ("I3", "I4", "I5", "I9"),
    "R5": ("I7",),
    "R6": ("I8",),
    "R7": ("raised",),
    "R12": ("I10",),
}
"""Every invariant of the simulator belongs to one row; `raised`: an error that nobody handled."""
PARTS_OF = {
    "R1": ("seeds",),
    "R2": ("seeds",),
    "R3": ("seeds", "crashes", "pairs", "SIGKILL", "power"),
    "R4": ("seeds", "restart"),
    "R5": ("seeds",),
    "R6": ("seeds",),
    "R7": ("seeds", "disk", "memory"),
    "R8": ("fuzz",),
    "R9": ("soak",),
    "R10": ("mutants", "traces"),
    "R11": ("seeds",),
    "R12": ("seeds", "stopping"),
}


class Desk:
    """What the rows are made from."""

    def __init__(self, measured: Measured, scale: Scale, jobs: int) -> None:
        self.measured = measured
        self.figures = measured.figures
        self.scale = scale
        self.jobs = jobs

    def part(self, name: str) -> Any:
        """What a part gave; None when it failed."""
        return self.measured.parts.get(name)

    def problems(self, row: str) -> list[str]:
        """Parts that failed, sessions that violated, and violations that parts name."""
        found = [self.measured.failed[name] for name in PARTS_OF[row] if name in self.measured.failed]
        for name in INVARIANTS_OF.get(row, ()):
            if count := self.figures.violations[name]:
                seed, text = self.figures.first[name]
                found.append(f"{count} violations of {name}, first in seed {seed}: {text}")
        for name in PARTS_OF[row]:
            violations = getattr(self.part(name), "violations", ())
            found += [f"{name}: {text}" for text in violations[:2]]
            if len(violations) > 2:
                found.append(f"{name}: {len(violations)} violations in all")
        if "seeds" in PARTS_OF[row] and self.figures.brackets < self.scale.seeds // 2:
            found.append(f"only {self.figures.brackets} brackets in {self.figures.sessions} sessions")
        return found

    def faults(self, *names: str) -> str:
        """`3 mute, 4 clock_jump`."""
        return ", ".join(f"{self.figures.faults[name]:,} {name.replace('_', ' ')}" for name in names)

    def violated(self, row: str) -> str:
        """`I3 0, I4 0 of 10,000 sessions`."""
        each = ", ".join(f"{name} {self.figures.violations[name]}" for name in INVARIANTS_OF[row])
        return f"violations {each} in {self.figures.sessions:,} sessions"

    def seeds_smaller(self) -> str:
        """ "" when as many sessions were run as the goal asks for."""
        if self.scale.seeds >= FULL.seeds:
            return ""
        return f"{self.scale.seeds:,} of {FULL.seeds:,} sessions"

    def seeds_command(self) -> str:
        return f"./run sim --seeds {self.scale.seeds} --jobs {self.jobs}"

    def only(self, row: str) -> str:
        """The report's own command for one row."""
        return f"./run sim --report --scale {self.scale.name} --only {row}"


def r1(desk: Desk) -> Row:
    figures = desk.figures
    return Row(
        "R1",
        "At most one live entry per approved ticket",
        f"{desk.violated('R1')}; {figures.brackets:,} brackets, {figures.crashes:,} crashes, "
        f"{figures.families['crowd']} sessions with 50 brackets over 4 accounts, "
        f"{figures.virtual_s / 3600:,.0f} virtual hours",
        "0 in >= 10,000 seeded sessions (at night 100,000)",
        desk.seeds_command(),
        tuple(desk.problems("R1")),
        desk.seeds_smaller(),
    )


def r2(desk: Desk) -> Row:
    p50, p99, most = desk.figures.unprotected_s()
    problems = desk.problems("R2")
    if p99 > UNPROTECTED_P99_S:
        problems.append(f"p99 is {p99:.1f} s, limit {UNPROTECTED_P99_S:.0f} s")
    if most > UNPROTECTED_MAX_S:
        problems.append(f"the longest is {most:.1f} s, limit {UNPROTECTED_MAX_S:.0f} s")
    return Row(
        "R2",
        "Every filled share has a resting protective order",
        f"without a stop, per share, at <= 15 % faults a call: p50 {p50:.2f} s, p99 {p99:.2f} s, "
        f"max {most:.2f} s (at more faults: max {desk.figures.worst_us / 1e6:.1f} s); {desk.violated('R2')}",
        "p99 <= 10 s, max <= 30 s of time with the engine up, the venue reachable and the market open; "
        "0 shares without a stop at rest",
        desk.seeds_command(),
        tuple(problems),
        desk.seeds_smaller(),
    )


def r3(desk: Desk) -> Row:
    scale = desk.scale
    said = [
        f"{title} {_first_line(desk.part(name))}"
        for name, title in (
            ("crashes", "every write, before and after:"),
            ("pairs", "pairs:"),
            ("SIGKILL", "SIGKILL on a durable file:"),
            ("power", "power loss at each sector:"),
        )
    ]
    kills = desk.part("SIGKILL")
    problems = desk.problems("R3")
    if kills is not None and kills.crashes < kills.runs:
        problems.append(f"{kills.crashes} of {kills.runs} processes were killed")
    smaller = _smaller(
        (scale.crash_lives, FULL.crash_lives, "lives"),
        (scale.pairs, FULL.pairs, "pairs"),
        (scale.kills, FULL.kills, "kills"),
    )
    return Row(
        "R3",
        "The daemon's death is harmless",
        "; ".join(said),
        "0 violations at 100 % of the journal's writes x {before, after} of 40 lives, 1,000 pairs, "
        ">= 40 real SIGKILL",
        f"./run sim --crashes {scale.crash_lives} --pairs {scale.pairs} --kill {scale.kills} "
        f"--power {scale.power_kb}",
        tuple(problems),
        smaller,
        "a real loss of power: copies of the log cut and torn at its sectors stand for it",
    )


def r4(desk: Desk) -> Row:
    found = desk.part("restart")
    said = desk.violated("R4")
    if found is not None:
        wall = " / ".join(f"{taken:.2f}" for taken in sorted(found.wall_s))
        said += (
            f"; {found.brackets} brackets (100 working orders) reconciled at a start in "
            f"{found.virtual_s:.2f} s of virtual time, {wall} s by the clock"
        )
    return Row(
        "R4",
        "Books equal venue once at rest",
        said,
        "0 mismatches; <= 10 s at a start with 50 orders",
        f"{desk.seeds_command()}; ./run bench restart",
        tuple(desk.problems("R4")),
        desk.seeds_smaller(),
    )


def r5(desk: Desk) -> Row:
    return Row(
        "R5",
        "No entry on stale data",
        f"{desk.violated('R5')}; {desk.faults('mute_feed', 'mute', 'clock_jump', 'suspended')}",
        "quote age <= 3 s at the gates, 0 violations, a connected but mute feed among them",
        desk.seeds_command(),
        tuple(desk.problems("R5")),
        desk.seeds_smaller(),
    )


def r6(desk: Desk) -> Row:
    return Row(
        "R6",
        "What was approved is what is sent",
        f"{desk.violated('R6')}; "
        f"{desk.faults('forged_hash', 'stale_price', 'double_key', 'two_operators')} by people",
        "hashes and every field equal in 100 % of the entries",
        desk.seeds_command(),
        tuple(desk.problems("R6")),
        desk.seeds_smaller(),
    )


def r7(desk: Desk) -> Row:
    scale = desk.scale
    return Row(
        "R7",
        "Fails closed",
        f"disk: {_first_line(desk.part('disk'))}; process lost with commits in memory: "
        f"{_first_line(desk.part('memory'))}; unhandled errors {desk.figures.violations['raised']} in "
        f"{desk.figures.sessions:,} sessions ({desk.faults('wrong_account', 'bad_field', 'clock_jump')})",
        "every statement x FULL, IOERR, BUSY: nothing doubled, naked or lost, no entry while it lasts",
        f"./run sim --io {scale.io_stride}",
        tuple(desk.problems("R7")),
        "" if scale.io_stride == 1 else f"each {scale.io_stride}th of all disk faults",
    )


def r8(desk: Desk) -> Row:
    found = desk.part("fuzz")
    problems = desk.problems("R8")
    said = "no figure"
    if found is not None:
        said = (
            f"{found.count:,} payloads, {len(found.unhandled)} unhandled, {len(found.unsafe)} control bytes, "
            f"{len(found.fooled)} believed that must not be; {found.count / found.seconds:,.0f}/s a process"
        )
        if not found.ok:
            kept = [*found.unhandled, *found.unsafe, *found.fooled]
            problems.append(f"{found.failures} failures, the first: {ascii(kept[0])[:200]}")
    return Row(
        "R8",
        "No payload can kill or fool it",
        said,
        "0 unhandled and 0 control bytes to a terminal in 1,000,000",
        f"./run sim --fuzz {desk.scale.payloads} --jobs {desk.jobs}",
        tuple(problems),
        _smaller((desk.scale.payloads, FULL.payloads, "payloads")),
    )


def r9(desk: Desk) -> Row:
    found = desk.part("soak")
    problems = desk.problems("R9")
    said = "no figure"
    if found is not None:
        most = max(found.first.rss, found.second.rss)
        busy = found.processor_seconds / (2 * found.hours * 3600)
        said = (
            f"{found.hours:g} h twice, {found.second.round_trips} round trips, {found.reconnects} reconnects:"
            f" memory {found.growth:+.2%} to {most / 1e6:.0f} MB, tasks {found.first.tasks} then "
            f"{found.second.tasks}, descriptors {found.first.descriptors} then {found.second.descriptors}; "
            f"{found.processor_seconds:.1f} s of processor for {2 * found.hours:g} h ({busy:.3%} of one core)"
        )
        # Memory is judged over days: in the first hours caches fill.
        is_short = found.hours < FULL.soak_hours
        problems += [text for text in found.problems if not (is_short and text.startswith("memory"))]
        if most > RSS_MAX:
            problems.append(f"{most / 1e6:.0f} MB resident, limit {RSS_MAX / 1e6:.0f} MB")
        if busy > 1:
            problems.append(f"{busy:.1f} cores on average, limit 1")
    return Row(
        "R9",
        "No leak",
        said,
        "24 h twice: memory < +5 %, no task or descriptor more; under 1 GB resident and one core",
        f"./run sim --soak {desk.scale.soak_hours:g}",
        tuple(problems),
        _smaller((desk.scale.soak_hours, FULL.soak_hours, "hours, memory growth not judged")),
        "seven days of paper trading in real time",
    )


def r10(desk: Desk) -> Row:
    deaths, traces = desk.measured.deaths, desk.part("traces") or ()
    alive = [death.mutant.name for death in deaths if death.seed is None]
    problems = desk.problems("R10")
    if alive:
        problems.append(f"alive: {', '.join(alive)}")
    if len(deaths) < LEAST_MUTANTS:
        problems.append(f"{len(deaths)} mutants ran, at least {LEAST_MUTANTS} are asked for")
    problems += [f"seed {one.seed} gave two different traces" for one in traces if not one.is_same]
    problems += [f"the trace of seed {one.seed} is empty" for one in traces if not one.lines]
    lines = sum(one.lines for one in traces)
    same = sum(one.is_same for one in traces)
    tried = max((death.tried for death in deaths), default=0)
    return Row(
        "R10",
        "The tests themselves are trusted",
        f"{len(deaths) - len(alive)} of {len(deaths)} mutants killed, each within {tried} seeds; "
        f"{same} of {len(traces)} seeds traced alike to the byte in two processes ({lines:,} lines)",
        ">= 12 mutants, all killed; the same seed gives the same trace",
        f"./run sim --mutants --seeds {desk.scale.mutant_seeds} --jobs {desk.jobs}; "
        "./run test tests/scenario/test_seeds.py -k byte",
        tuple(problems),
    )


def r11(desk: Desk) -> Row:
    figures = desk.figures
    p50, p95, most = figures.ready_s()
    problems = desk.problems("R11")
    if not figures.ready_us:
        problems.append("nothing was restarted")
    if p95 > READY_MAX_S:
        problems.append(f"p95 is {p95:.1f} s, limit {READY_MAX_S:.0f} s")
    return Row(
        "R11",
        "Recovery is quick",
        f"{figures.restarts:,} restarts under <= 15 % faults a call, {len(figures.ready_us):,} lived to be "
        f"ready: p50 {p50:.1f} s, p95 {p95:.1f} s, max {most:.1f} s of virtual time with the process up and "
        "the venue reachable, starts that failed added up",
        "restart -> reconciled -> ready p95 <= 15 s",
        desk.only("R11"),
        tuple(problems),
        desk.seeds_smaller(),
        "the restart by a real service manager and its watchdog (<= 30 s more)",
    )


def r12(desk: Desk) -> Row:
    found = desk.part("stopping")
    each = "no figure"
    if found is not None:
        each = ", ".join(
            f"{stop.way} {_ms(stop.blocked_s)} and {_ms(stop.canceled_s)}" for stop in found.stops
        )
    return Row(
        "R12",
        "The operator can stop it",
        f"entries blocked and cancels sent after, virtual time: {each}; {desk.violated('R12')} with "
        f"{desk.faults('halt_by_hand')}",
        "key, command, file, signal: entries blocked <= 100 ms, cancels sent <= 1 s",
        desk.only("R12"),
        tuple(desk.problems("R12")),
        desk.seeds_smaller(),
    )


ROWS: dict[str, Callable[[Desk], Row]] = {
    "R1": r1, "R2": r2, "R3": r3, "R4": r4, "R5": r5, "R6": r6,
    "R7": r7, "R8": r8, "R9": r9, "R10": r10, "R11": r11, "R12": r12,
}  # fmt: skip


def _first_line(found: object) -> str:
    return "no figure" if found is None else str(found).splitlines()[0]


def _smaller(*sizes: tuple[float, float, str]) -> str:
    """Sizes that stay under what the goal asks for: (this one, the goal's, of what)."""
    return ", ".join(f"{size:,} of {whole:,} {name}" for size, whole, name in sizes if size < whole)


def _ms(seconds: float | None) -> str:
    return "never" if seconds is None else f"{1000 * seconds:.0f} ms"


def rows_of(desk: Desk, wanted: Iterable[str]) -> list[Row]:
    """The rows that were asked for, in their order."""
    return [ROWS[name](desk) for name in ROWS if name in set(wanted)]


def names_of(text: str) -> tuple[str, ...]:
    """`R1,R4` of a command line."""
    names = tuple(part.strip().upper() for part in text.split(","))
    if unknown := [name for name in names if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"there is no row {unknown[0]}")
    return names


def add_words(parser: argparse.ArgumentParser) -> None:
    """The options that are about the report."""
    parser.add_argument("--report", action="store_true", help="measure R1-R12 and print the table")
    parser.add_argument("--scale", choices=SCALES, default="ci", help="with --report: how much is run")
    parser.add_argument("--only", type=names_of, metavar="R1,R4", help="with --report: these rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="with --report: write the table there too")


def main(options: argparse.Namespace) -> int:
    """Measure, print, write; 1 when a row was missed."""
    scale, jobs = SCALES[options.scale], options.jobs or os.cpu_count() or 1
    wanted = options.only or tuple(ROWS)
    began = time.perf_counter()
    parts = frozenset(part for row in wanted for part in PARTS_OF[row])
    measured = measure(scale, jobs, parts, _tell)
    rows = rows_of(Desk(measured, scale, jobs), wanted)
    seconds = time.perf_counter() - began
    sys.stdout.write(table(rows) + "\n")
    busy = sum(measured.seconds.values())
    sys.stdout.write(
        f"scale {scale.name}, {jobs} processes: {seconds:.0f} s, {busy:.0f} s of processor time; {_load()}\n"
    )
    if options.json is not None:
        text = json.dumps(document(rows, scale.name, seconds, measured.seconds), indent=2)
        options.json.write_text(f"{text}\n")
    return exit_code(rows)


def _tell(line: str) -> None:
    """Progress; the table alone is on stdout."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _load() -> str:
    """What else the machine did: figures by the clock mean little on a busy one."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
