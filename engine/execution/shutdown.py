"""The emergency shutdown as a plan (SPEC 4.10): six steps, always in this order, each done once. Pure.

What is done is kept in the journal after each step, so that a start goes on where the process ended. Every
step may be repeated without harm: a crash between a step and its line makes it come twice.
"""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.errors import StorageError

META_KEY = "shutdown"
"""Of the journal's `meta` table; "" once the account was resumed."""


class ShutdownStep(StrEnum):
    """The steps, in their order."""

    HALT = "halt"
    CANCEL = "cancel_entries"
    VERIFY = "verify_stops"
    FLATTEN = "flatten"
    SNAPSHOT = "snapshot"
    ALERT = "alert"


ORDER = tuple(ShutdownStep)
WORDS = {
    ShutdownStep.HALT: "halt",
    ShutdownStep.CANCEL: "cancel working entries",
    ShutdownStep.VERIFY: "verify a stop at the venue for every position",
    ShutdownStep.FLATTEN: "sell every position",
    ShutdownStep.SNAPSHOT: "write the snapshot",
    ShutdownStep.ALERT: "alert",
}


@dataclass(frozen=True, slots=True)
class Shutdown:
    """One emergency shutdown. `notes`: what a step left or could not bring about, in words for a person."""

    began_us: int
    by: str
    reason: str
    flatten: bool
    done: tuple[ShutdownStep, ...] = ()
    notes: tuple[tuple[ShutdownStep, str], ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The notes, without their steps."""
        return tuple(text for _, text in self.notes)

    @property
    def steps(self) -> tuple[ShutdownStep, ...]:
        """Those that this one takes."""
        return tuple(step for step in ORDER if self.flatten or step is not ShutdownStep.FLATTEN)

    @property
    def next_step(self) -> ShutdownStep | None:
        """The first that is not done; None when all are."""
        return next((step for step in self.steps if step not in self.done), None)

    def after(self, step: ShutdownStep, notes: tuple[str, ...] = ()) -> "Shutdown":
        """With a step done."""
        made = tuple((step, note) for note in notes)
        return replace(self, done=(*self.done, step), notes=(*self.notes, *made))

    def flattening(self) -> "Shutdown":
        """With the positions sold too; what comes after that step comes again."""
        later = ORDER[ORDER.index(ShutdownStep.FLATTEN) :]
        return replace(
            self,
            flatten=True,
            done=tuple(step for step in self.done if step not in later),
            notes=tuple(note for note in self.notes if note[0] not in later),
        )

    def words(self) -> str:
        """`step 3 of 5: verify a stop at the venue for every position`, or `done: 5 of 5 steps`."""
        step, steps = self.next_step, self.steps
        if step is None:
            text = f"done: {len(steps)} of {len(steps)} steps"
        else:
            text = f"step {steps.index(step) + 1} of {len(steps)}: {WORDS[step]}"
        return "; ".join((text, *self.texts))


def to_json(shutdown: Shutdown | None) -> str:
    """As the journal keeps it."""
    if shutdown is None:
        return ""
    return json.dumps(
        {
            "began_us": shutdown.began_us,
            "by": shutdown.by,
            "reason": shutdown.reason,
            "flatten": shutdown.flatten,
            "done": list(shutdown.done),
            "notes": [list(note) for note in shutdown.notes],
        }
    )


def from_json(text: str | None) -> Shutdown | None:
    """What `to_json` wrote; None where nothing was, or it was ended. Raises StorageError."""
    if not text:
        return None
    try:
        stored = json.loads(text)
        return Shutdown(
            stored["began_us"],
            stored["by"],
            stored["reason"],
            stored["flatten"],
            tuple(ShutdownStep(step) for step in stored["done"]),
            tuple((ShutdownStep(step), text) for step, text in stored["notes"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"the journal's note of an emergency shutdown makes no sense: {error!r}",
            "run tradedeck audit verify",
        ) from error
