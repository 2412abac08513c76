"""Which brokers there are. A broker's module is imported only when it is asked for by name.

Third parties add theirs with an entry point of group `tradedeck.brokers`: name = "package.module:Class".
"""

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from engine.errors import ConfigError
from engine.ports import Broker

GROUP = "tradedeck.brokers"
BUILT_IN = {"paper": "brokers.paper.broker:PaperBroker"}
"""Built-in names cannot be taken over by a third party."""


def broker_names() -> tuple[str, ...]:
    """Every known name, sorted."""
    return tuple(sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))}))


def broker_class(name: str) -> type[Broker]:
    """The class behind a name, imported now. Raises ConfigError when there is none or it cannot be loaded."""
    target = BUILT_IN.get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        found: type[Broker] = getattr(import_module(module), attribute)
        return found
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return _load(entry)
    near = get_close_matches(name, broker_names(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(broker_names())}"
    raise ConfigError(f"no broker is called {name!r}", hint)


def _load(entry: EntryPoint) -> type[Broker]:
    try:
        loaded = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"broker {entry.name!r} of {entry.value} cannot be loaded: {error}", "reinstall the package"
        ) from error
    if not isinstance(loaded, type):
        raise ConfigError(f"broker {entry.name!r}: {entry.value} is not a class", "ask the package's author")
    return loaded
