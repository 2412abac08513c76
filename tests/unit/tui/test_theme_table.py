"""The table of design 3, token by token, and what its colors measure."""

from dataclasses import asdict
from itertools import combinations

import pytest

from tui.theme import CONTRAST, DUSK, MONO, PAPER, SIXTEEN, THEMES, Tokens

TABLE = {
    "dusk": (
        "bg 0e1218 pane 141a22 raised 1b232e text d3dae3 strong f4f7fa muted 93a1b3 faint 67768b line 2c3746 "
        "accent 8fb0ff up 4fc7ab down f2915f attention ecc94f danger ff6b81 live ff5566 selection 233049 "
        "flash_up 1c4a45 flash_down 553022"
    ),
    "paper": (
        "bg eceff3 pane f8f9fb raised ffffff text 232b36 strong 05080c muted 566373 faint 778494 line c3ccd7 "
        "accent 2450b8 up 00695a down c2410c attention 5f4b00 danger a8003a selection d4e0f7 flash_up bfe6dc "
        "flash_down f6d2bd"
    ),
    "contrast": (
        "bg 000000 pane 000000 raised 000000 text ffffff strong ffffff muted d9d9d9 faint b5b5b5 line 8c8c8c "
        "accent 9ecbff up 5cf2d6 down ffb07a attention ffe14d danger ff8fa3"
    ),
}
ANSI = {
    3: "yellow",
    6: "cyan",
    7: "white",
    8: "bright_black",
    9: "bright_red",
    11: "bright_yellow",
    12: "bright_blue",
    15: "bright_white",
}
"""The names of the terminal colors that the table asks for by number."""
SIXTEEN_NUMBERS = {
    "text": 7,
    "strong": 15,
    "muted": 8,
    "faint": 8,
    "line": 8,
    "accent": 12,
    "up": 6,
    "down": 3,
    "attention": 11,
    "danger": 9,
}
PALETTES = {"dusk": DUSK, "paper": PAPER, "contrast": CONTRAST}
MEASURED = {
    "dusk": {"deutan": 44, "protan": 29, "tritan": 96},
    "paper": {"deutan": 59, "protan": 41, "tritan": 104},
    "contrast": {"deutan": 44, "protan": 32, "tritan": 89},
}
WEAK = {
    "dusk": {("down", "danger", "tritan"): 18, ("up", "danger", "protan"): 19},
    "paper": {
        ("down", "attention", "protan"): 9,
        ("down", "danger", "tritan"): 10,
        ("up", "danger", "protan"): 15,
        ("attention", "danger", "deutan"): 17,
    },
    "contrast": {("down", "danger", "tritan"): 14, ("up", "danger", "deutan"): 18},
}
"""Pairs of signal colors nearer than 20: they must differ in glyph, sign or word as well.

tests/tui/test_theme_signs.py holds them to it. The design names those of dusk and the two nearest of paper.
"""
SIGNALS = ("up", "down", "attention", "danger")

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
MACHADO = {
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# sRGB to CIE XYZ under D65 (IEC 61966-2-1), and the white point.
XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)
Triple = tuple[float, float, float]


def linear(color: str) -> Triple:
    """`#rrggbb` as linear light, 0..1."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(  # type: ignore[return-value]
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)
    )


def times(matrix: tuple[Triple, Triple, Triple], vector: Triple) -> Triple:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def contrast(one: str, other: str) -> float:
    """The WCAG 2 ratio of two colors."""
    low, high = sorted(times(XYZ, linear(color))[1] for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(light: Triple) -> Triple:
    """CIE L*a*b* of linear light."""
    shares = [value / white for value, white in zip(times(XYZ, light), WHITE, strict=True)]
    x, y, z = (
        share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116 for share in shares
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def apart(one: str, other: str, vision: str) -> float:
    """CIE76 distance of two colors as `vision` sees them."""

    def seen(color: str) -> Triple:
        red, green, blue = (min(max(part, 0.0), 1.0) for part in times(MACHADO[vision], linear(color)))
        return lab((red, green, blue))

    return sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5


@pytest.mark.parametrize("name", TABLE)
def test_every_token_of_the_table(name: str) -> None:
    words = TABLE[name].split()
    tokens = asdict(PALETTES[name])
    for token, color in zip(words[::2], words[1::2], strict=True):
        assert tokens[token] == f"#{color}", token
    assert tokens["live"] == ("#ff5566" if name == "dusk" else tokens["danger"])


def test_sixteen_colors_are_those_of_the_table_on_the_terminals_own_ground() -> None:
    for token, number in SIXTEEN_NUMBERS.items():
        assert getattr(SIXTEEN, token) == f"ansi_{ANSI[number]}", token
    for token in ("bg", "pane", "raised", "selection", "flash_up", "flash_down"):
        assert getattr(SIXTEEN, token) == "ansi_default"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dusk", {"text": 12.4, "muted": 6.7, "up": 8.4, "down": 7.5, "attention": 10.9, "danger": 6.4}),
        ("paper", {"text": 13.6, "muted": 5.8, "up": 6.3, "down": 4.9, "attention": 8.0, "danger": 7.3}),
    ],
)
def test_contrast_on_a_pane(name: str, expected: dict[str, float]) -> None:
    tokens = PALETTES[name]
    for token, ratio in expected.items():
        assert contrast(getattr(tokens, token), tokens.pane) == pytest.approx(ratio, abs=0.1), token


def test_the_contrast_theme_deserves_its_name() -> None:
    for token in ("text", "muted", "faint", "accent", "up", "down", "attention", "danger", "live"):
        assert contrast(getattr(CONTRAST, token), CONTRAST.pane) >= 9, token


@pytest.mark.parametrize("tokens", PALETTES.values(), ids=PALETTES)
def test_badges_and_the_accent_are_readable(tokens: Tokens) -> None:
    for ground in (tokens.accent, tokens.danger, tokens.live):
        assert contrast(tokens.on_badge, ground) >= 4.5
    assert contrast(tokens.accent, tokens.pane) >= 4.5


@pytest.mark.parametrize("tokens", PALETTES.values(), ids=PALETTES)
def test_text_stays_readable_where_it_stands(tokens: Tokens) -> None:
    assert contrast(tokens.muted, tokens.selection) >= 4.6
    for ground in (tokens.bg, tokens.raised):
        for token in ("text", "muted", "up", "down", "attention", "danger", "accent"):
            assert contrast(getattr(tokens, token), ground) >= 4.4, token
    for ground in (tokens.flash_up, tokens.flash_down):
        assert contrast(tokens.text, ground) >= 4.5
    # Bars, tracks and curves are not text: 3:1 (WCAG 1.4.11).
    assert contrast(tokens.accent, tokens.pane) >= 3
    assert contrast(tokens.faint, tokens.pane) >= 3


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("vision", MACHADO)
def test_up_and_down_are_told_apart_by_every_eye(name: str, vision: str) -> None:
    tokens = PALETTES[name]
    assert apart(tokens.up, tokens.down, vision) == pytest.approx(MEASURED[name][vision], abs=2)


@pytest.mark.parametrize("name", PALETTES)
def test_weak_pairs_are_exactly_those_that_differ_in_glyph_or_sign(name: str) -> None:
    tokens = PALETTES[name]
    weak = {
        (one, other, vision): apart(getattr(tokens, one), getattr(tokens, other), vision)
        for one, other in combinations(SIGNALS, 2)
        for vision in MACHADO
    }
    found = {pair: distance for pair, distance in weak.items() if distance < 20}
    assert found == pytest.approx({pair: float(distance) for pair, distance in WEAK[name].items()}, abs=2)


def test_without_color_nothing_is_left_but_styles() -> None:
    assert set(asdict(MONO).values()) == {"ansi_default"}
    variables = THEMES["mono"].variables
    assert {variables[f"deck-{token.replace('_', '-')}"] for token in asdict(MONO)} == {"ansi_default"}
    assert variables["deck-muted-style"] == "dim"
    assert variables["deck-selection-style"] == variables["deck-flash-style"] == "reverse"
    assert "reverse" in variables["deck-badge-style"]
