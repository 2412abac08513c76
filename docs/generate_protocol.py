"""Write docs/protocol.md from the types that cross the attach socket: `python docs/generate_protocol.py`.

Every sentence about a message or a field stands in the code beside it; this file adds only what is true of
the whole. `--check` writes nothing and exits with 1 when the page is out of date.
"""

import ast
import dataclasses
import enum
import inspect
import re
import sys
import types
import typing
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from engine.model.commands import Answer
from tui.link import Question
from tui.server import protocol
from tui.server.attach import AttachLimits
from tui.shown.deck import DeckView
from tui.shown.details import DETAILS, Topic

PAGE = Path(__file__).with_name("protocol.md")
_PLAIN = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true or false",
    Decimal: "decimal as text",
    date: "day as text, YYYY-MM-DD",
    types.NoneType: "null",
    object: "any JSON value",
    msgspec.Raw: "JSON",
}
_UNITS = {"us": "µs", "s": "s", "ms": "ms", "ratio": "fraction", "pct": "%", "bps": "bps", "usd": "USD"}
"""By the last word of a field's name; where a type has no such word, its own text says the unit."""
_COMMENT = re.compile(r"#\s*(?!noqa|type:)(.+)$")


_HEAD = """\
# The link of a console and its engine

Made from the message types by `python docs/generate_protocol.py`; a test fails when it is out of date.

{about}

- **Transport:** websocket over a Unix socket of the state folder, path `{path}`. `daemon.sock` takes
  commands, `view.sock` takes none. Both are 0600, and the kernel's word on the peer's user id is compared:
  403 for another user. Another version is answered 404, a full or stopping engine 503.
- **Messages:** JSON in UTF-8, one a websocket message. A request is at most {request_max:,} bytes; a reply
  may come in frames of {frame_max:,} bytes and is at most {message_max:,}.
- **Limits of a connection:** {limits.requests_per_s:g} requests a second, {limits.burst} at once after a
  rest, {limits.in_flight} under way; {limits.connections} connections. `halt` is always taken.
- **Numbers:** times are integer microseconds UTC, money and prices of orders decimals as text with all their
  digits, other numbers as JSON. A fraction of 0.06 is 6 %. `null` is not known, never zero.
- **End:** close code 1001 says that the engine stopped in order. Anything else is a lost line.
"""
_DELTAS = """\
## Deltas

{about} `seq` is an integer; `changes` has a field for each field of
DeckView that changed:

- A plain value, or a list of plain values: the new value.
- A type of fields: an object of its fields that changed.
- A type of fields that may be null: `{"whole": value}` where it came or went, else `{"fields": {…}}`.
- A list of rows: `at` holds the fields that changed, by the old place of the row; `new` holds rows that were
  not there; `order` is missing while the old rows stay where they are, else it lists runs `[start, count]` of
  old rows, with -1 as the start of a run of new ones. Rows that it does not name are gone.

`{"id": 0, "kind": "delta", "body": {"seq": 8, "changes": {"header": {"now_us": 1451917800500000},
"gaps": {"at": {"3": {"price": 8.31}}}, "events": {"new": [{…}], "order": [[-1, 1], [0, 199]]}}}}`

A number that does not follow means that a message was lost: ask to `subscribe` again, and pass over what
comes before the snapshot.
"""


def page() -> str:
    """The whole page."""
    reached = _Reached()
    return "\n".join([*_head(), *_requests(reached), *_replies(reached), *_pushed(), *reached.types(), ""])


class _Reached:
    """Names types in cells, and remembers them so that each is described once below."""

    def __init__(self) -> None:
        self._kinds: list[type] = []

    def name(self, kind: Any) -> str:
        """How a type stands in a cell."""
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if kind in _PLAIN:
            return _PLAIN[kind]
        if isinstance(kind, typing.NewType):
            return f"{self.name(kind.__supertype__)} ({kind.__name__})"
        if origin in (types.UnionType, typing.Union):
            return " or ".join(self.name(arg) for arg in args)
        if origin is tuple and args[1:] == (Ellipsis,):
            inner = self.name(args[0])
            return f"list of {inner}" if " or " not in inner else f"list of ({inner})"
        if origin is tuple:
            return f"[{', '.join(self.name(arg) for arg in args)}]"
        if kind not in self._kinds:
            self._kinds.append(kind)
        return f"[{kind.__name__}](#{kind.__name__.lower()})"

    def types(self) -> Iterator[str]:
        """Each type once; describing one may reach others, which come after it."""
        yield from ("## Types", "")
        for kind in self._kinds:
            yield from (f"### {kind.__name__}", _doc(kind), "")
            if issubclass(kind, enum.Enum):
                rows = [(f"`{member.value}`", _notes(kind).get(member.name, "")) for member in kind]
                yield from _table(("value", "meaning"), rows)
            else:
                yield from self._fields(kind)

    def _fields(self, kind: type) -> Iterator[str]:
        hints, notes = typing.get_type_hints(kind), _notes(kind)
        names = [field.name for field in _fields_of(kind)]
        rows = [
            (f"`{name}`", self.name(hints[name]), _unit(name, hints[name]), notes.get(name, ""))
            for name in names
        ]
        yield from _table(("field", "JSON", "unit", "meaning"), rows)


def _unit(name: str, kind: Any) -> str:
    numbers = {int, float, Decimal} & {kind, *typing.get_args(kind)}
    return _UNITS.get(name.rpartition("_")[2], "") if numbers and "_" in name else ""


def _fields_of(kind: Any) -> tuple[Any, ...]:
    return msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else dataclasses.fields(kind)


def _head() -> list[str]:
    limits = AttachLimits()
    return [
        _HEAD.format(
            about=(inspect.getdoc(protocol) or "").strip(),
            path=protocol.PATH,
            request_max=protocol.REQUEST_MAX,
            frame_max=protocol.FRAME_MAX,
            message_max=protocol.MESSAGE_MAX,
            limits=limits,
        )
    ]


def _requests(reached: _Reached) -> Iterator[str]:
    yield from ("## Requests", "", _doc(protocol.RequestKind), "")
    yield from ('`{"id": 7, "kind": "ask", "body": {"question": "orders"}}`', "")
    bodies = {
        protocol.RequestKind.GIVE: reached.name(protocol.Give),
        protocol.RequestKind.ASK: reached.name(protocol.Ask),
        protocol.RequestKind.DETAIL: reached.name(protocol.Look),
    }
    notes = _notes(protocol.RequestKind)
    rows = [(f"`{kind}`", bodies.get(kind, "null"), notes[kind.name]) for kind in protocol.RequestKind]
    yield from _table(("kind", "body", "what"), rows)
    yield from ("## Commands", "", "What `body` of a `give` holds, by its `command`:", "")
    commands = [(f"`{kind}`", reached.name(type_), _doc(type_)) for kind, type_ in protocol.COMMANDS.items()]
    yield from _table(("command", "body", "what"), commands)
    yield from ("## Questions", "", _doc(Question), "")
    questions = [(f"`{question}`", _notes(Question).get(question.name, "")) for question in Question]
    yield from _table(("question", "what"), questions)


def _replies(reached: _Reached) -> Iterator[str]:
    yield from ("## Replies", "", _doc(protocol.ReplyKind), "")
    yield from (
        '`{"id": 7, "kind": "answer", "body": {"ok": true, "code": "ok", "text": "T-18 sent, B-18."}}`',
        "",
    )
    bodies: dict[protocol.ReplyKind, Any] = {
        protocol.ReplyKind.VIEW: DeckView,
        protocol.ReplyKind.SNAPSHOT: protocol.Snapshot,
        protocol.ReplyKind.ANSWER: Answer,
        protocol.ReplyKind.DOCUMENT: object,
        protocol.ReplyKind.DETAIL: protocol.Found,
        protocol.ReplyKind.DONE: bool,
        protocol.ReplyKind.PROBLEM: protocol.Problem,
    }
    rows = [
        (f"`{kind}`", reached.name(bodies[kind]) if kind in bodies else "[delta](#deltas)")
        for kind in protocol.ReplyKind
    ]
    yield from _table(("kind", "body"), rows)
    yield from ("## Topics", "", _doc(Topic), "")
    notes = _notes(Topic)
    topics = [(f"`{topic}`", notes.get(topic.name, ""), reached.name(DETAILS[topic])) for topic in Topic]
    yield from _table(("topic", "id", "body of the Found"), topics)


def _pushed() -> list[str]:
    return [_DELTAS.replace("{about}", _doc(protocol.Delta))]


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' for _ in heads)}|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


def _doc(kind: Any) -> str:
    """A docstring's sentences on one line."""
    return " ".join((inspect.getdoc(kind) or "").split()).replace("``", "`")


@cache
def _notes(kind: type) -> dict[str, str]:
    """What stands below or beside each field or member in the source: docstrings and comments."""
    lines = inspect.getsource(kind).splitlines()
    (body,) = [node.body for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.ClassDef)]
    notes: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        name = _assigned(node)
        if name is None:
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            notes[name] = " ".join(str(after.value.value).split())
        elif found := _COMMENT.search(lines[(node.end_lineno or node.lineno) - 1]):
            notes[name] = found[1]
    return notes


def _assigned(node: ast.stmt) -> str | None:
    target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    return target.id if isinstance(target, ast.Name) else None


def main(arguments: list[str]) -> int:
    """Write the page, or look whether it is as it would be written."""
    new = page()
    if arguments == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != new)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
