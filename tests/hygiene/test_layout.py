"""How large and how tidy the code may be (STYLE 2)."""

import ast
import statistics
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

Product = Mapping[str, ast.Module]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(product: Product) -> Iterator[tuple[str, Function]]:
    for path, module in product.items():
        for node in ast.walk(module):
            if isinstance(node, Function):
                yield f"{path}:{node.lineno} {node.name}", node


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def percentile_90(values: list[int]) -> float:
    return statistics.quantiles(values, n=10)[-1]


def test_the_wheel_has_exactly_the_four_packages_and_tests_is_the_fifth(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == ["brokers", "engine", "storage", "tui"]
    found = {path.parent.name for path in root.glob("*/__init__.py")}
    assert found == set(packages)
    assert (root / "tests").is_dir()


def test_package_files_hold_nothing_but_a_docstring(product: Product) -> None:
    for path, module in product.items():
        if path.endswith("__init__.py"):
            rest = module.body[1:] if ast.get_docstring(module) is not None else module.body
            assert rest == [], f"{path} runs code whenever one of its modules is imported"


def test_files_stay_small(root: Path, product: Product) -> None:
    lines = {path: (root / path).read_text().count("\n") for path in product if "__init__" not in path}
    assert {path: n for path, n in lines.items() if n > 800} == {}
    assert statistics.median(lines.values()) <= 150
    assert percentile_90(list(lines.values())) <= 400


def test_functions_stay_small(product: Product) -> None:
    lengths = {name: length(node) for name, node in functions(product)}
    assert {name: n for name, n in lengths.items() if n > 80} == {}
    assert statistics.median(lengths.values()) <= 12
    assert percentile_90(list(lengths.values())) <= 40


def test_names_say_what_a_module_is(product: Product) -> None:
    vague = [path for path in product if any(word in path for word in ("utils", "helpers", "manager"))]
    assert vague == []


def test_every_public_class_and_function_says_what_it_does(product: Product) -> None:
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, module in product.items()
        for node in module.body
        if isinstance(node, Function | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
        and "migrations" not in path
    ]
    assert silent == []
