"""Every action of the console, declared once: footer, help and key bindings are built from this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a key is pressed: a pane of the Desk or a dialog."""

    GAPS = "gaps"
    TICKETS = "tickets"
    BRACKETS = "brackets"
    EVENTS = "events"
    APPROVE = "approve"
    REJECT = "reject"
    RESUME = "resume"
    LEAVE = "leave"
    SHEET = "sheet"
    HELP = "help"


class Group(StrEnum):
    """Headings of the help, in its order."""

    SCREEN = "This screen"
    MOVE = "Move"
    SCREENS = "Screens"
    EVERYWHERE = "Everywhere"


PANES = frozenset({Place.GAPS, Place.TICKETS, Place.BRACKETS, Place.EVENTS})
_TICKET_PANES = frozenset({Place.GAPS, Place.TICKETS})
_DIALOGS = frozenset({Place.APPROVE, Place.REJECT, Place.RESUME, Place.LEAVE})
_SCROLLS = frozenset({Place.SHEET, Place.HELP, Place.APPROVE, Place.REJECT})


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

    def key_shown(self, chosen: Mapping[str, str]) -> str:
        """What stands in the footer and the help; `chosen`: action id -> the person's own key."""
        return chosen.get(self.id, self.shown)


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
    ),
    Action("row.open", ("enter",), "enter", "open", "open the row", "open", Group.SCREEN, PANES),
    Action("row.why", ("w",), "w", "why", "why this state", "why", Group.SCREEN, PANES),
    Action("row.down", ("down", "j"), "↑ ↓  j k", "", "row", "row_down", Group.MOVE, PANES | _SCROLLS),
    Action("pane.next", ("tab",), "tab", "pane", "next pane", "next_pane", Group.MOVE, PANES),
    Action("pane.previous", ("shift+tab",), "shift+tab", "", "", "previous_pane", Group.MOVE, PANES),
    Action("pane.filter", ("slash",), "/", "filter", "filter", "filter", Group.MOVE, PANES),
    Action("row.up", ("up", "k"), "↑ k", "", "", "row_up", Group.MOVE, PANES | _SCROLLS),
    Action(
        "row.first",
        ("g", "home"),
        "g G",
        "",
        "top, bottom",
        "row_first",
        Group.MOVE,
        PANES | {Place.SHEET, Place.HELP},
    ),
    Action("row.last", ("G", "end"), "G", "", "", "row_last", Group.MOVE, PANES | {Place.SHEET, Place.HELP}),
    Action("pane.zoom", ("z",), "z", "zoom", "zoom pane", "zoom", Group.MOVE, PANES),
    Action(
        "back",
        ("escape",),
        "esc",
        "back",
        "back",
        "back",
        Group.MOVE,
        PANES | _DIALOGS | {Place.SHEET, Place.HELP},
    ),
    Action("screen.desk", ("1",), "1", "", "Desk", "desk", Group.SCREENS, PANES | {Place.SHEET, Place.HELP}),
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
        "help",
        ("question_mark",),
        "?",
        "help",
        "this help, again: glossary",
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
