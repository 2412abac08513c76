"""Runs the product with a line of its own source changed: in one process, never on disk."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


@dataclass(frozen=True, slots=True)
class Edit:
    """In the source of `module`, `old` (which must stand there exactly once) becomes `new`."""

    module: str
    old: str
    new: str

    def changed(self, source: str) -> str:
        """Raises ValueError where `old` is not there once: the rule moved, and the edit tests nothing."""
        found = source.count(self.old)
        if found != 1:
            raise ValueError(f"{self.module} holds {self.old!r} {found} times, not once")
        return source.replace(self.old, self.new)


class _Loader(SourceFileLoader):
    """Compiles the changed source; cached bytecode of the true one is left alone."""

    def __init__(self, fullname: str, path: str, edits: Sequence[Edit]) -> None:
        super().__init__(fullname, path)
        self._edits = edits

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path).decode()
        for edit in self._edits:
            source = edit.changed(source)
        return compile(source, path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        edits = [edit for edit in self._edits if edit.module == fullname]
        if not edits:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            raise ImportError(fullname)
        spec.loader = _Loader(fullname, spec.origin, edits)
        return spec


def install(edits: Sequence[Edit]) -> None:
    """From now on the modules of `edits` are imported changed. Raises ValueError for one already in use."""
    used = [edit.module for edit in edits if edit.module in sys.modules]
    if used:
        raise ValueError(f"{', '.join(used)} is imported already: too late to change it")
    sys.meta_path.insert(0, _Finder(edits))


def check(edits: Sequence[Edit], root: Path) -> None:
    """Raises ValueError for an edit that no longer fits the source under `root`."""
    for edit in edits:
        edit.changed(root.joinpath(*edit.module.split(".")).with_suffix(".py").read_text())
