"""Builders: settings from a text, as if it stood in config.toml."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tui.settings import Settings, load_settings

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def build(
        text: str = "",
        environment: Mapping[str, str] | None = None,
        typed: Mapping[str, object] | None = None,
        user: str | None = None,
    ) -> Settings:
        working, home = tmp_path / "working", tmp_path / "user"
        for folder, body in ((working, text), (home, user)):
            folder.mkdir(exist_ok=True)
            if body is not None:
                (folder / "config.toml").write_text(body)
        return load_settings(None, working, home, environment or {}, typed or {})

    return build
