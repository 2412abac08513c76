"""A report as one HTML page: no script, nothing from elsewhere, every text escaped where it enters.

`el` escapes each child that is not `Safe` already, so that a text can become a tag only by being called so.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from engine.model.text import clean
from engine.report.markdown import LONGEST
from engine.report.sections import Section, sections

STYLE = (
    "body{font:14px/1.5 monospace;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#232b36;"
    "background:#f8f9fb}h1{font-size:1.3rem}h2{font-size:1rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.15rem .6rem .15rem 0;"
    "vertical-align:top;border-bottom:1px solid #c3ccd7;overflow-wrap:anywhere}th{color:#566373;"
    "font-weight:normal}.differs{color:#a8003a;font-weight:bold}pre{overflow-x:auto;background:#eceff3;"
    "padding:.6rem}"
)
_DIGEST = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
_VOID = frozenset({"meta"})


class Safe(str):
    """Text that is markup already."""

    __slots__ = ()


def el(tag: str, *children: str, **attributes: str) -> Safe:
    """An element; `_` in an attribute's name stands for `-`, a trailing one is left out."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(clean(value, LONGEST))}"'
        for name, value in attributes.items()
    )
    inner = "".join(child if isinstance(child, Safe) else escape(_shown(child)) for child in children)
    return Safe(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{inner}</{tag}>")


def page(document: Mapping[str, Any]) -> str:
    """The whole report."""
    title, verdict = document["title"], document["verdict"]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="referrer", content="no-referrer"),
        el("title", title),
        Safe(f"<style>{STYLE}</style>"),
    )
    about = f"Account {document['account']} ({document['kind']}), correlation {document['correlation']}."
    body = el(
        "body",
        el("h1", title),
        el("p", verdict["words"], class_="differs" if verdict["differs"] else "same"),
        el("p", about),
        *(_section(section) for section in sections(document)),
        el("h2", "Lineage"),
        el("pre", document["lineage"]),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _section(section: Section) -> Safe:
    title = el("h2", section.title)
    if not section.rows:
        return Safe(title + el("p", section.empty))
    heads = el("tr", *(el("th", head) for head in section.heads))
    return Safe(title + el("table", heads, *_rows(section.rows)))


def _rows(rows: Iterable[tuple[str, ...]]) -> Iterable[Safe]:
    for row in rows:
        marked = {"class_": "differs"} if "differs" in row[1:2] else {}
        yield el("tr", *(el("td", cell) for cell in row), **marked)


def _shown(text: str) -> str:
    """Without control characters, in full, with its line breaks: a graph has several lines."""
    return "\n".join(clean(line, LONGEST) for line in text.split("\n"))
