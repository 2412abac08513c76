"""The contrast table of design 3, measured."""

import re
from pathlib import Path

import pytest

from tui.theme import CONTRAST, DUSK, PAPER, THEMES, Tokens, choose_theme
from tui.widgets.ink import INKS


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (DUSK, {"text": 12.4, "muted": 6.7, "up": 8.4, "down": 7.5, "attention": 10.9, "danger": 6.4}),
        (PAPER, {"text": 13.6, "muted": 5.8, "up": 6.3, "down": 4.9, "attention": 8.0, "danger": 7.3}),
    ],
)
def test_contrast_on_a_pane_is_what_the_design_measured(tokens: Tokens, expected: dict[str, float]) -> None:
    for token, ratio in expected.items():
        assert contrast(getattr(tokens, token), tokens.pane) == pytest.approx(ratio, abs=0.11), token


@pytest.mark.parametrize("tokens", [DUSK, PAPER])
def test_muted_text_stays_readable_on_the_selection(tokens: Tokens) -> None:
    assert contrast(tokens.muted, tokens.selection) >= 4.6


@pytest.mark.parametrize("tokens", [DUSK, PAPER, CONTRAST])
def test_badges_and_the_accent_are_readable(tokens: Tokens) -> None:
    for ground in (tokens.accent, tokens.danger, tokens.live):
        assert contrast(tokens.on_badge, ground) >= 4.5
    assert contrast(tokens.accent, tokens.pane) >= 4.5


def test_themes_carry_every_token() -> None:
    names = [set(theme.variables) for theme in THEMES.values()]
    base = {name for name in names[0] if not name.startswith("ansi")}
    assert all(base <= other for other in names)


@pytest.mark.parametrize(
    ("no_color", "system", "expected"),
    [
        (True, "truecolor", "mono"),
        (False, "truecolor", "paper"),
        (False, "256", "paper"),
        (False, "standard", "sixteen"),
        (False, None, "paper"),
    ],
)
def test_terminals_choose_before_wishes(no_color: bool, system: str | None, expected: str) -> None:
    assert choose_theme("paper", no_color=no_color, color_system=system) == expected


def test_every_ink_has_a_rule_and_every_ink_used_exists() -> None:
    root = Path(__file__).parents[3] / "tui"
    rules = set(re.findall(r"& > \.(-[a-z-]+)", (root / "deck.tcss").read_text(encoding="utf-8")))
    assert rules == INKS
    used = {
        name
        for folder in ("widgets", "screens")
        for path in (root / folder).glob("*.py")
        for text in re.findall(r'"(-[a-z]+(?:[ -]+-?[a-z]+)*)"', path.read_text(encoding="utf-8"))
        for name in text.split()
    }
    assert used - {"-inf"} <= INKS
