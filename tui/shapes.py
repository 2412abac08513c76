"""Glyphs of charts as SVG paths in a cell of 9 x 20, so that a picture needs no font for them (design 12)."""

_LEFT, _RIGHT, _BOTTOM = 0.0, 9.0, 20.0


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


def _strokes() -> dict[str, str]:
    """Light and heavy vertical halves, and what is made of them."""
    light, heavy = (4.0, 1.0), (2.75, 3.5)
    upper, lower = (0.0, 10.0), (10.0, 10.0)

    def line(wide: tuple[float, float], half: tuple[float, float]) -> str:
        return _box(wide[0], half[0], wide[1], half[1])

    return {
        "╵": line(light, upper),
        "╷": line(light, lower),
        "╹": line(heavy, upper),
        "╻": line(heavy, lower),
        "┃": line(heavy, upper) + line(heavy, lower),
        "╽": line(light, upper) + line(heavy, lower),
        "╿": line(heavy, upper) + line(light, lower),
        "║": _box(2, 0, 1.5, 20) + _box(5.5, 0, 1.5, 20),
        "╌": _box(0.75, 9.5, 3, 1) + _box(5.25, 9.5, 3, 1),
        "═": _box(0, 8, 9, 1) + _box(0, 11, 9, 1),
    }


def _blocks() -> dict[str, str]:
    """Bars of eighths from below and from the left, halves, the shade of a track."""
    shapes = {
        chr(0x2580 + eighths): _box(_LEFT, _BOTTOM - 2.5 * eighths, _RIGHT, 2.5 * eighths)
        for eighths in range(1, 9)
    }
    shapes |= {
        chr(0x2590 - eighths): _box(_LEFT, 0, _RIGHT * eighths / 8, _BOTTOM) for eighths in range(1, 8)
    }
    shapes["▀"] = _box(_LEFT, 0, _RIGHT, 10)
    shapes["▔"] = _box(_LEFT, 0, _RIGHT, 2.5)
    shapes["░"] = "".join(_box(x, y, 1, 1) for y in (2, 7, 12, 17) for x in (1, 4, 7))
    return shapes


def _braille() -> dict[str, str]:
    """Dots as squares, each in the middle of its eighth of the cell."""
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
    dots = [_box(1.4 + 4.5 * x, 1.7 + 5 * y, 1.7, 1.7) for x, y in places]
    return {
        chr(0x2800 + code): "".join(dot for bit, dot in enumerate(dots) if code >> bit & 1)
        for code in range(1, 256)
    }


CHART_SHAPES = {**_strokes(), **_blocks(), **_braille()}
