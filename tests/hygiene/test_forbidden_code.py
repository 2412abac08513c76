"""What is written nowhere in the product, with the reason in the name of the test."""

import ast
from collections.abc import Iterator, Mapping

import pytest

Product = Mapping[str, ast.Module]

CATCH_ALL_EDGES = {
    "engine/reliability/supervisor.py": 1,  # task supervisor
    "engine/agents/panel.py": 1,  # a broken agent must not approve
    "engine/bus.py": 1,  # delivery
    "tui/cli.py": 1,  # no traceback reaches a person
}
MARKUP_CALLS = {
    "Static",
    "Label",
    "Button",
    "Checkbox",
    "RadioButton",
    "Option",
    "from_markup",
    "render_markup",
}
MARKUP_METHODS = {"update", "notify", "from_markup"}
MARKUP_ATTRIBUTES = {"border_title", "border_subtitle", "tooltip"}


def nodes(product: Product) -> Iterator[tuple[str, ast.AST]]:
    for path, module in product.items():
        for node in ast.walk(module):
            yield path, node


def called(node: ast.Call) -> str:
    """`f` of f(), `a.b` of a.b(); the last two names of longer chains."""
    function = node.func
    if isinstance(function, ast.Attribute):
        owner = function.value
        before = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
        return f"{before}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def calls(product: Product) -> Iterator[tuple[str, ast.Call]]:
    for path, node in nodes(product):
        if isinstance(node, ast.Call):
            yield f"{path}:{node.lineno}", node


def imported(product: Product) -> Iterator[tuple[str, str]]:
    for path, node in nodes(product):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield f"{path}:{node.lineno}", alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield f"{path}:{node.lineno}", node.module


@pytest.mark.parametrize("module", ["pickle", "shelve", "marshal", "dill", "cloudpickle", "joblib"])
def test_nothing_that_runs_code_from_a_file_is_imported(product: Product, module: str) -> None:
    assert [at for at, name in imported(product) if name.partition(".")[0] == module] == []


def test_no_text_is_run_as_code(product: Product) -> None:
    bad = {"eval", "exec", "compile", "__import__", "yaml.load", "os.system", "os.popen"}
    assert [(at, called(node)) for at, node in calls(product) if called(node) in bad] == []


def test_no_shell_is_started(product: Product) -> None:
    assert [at for at, node in calls(product) if keyword(node, "shell") is True] == []


def test_certificates_are_always_checked(product: Product) -> None:
    bad = {"_create_unverified_context", "CERT_NONE"}
    names = [path for path, node in nodes(product) if getattr(node, "attr", getattr(node, "id", "")) in bad]
    assert names == []
    assert [at for at, node in calls(product) if keyword(node, "verify") is False] == []
    assert [at for at, node in calls(product) if keyword(node, "check_hostname") is False] == []


def test_nobody_prints(product: Product) -> None:
    assert [at for at, node in calls(product) if called(node) in {"print", "pprint"}] == []


def test_everything_is_caught_only_at_the_edges(product: Product) -> None:
    found: dict[str, int] = {}
    for path, node in nodes(product):
        if isinstance(node, ast.ExceptHandler) and catches_all(node) and not ends_in_raise(node):
            found[path] = found.get(path, 0) + 1
    extra = {path: n for path, n in found.items() if n > CATCH_ALL_EDGES.get(path, 0)}
    assert extra == {}


def test_no_error_is_swallowed_without_a_word(product: Product) -> None:
    swallowed = [
        f"{path}:{node.lineno}"
        for path, node in nodes(product)
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
    ]
    assert swallowed == [], "use contextlib.suppress with a comment that says why"


def test_no_task_is_started_and_forgotten(product: Product) -> None:
    """The loop keeps only a weak reference: a task that nobody holds may vanish with its error."""
    forgotten = [
        f"{path}:{node.lineno}"
        for path, node in nodes(product)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and called(node.value) in {"asyncio.create_task", "asyncio.ensure_future", "loop.create_task"}
    ]
    assert forgotten == []


def test_no_text_from_outside_becomes_markup(product: Product) -> None:
    """Textual reads brackets in strings as markup: outside text could break or steer the screen."""
    console = {path: tree for path, tree in product.items() if path.startswith("tui/")}
    bad = [at for at, node in calls(console) if is_markup_call(node) and any(map(is_made_up, texts(node)))]
    for path, node in nodes(console):
        if isinstance(node, ast.Assign) and is_made_up(node.value):
            bad += [
                f"{path}:{node.lineno}"
                for target in node.targets
                if isinstance(target, ast.Attribute) and target.attr in MARKUP_ATTRIBUTES
            ]
    assert bad == []


@pytest.mark.parametrize(
    ("code", "is_bad"),
    [
        ('Static(f"[b]{name}")', True),
        ('Static("[b]" + name)', True),
        ('Static("[b]%s" % name)', True),
        ('Static("{}".format(name))', True),
        ('self.notify(f"{reason}")', True),
        ('self.notify(f"{reason}", markup=False)', False),
        ('Static(f"{name}", markup=False)', False),
        ('Static(Content(f"{name}"))', False),
        ('Static("fixed text")', False),
        ('Content.from_markup(f"[b]{name}")', True),
        ('hash.update(f"{row}".encode())', False),
    ],
)
def test_the_markup_rule_can_tell(code: str, is_bad: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert (is_markup_call(call) and any(map(is_made_up, texts(call)))) is is_bad


def keyword(node: ast.Call, name: str) -> object:
    for given in node.keywords:
        if given.arg == name and isinstance(given.value, ast.Constant):
            return given.value.value
    return None


def catches_all(node: ast.ExceptHandler) -> bool:
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in kinds)


def ends_in_raise(node: ast.ExceptHandler) -> bool:
    return isinstance(node.body[-1], ast.Raise)


def is_markup_call(node: ast.Call) -> bool:
    name = called(node)
    function = name.rpartition(".")[2]
    return (function in MARKUP_CALLS or ("." in name and function in MARKUP_METHODS)) and keyword(
        node, "markup"
    ) is not False


def texts(node: ast.Call) -> list[ast.expr]:
    return [
        *node.args,
        *(given.value for given in node.keywords if given.arg in {"content", "label", "message"}),
    ]


def is_made_up(node: ast.expr) -> bool:
    """A string that is put together from parts."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and any(map(is_text, (node.left, node.right)))
    return isinstance(node, ast.Call) and called(node).endswith(".format")


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
