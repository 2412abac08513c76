"""The configuration: what is in force and who set it, whether a file is right, which files are read."""

from pathlib import Path

import typer

from tui.commands.common import ConfigOption, JsonOption, given
from tui.commands.output import write_json, write_line

configs = typer.Typer(help="The configuration.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    configs.command("show")(show)
    configs.command("check")(check)
    configs.command("path")(path)
    app.add_typer(configs, name="config")


def show(context: typer.Context, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Every key with its value and who set it."""
    from engine.config import leaves, toml_text  # keeps --help quick
    from engine.model.tickets import to_plain

    settings = given(context, config, None).settings()
    values = dict(leaves(settings.config))
    if as_json:
        keys = {key: {"value": to_plain(item), "from": settings.origin(key)} for key, item in values.items()}
        write_json({"sha256": settings.sha256, "files": [str(file) for file in settings.files], "keys": keys})
        return
    written = {key: f"{key} = {toml_text(value)}" for key, value in values.items()}
    width = max(map(len, written.values()))
    for key, text in written.items():
        origin = settings.origin(key)
        write_line(text if origin == "default" else f"{text.ljust(min(width, 60))}  # {origin}")
    write_line(f"# sha256 {settings.sha256}")


def check(context: typer.Context, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Check the files and variables that would be read; exit 78 names what is wrong."""
    from tui.actions import ACTIONS, clash  # keeps --help quick
    from tui.settings import check_keys

    settings = given(context, config, None).settings()
    check_keys(settings, [action.id for action in ACTIONS], clash(settings.config.keys))
    files = [str(file) for file in settings.files]
    if as_json:
        write_json(
            {"ok": True, "files": files, "changed": sorted(settings.origins), "sha256": settings.sha256}
        )
        return
    read = ", ".join(files) or "no file, only defaults"
    write_line(f"ok: {read}; {len(settings.origins)} keys set; sha256 {settings.sha256}")


def path(context: typer.Context, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The files that are looked for, the strongest first."""
    from tui.console_config import config_files  # keeps --help quick

    at = given(context, config, None)
    files = config_files(at.config, Path.cwd(), at.home.config)
    if as_json:
        write_json([{"path": str(file), "exists": file.is_file()} for file in files])
        return
    for file in files:
        write_line(f"{file}{'' if file.is_file() else '  (not there)'}")
