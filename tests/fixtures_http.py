"""A web server on loopback that answers as told: slowly, wrongly, in halves; registered by conftest.py.

Both ends run on one virtual loop with real sockets: ten seconds of waiting cost none.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.loop import run_virtual

_IO_WAIT_S = 0.005
_REASONS = {200: "OK", 301: "Moved Permanently", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Answer:
    """One answer. `cut`: bytes of the body after which the connection ends; `mute`: nothing comes."""

    body: bytes = b"{}"
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    mute: bool = False
    raw: bytes | None = None
    """The whole answer as it goes over the wire."""


class Loopback:
    """Answers requests in order, the last one for ever. `requests`: target and headers of each."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [Answer()]
        self.by_path: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._never = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "Loopback":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._never.set()
        self._server.close()
        await self._server.wait_closed()

    def then(self, *answers: Answer) -> None:
        """Answer so from now on."""
        self.answers = list(answers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the other end has gone
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        target = head[0].split()[1]
        self.requests.append((target, dict(line.lower().split(": ", 1) for line in head[1:] if line)))
        answer = self.by_path.get(target.partition("?")[0])
        if answer is None:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.mute:
            await self._never.wait()
            return False
        writer.write(_wire(answer))
        await writer.drain()
        return answer.cut is None and answer.raw is None


def _wire(answer: Answer) -> bytes:
    if answer.raw is not None:
        return answer.raw
    headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Some Reason')}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body[: answer.cut]


Test = Callable[[Loopback], Awaitable[Any]]


@pytest.fixture
def online() -> Callable[[Test], Any]:
    """Run a test's coroutine function with a server, in virtual time."""

    def run(test: Test) -> Any:
        async def main() -> Any:
            async with Loopback() as server:
                return await test(server)

        return run_virtual(main(), io_wait_s=_IO_WAIT_S)

    return run


@pytest.fixture(scope="session")
def answer() -> type[Answer]:
    """How the server is told what to answer."""
    return Answer


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], bytes]:
    """The body of an answer, by `source/file` in tests/data: written by hand after its description."""
    folder = Path(__file__).parent / "data"
    return lambda name: (folder / name).read_bytes()
