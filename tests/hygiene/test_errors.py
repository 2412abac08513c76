"""The error tree that is drawn is the error tree that is."""

import inspect
import re

from engine import errors


def test_the_drawing_in_the_module_is_the_tree_of_classes() -> None:
    drawn: list[tuple[str, str]] = []
    path: list[str] = []
    assert errors.__doc__ is not None
    for line in errors.__doc__.splitlines():
        found = re.match(r"^([│├└─ ]*)([A-Z]\w+)", line)
        if found and hasattr(errors, found[2]):
            depth = len(found[1]) // 3
            path[depth:] = [found[2]]
            drawn.append((found[2], path[depth - 1] if depth else "Exception"))
    real = [
        (name, kind.__bases__[0].__name__)
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    ]
    assert sorted(drawn) == sorted(real)


def test_every_exit_code_is_one_of_the_six() -> None:
    codes = {
        name: kind.exit_code
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.DeckError)
    }
    assert set(codes.values()) <= {2, 65, 70, 75, 78}
    assert codes["InvariantBroken"] == codes["DeckError"] == 70
