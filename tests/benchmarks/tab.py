"""A browser's tab without a screen: Streamlit's websocket, and HTTP on a connection that stays open."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


@dataclass
class Tab:
    """One open page; what it shows is read from the messages that a browser would draw."""

    host: str
    query: str = ""
    cookie: str = ""
    socket: ClientConnection | None = None
    script: str = ""
    elements: dict[str, list[Any]] = field(default_factory=dict)  # by kind, of the last run
    cached: set[str] = field(default_factory=set)
    bytes_in: int = 0

    async def open(self) -> None:
        """Connect, and wait until the page's script has run once."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        self.socket = await connect(
            f"ws://{self.host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{self.host}",  # type: ignore[arg-type]
            additional_headers=headers,
            max_size=None,
            open_timeout=120,
        )
        await self.run(BackMsg())

    async def run(self, message: BackMsg) -> None:
        """Ask for a run of the script, with what the widgets hold, and wait for its end."""
        wanted = message.rerun_script
        wanted.query_string = self.query
        wanted.page_script_hash = self.script
        wanted.context_info.url = f"http://{self.host}/"
        wanted.context_info.locale = "en-US"
        wanted.context_info.timezone = "UTC"
        wanted.cached_message_hashes.extend(self.cached)
        assert self.socket is not None
        self.elements = {}
        await self.socket.send(message.SerializeToString())
        again = True
        while again:
            again = not await self._read()

    async def _read(self) -> bool:
        """Take one message; whether the script has finished and no further run is announced."""
        assert self.socket is not None
        content = await asyncio.wait_for(self.socket.recv(), 300)
        assert isinstance(content, bytes)
        self.bytes_in += len(content)
        message = ForwardMsg()
        message.ParseFromString(content)
        kind = message.WhichOneof("type")
        if message.metadata.cacheable and kind != "ref_hash":
            self.cached.add(message.hash)
        if kind == "new_session":
            self.script = message.new_session.page_script_hash
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            name = element.WhichOneof("type")
            self.elements.setdefault(name, []).append(getattr(element, name))
        # A script that asks for a rerun ends early; the run that follows ends with success.
        return kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY

    def data(self, component: str) -> dict[str, Any]:
        """The data of a component on the page."""
        found = next(each for each in self.elements["bidi_component"] if each.component_name == component)
        read: dict[str, Any] = json.loads(found.json or found.mixed.json)
        return read

    async def close(self) -> None:
        """Leave the page."""
        if self.socket is not None:
            await self.socket.close()


@dataclass
class Line:
    """One HTTP/1.1 connection that is used again and again, as a browser does."""

    host: str
    cookie: str = ""
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Send GET; the status, the headers and the body of the response."""
        return await self._send("GET", path, {}, b"")

    async def post(self, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send POST; the status, the headers and the body of the response."""
        return await self._send("POST", path, headers, body)

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        own = {"Host": self.host, "Content-Length": str(len(body)), "Cookie": self.cookie, **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items() if value)]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        used_before = self._streams is not None
        try:
            return await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            if not used_before:
                raise
        # The server closes what was idle for 5 s; like a browser, send it on a new connection.
        return await self._exchange(request)

    async def _exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            name, port = self.host.split(":")
            self._streams = await asyncio.open_connection(name, int(port))
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        content = await reader.readexactly(int(told.get("content-length", 0)))
        return int(head[0].split()[1]), told, content

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
