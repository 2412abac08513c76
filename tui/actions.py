"""Every action of the console, declared once: footer, help and key bindings are built from this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a key is pressed: a pane of a screen or a dialog."""

    GAPS = "gaps"
    GEMS = "gems"
    TICKETS = "tickets"
    BRACKETS = "brackets"
    EVENTS = "events"
    GEM_LIST = "list of gems"
    GEM_SCORE = "score of a gem"
    GEM_CHART = "price of a gem"
    GEM_HOLDERS = "holders of a gem"
    GAP_LIST = "list of gaps"
    GAP_STRIP = "strip of a gap"
    GAP_VERDICTS = "verdicts on a gap"
    GAP_CHART = "price of a gap"
    GAP_SCAN = "scan for gaps"
    ORDERS = "orders"
    STORY = "story of a bracket"
    FIGURES = "figures"
    EQUITY = "equity"
    POSITIONS = "positions"
    BY_STRATEGY = "strategies"
    ROUND_TRIPS = "round trips"
    INSTRUMENTS = "instruments"
    ACCOUNTS = "accounts"
    DRAWDOWNS = "history of drawdowns"
    FILLS = "fills"
    DRAWDOWN = "drawdown"
    LIMITS = "limits"
    ENTRIES = "entries"
    EXPOSURE = "exposure"
    VAR = "value at risk"
    CORRELATION = "correlation"
    SOURCES = "sources"
    ENGINE = "engine"
    LATENCY = "latency"
    CONSOLES = "consoles"
    LOG = "log"
    RECORD = "record"
    LATER = "later"
    CANCEL_ENTRY = "cancel an entry"
    CLOSE = "close a position"
    APPROVE = "approve"
    REJECT = "reject"
    SMALLER = "make smaller"
    RESUME = "resume"
    LEAVE = "leave"
    SHEET = "sheet"
    HELP = "help"
    PALETTE = "palette"


class Group(StrEnum):
    """Headings of the help, in its order."""

    SCREEN = "This screen"
    MOVE = "Move"
    SCREENS = "Screens"
    EVERYWHERE = "Everywhere"


_DIALOGS = frozenset(
    {
        Place.APPROVE,
        Place.REJECT,
        Place.SMALLER,
        Place.RESUME,
        Place.LEAVE,
        Place.CANCEL_ENTRY,
        Place.CLOSE,
    }
)
_SHEETS = frozenset({Place.SHEET, Place.HELP})
PANES = frozenset(Place) - _DIALOGS - _SHEETS - {Place.PALETTE}
_GAP_PANES = frozenset({Place.GAPS, Place.GAP_LIST, Place.GAP_STRIP, Place.GAP_VERDICTS, Place.GAP_CHART})
_GEM_PANES = frozenset({Place.GEM_LIST, Place.GEM_SCORE, Place.GEM_CHART, Place.GEM_HOLDERS})
_TICKET_PANES = _GAP_PANES | {Place.TICKETS}
_LISTS = frozenset(
    {
        Place.GAPS,
        Place.GEMS,
        Place.TICKETS,
        Place.BRACKETS,
        Place.EVENTS,
        Place.GEM_LIST,
        Place.GAP_LIST,
        Place.ORDERS,
        Place.POSITIONS,
        Place.BY_STRATEGY,
        Place.ROUND_TRIPS,
        Place.INSTRUMENTS,
        Place.LIMITS,
        Place.SOURCES,
        Place.LOG,
    }
)
"""Panes of rows, which can be opened and found."""
_EXPLAINED = _TICKET_PANES | {Place.BRACKETS, Place.EVENTS, Place.GEMS, Place.GAP_SCAN}
_SORTED = frozenset(
    {
        Place.GEM_LIST,
        Place.GAP_LIST,
        Place.SOURCES,
        Place.ROUND_TRIPS,
        Place.POSITIONS,
        Place.INSTRUMENTS,
    }
)
_GAP_DETAILS = _GAP_PANES - {Place.GAPS}
_OPENED = _LISTS | {Place.GAP_VERDICTS, Place.GAP_CHART, Place.GAP_SCAN, Place.STORY, Place.FILLS}
"""Where `enter` tells more of a row."""
_ORDER_PANES = frozenset({Place.ORDERS, Place.STORY, Place.FILLS})
_BRACKETED = _ORDER_PANES | {Place.BRACKETS, Place.POSITIONS}
"""Where a bracket may be selected."""
_CHARTED = _GAP_DETAILS | _GEM_PANES | _ORDER_PANES
_CURVES = frozenset(
    {
        Place.POSITIONS,
        Place.EQUITY,
        Place.ROUND_TRIPS,
        Place.BY_STRATEGY,
        Place.INSTRUMENTS,
        Place.ACCOUNTS,
        Place.DRAWDOWNS,
    }
)
_SCROLLS = _SHEETS | {Place.APPROVE, Place.REJECT, Place.SMALLER}


@dataclass(frozen=True, slots=True)
class Action:
    """`keys` in Textual's names, the first is shown as `shown`; `target` is the `action_` method's name.

    `label` stands in the footer of `places`, "" keeps it out; `help` stands in the help.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    target: str
    group: Group
    places: frozenset[Place]
    is_acting: bool = False
    """Whether it may move money, or let it move: refused where a console may only look."""

    def key_shown(self, chosen: Mapping[str, str]) -> str:
        """What stands in the footer and the help; `chosen`: action id -> the person's own key."""
        return chosen.get(self.id, self.shown)


SCREENS = (
    ("1", "desk", "Desk"),
    ("2", "gems", "Gems"),
    ("3", "gaps", "Gaps"),
    ("4", "orders", "Orders"),
    ("5", "portfolio", "Portfolio"),
    ("6", "risk", "Risk"),
    ("7", "agents", "Agents"),
    ("8", "research", "Research"),
    ("9", "health", "Health"),
    ("0", "log", "Log"),
)
"""Key, name and title of each screen, in the order of the navigation row."""
FIRST_SCREEN = "desk"

ACTIONS: tuple[Action, ...] = (
    Action(
        "engine.resume",
        ("R",),
        "R",
        "resume",
        "trade again after a halt",
        "resume",
        Group.SCREEN,
        PANES | {Place.RESUME},
        is_acting=True,
    ),
    Action(
        "ticket.approve",
        ("a",),
        "a",
        "approve",
        "approve ticket",
        "approve",
        Group.SCREEN,
        _TICKET_PANES | {Place.APPROVE, Place.SHEET},
        is_acting=True,
    ),
    Action(
        "ticket.reject",
        ("r",),
        "r",
        "reject",
        "reject, with a reason",
        "reject",
        Group.SCREEN,
        _TICKET_PANES | {Place.APPROVE, Place.SHEET},
        is_acting=True,
    ),
    Action(
        "market.resume",
        ("space",),
        "space",
        "go on",
        "go on, tickets expire",
        "resume_market",
        Group.SCREEN,
        PANES,
        is_acting=True,
    ),
    Action("row.open", ("enter",), "enter", "open", "open the row", "open", Group.SCREEN, _OPENED),
    Action(
        "bracket.ask",
        ("v",),
        "v",
        "ask",
        "ask about an UNKNOWN order",
        "ask_venue",
        Group.SCREEN,
        _BRACKETED - {Place.POSITIONS},
        is_acting=True,
    ),
    Action(
        "bracket.cancel",
        ("x",),
        "x",
        "cancel",
        "cancel the rest of an entry",
        "cancel_entry",
        Group.SCREEN,
        (_BRACKETED - {Place.POSITIONS}) | {Place.CANCEL_ENTRY},
        is_acting=True,
    ),
    Action(
        "bracket.close",
        ("X",),
        "X",
        "close",
        "close the position",
        "close_position",
        Group.SCREEN,
        _BRACKETED | {Place.CLOSE},
        is_acting=True,
    ),
    Action("row.why", ("w",), "w", "why", "why this state", "why", Group.SCREEN, _EXPLAINED),
    Action(
        "ticket.smaller",
        ("e",),
        "e",
        "smaller",
        "fewer shares",
        "smaller",
        Group.SCREEN,
        _TICKET_PANES | {Place.SHEET},
        is_acting=True,
    ),
    Action(
        "ticket.snooze",
        ("s",),
        "s",
        "snooze",
        "snooze 5 min",
        "snooze",
        Group.SCREEN,
        _TICKET_PANES | {Place.SHEET},
        is_acting=True,
    ),
    Action(
        "order.at_venue",
        ("i",),
        "i u",
        "",
        "settle an UNKNOWN order",
        "say_there",
        Group.SCREEN,
        _ORDER_PANES,
        is_acting=True,
    ),
    Action(
        "order.not_at_venue",
        ("u",),
        "u",
        "",
        "",
        "say_gone",
        Group.SCREEN,
        _ORDER_PANES,
        is_acting=True,
    ),
    Action("row.chart", ("c",), "c", "chart", "chart of the row", "chart", Group.SCREEN, _CHARTED),
    Action("gem.propose", ("p",), "p", "propose", "propose a ticket", "propose", Group.SCREEN, _GEM_PANES),
    Action(
        "chart.longer",
        ("right_square_bracket",),
        "[ ]",
        "period",
        "period of the chart",
        "period(1)",
        Group.SCREEN,
        _CURVES | _GAP_DETAILS,
    ),
    Action(
        "chart.shorter",
        ("left_square_bracket",),
        "[",
        "",
        "",
        "period(-1)",
        Group.SCREEN,
        _CURVES | _GAP_DETAILS,
    ),
    Action("row.down", ("down", "j"), "↑ ↓  j k", "", "row", "row_down", Group.MOVE, PANES | _SCROLLS),
    Action("pane.next", ("tab",), "tab", "pane", "next pane", "next_pane", Group.MOVE, PANES),
    Action("pane.previous", ("shift+tab",), "shift+tab", "", "", "previous_pane", Group.MOVE, PANES),
    Action("pane.filter", ("slash",), "/", "filter", "filter", "filter", Group.MOVE, _LISTS),
    Action("row.up", ("up", "k"), "↑ k", "", "", "row_up", Group.MOVE, PANES | _SCROLLS),
    Action(
        "row.first",
        ("g", "home"),
        "g G",
        "",
        "top, bottom",
        "row_first",
        Group.MOVE,
        PANES | _SHEETS,
    ),
    Action("row.last", ("G", "end"), "G", "", "", "row_last", Group.MOVE, PANES | _SHEETS),
    Action("pane.sort", ("o",), "o", "sort", "sort by the next column", "sort", Group.MOVE, _SORTED),
    Action("pane.zoom", ("z",), "z", "zoom", "zoom pane", "zoom", Group.MOVE, PANES),
    Action(
        "back",
        ("escape",),
        "esc",
        "back",
        "back",
        "back",
        Group.MOVE,
        PANES | _DIALOGS | _SHEETS | {Place.PALETTE},
    ),
    *(
        Action(f"screen.{name}", (key,), key, "", title, f"goto('{name}')", Group.SCREENS, PANES | _SHEETS)
        for key, name, title in SCREENS
    ),
    Action(
        "engine.halt",
        ("exclamation_mark",),
        "! !",
        "",
        "halt, stops stay",
        "halt",
        Group.EVERYWHERE,
        frozenset(Place),
    ),
    Action(
        "palette",
        ("ctrl+p",),
        "ctrl+p",
        "",
        "every command by name",
        "palette",
        Group.EVERYWHERE,
        PANES,
    ),
    Action("tour", ("T",), "T", "", "", "tour", Group.EVERYWHERE, PANES),
    Action(
        "help",
        ("question_mark",),
        "?",
        "help",
        "help, again: glossary",
        "help",
        Group.EVERYWHERE,
        PANES | {Place.HELP},
    ),
    Action(
        "leave",
        ("q", "ctrl+q", "ctrl+c"),
        "q",
        "leave",
        "leave, the engine runs on",
        "leave",
        Group.EVERYWHERE,
        PANES | {Place.LEAVE},
    ),
    Action("dialog.press", ("enter",), "enter", "", "press the default", "press", Group.EVERYWHERE, _DIALOGS),
)


def actions_in(place: Place) -> tuple[Action, ...]:
    """The actions that have a key at a place, in order of use."""
    return tuple(action for action in ACTIONS if place in action.places)


def in_group(group: Group, place: Place) -> tuple[Action, ...]:
    """The actions that the help lists under a heading for a place."""
    return tuple(action for action in ACTIONS if action.group is group and place in action.places)


def clash(chosen: Mapping[str, str]) -> str | None:
    """The first key that would mean two things at one place, in words; None when all is well."""
    for place in Place:
        taken: dict[str, str] = {}
        for action in actions_in(place):
            for key in (chosen[action.id],) if action.id in chosen else action.keys:
                other = taken.setdefault(key, action.id)
                if other != action.id:
                    return f"key {key} would mean {other} and {action.id} in {place.value}"
    return None
