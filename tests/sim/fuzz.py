"""Payload fuzz: bent messages of a venue through the strict reader (RELIABILITY 9, 10).

One seed is one sequence of payloads, whatever the number of processes. Nothing but `BadAnswer` may come out
of a reader; whatever is read or said must be safe to show; nothing of another account is ever believed.
"""

import json
import os
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from brokers.wire import v1
from brokers.wire.reading import MAX_BODY_BYTES
from engine.errors import BadAnswer
from engine.execution.screening import MAX_MONEY
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, VenueOrderId
from engine.model.orders import Fill, OrderSide, OrderState, VenueOrder
from engine.model.positions import AccountKind, AccountSnapshot, VenuePosition
from engine.model.text import clean

ACCOUNT, OTHER = AccountId("SIM-1"), AccountId("LIVE-7")
CHUNK = 5_000
"""Payloads with one generator: the unit of work of a process."""
RECORDED_EVERY = 250
"""So many payloads of our own shape for one recorded from a foreign interface."""
RECORDED_BYTES = 64_000
CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Unicode categories of which no character may reach a terminal."""
KEPT = 20
"""So many failures are kept whole for the report."""
HOSTILE_TEXTS = (
    "\x1b[2J\x1b[H", "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "\x9d0;x\x9c", "\x1bP+q544e\x1b\\", "\x00", "\x7f",
    "\u202egnp", "\u2066x\u2069", "\u200b", "\ufeff", "e" + "\u0301" * 500, "[@click=app.quit]x[/]", "[/]",
    "\r\n", "\u2028", "\ud800", "\udfff\ud800", "\ue000", "\U0010ffff", "x" * 5000, "", " ", "'; DROP TABLE",
    "\x1b" * 300, "../../etc/passwd", "=cmd|' /C calc'!A0",
)  # fmt: skip
HOSTILE_NUMBERS = (
    "NaN", "Infinity", "-Infinity", "-1", "0", "-0", "1e999999999", "1e-999999999", "1e18", "1e-19", "9" * 33,
    "9" * 5000, "0." + "1" * 400, "\u0661", "1_0", " 1", "1e", "0x10", "--1", "1" * 32, "-" + "9" * 30,
)  # fmt: skip
RAW = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "true", "false", "null", "{}", "[]", '""', "9" * 400,
    "9" * 5000, "1e99", "1E-400", "-0.0", "[" * 17 + "]" * 17, '{"a":' * 20 + "1" + "}" * 20, "[" * 3000,
    '{"a":1,"a":2}', '"\\ud83d"', '"\\u0000"', "undefined", "'x'", "01", "1.", "[1,]", '"\\x41"',
)  # fmt: skip
WORDS = (
    "held", "pending_new", "done_for_day", "FILLED", "Filled", "sending", "unknown", "notplaced", "\x1b[31m",
    "both", "short", "live", "margin_call", "heartbeat", "order_update", "",
)  # fmt: skip
_REASON = re.compile(r" at .{1,60}?: (.+), got ")


@dataclass(slots=True)
class FuzzReport:
    """What a run found. `refused` counts by rule, numbers of the rule left out."""

    count: int = 0
    read: int = 0
    unread: int = 0
    recorded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unhandled: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)
    fooled: list[str] = field(default_factory=list)
    failures: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Nothing unhandled, unsafe to show, or believed that must not be."""
        return self.failures == 0

    def take(self, other: "FuzzReport") -> None:
        """Add what another part of the run found."""
        self.count += other.count
        self.read += other.read
        self.unread += other.unread
        self.recorded += other.recorded
        self.refused += other.refused
        self.failures += other.failures
        for mine, theirs in (
            (self.unhandled, other.unhandled),
            (self.unsafe, other.unsafe),
            (self.fooled, other.fooled),
        ):
            mine.extend(theirs[: KEPT - len(mine)])

    def note(self, kind: list[str], payload: bytes, what: str) -> None:
        """Keep a failure."""
        self.failures += 1
        if len(kind) < KEPT:
            kind.append(f"{what} of {payload[:300]!r}")

    def lines(self) -> Iterator[str]:
        """The report as it is printed."""
        refused = sum(self.refused.values())
        rate = self.count / max(self.seconds, 1e-9)
        yield f"payloads {self.count:,} in {self.seconds:.1f} s, {rate:,.0f}/s; recorded {self.recorded:,}"
        yield f"read {self.read:,}, kept unread {self.unread:,}, refused {refused:,}, by rule:"
        for reason, count in sorted(self.refused.items(), key=lambda pair: (-pair[1], pair[0])):
            yield f"  {count:>9,}  {reason}"
        for name, found in (("unhandled", self.unhandled), ("unsafe", self.unsafe), ("fooled", self.fooled)):
            yield f"{name} {len(found)}"
            yield from (f"  {text!a}" for text in found)
        yield f"failures {self.failures}"


Reader = Callable[[bytes], object]
READERS: dict[str, Reader] = {
    "order": lambda data: v1.read_order(data, ACCOUNT),
    "orders": lambda data: v1.read_orders(data, ACCOUNT),
    "fills": lambda data: v1.read_fills(data, ACCOUNT),
    "account": v1.read_account,
    "message": lambda data: v1.read_message(data, ACCOUNT),
    "time": lambda data: v1.read_time(data, ACCOUNT),
    "refusal": lambda data: v1.read_refusal(data, ACCOUNT),
}


@cache
def corpus() -> tuple[tuple[str, str], ...]:
    """Well-formed messages: which reader, and JSON text. Each is read without complaint."""
    abc, cid = InstrumentId("ABC.US"), ClientOrderId("td0123456789ABCDEFGHJKMNPQRSE00")
    buy = VenueOrder(
        cid,
        VenueOrderId("V-1"),
        abc,
        OrderSide.BUY,
        OrderState.WORKING,
        Decimal(100),
        Decimal(40),
        Decimal("10.25"),
    )
    sell = VenueOrder(
        ClientOrderId(f"{cid[:-3]}S00"), VenueOrderId("V-2"), abc, OrderSide.SELL, OrderState.FILLED,
        Decimal("0.5"), Decimal("0.5"), None, Decimal("9.20"), "stop reached",
    )  # fmt: skip
    fill = Fill(
        "F1", cid, abc, OrderSide.BUY, Decimal(40), Decimal("10.25"), Decimal("0.01"), 1_451_917_800_000_000
    )
    held = (
        VenuePosition(abc, Decimal(40), Decimal("10.25")),
        VenuePosition(InstrumentId("X.US"), Decimal(-1), Decimal(3)),
    )
    state = AccountSnapshot(ACCOUNT, AccountKind.PAPER, "USD", Decimal("-1.50"), Decimal(2), Decimal(3), held)
    error = {"code": "403", "reason": "insufficient buying power"}
    named = (
        ("order", v1.write_answer(ACCOUNT, order=v1.write_order(buy))),
        ("order", v1.write_answer(ACCOUNT, order=None)),
        ("orders", v1.write_orders(ACCOUNT, (buy, sell))),
        ("fills", v1.write_fills(ACCOUNT, (fill, fill))),
        ("account", v1.write_account(state)),
        ("message", v1.write_message(ACCOUNT, buy)),
        ("message", v1.write_message(ACCOUNT, sell)),
        ("message", v1.write_message(ACCOUNT, fill)),
        ("message", v1.write_answer(ACCOUNT, type="heartbeat", data={"n": 1})),
        ("time", v1.write_answer(ACCOUNT, time_us=1_451_917_800_000_000)),
        ("refusal", v1.write_answer(ACCOUNT, error=error)),
    )
    return tuple((reader, data.decode()) for reader, data in named)


@cache
def recorded() -> tuple[bytes, ...]:
    """Answers of foreign interfaces, where the folder with them is there; never one of our messages."""
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("TRADEDECK_TEST_DATA", default)).parent / "apis"
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".txt"))
    return tuple(path.read_bytes() for path in files if path.stat().st_size <= RECORDED_BYTES)


def slots(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON value that can be changed: (container, key or index)."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        of = waiting.pop()
        keys = list(of) if isinstance(of, dict) else range(len(of))
        for key in keys:
            found.append((of, key))
            if isinstance(of[key], dict | list):
                waiting.append(of[key])
    return found


def bend(text: str, chance: random.Random) -> bytes:
    """One to three changes of a well-formed message, sometimes none."""
    if chance.random() < 0.05:
        return text.encode()
    if chance.random() < 0.3:
        return _bend_bytes(text.encode(), chance)
    body = json.loads(text)
    raw: list[str] = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = slots(body)
        # The envelope comes first: mostly what is inside it is bent, else little gets past its checks.
        places = places[3:] if len(places) > 3 and chance.random() < 0.8 else places
        if places:
            _bend_value(*chance.choice(places), chance, raw)
    # Lone surrogates can only travel as escapes.
    bent = json.dumps(body, separators=(",", ":"), ensure_ascii=chance.random() < 0.5 or "\\ud" in repr(body))
    for number, piece in enumerate(raw):
        bent = bent.replace(f'"@raw{number}"', piece, 1)
    data = bent.encode(errors="replace")
    return _bend_bytes(data, chance) if chance.random() < 0.05 else data


def _bend_value(of: Any, key: Any, chance: random.Random, raw: list[str]) -> None:
    now = of[key]
    match chance.randrange(11):
        case 0:
            del of[key]
        case 1:
            raw.append(chance.choice(RAW))
            of[key] = f"@raw{len(raw) - 1}"
        case 2:
            of[key] = chance.choice(HOSTILE_TEXTS)
        case 3:
            of[key] = chance.choice(HOSTILE_NUMBERS)
        case 4:
            of[key] = chance.choice(WORDS)
        case 5:
            at = chance.randrange(len(now) + 1) if isinstance(now, str) else 0
            of[key] = f"{str(now)[:at]}{chance.choice(HOSTILE_TEXTS)}{str(now)[at:]}"
        case 6:
            of[key] = chance.choice((now, [now], {"v": now}, str(now), None, True, 1, -1, 10**18, 0.1))
        case 7 if isinstance(of, dict):
            # The key twice, or by another name.
            raw.append(f"{json.dumps(now)},{json.dumps(str(key))}:{chance.choice(('1', json.dumps(now)))}")
            of[key] = f"@raw{len(raw) - 1}"
        case 8 if isinstance(of, dict):
            of[chance.choice((str(key).upper(), f"{key} ", "x", "\x1b[2J"))] = of.pop(key)
        case 9:
            of[key] = chance.choice((OTHER, f"{ACCOUNT} ", ACCOUNT.lower(), ACCOUNT))
        case _:
            of[key] = [now] * chance.choice((0, 2, 50))


def _bend_bytes(data: bytes, chance: random.Random) -> bytes:
    bent = bytearray(data)
    match chance.randrange(5):
        case 0:
            for _ in range(chance.choice((1, 1, 2, 8))):
                bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        case 1:
            del bent[chance.randrange(len(bent)) :]
        case 2:
            at = chance.randrange(len(bent))
            bent[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 2, 5))))
        case 3:
            first = chance.randrange(len(bent))
            del bent[first : first + chance.randrange(1, 20)]
        case _:
            first = chance.randrange(len(bent))
            piece = bent[first : first + chance.randrange(1, 40)]
            at = chance.randrange(len(bent))
            bent[at:at] = piece
    return bytes(bent)


def bomb(chance: random.Random) -> bytes:
    """A payload whose size or depth is the attack."""
    size = chance.choice((10_000, 200_000, MAX_BODY_BYTES - 100, MAX_BODY_BYTES + 1))
    unit = chance.choice((b"[", b'{"a":', b'\\"[', b'"', b"9", b"\x00", b"[[],", b" ", b'"a",'))
    head = chance.choice((b"", b'{"v":1,"account":', b'{"v":1,"account":"SIM-1","orders":[', b'{"a":"'))
    return head + unit * (size // len(unit))


def texts(value: object) -> Iterator[str]:
    """Every text inside a result."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif is_dataclass(value):
        for item in fields(value):
            yield from texts(getattr(value, item.name))


def wrong(found: object) -> str:
    """Why a result must not have been believed; "" when it may."""
    if isinstance(found, tuple):
        return next((why for why in map(wrong, found) if why), "")
    match found:
        case VenueOrder():
            prices = [price for price in (found.limit_price, found.stop_price) if price is not None]
            if not Decimal(0) <= found.cum_filled <= found.quantity <= MAX_MONEY or any(
                p <= 0 for p in prices
            ):
                return f"order {found}"
        case Fill():
            if not (
                0 < found.quantity <= MAX_MONEY
                and 0 < found.price <= MAX_MONEY
                and 0 <= found.fee <= MAX_MONEY
            ):
                return f"fill {found}"
            if not 10**14 < found.ts_event < 10**16:
                return f"instant {found.ts_event}"
        case AccountSnapshot():
            if any(abs(amount) > MAX_MONEY for amount in (found.cash, found.buying_power, found.equity)):
                return f"account {found}"
    return ""


def attack(reader: str, payload: bytes, is_own: bool, report: FuzzReport) -> None:
    """One payload through one reader."""
    report.count += 1
    try:
        found = READERS[reader](payload)
    except BadAnswer as error:
        report.refused[_rule(error.message)] += 1
        _check_safe(str(error), payload, report)
        return
    except Exception as error:  # noqa: BLE001  what must never come is what is counted here
        report.note(report.unhandled, payload, f"{type(error).__name__}: {error}")
        return
    if isinstance(found, v1.Unread):
        report.unread += 1
    else:
        report.read += 1
    for text in texts(found):
        _check_safe(text, payload, report)
    why = wrong(found) or ("" if is_own else "a recorded answer of another interface")
    if why:
        report.note(report.fooled, payload, why)
    plain = payload.replace(b" ", b"")
    # The name may be spelt in escapes: then it must still be ours.
    is_named = b'"account":"SIM-1"' in plain or isinstance(found, AccountSnapshot)
    if not is_named and _account(plain) != ACCOUNT:
        report.note(report.fooled, payload, "another account")


def _account(payload: bytes) -> object:
    body = json.loads(payload)
    return body.get("account") if isinstance(body, dict) else None


def _check_safe(text: str, payload: bytes, report: FuzzReport) -> None:
    if clean(text) != text[:200] or any(unicodedata.category(char) in CONTROLS for char in text):
        report.note(report.unsafe, payload, repr(text[:200]))


def _rule(message: str) -> str:
    """Which rule refused: without the place and the numbers."""
    shape = _REASON.search(message)
    why = "not a number" if shape is None else shape[1].split(" (")[0].replace(ACCOUNT, "ours")
    return re.sub(r"(?<![A-Z]-)-?\b\d[\d,.]*", "N", why)


def run_chunk(seed: int, number: int, count: int) -> FuzzReport:
    """The payloads of one chunk; the same ones whoever runs it."""
    chance = random.Random(f"{seed}:{number}")
    report, shapes, foreign = FuzzReport(), corpus(), recorded()
    names = list(READERS)
    if number == 0:
        for reader, text in shapes:
            READERS[reader](text.encode())  # raises when the corpus itself is not read
    for _ in range(count):
        draw = chance.randrange(RECORDED_EVERY * 20)
        if draw == 0:
            attack(chance.choice(names), bomb(chance), True, report)
        elif foreign and draw % RECORDED_EVERY == 1:
            data = chance.choice(foreign)
            data = _bend_bytes(data, chance) if data and chance.random() < 0.5 else data
            report.recorded += 1
            attack(chance.choice(names), data, False, report)
        else:
            reader, text = chance.choice(shapes)
            if chance.random() < 0.02:
                reader = chance.choice(names)
            attack(reader, bend(text, chance), True, report)
    return report


def run(count: int, seed: int = 0, jobs: int = 1) -> FuzzReport:
    """`count` payloads from one seed on `jobs` processes."""
    started = time.perf_counter()
    report = FuzzReport()
    parts = [(seed, number, min(CHUNK, count - number * CHUNK)) for number in range(-(-count // CHUNK))]
    if jobs == 1:
        for part in parts:
            report.take(run_chunk(*part))
    else:
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            for found in pool.map(run_chunk, *zip(*parts, strict=True)):
                report.take(found)
    report.seconds = time.perf_counter() - started
    return report


def main(count: int, seed: int, jobs: int) -> int:
    """Run, print, and answer with the exit code."""
    report = run(count, seed, jobs)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 0 if report.ok else 1
