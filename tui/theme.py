"""The color tokens of design 3 as Textual themes: dusk, paper, contrast, sixteen (ANSI), mono (NO_COLOR)."""

from dataclasses import asdict, dataclass

from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Tokens:
    """One column of the table: a color or an ANSI color name for each use."""

    bg: str
    pane: str
    raised: str
    text: str
    strong: str
    muted: str
    faint: str
    line: str
    accent: str
    up: str
    down: str
    attention: str
    danger: str
    live: str
    on_badge: str
    """Text on a reversed badge."""
    selection: str
    flash_up: str
    flash_down: str


DUSK = Tokens(
    bg="#0e1218",
    pane="#141a22",
    raised="#1b232e",
    text="#d3dae3",
    strong="#f4f7fa",
    muted="#93a1b3",
    faint="#67768b",
    line="#2c3746",
    accent="#8fb0ff",
    up="#4fc7ab",
    down="#f2915f",
    attention="#ecc94f",
    danger="#ff6b81",
    live="#ff5566",
    on_badge="#0e1218",
    selection="#233049",
    flash_up="#1c4a45",
    flash_down="#553022",
)
PAPER = Tokens(
    bg="#eceff3",
    pane="#f8f9fb",
    raised="#ffffff",
    text="#232b36",
    strong="#05080c",
    muted="#566373",
    faint="#778494",
    line="#c3ccd7",
    accent="#2450b8",
    up="#00695a",
    down="#c2410c",
    attention="#5f4b00",
    danger="#a8003a",
    live="#a8003a",
    on_badge="#ffffff",
    selection="#d4e0f7",
    flash_up="#bfe6dc",
    flash_down="#f6d2bd",
)
CONTRAST = Tokens(
    bg="#000000",
    pane="#000000",
    raised="#000000",
    text="#ffffff",
    strong="#ffffff",
    muted="#d9d9d9",
    faint="#b5b5b5",
    line="#8c8c8c",
    accent="#9ecbff",
    up="#5cf2d6",
    down="#ffb07a",
    attention="#ffe14d",
    danger="#ff8fa3",
    live="#ff8fa3",
    on_badge="#000000",
    selection="#000000",
    flash_up="#000000",
    flash_down="#000000",
)
SIXTEEN = Tokens(
    bg="ansi_default",
    pane="ansi_default",
    raised="ansi_default",
    text="ansi_white",
    strong="ansi_bright_white",
    muted="ansi_bright_black",
    faint="ansi_bright_black",
    line="ansi_bright_black",
    accent="ansi_bright_blue",
    up="ansi_cyan",
    down="ansi_yellow",
    attention="ansi_bright_yellow",
    danger="ansi_bright_red",
    live="ansi_bright_red",
    on_badge="ansi_default",
    selection="ansi_default",
    flash_up="ansi_default",
    flash_down="ansi_default",
)
MONO = Tokens(*["ansi_default"] * 18)

_PALETTES = {"dusk": DUSK, "paper": PAPER, "contrast": CONTRAST, "sixteen": SIXTEEN, "mono": MONO}
_LIGHT = {"paper"}
_REVERSED = {"contrast", "sixteen", "mono"}
"""Themes without a color for the selection: they reverse it, badges too where they have no surface."""
_ANSI = {"sixteen", "mono"}


def _styles(name: str) -> dict[str, str]:
    """Text styles that stand in for colors that a theme does not have."""
    reverse = "reverse" if name in _REVERSED else "none"
    return {
        "deck-selection-style": reverse,
        "deck-flash-style": reverse,
        "deck-muted-style": "dim" if name == "mono" else "none",
        "deck-badge-style": "bold reverse" if name in _ANSI else "bold",
    }


def _theme(name: str, tokens: Tokens) -> Theme:
    variables = {f"deck-{key.replace('_', '-')}": value for key, value in asdict(tokens).items()}
    if name in _ANSI:
        variables |= {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
        # Reversing swaps both colors, so a badge keeps the color of its meaning as its text color.
        badges = {"deck-badge-accent": "accent", "deck-badge-danger": "danger", "deck-badge-live": "live"}
        variables |= {key: "ansi_default" for key in badges}
        variables |= {f"{key}-text": getattr(tokens, token) for key, token in badges.items()}
    else:
        badges = {"deck-badge-accent": "accent", "deck-badge-danger": "danger", "deck-badge-live": "live"}
        variables |= {key: getattr(tokens, token) for key, token in badges.items()}
        variables |= {f"{key}-text": tokens.on_badge for key in badges}
    return Theme(
        name=name,
        primary=tokens.accent,
        accent=tokens.accent,
        foreground=tokens.text,
        background=tokens.bg,
        surface=tokens.pane,
        panel=tokens.raised,
        warning=tokens.attention,
        error=tokens.danger,
        success=tokens.up,
        dark=name not in _LIGHT,
        ansi=name in _ANSI,
        variables=variables | _styles(name),
    )


THEMES = {name: _theme(name, tokens) for name, tokens in _PALETTES.items()}


def choose_theme(wanted: str, *, no_color: bool, color_system: str | None) -> str:
    """The theme to start with: NO_COLOR and terminals with 16 colors override the wish."""
    if no_color:
        return "mono"
    return "sixteen" if color_system in {"standard", "windows"} else wanted
