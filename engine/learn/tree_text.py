"""LightGBM's text format, read without LightGBM: its own reader ends the process on a damaged file.

Whatever is not a plain binary model of numeric splits is refused by name; nothing is guessed. The format is
that of LightGBM's `GBDT::SaveModelToString`, version v4.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

import numpy as np

from engine.errors import DataError
from engine.learn.trees import Nodes, Trees

TREES_MAX = 1000
LEAVES_MAX = 1024
ROWS_MAX = 2**31 - 1
_HEAD = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "objective": "binary sigmoid:1"}
_CATEGORICAL, _ZERO_IS_MISSING = 1, 4
_MISSING_BITS = 12
_ZERO = float(np.float32(1e-35))
"""LightGBM's kZeroThreshold."""
_AGAIN = "Train the model again"


def read_trees(text: str, inputs: Sequence[str]) -> Trees:
    """The trees of a model of these inputs, in this order. Raises DataError."""
    head, *blocks = _blocks(text)
    for key, wanted in _HEAD.items():
        if head.get(key) != wanted:
            raise _damaged(f"{key} is {head.get(key, 'absent')!r}, not {wanted!r}")
    if head.get("feature_names", "").split(" ") != list(inputs):
        raise _damaged(f"its inputs are not {', '.join(inputs)}")
    if not 0 < len(blocks) <= TREES_MAX:
        raise _damaged(f"it has {len(blocks)} trees, 1 to {TREES_MAX:,} can be read")
    parts = [_tree(block, number, len(inputs)) for number, block in enumerate(blocks)]
    return Trees(_joined(parts), len(inputs))


def _blocks(text: str) -> Iterator[Mapping[str, str]]:
    """`key=value` lines of the head and of each tree; what follows the trees is only how it was trained."""
    body, mark, _ = text.partition("\nend of trees\n")
    lines = body.split("\n")
    if not mark or lines[0] != "tree":
        raise _damaged("it does not begin and end as a LightGBM text model does")
    block: dict[str, str] = {}
    for line in lines[1:]:
        key, _, value = line.partition("=")
        if key == "Tree":
            yield block
            block = {}
        if not line:
            continue
        if key in block:
            raise _damaged(f"{key[:40]} stands twice")
        block[key] = value
    yield block


def _tree(block: Mapping[str, str], number: int, inputs: int) -> Nodes:
    if block.get("Tree") != str(number):
        raise _damaged(f"tree {number} is not where it belongs")
    leaves = _integers(block, "num_leaves", 1, 1, LEAVES_MAX)[0]
    if block.get("num_cat") != "0" or block.get("is_linear", "0") != "0":
        raise _damaged(f"tree {number} has categories or linear leaves, which are not used here")
    splits = int(leaves) - 1
    feature = _integers(block, "split_feature", splits, 0, inputs - 1)
    kinds = _integers(block, "decision_type", splits, 0, 15)
    if (kinds & _CATEGORICAL).any() or ((kinds & _MISSING_BITS) == _ZERO_IS_MISSING).any():
        raise _damaged(f"tree {number} has splits that are not plain numeric ones")
    left = _integers(block, "left_child", splits, -int(leaves), splits - 1)
    right = _integers(block, "right_child", splits, -int(leaves), splits - 1)
    _check_shape(left, right, splits, number)
    alone = splits == 0
    return Nodes(
        feature=feature,
        threshold=_without_zeros(_numbers(block, "threshold", splits)),
        left=left,
        right=right,
        root=np.array([-1 if alone else 0]),
        leaf=_numbers(block, "leaf_value", splits + 1),
        split_rows=_integers(block, "internal_count", splits, 1, ROWS_MAX),
        # A tree without a split says nothing of its rows.
        leaf_rows=np.ones(1, dtype=np.int64)
        if alone
        else _integers(block, "leaf_count", splits + 1, 1, ROWS_MAX),
        gain=_numbers(block, "split_gain", splits),
    )


def _without_zeros(threshold: np.ndarray) -> np.ndarray:
    """LightGBM takes values of at most _ZERO in size for 0: thresholds moved away from 0 do the same."""
    below, above = np.nextafter(-_ZERO, -np.inf), _ZERO
    moved = np.where((threshold >= -_ZERO) & (threshold < 0), below, threshold)
    return np.where((moved >= 0) & (moved < _ZERO), above, moved)


def _check_shape(left: np.ndarray, right: np.ndarray, splits: int, number: int) -> None:
    """Every split but the first and every leaf hangs on exactly one earlier split: there is no circle."""
    if not splits:
        return
    own = np.arange(splits)
    children = np.concatenate((left, right))
    is_later = (children < 0) | (children > np.concatenate((own, own)))
    if not is_later.all() or not np.array_equal(
        np.sort(children), np.append(np.arange(-splits - 1, 0), own[1:])
    ):
        raise _damaged(f"the splits of tree {number} do not hang together")


def _joined(parts: Sequence[Nodes]) -> Nodes:
    splits = np.cumsum([0, *(len(part.feature) for part in parts)])
    leaves = np.cumsum([0, *(len(part.leaf) for part in parts)])

    def moved(child: np.ndarray, tree: int) -> np.ndarray:
        return np.asarray(np.where(child >= 0, child + splits[tree], child - leaves[tree]))

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    def links(name: str) -> np.ndarray:
        moves = [moved(getattr(part, name), tree) for tree, part in enumerate(parts)]
        return np.concatenate(moves).astype(np.int32)

    return Nodes(
        feature=column("feature").astype(np.int32),
        threshold=column("threshold"),
        left=links("left"),
        right=links("right"),
        root=links("root"),
        leaf=column("leaf"),
        split_rows=column("split_rows"),
        leaf_rows=column("leaf_rows"),
        gain=column("gain"),
    )


def _words(block: Mapping[str, str], key: str, count: int) -> list[str]:
    found = block.get(key, "").split()
    if len(found) != count:
        raise _damaged(f"tree {block.get('Tree', '')[:10]} has {len(found)} numbers in {key}, not {count}")
    return found


def _integers(block: Mapping[str, str], key: str, count: int, low: int, high: int) -> np.ndarray:
    words = _words(block, key, count)
    try:
        numbers = [int(word) for word in words]
    except ValueError as error:
        raise _damaged(f"{key} holds something else than whole numbers") from error
    if any(not low <= number <= high for number in numbers):
        raise _damaged(f"{key} holds a number outside {low}..{high}")
    return np.array(numbers, dtype=np.int64)


def _numbers(block: Mapping[str, str], key: str, count: int) -> np.ndarray:
    words = _words(block, key, count)
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise _damaged(f"{key} holds something else than numbers") from error
    if not all(map(isfinite, numbers)):
        raise _damaged(f"{key} holds a number that is not finite")
    return np.array(numbers, dtype=np.float64)


def _damaged(why: str) -> DataError:
    return DataError(f"the model file cannot be read: {why}", _AGAIN)
