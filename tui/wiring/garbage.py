"""When Python looks for garbage: not while a program starts, and then never through all that it has loaded.

A full collection visits every object of the process. With the libraries of the engine and the console that is
a fifth of a second in which no key is answered; of what they loaded nothing ever becomes garbage.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

SETTLED_S = 2.0
"""Wall time after which a program has loaded what it needs."""
THRESHOLDS = (2_000, 10, 250)
"""Young objects before a collection, and collections of one age before one of the next."""


@contextmanager
def put_off() -> Iterator[None]:
    """Collect nothing inside until `settle`."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Set aside everything that is there now, and collect from here on, in small pieces."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()


def settle_soon() -> None:
    """Once the running loop has begun its work."""
    asyncio.get_running_loop().call_later(SETTLED_S, settle)
