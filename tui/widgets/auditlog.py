"""The audit log, newest line first, and one line of it whole."""

import json
from collections.abc import Iterable, Mapping, Sequence

from engine.model.ids import short_id
from engine.model.text import visible
from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.details import LogDetail, LogRecord
from tui.widgets.columns import Column
from tui.widgets.freepane import FreePane
from tui.widgets.ink import EMPTY, Line, Span, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, TablePane

_YEAR_2000_US, _YEAR_2100_US = 946_684_800_000_000, 4_102_444_800_000_000
"""Integers between them are points in time, others spans."""
_TIMES = frozenset({"ts", "ts_event", "ts_known"})
MOST_KEPT = 2_000
"""Lines; who looks further back uses `tradedeck audit trace`."""


_KINDS = {
    "account first seen": "account",
    "approval_refused": "refused",
    "breaker_moved": "breaker",
    "breaker_released": "breaker",
    "command_refused": "refused",
    "corporate_action": "action",
    "difference accepted": "account",
    "evidence_conflict": "conflict",
    "external position": "account",
    "shutdown_step": "shutdown",
    "VenueOrder": "order",
}
"""Kinds that are longer than their column."""


def kind_words(kind: str) -> str:
    """`refused`, `answer lost`: the kind of a line in a person's words; its record has the kind itself."""
    known = _KINDS.get(kind)
    if known is not None:
        return known
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind)
    return " ".join(spaced.replace("_", " ").split())


class LogPane(TablePane[LogRecord]):
    """Lines as they are read, page by page."""

    place = Place.LOG
    follows = True
    columns = (
        Column("time", "time", 8, 0),
        Column("text", "what", 40, 0, stretch=True),
        Column("kind", "kind", 10, 1),
        Column("actor", "actor", 9, 2),
        Column("id", "id", 13, 3),
        Column("hash", "hash", 8, 6),
    )

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._records: dict[int, LogRecord] = {}
        self._newest: LogDetail | None = None
        self.has_older = False

    def heading(self, look: Look) -> Title:
        newest = max(self._records, default=None)
        count = "" if newest is None else f"{newest:,} lines, {len(self._records):,} read"
        return Title("Log", count, "G reads on" if self.has_older else "")

    def add(self, page: LogDetail) -> None:
        """Lines before the oldest one read."""
        self._records |= {record.seq: record for record in page.records}
        self.has_older = page.older and len(self._records) < MOST_KEPT

    @property
    def oldest(self) -> int | None:
        """The lowest number read."""
        return min(self._records, default=None)

    def table(self, look: Look) -> Sequence[LogRecord]:
        page = look.detail
        if isinstance(page, LogDetail) and page is not self._newest:
            self._newest = page
            self._take_newest(page)
        return sorted(self._records.values(), key=lambda record: -record.seq)[:MOST_KEPT]

    def _take_newest(self, page: LogDetail) -> None:
        """Between two looks more may have come than a page holds: what lies before it is then read anew."""
        newest, oldest = max(self._records, default=0), min((r.seq for r in page.records), default=0)
        if not self._records or oldest > newest + 1:
            self._records, self.has_older = {}, page.older
        self._records |= {record.seq: record for record in page.records}

    def key(self, row: LogRecord) -> str:
        return f"{row.seq}"

    def words(self, row: LogRecord) -> str:
        return f"{row.text} {kind_words(row.kind)} {row.kind} {row.actor} {row.correlation}"

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("Reading the log" if self._newest is None else "The log has no line yet", ())

    def cell(self, row: LogRecord, column: str, look: Look, width: int) -> Cell:
        match column:
            case "time":
                return Cell(fmt.clock_short(row.ts), "-muted")
            case "text":
                return Cell(row.text)
            case "kind":
                return Cell(kind_words(row.kind), "-muted")
            case "actor":
                return Cell(row.actor.partition(" on ")[0], "-muted")
            case "id":
                return Cell(short_id(row.correlation) if row.correlation else "–", "-muted")
            case "hash":
                return Cell(row.hash[:8], "-muted")
        raise KeyError(column)


class RecordPane(FreePane):
    """One line with all its values."""

    place = Place.RECORD

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self.record: LogRecord | None = None

    def show_record(self, record: LogRecord | None) -> None:
        """Another line begins at its top."""
        if record != self.record:
            self.record, self._first = record, 0

    def heading(self, look: Look) -> Title:
        record = self.record
        return Title("Record", "" if record is None else f"{record.seq:,} {record.kind}")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        record = self.record
        if record is None:
            return Emptiness("No line selected", ())
        facts = [
            ("time", f"{fmt.date_utc(record.ts)} {fmt.clock_utc(record.ts)}"),
            ("actor", record.actor),
            ("id", record.correlation or "–"),
            ("hash", record.hash),
        ]
        lines: list[Line] = [(Span(line, "-strong"),) for line in wrap(record.text, width)]
        lines.append(EMPTY)
        facts += body_facts(record.body)
        lead = min(max(len(label) for label, _ in facts) + 2, max(width // 3, 12))
        for label, value in facts:
            lines += _fact(label, value, lead, width)
        return lines


def body_facts(body: str) -> Iterable[tuple[str, str]]:
    """Every value of the canonical body in a person's words; a body that is none is shown as it is."""
    try:
        held = json.loads(body)
    except ValueError:
        return [("body", visible(body))]
    facts = list(_leaves(held, ""))
    names = [label.rpartition(" · ")[2] for label, _ in facts]
    # What a value is in is said where its own name alone could mean two.
    return [
        (name if names.count(name) == 1 else label, value)
        for name, (label, value) in zip(names, facts, strict=True)
    ]


_NAMING = ("gate", "agent", "name", "do", "role", "symbol")
"""What an item of a list is called by, the first of these that it has."""


def _leaves(value: object, path: str, name: str = "") -> Iterable[tuple[str, str]]:
    """Names and values, one below the other; an item of a list that holds no more of its kind is one line."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path} · {_named(name)}" if path else _named(name), name)
    elif isinstance(value, list):
        for at, item in enumerate(value, 1):
            if isinstance(item, dict) and not any(isinstance(held, dict | list) for held in item.values()):
                yield _item(item, path, at)
            else:
                yield from _leaves(item, f"{path} {at}", name)
    else:
        yield path, _value(name, value)


def _item(item: Mapping[str, object], path: str, at: int) -> tuple[str, str]:
    """`gates G8`: `title positions, status pass, value 3, limit 8`."""
    called = next((name for name in _NAMING if isinstance(item.get(name), str)), None)
    name = f"{at}" if called is None else visible(str(item[called]))
    rest = ((_named(name), _value(name, held)) for name, held in item.items() if name != called)
    return f"{path} {name}", ", ".join(f"{name} {held}" for name, held in rest if held != "–")


def _named(name: str) -> str:
    """`client order id`; a time needs no unit: it is shown as a time."""
    return visible(name).removesuffix("_us").replace("_", " ")


def _value(name: str, value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and (name.endswith("_us") or name in _TIMES):
        if _YEAR_2000_US < value < _YEAR_2100_US:
            return f"{fmt.date_utc(value)} {fmt.clock_utc(value)}"
        return f"{value:,} us"
    return visible(value) if isinstance(value, str) else json.dumps(value)


def _fact(label: str, value: str, lead: int, width: int) -> list[Line]:
    """Values stand in one column; a label too long for it has a line of its own."""
    if len(label) + 2 > lead:
        return [(Span(label, "-muted"),), *((Span("  "), Span(part)) for part in wrap(value, width - 2))]
    parts = wrap(value, width - lead) if value else ["–"]
    return [
        (Span((label if at == 0 else "").ljust(lead), "-muted"), Span(part)) for at, part in enumerate(parts)
    ]
