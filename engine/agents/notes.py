"""Short words for a table column of 16 characters: a measured number against its limit (design 6)."""

NOTE_WIDTH = 16
_SUFFIXES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_AGES = ((86_400, "d"), (3_600, "h"), (60, "m"))


def compact(value: float, digits: int = 3) -> str:
    """`digits` significant digits, `k M B` from 10,000 on, no zero before the point: 1.2M, 34, .41."""
    size = abs(value)
    for scale, suffix in _SUFFIXES:
        if size >= scale and size >= 10_000:
            return f"{_plain(value / scale, digits)}{suffix}"
    return _plain(value, digits)


def _plain(value: float, digits: int) -> str:
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    text = f"{value:.{max(0, digits - whole)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", ""):
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def against(label: str, value: float, sign: str, limit: float) -> str:
    """`ADV 1.2M < 5M`, with as few digits as tell the two numbers apart and as fit into a note."""
    for digits in range(2, 7):
        left, right = compact(value, digits), compact(limit, digits)
        if left == right or (left == "0" and value != 0):
            continue
        for text in (f"{label} {left} {sign} {right}", f"{label} {left}{sign}{right}"):
            if len(text) <= NOTE_WIDTH:
                return text
    return clip(f"{label} {sign} {compact(limit)}")


def age(us: int) -> str:
    """Microseconds as one unit: 41s, 12m, 3h, 2d."""
    seconds = us // 1_000_000
    for scale, unit in _AGES:
        if seconds >= scale * 2:
            return f"{seconds // scale}{unit}"
    return f"{seconds}s"


def clip(text: str) -> str:
    """At most 16 characters, the cut shown by an ellipsis."""
    return text if len(text) <= NOTE_WIDTH else text[: NOTE_WIDTH - 1] + "…"
