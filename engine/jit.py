"""Number loops from one source: plain Python everywhere, machine code where numba is installed.

A function marked `kernel` is written in numba's subset: explicit loops over columns, `math`, other kernels,
no objects. Called by its name it runs as it stands, on lists of floats, and costs nothing at start; that is
what one decision does. `fast(kernel)` is the same function compiled on its first use, on float64 arrays, for
what goes through millions of rows; without numba (extra `research`) it is the plain function.

Both give the same bits: numba neither reorders nor fuses floating-point operations unless told to, and both
take `math` from the C library. So a kernel must not use `sum`, `**` or numpy, and must guard each division.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

_KERNELS: set[Callable[..., Any]] = set()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function that compiled code may call by its name."""
    _KERNELS.add(function)
    return function


@cache
def is_compiling() -> bool:
    """Whether `fast` compiles: numba is installed."""
    return find_spec("numba") is not None


def fast(function: Callable[P, R]) -> Callable[P, R]:
    """The compiled form of a kernel; the kernel itself where there is no numba."""
    return cast(Callable[P, R], _compiled(function)) if is_compiling() else function


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit  # 1 s, and only for what goes through millions of rows

    # numba compiles a call to a global only if that is compiled itself.
    plain = cast(FunctionType, function)
    names = {name: plain.__globals__[name] for name in _names_of(plain)}
    calls = {name: _compiled(value) for name, value in names.items() if _is_kernel(value)}
    fresh = FunctionType(plain.__code__, plain.__globals__ | calls, plain.__name__, plain.__defaults__)
    return cast(Callable[..., Any], njit(fresh, error_model="numpy"))


def _names_of(function: FunctionType) -> list[str]:
    return [name for name in function.__code__.co_names if name in function.__globals__]


def _is_kernel(value: object) -> bool:
    return isinstance(value, FunctionType) and value in _KERNELS
