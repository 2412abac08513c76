"""The words of `./run sim` that prove durability: crashes, disk faults, SIGKILL, power loss."""

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

import crashes
import iofaults
import powerloss


class Report(Protocol):
    """What a run showed."""

    @property
    def violations(self) -> tuple[str, ...]: ...


def add_words(parser: argparse.ArgumentParser) -> None:
    """`--crashes`, `--pairs`, `--io`, `--kill` and `--power`; each may be given beside the others."""
    parser.add_argument(
        "--crashes",
        type=int,
        nargs="?",
        const=40,
        metavar="N",
        help="crash at every journal write of N lives",
    )
    parser.add_argument(
        "--pairs",
        type=int,
        nargs="?",
        const=1000,
        metavar="N",
        help="N pairs: a crash, and one in its recovery",
    )
    parser.add_argument(
        "--io",
        type=int,
        nargs="?",
        const=1,
        metavar="N",
        help="each N-th of: every statement x every disk fault",
    )
    parser.add_argument(
        "--kill", type=int, nargs="?", const=40, metavar="N", help="SIGKILL at N statements on a durable file"
    )
    parser.add_argument(
        "--power",
        type=int,
        nargs="?",
        const=64,
        metavar="KB",
        help="power loss at each sector of the last KB",
    )


def run_words(options: argparse.Namespace) -> int | None:
    """Run what was asked for and print it: the exit code, None when nothing of it was."""
    asked = list(_asked(options))
    failed = 0
    for title, run in asked:
        report = run()
        sys.stdout.write(f"{title:10}{report}\n")
        sys.stdout.flush()
        failed += bool(report.violations)
    return min(failed, 1) if asked else None


def _asked(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], Report]]]:
    if options.crashes is not None:
        yield "crashes", lambda: crashes.run_matrix(options.crashes)
    if options.pairs is not None:
        yield "pairs", lambda: crashes.run_pairs(options.pairs)
    if options.io is not None:
        yield "disk", lambda: iofaults.run_io(stride=options.io)
        yield "memory", lambda: iofaults.run_lost_memory(stride=options.io)
    if options.kill is not None:
        yield "SIGKILL", lambda: crashes.run_sigkill(options.kill)
    if options.power is not None:
        yield "power", lambda: powerloss.run_powerloss(options.power)
