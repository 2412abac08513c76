"""Values that need no check are taken as they are; all others are checked as Typer does it."""

from pathlib import Path
from typing import Annotated

import pytest
import typer

from tui.commands.sparing import spared

GOT: list[object] = []


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback(invoke_without_command=True)
    def main(
        count: Annotated[int | None, typer.Option("--count")] = None,
        name: Annotated[str | None, typer.Option("--name")] = None,
        files: Annotated[list[Path] | None, typer.Option("--file")] = None,
        is_loud: Annotated[bool, typer.Option("--loud")] = False,
    ) -> None:
        GOT[:] = [count, name, files, is_loud]

    @app.command("say")
    def say(text: str, times: int = 2) -> None:
        GOT[:] = [text, times]

    return app


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ([], [None, None, [], False]),
        (["--name", "7", "--loud"], [None, "7", [], True]),
        (["--count", "7"], [7, None, [], False]),
        (["--file", "a", "--file", "b"], [None, None, [Path("a"), Path("b")], False]),
        (["say", "3"], ["3", 2]),
        (["say", "x", "--times", "4"], ["x", 4]),
    ],
)
def test_values_arrive_as_without_sparing(app: typer.Typer, arguments: list[str], got: list[object]) -> None:
    for run in (spared(app), typer.main.get_command(app)):
        run.main(arguments, standalone_mode=False)
        found = [[] if value in (None, ()) and at == 2 else value for at, value in enumerate(GOT)]
        assert found == got


@pytest.mark.parametrize("arguments", [["--count", "x"], ["say"], ["say", "x", "--times", "y"]])
def test_what_is_wrong_is_refused(app: typer.Typer, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        spared(app).main(arguments)
    assert ended.value.code == 2
