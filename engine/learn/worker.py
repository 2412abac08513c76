"""The process that lets LightGBM read a model file first: a damaged one may end it (RELIABILITY 9).

Reads one JSON request a line on stdin and answers each with one line on stdout. LightGBM is imported once;
every request is tried in a fork of its own with little memory and time, so that a file which ends its process
ends no other request. Run by `storage.model_trial`, never imported by the engine.
"""

import json
import os
import resource
import select
import signal
import sys
from collections.abc import Mapping
from typing import Any

MEMORY_BYTES = 512 * 2**20
"""Above what the process has when LightGBM is loaded."""
SECONDS = 10
_ANSWER_MAX = 10 * 2**20


def main() -> None:
    """Serve until stdin ends."""
    import lightgbm  # what this process is for

    quiet = os.open(os.devnull, os.O_WRONLY)
    for line in sys.stdin.buffer:
        answer = _tried(lightgbm, json.loads(line), quiet)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def _tried(lightgbm: Any, request: Mapping[str, Any], quiet: int) -> dict[str, object]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _attempt(lightgbm, request, quiet, writing)
    os.close(writing)
    try:
        content = _answer(reading)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if content is None:
        return {"problem": f"no answer within {SECONDS} s"}
    try:
        answer: dict[str, object] = json.loads(content)
    except ValueError:
        code = os.waitstatus_to_exitcode(status)
        return {"problem": _ended_by(code)}
    return answer


def _ended_by(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"


def _answer(reading: int) -> bytes | None:
    """All that the fork says before it ends; None when it takes too long."""
    content = b""
    while len(content) <= _ANSWER_MAX:
        ready, _, _ = select.select([reading], [], [], SECONDS)
        if not ready:
            return None
        more = os.read(reading, 65536)
        if not more:
            return content
        content += more
    return None


def _attempt(lightgbm: Any, request: Mapping[str, Any], quiet: int, writing: int) -> None:
    """In the fork: never returns."""
    import numpy as np  # loaded with LightGBM

    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    _limit()
    answer: dict[str, object]
    try:
        rows = np.array(request["rows"], dtype=np.float64)
        scores = {}
        for half, text in request["texts"].items():
            booster = lightgbm.Booster(model_str=text, params={"num_threads": 1, "verbosity": -1})
            scores[half] = booster.predict(rows, raw_score=True, num_threads=1).tolist()
        answer = {"scores": scores}
    except (lightgbm.basic.LightGBMError, ValueError, KeyError, TypeError, MemoryError) as error:
        answer = {"problem": f"{type(error).__name__}: {error}"}
    # Not by sys.exit: nothing of this process's own is to be written or closed twice.
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(answer).encode())
    os._exit(0)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        with open("/proc/self/statm", encoding="ascii") as table:
            now = int(table.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        return  # macOS counts no address space; time and the fork itself are the limits there
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY_BYTES, now + MEMORY_BYTES))


if __name__ == "__main__":
    main()
