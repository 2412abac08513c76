"""Values of the command line, checked without a library where there is nothing to check.

Typer looks at each value with pydantic, even of options that nobody typed. Loading that takes 0.1 s, which
the first frame and every quick command would wait for.
"""

from dataclasses import dataclass
from typing import Any

from typer import Context, Typer
from typer.core import TyperGroup
from typer.main import get_command


@dataclass(frozen=True, slots=True)
class Sparing:
    """Typer's check of one parameter, built only for a value that it could change or refuse."""

    descriptor: Any

    def coerce(self, value: Any, param: Any, ctx: Context) -> Any:
        """The value as the command takes it. Raises typer.BadParameter."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if isinstance(value, str) and self.descriptor.annotation in (str, str | None):
            return value
        from typer._coercion import build_runtime_param  # pydantic: 0.1 s

        return build_runtime_param(self.descriptor).coerce(value, param=param, ctx=ctx)


def spared(app: Typer) -> TyperGroup:
    """The command line of `app`, with every parameter checked sparingly."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101 - it has commands
    _spare(group)
    return group


def _spare(command: Any) -> None:
    # Made at its first use, and looked at like every other: --help that nobody typed too.
    helping = command.get_help_option(Context(command))
    for param in command.params if helping is None else (*command.params, helping):
        param._runtime_param = Sparing(param.type_descriptor)
    for below in getattr(command, "commands", {}).values():
        _spare(below)
