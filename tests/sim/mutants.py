"""Rules of the engine, each broken on purpose: a simulator that lets one live proves nothing (RELIABILITY 2).

A mutant runs in a process of its own with its edits made on import. It is killed by the first seed in which
an invariant breaks; seeds that killed one before are kept in `tests/seeds/mutants.json` and tried first.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutating import Edit, check, install

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KILLERS = HERE.parent / "seeds" / "mutants.json"
OPTION = "--mutant"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule, and how its source is changed so that it no longer holds."""

    name: str
    rule: str
    edits: tuple[Edit, ...]
    family: tuple[int, int] = (0, 1)
    """Only sessions of one family are after it: their first seed, and how many lie from one to the next."""


AMBIGUOUS = (7, 10)
"""Where answers are lost, requests late and refused the second time (`simulator.swarm`)."""


def _one(name: str, rule: str, module: str, old: str, new: str, family: tuple[int, int] = (0, 1)) -> Mutant:
    return Mutant(name, rule, (Edit(module, old, new),), family)


_ORDERS = "engine.execution.orders"
_SENDING = "engine.execution.sending"
_EVIDENCE = "engine.execution.evidence"
_FATES = "engine.execution.fates"

MUTANTS = (
    Mutant(
        "intent_after_send",
        "an intent is durable before its order is sent",
        (
            Edit(
                _ORDERS,
                "        self._commit(None, bracket,"
                " (*rows, *changed_rows(None, bracket)), (*audit, intent))\n",
                "        __import__('asyncio').get_running_loop().call_later(0.5, self._commit,"
                " None, bracket, (*rows, *changed_rows(None, bracket)), (*audit, intent))\n"
                "        self._keep(bracket)\n",
            ),
        ),
    ),
    _one(
        "entry_sent_again",
        "an entry is never sent again",
        _FATES,
        "if leg.role is not OrderRole.ENTRY and _may_go_again(bracket, leg, now):",
        "if leg.role is OrderRole.ENTRY or _may_go_again(bracket, leg, now):",
    ),
    Mutant(
        "again_under_new_id",
        "what is sent again goes under its old id",
        (
            Edit(
                _FATES,
                "    return Step(bracket.with_leg(_sent_again(leg, now)), (SendOrder(leg.spec),"
                " *_ambiguous(bracket, leg)))\n",
                "    number = bracket.next_n(leg.role)\n"
                "    name = leg.id[:-2] + f'{number:02d}'\n"
                "    new = replace(_sent_again(leg, now), n=number,"
                " spec=replace(leg.spec, client_order_id=name))\n"
                "    gone = bracket.with_leg(_absent(leg, now)).with_new(new)\n"
                "    return Step(gone, (SendOrder(new.spec), *_ambiguous(bracket, leg)))\n",
            ),
        ),
    ),
    _one(
        "refusal_of_second_send_believed",
        "a refusal of the second send says nothing about the first",
        _EVIDENCE,
        "state = OrderState.REJECTED if leg.attempts == 1 else OrderState.UNKNOWN",
        "state = OrderState.REJECTED",
        AMBIGUOUS,
    ),
    _one(
        "duplicate_believed",
        "an id that is in use proves that the order exists",
        _SENDING,
        "fate = AnswerLost if error.code == DUPLICATE else Refused",
        "fate = Refused",
        AMBIGUOUS,
    ),
    _one(
        "lost_answer_is_refusal",
        "an answer that was lost is no refusal",
        _SENDING,
        "facts = [AnswerLost(order, error.message) for order in orders]",
        "facts = [Refused(order, error.message) for order in orders]",
    ),
    Mutant(
        "count_overwritten",
        "a cumulative fill never shrinks",
        (
            Edit(_EVIDENCE, "    cum = max(leg.cum, fact.cum_filled)\n", "    cum = fact.cum_filled\n"),
            Edit(
                "engine.execution.screening",
                "def problem(",
                "def problem(*given: object) -> str:\n    return ''\n\n\ndef _problem(",
            ),
        ),
    ),
    _one(
        "fill_counted_twice",
        "a fill counts once, however often it is told",
        _EVIDENCE,
        "    if any(known.exec_id == fact.exec_id for known in leg.fills):\n        return bracket\n",
        "",
    ),
    _one(
        "absent_at_once",
        "one question that finds nothing is no proof of absence",
        _FATES,
        "return leg.not_found >= NOT_FOUND_PROOF and asked_us(leg) > proof_us(leg, now)",
        "return leg.not_found >= 1",
        AMBIGUOUS,
    ),
    Mutant(
        "late_fill_ignored",
        "a bracket that was over opens again when a late order fills",
        (
            Edit("engine.execution.planner", "DRAIN_US = 90 * US_PER_S", "DRAIN_US = 0"),
            Edit("engine.execution.planner", "    _late,\n", ""),
        ),
    ),
    _one(
        "old_quotes",
        "an entry needs a quote of the last seconds",
        "engine.execution.gating",
        "QUOTE_AGE_SEND_US = 3 * US_PER_S",
        "QUOTE_AGE_SEND_US = 600 * US_PER_S",
    ),
    _one(
        "queued_send_after_halt",
        "a halt stops entries whose sends are queued",
        _SENDING,
        "        if self._desk.is_halted(entry.bracket.instrument):\n"
        '            return "halted before the send"\n',
        "",
        AMBIGUOUS,
    ),
    Mutant(
        "hash_not_compared",
        "an approval is good for the text that was shown only",
        (
            Edit(
                "engine.execution.approving",
                '        or other_text(command.sha256, entry, "approved")\n',
                "",
            ),
        ),
    ),
    _one(
        "other_accounts_swept",
        "orders of other accounts are left alone",
        "engine.execution.strangers",
        " and report.account in (None, self._post.account)",
        "",
    ),
    Mutant(
        "partial_unprotected",
        "a partly filled entry is cut short and protected",
        (
            Edit(
                "engine.execution.planner",
                "PARTIAL_NATIVE_US = 4 * US_PER_S",
                "PARTIAL_NATIVE_US = 4000 * US_PER_S",
            ),
            Edit(
                "engine.execution.planner",
                "PARTIAL_SYNTHETIC_US = 20 * US_PER_S",
                "PARTIAL_SYNTHETIC_US = 4000 * US_PER_S",
            ),
            Edit(
                "engine.execution.covering",
                "    missing = to_cover(bracket, now) - bracket.cover\n",
                "    if bracket.entry.is_live:\n        return None\n"
                "    missing = to_cover(bracket, now) - bracket.cover\n",
            ),
        ),
    ),
    _one(
        "exit_beside_stop",
        "an exit is sent when every other order of the position has ended",
        "engine.execution.leaving",
        "        return cancel(bracket, others, now) or Step(bracket)\n    if (step",
        "        step = cancel(bracket, others, now)\n        if step is not None:\n"
        "            return step\n        live = [leg for leg in live if leg not in others]\n    if (step",
    ),
    _one(
        "stop_not_placed",
        "every share gets a resting stop",
        "engine.execution.covering",
        "    return _end_lone_targets(bracket, now) or _place_stop(bracket, missing, now)",
        "    return _end_lone_targets(bracket, now)",
    ),
    _one(
        "stop_far_below",
        "a stop rests at the plan's price",
        "engine.execution.covering",
        "    stop = stop_spec(bracket.ticket, bracket.instrument, number, missing, price)\n",
        "    stop = stop_spec(bracket.ticket, bracket.instrument, number, missing, price / 2)\n",
    ),
    _one(
        "fee_forgotten",
        "cash counts fees",
        "engine.execution.books",
        "return -fill.side.sign * fill.quantity * fill.price - fill.fee",
        "return -fill.side.sign * fill.quantity * fill.price",
    ),
    _one(
        "halt_forgotten",
        "a halt survives a restart",
        "engine.execution.halts",
        'for row in self._desk.journal.rows("halt"):',
        "for row in ():",
    ),
)
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def install_named(arguments: Sequence[str]) -> None:
    """With `--mutant NAME` in the arguments: break that rule before the engine is imported."""
    if OPTION in arguments:
        install(BY_NAME[arguments[arguments.index(OPTION) + 1]].edits)


@dataclass(frozen=True, slots=True)
class Death:
    """What became of one mutant. `seed` None: it lived through all seeds that were tried."""

    mutant: Mutant
    seed: int | None
    invariant: str
    tried: int
    seconds: float


def known_killers() -> dict[str, int]:
    """Mutant -> a seed that kills it, as found before."""
    if not KILLERS.exists():
        return {}
    found: dict[str, int] = json.loads(KILLERS.read_text())
    return found


def keep_killers(deaths: Sequence[Death]) -> None:
    """Remember which seed killed which mutant."""
    found = known_killers() | {death.mutant.name: death.seed for death in deaths if death.seed is not None}
    KILLERS.parent.mkdir(exist_ok=True)
    KILLERS.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")


def hunt(mutants: Sequence[Mutant], seeds: int, jobs: int) -> Iterator[Death]:
    """Run each mutant until a seed kills it: its known killer first, then up to `seeds` from 0."""
    for mutant in mutants:
        check(mutant.edits, ROOT)
    killers = known_killers()
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda mutant: _hunt(mutant, killers.get(mutant.name), seeds), mutants)


def _hunt(mutant: Mutant, known: int | None, seeds: int) -> Death:
    began = time.perf_counter()
    tried = 0
    for first, count in (() if known is None else ((known, 1),)) + ((mutant.family[0], seeds),):
        seed, invariant, ran = _run(mutant, first, count)
        tried += ran
        if seed is not None:
            return Death(mutant, seed, invariant, tried, time.perf_counter() - began)
    return Death(mutant, None, "", tried, time.perf_counter() - began)


def _run(mutant: Mutant, first: int, count: int) -> tuple[int | None, str, int]:
    command = [sys.executable, str(HERE), OPTION, mutant.name, "--first-seed", str(first)]
    command += ["--seeds", str(count), "--every", str(mutant.family[1]), "--until-first"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            told = json.loads(line)
            return told["seed"], told["invariant"], told["tried"]
    raise RuntimeError(f"mutant {mutant.name} did not run: {done.stderr[-2000:]}")


def add_words(parser: argparse.ArgumentParser) -> None:
    """The options that are about mutants."""
    parser.add_argument("--mutants", action="store_true", help="break rules of the engine: each must be seen")
    parser.add_argument("--record", action="store_true", help="with --mutants: keep the seeds that killed")
    parser.add_argument(OPTION, choices=sorted(BY_NAME), help="run the seeds with this rule broken")
    parser.add_argument("--until-first", action="store_true", help="end at the first violation, print JSON")


def main(seeds: int, jobs: int, record: bool) -> int:
    """Print what killed each mutant; 1 when one lived."""
    deaths = []
    for death in hunt(MUTANTS, seeds, jobs):
        deaths.append(death)
        end = f"killed by seed {death.seed} ({death.invariant})" if death.seed is not None else "LIVES"
        took = f"{death.tried:5} seeds {death.seconds:6.1f} s"
        sys.stdout.write(f"{death.mutant.name:34} {end:28} {took}  {death.mutant.rule}\n")
        sys.stdout.flush()
    if record:
        keep_killers(deaths)
    alive = sum(death.seed is None for death in deaths)
    sys.stdout.write(f"{len(deaths) - alive} of {len(deaths)} mutants killed\n")
    return 1 if alive else 0
