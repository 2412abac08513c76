"""A study as one HTML page that loads nothing: no script, no style sheet, no picture from anywhere."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from engine.backtest import report_words as words
from engine.backtest.report_markdown import sections

WIDTH, HEIGHT, FALL_HEIGHT = 960, 220, 80
MOST_POINTS = 1_200
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#232b36}
h1,h2{color:#05080c}table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #c3ccd7;white-space:nowrap}
th:first-child,td:first-child{text-align:left}.note{color:#566373}
@media(prefers-color-scheme:dark){body{background:#0e1218;color:#d3dae3}h1,h2{color:#f4f7fa}
th,td{border-color:#2c3746}.note{color:#93a1b3}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'none'; base-uri 'none'; form-action 'none'"


def html_report(document: Mapping[str, Any]) -> str:
    """The whole page; every text from outside is escaped."""
    return "".join(_parts(document))


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    data = document["data"]
    title = f"Back-test of gaps, full rule, {data['judged_from']} to {data['last']}"
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
    )
    yield "<h2>Not applicable on this dataset</h2>"
    yield _list(words.lines_of(document["not_applicable"]))
    yield "<h2>Read first</h2>"
    yield _list(document["warnings"])
    yield "<h2>Equity and drawdown</h2>"
    yield curve_svg(document["curve"])
    for name, note, (heads, rows) in sections(document):
        yield f"<h2>{escape(name)}</h2>"
        if note:
            yield f'<p class="note">{escape(note)}</p>'
        yield _table(heads, rows) if rows else "<p>Nothing to show.</p>"
    yield "</body></html>\n"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def curve_svg(curve: Sequence[Mapping[str, Any]]) -> str:
    """Equity above, drawdown below it, at 1x cost; a point a session, thinned to what a screen can show."""
    step = max(1, -(-len(curve) // MOST_POINTS))
    points = [*curve[::step], *([curve[-1]] if curve and (len(curve) - 1) % step else [])]
    values = [float(one["equity"]) for one in points]
    falls = [float(one["fall"]) for one in points]
    if len(points) < 2:
        return "<p>Too few sessions for a curve.</p>"
    top = _path(values, min(values), max(values), 0, HEIGHT)
    below = _path(falls, min(min(falls), -1e-9), 0.0, HEIGHT + 20, FALL_HEIGHT)
    low, high, deepest = f"{min(values):,.2f}", f"{max(values):,.2f}", words.share(-min(falls))
    first, last = escape(str(points[0]["day"])), escape(str(points[-1]["day"]))
    whole = HEIGHT + FALL_HEIGHT + 50
    return (
        f'<svg viewBox="0 0 {WIDTH + 120} {whole}" role="img" aria-label="Equity and drawdown" width="100%">'
        f'<path d="{top}" fill="none" stroke="#2450b8" stroke-width="1.5"/>'
        f'<path d="{below}" fill="none" stroke="#c2410c" stroke-width="1"/>'
        f'<g font-size="12" fill="#788494"><text x="{WIDTH + 6}" y="12">{high}</text>'
        f'<text x="{WIDTH + 6}" y="{HEIGHT}">{low}</text>'
        f'<text x="{WIDTH + 6}" y="{HEIGHT + 30}">0 %</text>'
        f'<text x="{WIDTH + 6}" y="{HEIGHT + 20 + FALL_HEIGHT}">-{deepest}</text>'
        f'<text x="0" y="{whole - 6}">{first}</text>'
        f'<text x="{WIDTH}" y="{whole - 6}" text-anchor="end">{last}</text></g></svg>'
    )


def _path(values: Sequence[float], low: float, high: float, top: int, height: int) -> str:
    spread = high - low or 1.0
    step = WIDTH / (len(values) - 1)
    return "M" + "L".join(
        f"{place * step:.1f},{top + height * (1 - (value - low) / spread):.1f}"
        for place, value in enumerate(values)
    )
