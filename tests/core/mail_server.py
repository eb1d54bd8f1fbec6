"""A mail server that behaves as it is told: it takes, puts off, refuses, hangs up or says nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message

REFUSALS = {
    "busy": b"451 4.3.0 <lena@client.example> try again later\r\n",
    "unknown": b"550 5.1.1 <lena@client.example> no such mailbox\r\n",
}


class MailServer:
    """`mood`: `takes`, `busy`, `unknown` (at RCPT), `spam` (5xx after DATA), `hangs_up`, `silent`."""

    def __init__(self) -> None:
        self.mood = "takes"
        self.received: list[Message] = []
        self.connections = 0
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def ends(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.mood == "silent":
            await reader.read()
            return
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                await self._take(reader, writer)
            elif verb == b"RCPT" and self.mood in REFUSALS:
                writer.write(REFUSALS[self.mood])
            elif verb == b"MAIL" and self.mood == "hangs_up":
                break
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()
        writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"354 go on\r\n")
        raw = await reader.readuntil(b"\r\n.\r\n")
        if self.mood == "spam":
            writer.write(b"554 5.7.1 looks like spam\r\n")
            return
        self.received.append(message_from_bytes(raw[:-5].replace(b"\r\n..", b"\r\n.")))
        writer.write(b"250 taken\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server._ready.wait(5)
    try:
        yield server
    finally:
        server.ends()
        thread.join(5)
