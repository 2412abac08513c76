"""The help: every key that works here, built from the table of actions; a second `?` is the glossary."""

from collections.abc import Sequence

from tui.actions import SCREENS, Action, Group, Place, in_group
from tui.glossary import Term, terms_for
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


class HelpSheet(SheetBase[None]):
    """Help first, then the glossary, and back."""

    BINDINGS = bindings_for(frozenset({Place.HELP}))
    place = Place.HELP

    def __init__(self, about: Place, others: Sequence[Place] = ()) -> None:
        """`about`: the pane that keys act on; `others`: the panes of its screen."""
        super().__init__()
        self._about = about
        self._others = others
        self._glossary = False

    def heading(self, look: Look) -> tuple[str, str]:
        title = next((title for _, name, title in SCREENS if name == self.tab), "")
        return ("Glossary" if self._glossary else "Help"), title

    def sheet_lines(self, look: Look, width: int) -> Sequence[Line]:
        if self._glossary:
            return _glossary(self.tab, width)
        here = [*self._lines(Group.SCREEN.value, self._keys(Group.SCREEN)), *self._beside()]
        move = self._lines(Group.MOVE.value, self._keys(Group.MOVE))
        everywhere = self._lines(Group.EVERYWHERE.value, self._keys(Group.EVERYWHERE))
        if self.size.width >= WIDE:
            screens = self._lines(Group.SCREENS.value, self._keys(Group.SCREENS))
            blocks = [[*here, EMPTY, *move], screens, [*everywhere, EMPTY, *_glyphs()]]
            return _columns(blocks, (40, 18, width - 58))
        right = [*everywhere, EMPTY, *self._two_by_two(), EMPTY, *_short_glyphs()]
        return _columns([[*here, EMPTY, *move], right], (36, width - 36))

    def _keys(self, group: Group) -> list[Action]:
        return [action for action in in_group(group, self._about) if action.help]

    def _beside(self) -> list[Line]:
        """Keys of this screen that need another pane."""
        mine = {action.id for action in in_group(Group.SCREEN, self._about)}
        found = {
            action.id: action
            for place in self._others
            for action in in_group(Group.SCREEN, place)
            if action.help and action.id not in mine
        }
        return [EMPTY, *self._lines("Its other panes, after tab", list(found.values()))] if found else []

    def _lines(self, heading: str, actions: Sequence[Action]) -> list[Line]:
        keys = self.console.options.keys
        widest = max((len(action.key_shown(keys)) for action in actions), default=0) + 2
        if actions and actions[0].group is Group.SCREEN:
            widest = max(widest, 7)
        lines: list[Line] = [(Span(heading, "-strong"),)]
        for action in actions:
            words = action.help
            if action.id == "leave" and self.console.options.own_engine:
                words = "leave, asks first"
            lines.append((Span(action.key_shown(keys).ljust(widest), "-accent -bold"), Span(words)))
        return lines

    def _two_by_two(self) -> list[Line]:
        """The screens, two in a row."""
        heading, *rows = self._lines(Group.SCREENS.value, self._keys(Group.SCREENS))
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return [heading, *((*pad(left, 15), *right) for left, right in pairs)]

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


def _glossary(screen: str, width: int) -> list[Line]:
    here, others = terms_for(screen)
    lines: list[Line] = []
    if here:
        lines = [(Span("On this screen", "-muted"),), *_terms(here, width), EMPTY]
        lines.append((Span("Elsewhere", "-muted"),))
    return [*lines, *_terms(others, width)]


def _terms(terms: Sequence[Term], width: int) -> list[Line]:
    lines: list[Line] = []
    for term in terms:
        for at, part in enumerate(wrap(term.meaning, width - 13)):
            lines.append((Span((term.name if at == 0 else "").ljust(13), "-strong"), Span(part)))
    return lines
