"""Themes as Textual knows them, who chooses one, and the inks. What the colors measure: test_theme_table."""

import re
from pathlib import Path

import pytest

from tui.theme import THEMES, choose_theme
from tui.widgets.ink import INKS


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
        for path in (root / folder).rglob("*.py")
        for text in re.findall(r'"(-[a-z]+(?:[ -]+-?[a-z]+)*)"', path.read_text(encoding="utf-8"))
        for name in text.split()
    }
    assert used - {"-inf"} <= INKS
