"""A report as Markdown. Every text is escaped: none can become a link, a tag, a heading or a table."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.model.text import clean
from engine.report.sections import Section, sections

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_SPECIAL = re.compile(
    r"([\\`*\[\]|~$]"  # emphasis, code, a link, a cell
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|:(?=//)|(?<=www)\."  # a bare address
    r"|^[-+=#](?=[\s#=+-]|$))"  # a list or a heading
)
LONGEST = 20_000


def markdown(document: Mapping[str, Any]) -> str:
    """The whole report, with its lineage as a Mermaid block."""
    return "\n".join(_lines(document)) + "\n"


def escaped(text: str) -> str:
    """`text` as Markdown shows it: a line without syntax."""
    text = clean(text, LONGEST).strip()
    for char, entity in _ENTITIES.items():
        text = text.replace(char, entity)
    # No special character stands in an entity.
    return _SPECIAL.sub(r"\\\1", text)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escaped(document['title'])}"
    yield ""
    yield f"**{escaped(document['verdict']['words'])}**"
    yield ""
    kind, account = escaped(document["kind"]), escaped(document["account"])
    yield f"Account {account} ({kind}), correlation {escaped(document['correlation'])}."
    for section in sections(document):
        yield ""
        yield from _section(section)
    yield ""
    yield "## Lineage"
    yield ""
    yield "```mermaid"
    yield document["lineage"]
    yield "```"


def _section(section: Section) -> Iterator[str]:
    yield f"## {escaped(section.title)}"
    yield ""
    if not section.rows:
        yield section.empty
        return
    yield f"| {' | '.join(section.heads)} |"
    yield f"|{'---|' * len(section.heads)}"
    for row in section.rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
