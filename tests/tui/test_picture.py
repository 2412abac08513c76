"""The SVG picture of the console: well formed, in the theme's colors, without anything from outside."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tui.picture import console_picture
from tui.shown.deck import DeckView
from tui.theme import DUSK, PAPER


@pytest.mark.parametrize(("theme", "tokens"), [("dusk", DUSK), ("paper", PAPER)])
async def test_picture_is_an_svg_of_the_desk(theme: str, tokens: Any, view: DeckView, console: Any) -> None:
    _, link = console(view)
    svg = await console_picture(link, width=80, height=24, theme=theme)
    root = ET.fromstring(svg)  # noqa: S314 - our own picture
    assert (root.get("width"), root.get("height")) == ("740", "500")
    words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"PAPER", "27,512.40", "ORVX", "Tickets", "UNKNOWN"} <= words
    assert tokens.pane in svg
    assert tokens.attention in svg
    assert set(re.findall(r"https?://[^\"' ]+", svg)) == {"http://www.w3.org/2000/svg"}


async def test_picture_presses_keys_and_escapes_text(view: DeckView, console: Any) -> None:
    _, link = console(view)
    svg = await console_picture(link, keys=("question_mark",))
    assert ">Help</text>" in svg
    ET.fromstring(svg)  # noqa: S314 - our own picture
    assert "&lt;" in await console_picture(link)
