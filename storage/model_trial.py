"""Trying a model file in a process of its own before this one reads it (RELIABILITY 9)."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.model.text import clean

TIMEOUT_S = 60.0
"""Of a whole trial: the import of LightGBM on a busy machine, and each file's own 10 s."""
_WORDS_MAX = 200
"""Of what LightGBM says of a file: it may quote what it found there."""
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TMPDIR",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """The texts of one model by half, and the rows (N, K) of its self-test."""

    texts: Mapping[str, bytes]
    rows: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The log-odds (N,) that LightGBM gave by half, or why there are none."""

    scores: Mapping[str, tuple[float, ...]]
    problem: str


def try_models(trials: Sequence[Trial], timeout_s: float = TIMEOUT_S) -> list[Verdict]:
    """One verdict for each trial, in order; whatever the files hold, this process goes on."""
    requests = [
        json.dumps(
            {
                "texts": {half: text.decode("latin-1") for half, text in trial.texts.items()},
                "rows": trial.rows,
            }
        )
        for trial in trials
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "engine.learn.worker"],
            input="".join(f"{request}\n" for request in requests).encode(),
            capture_output=True,
            timeout=timeout_s,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [Verdict({}, f"it was not read within {timeout_s:g} s")] * len(trials)
    except OSError as error:
        return [Verdict({}, f"no process to read it in: {error.strerror}")] * len(trials)
    lines = done.stdout.splitlines()
    found = [_verdict(line) for line in lines[: len(trials)]]
    words = done.stderr.decode(errors="replace").strip().splitlines()
    last = clean(words[-1])[:_WORDS_MAX] if words else f"code {done.returncode}"
    missing = Verdict({}, f"the process that reads model files ended: {last}")
    return found + [missing] * (len(trials) - len(found))


def _verdict(line: bytes) -> Verdict:
    """What one line says; a line cut off by the end of the process says nothing."""
    try:
        answer = json.loads(line)
        match answer:
            case {"problem": str(problem)}:
                return Verdict({}, clean(problem)[:_WORDS_MAX])
            case {"scores": dict(scores)}:
                return Verdict({half: tuple(map(float, values)) for half, values in scores.items()}, "")
    except (ValueError, TypeError) as error:
        return Verdict({}, f"the process that reads model files answered nonsense: {error}")
    return Verdict({}, "the process that reads model files gave no answer")


def _environment() -> dict[str, str]:
    """No secret of ours, and one thread: a fork may have no other."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
