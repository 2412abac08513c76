"""Bars of eighths of a cell. The uppermost cell is filled to 6/8 at most, so rows never merge (design 4)."""

from collections.abc import Sequence

from tui.widgets.charts.graph import Graph

HIGHEST = 6
PARTS = {Graph.BRAILLE: " ▁▂▃▄▅▆", Graph.BLOCK: " ▄▄▄▄▄▄", Graph.ASCII: " ...:::"}
"""Nothing and one to six eighths."""
FULL = {Graph.BRAILLE: "█", Graph.BLOCK: "█", Graph.ASCII: "#"}


def stacked(shares: Sequence[float], rows: int, graph: Graph, least: int = 1) -> list[str]:
    """Columns of `rows` cells, the upper row first. A share is 0..1 of the height; NaN is nothing.

    Whatever is above zero shows at least `least` eighths.
    """
    total = (rows - 1) * 8 + HIGHEST
    heights = [max(round(min(share, 1.0) * total), least) if share > 0 else 0 for share in shares]
    return ["".join(_cell(height - 8 * row, graph) for height in heights) for row in range(rows - 1, -1, -1)]


def _cell(eighths: int, graph: Graph) -> str:
    if eighths >= 8:
        return FULL[graph]
    return PARTS[graph][min(max(eighths, 0), HIGHEST)]
