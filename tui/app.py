"""The console. It sees an engine only through a link, and says how it wants to end in its exit value."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Event, Key
from textual.screen import Screen

from engine.errors import DeckError, InvariantBroken
from tui.actions import FIRST_SCREEN, SCREENS
from tui.format import plain
from tui.messages import DeckChanged, EngineLost
from tui.options import ConsoleExit, ConsoleOptions
from tui.painter import Painter
from tui.screens.chrome import DeckScreen
from tui.screens.paned import PanedScreen
from tui.screens.registry import OPENING, load_later, make_screen
from tui.theme import THEMES, choose_theme
from tui.widgets.ink import drawable

if TYPE_CHECKING:
    from engine.model.commands import Actor, Answer, Command
    from tui.link import Link
    from tui.shown.deck import DeckView
    from tui.shown.details import Detail, Topic
    from tui.widgets.look import Look

HALT_WINDOW_S = 2.0
TICK_S = 1.0
LOW_BANDWIDTH_S = 2.0
KEYS_MEASURED = 120
LOAD_S = 0.1
"""Between two modules that are loaded after the first frame, before a person can want them."""


class ConsoleApp(App[ConsoleExit], inherit_bindings=False):
    """The screens with their dialogs, the Desk first. `exit` value: whether the engine shall stop too."""

    CSS_PATH = "deck.tcss"
    TITLE = "tradedeck"
    ENABLE_COMMAND_PALETTE = False
    # Each screen is a mode, so it keeps its place and its dialogs while another is in front.
    MODES: ClassVar[dict[str, str | Callable[..., Screen[None]]]] = {
        name: partial(make_screen, name) for name in (OPENING, *(name for _, name, _ in SCREENS))
    }
    DEFAULT_MODE = FIRST_SCREEN
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("exclamation_mark", "halt", "halt, stops stay", show=False, priority=True, id="engine.halt"),
        Binding("ctrl+q,ctrl+c", "leave_anywhere", "leave", show=False),
    ]

    def __init__(
        self, link: "Link", *, actor: "Actor | Callable[[], Actor]", options: ConsoleOptions | None = None
    ) -> None:
        # With NO_COLOR no color code may be written, not even a default one.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.options = options or ConsoleOptions()
        self._actor = actor
        self.halting = False
        self._link = link
        self._painter = Painter()
        self._key_times: deque[float] = deque(maxlen=KEYS_MEASURED)
        self._view: DeckView | None = None
        self._taken_at = 0.0
        self._shown_at = float("-inf")
        self._halt_at = float("-inf")
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = choose_theme(
            self.options.theme, no_color=self.no_color, color_system=self.console.color_system
        )

    def on_mount(self) -> None:
        """Listen to the engine once the first frame is painted; redraw countdowns once a second."""
        self.set_keymap(dict(self.options.keys))
        self.set_interval(TICK_S, self.tick)
        # What opens a link may load for a second: the first frame is painted before.
        begin = self.call_after_refresh if self.options.opening else self.call_next
        begin(lambda: self.run_worker(self._follow()))

    def _load(self, rest: Iterator[None]) -> None:
        """One step after the other, with time for keys between."""
        if next(rest, self) is None:
            self.set_timer(LOAD_S, partial(self._load, rest))

    @cached_property
    def actor(self) -> "Actor":
        """The person, found out when a command first needs a name."""
        return self._actor() if callable(self._actor) else self._actor

    # The engine's picture.

    def look(self) -> "Look | None":
        """The newest picture at this moment; a live market's clock goes on between pictures."""
        view = self._view
        if view is None:
            return None
        from tui.widgets.look import Look  # every fact of the engine: they come after the first frame

        now_us = view.header.now_us
        since_us = round((self.options.now() - self._taken_at) * 1_000_000)
        if view.header.market.provenance == "live":
            now_us += since_us
        return Look(view, now_us, since_us)

    async def _follow(self) -> None:
        try:
            async for view in self._link.changes():
                self.post_message(DeckChanged(view))
        except DeckError as error:
            self.post_message(EngineLost(error.message))
        else:
            self.post_message(EngineLost("the engine has ended"))

    def on_deck_changed(self, message: DeckChanged) -> None:
        """Show a newer picture everywhere."""
        from tui.widgets.look import Look

        if self._view is None:
            self.set_timer(LOAD_S, partial(self._load, load_later()))
        if self._view is None or not Look(message.view, 0).detached:
            # A link that lost its engine repeats the last picture: that is no answer.
            self._taken_at = self.options.now()
        self._view = message.view
        self._show()

    def on_engine_lost(self, message: EngineLost) -> None:
        """Nothing more will come: mark every value as old, unless the engine said itself that it stopped.

        A link that never opened leaves nothing to show: whoever opened it says why.
        """
        from tui.shown.deck import LinkState

        view = self._view
        if view is None and self.options.opening:
            self.leave(stop_engine=False)
            return
        if view is not None and view.header.engine_state != "STOPPED":
            header = replace(view.header, link=LinkState.LOST)
            self._view = replace(view, header=header)
        self.log.warning(message.reason)
        self._show()

    def _show(self, *, behind: bool = False) -> None:
        """The screen in front; the one behind a dialog only once a second, so that dialogs stay quick."""
        now = self.options.now()
        if self.options.low_bandwidth and not self.halting and now - self._shown_at < LOW_BANDWIDTH_S:
            return
        self._shown_at = now
        # While the console closes it has no screens any more, and its clock still ticks.
        stack = self.screen_stack
        if stack and isinstance(stack[-1], DeckScreen):
            stack[-1].show()
        if behind and len(stack) > 1 and isinstance(stack[0], DeckScreen):
            stack[0].show()

    @property
    def _front(self) -> Screen[object] | None:
        """The screen or dialog in front; None while the console closes."""
        stack = self.screen_stack
        return stack[-1] if stack else None

    def tick(self) -> None:
        """Countdowns, refusals, closing dialogs."""
        self.halting = self.options.now() - self._halt_at < HALT_WINDOW_S
        look = self.look()
        front = self._front
        if look is not None and isinstance(front, DeckScreen):
            front.tick(look)
        self._show(behind=True)

    # What screens may ask.

    async def give(self, command: "Command") -> "Answer":
        """Hand a command to the engine; a broken link is an answer too."""
        from engine.model.commands import Answer

        try:
            return await self._link.give(command)
        except DeckError as error:
            return Answer(False, "no_answer", f"{error}")

    async def detail(self, topic: "Topic", id: str) -> "Detail | None":
        """What is known of one thing; a broken link knows nothing."""
        try:
            return await self._link.detail(topic, id)
        except DeckError as error:
            self.log.warning(f"no detail: {error}")
            return None

    def key_times(self) -> Sequence[float]:
        """Seconds from each of the last keys to the picture after it, oldest first."""
        return tuple(self._key_times)

    async def on_event(self, event: Event) -> None:
        """Measure how long a key takes to be seen."""
        await super().on_event(event)
        if isinstance(event, Key):
            pressed = self.options.now()
            self.call_after_refresh(lambda: self._key_times.append(self.options.now() - pressed))

    def goto(self, name: str) -> bool:
        """Show another screen; False when it is in front already."""
        front = self.screen_stack[0]
        if isinstance(front, DeckScreen) and front.name_in_navigation == name:
            return False
        self.switch_mode(name)
        return True

    async def go_on(self) -> bool:
        """Let a waiting replay go on."""
        try:
            return await self._link.resume_market()
        except DeckError as error:
            self.say(str(error), ok=False)
            return True

    def say(self, text: str, *, ok: bool) -> None:
        """A toast; its text is never markup."""
        words = f"{'●' if ok else '■'} {drawable(text)}"
        words = plain(words) if self.options.plain else words
        self.notify(words, severity="information" if ok else "warning", markup=False)

    def leave(self, *, stop_engine: bool) -> None:
        """Close the console."""
        self.exit(ConsoleExit(stop_engine))

    # Keys that work everywhere.

    def action_halt(self) -> None:
        """The first `!` warns, a second within two seconds halts at once."""
        screen = self._front
        if self.options.view_only and isinstance(screen, DeckScreen):
            screen.refuse("!", "this console may look, not act")
            return
        now, look = self.options.now(), self.look()
        if look is not None and look.halted and not look.detached and isinstance(screen, DeckScreen):
            screen.refuse("!", "halted already, stops stay")
            return
        if now - self._halt_at < HALT_WINDOW_S:
            self._halt_at = float("-inf")
            self.run_worker(self._halt())
        else:
            self._halt_at = now
            self.set_timer(HALT_WINDOW_S + 0.02, self.tick)
        self.tick()

    def action_halt_now(self) -> None:
        """Chosen by name: that is deliberate enough."""
        if not self.options.view_only:
            self.run_worker(self._halt())
        elif isinstance(front := self._front, DeckScreen):
            front.refuse("halt", "this console may look, not act")

    async def _halt(self) -> None:
        from engine.model.commands import Halt

        answer = await self.give(Halt(self.actor, "! !"))
        self.say(answer.text, ok=answer.ok)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write only what changed; Textual has no other door between its pictures and the terminal."""
        if isinstance(renderable, CompositorUpdate) and not self.is_inline:
            renderable = self._painter.least(renderable)
        super()._display(screen, renderable)

    def _fatal_error(self) -> None:
        """Close without Textual's traceback panel, which would print the values of locals."""
        self._close_messages_no_wait()

    @property
    def failure(self) -> Exception | None:
        """What ended the console when it was not the person."""
        return self._exception

    def action_leave_anywhere(self) -> None:
        """`ctrl+c` closes a dialog first, then leaves like `q`."""
        front = self._front
        if isinstance(front, PanedScreen):
            front.action_leave()
        elif isinstance(front, DeckScreen):
            front.dismiss(None)


class OpeningConsole(ConsoleApp):
    """A console whose link still opens when its first frame is painted."""

    DEFAULT_MODE = OPENING


async def run_console(
    link: "Link", *, actor: "Actor | Callable[[], Actor]", options: ConsoleOptions
) -> ConsoleExit:
    """Show the console until the person leaves. Raises InvariantBroken when the console itself fails."""
    kind = OpeningConsole if options.opening else ConsoleApp
    app = kind(link, actor=actor, options=options)
    result = await app.run_async(mouse=not options.no_mouse)
    if app.failure is not None:
        name = type(app.failure).__name__
        runs_on = "the engine runs on, start the console again"
        ends = "its engine ran in this process and ends with it, start it again"
        raise InvariantBroken(
            f"the console failed: {name}: {drawable(str(app.failure))}",
            ends if options.own_engine else runs_on,
        ) from app.failure
    return result or ConsoleExit(stop_engine=options.own_engine)
