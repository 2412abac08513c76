"""The help: every key that works here, built from the table of actions; a second `?` is the glossary."""

from collections.abc import Sequence

from tui.actions import Group, Place, in_group
from tui.screens.chrome import bindings_for
from tui.screens.sheet import SheetBase
from tui.widgets.ink import EMPTY, Line, Span, pad, wrap
from tui.widgets.look import Look
from tui.widgets.statusbar import WIDE

GLYPHS = (
    ("◆", "-yours", "waits for you"),
    ("●", "-up", "working, approved, filled"),
    ("◐", "-attention", "partly, in progress"),
    ("○", "-muted", "not yet, no vote"),
    ("■", "-danger", "stopped, blocked, veto"),
    ("?", "-danger -bold", "UNKNOWN: fate not proved"),
    ("~", "-attention", "old value, see age"),
    ("–", "-muted", "no value, reason in w"),
)
_SHORT: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (
        ("◆", "-yours", "yours"),
        ("●", "-up", "good"),
        ("◐", "-attention", "partly"),
        ("■", "-danger", "blocked"),
    ),
    (("?", "-danger -bold", "fate unknown"), ("~", "-attention", "old"), ("–", "-muted", "no value")),
)
GLOSSARY = (
    ("gap%", "open against the close before, after splits and dividends"),
    ("q", "probability that the target is reached before the stop"),
    ("tch", "probability that the target is touched at all"),
    ("BCS", "bounce score of a gap candidate, 0 to 10"),
    ("EV%", "expected net return of the trade, after costs"),
    ("votes", "Sentinel, Screener, Forecaster, RiskOfficer, NewsSentry, Trader, in this order"),
    ("ticket", "T-18: one exact order with stop and target; nothing is sent until you approve it"),
    ("bracket", "B-18: the entry of ticket T-18 with its stop and target; one exit cancels the other"),
    ("rail", "├ stop, ┼ entry, ● last price, ┤ target"),
    ("protected", "the stop rests where it works without this program"),
    ("UNKNOWN", "the answer to an order was lost; it is asked about, never sent twice"),
    ("halted", "no new orders; stops stay; R resumes when every order's fate is known"),
    ("replay", "recorded days; waits while a ticket waits; space goes on, its tickets expire"),
    ("sha256", "fingerprint of everything on the ticket; the approval carries it"),
)


class HelpSheet(SheetBase[None]):
    """Help first, then the glossary, and back."""

    BINDINGS = bindings_for(frozenset({Place.HELP}))
    place = Place.HELP

    def __init__(self, about: Place) -> None:
        super().__init__()
        self._about = about
        self._glossary = False

    def heading(self, look: Look) -> tuple[str, str]:
        return ("Glossary", "Desk") if self._glossary else ("Help", "Desk")

    def sheet_lines(self, look: Look, width: int) -> Sequence[Line]:
        if self._glossary:
            return _glossary(width)
        if self.size.width >= WIDE:
            return _columns(
                [
                    [*self._group(Group.SCREEN), EMPTY, *self._group(Group.MOVE)],
                    self._group(Group.SCREENS),
                    [*self._group(Group.EVERYWHERE), EMPTY, *_glyphs()],
                ],
                (38, 20, width - 58),
            )
        right = [*self._group(Group.EVERYWHERE), EMPTY, *self._group(Group.SCREENS), EMPTY, *_short_glyphs()]
        return _columns(
            [[*self._group(Group.SCREEN), EMPTY, *self._group(Group.MOVE)], right], (36, width - 36)
        )

    def _group(self, group: Group) -> list[Line]:
        keys = self.console.options.keys
        actions = [action for action in in_group(group, self._about) if action.help]
        widest = max((len(action.key_shown(keys)) for action in actions), default=0) + 2
        if group is Group.SCREEN:
            widest = max(widest, 7)
        lines: list[Line] = [(Span(group.value, "-strong"),)]
        for action in actions:
            words = action.help
            if action.id == "leave" and self.console.options.own_engine:
                words = "leave, asks about the engine"
            lines.append((Span(action.key_shown(keys).ljust(widest), "-accent -bold"), Span(words)))
        return lines

    def footer_line(self, look: Look, room: int) -> Line:
        other = "help" if self._glossary else "glossary"
        return (
            Span("esc", "-accent -bold"),
            Span(" close  ", "-muted"),
            Span("?", "-accent -bold"),
            Span(f" {other}", "-muted"),
        )

    def action_help(self) -> None:
        """The other page."""
        self._glossary = not self._glossary
        self._first = 0
        self.show()


def _columns(blocks: Sequence[Sequence[Line]], widths: Sequence[int]) -> list[Line]:
    height = max(len(block) for block in blocks)
    lines: list[Line] = []
    for row in range(height):
        line: list[Span] = []
        for block, width in zip(blocks, widths, strict=True):
            line += pad(block[row] if row < len(block) else EMPTY, width)
        lines.append(tuple(line))
    return lines


def _glyphs() -> list[Line]:
    lines: list[Line] = [(Span("Reading the glyphs", "-strong"),)]
    return lines + [(Span(glyph, ink), Span(f"  {words}")) for glyph, ink, words in GLYPHS]


def _short_glyphs() -> list[Line]:
    lines: list[Line] = []
    for row in _SHORT:
        line: list[Span] = []
        for glyph, ink, words in row:
            line += [Span(glyph, ink), Span(f" {words} ", "-muted")]
        lines.append(tuple(line))
    return lines


def _glossary(width: int) -> list[Line]:
    lines: list[Line] = []
    for name, meaning in GLOSSARY:
        for at, part in enumerate(wrap(meaning, width - 12)):
            lines.append((Span((name if at == 0 else "").ljust(12), "-strong"), Span(part)))
    return lines
