"""An HTTP proxy between browser and server that delays, loses, repeats or answers on its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["pass", "lose request", "lose reply", "twice", "500"]
Choose = Callable[[str], Fault]
BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 6\r\nConnection: close\r\n\r\nbroken"
LINES_END = b"\r\n\r\n"


def on_answers(fault: Fault) -> Choose:
    """Give this fault to answers alone, also to those of a page that is left, which no route can hold."""
    return lambda line: fault if "/api/answers" in line else "pass"


def on_nothing(_line: str) -> Fault:
    """Let everything pass."""
    return "pass"


@dataclass
class Proxy:
    """Forward every connection to a port; `choose` names the fault of each request by its first line."""

    target: int
    choose: Choose = on_nothing
    delay_s: float = 0.0
    down: bool = False
    seen: list[tuple[str, Fault]] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def cut(self) -> None:
        """Be away, for new connections and for those that live."""
        self.down = True
        for held in list(self._live):
            _close(held)

    _live: set[socket.socket] = field(default_factory=set)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                _close(client)
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._live.add(client)
        try:
            head, rest = _head(client)
            if b"upgrade: websocket" in head.lower():
                self._pipe(client, head + rest)
            elif head:
                self._answer(client, head, rest)
        except OSError:
            pass
        finally:
            self._live.discard(client)
            _close(client)

    def _answer(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        line = head.split(b"\r\n", 1)[0].decode("latin-1")
        while len(rest) < _length(head):
            rest += client.recv(65536)
        fault = self.choose(line)
        self.seen.append((line, fault))
        if "/api/answers" in line:
            time.sleep(self.delay_s)
        if fault == "500":
            client.sendall(BROKEN)
        if fault in {"500", "lose request"}:
            return
        reply = self._fetch(head, rest)
        if fault == "twice":
            reply = self._fetch(head, rest)
        if fault != "lose reply" and not self.down:
            client.sendall(reply)

    def _fetch(self, head: bytes, body: bytes) -> bytes:
        kept = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"connection:")]
        kept = [each for each in kept if each] + [b"Connection: close"]
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as server:
            server.sendall(b"\r\n".join(kept) + LINES_END + body)
            parts = []
            while part := server.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def _pipe(self, client: socket.socket, first: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            self._live.add(server)
            server.sendall(first)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()
            self._live.discard(server)


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    held = b""
    while LINES_END not in held:
        part = client.recv(65536)
        if not part:
            return b"", b""
        held += part
    head, rest = held.split(LINES_END, 1)
    return head + LINES_END, rest


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
    except OSError:
        pass
    _close(source)
    _close(target)


def _close(held: socket.socket) -> None:
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)
    held.close()
