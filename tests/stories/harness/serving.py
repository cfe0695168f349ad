"""A loopback HTTP server around one function, for stand-ins that the stories write themselves.

Threads and the standard library rather than a framework: what a stand-in answers is then told by
nothing but the function, and no framework's courtesy hides a fault of the client.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client asked for: `target` as it was sent, header names in lower case."""

    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        """Method and path, for a failure's message."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """What it is answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Listener(ThreadingHTTPServer):
    """Says nothing of a client that was killed while it read."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Whatever goes wrong outside of `answer` is the connection's end."""


class Server:
    """Answers on a free port of 127.0.0.1 from `with` to its end; keeps what was asked and said."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.exchanges: list[tuple[Request, Reply]] = []
        self.faults: list[BaseException] = []
        self.httpd = Listener(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.05,))

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer is written in two parts, which must not wait for each other's receipt.
            disable_nagle_algorithm = True
            # A client that leaves its connection open must not hold the server's end back.
            timeout = 5

            def handle_one(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command,
                    self.path,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                try:
                    reply = server.answer(request)
                except Exception as fault:
                    # A story that asserts on `faults` hears of it; the client hears of a failure.
                    server.faults.append(fault)
                    reply = Reply(500, repr(fault).encode())
                server.exchanges.append((request, reply))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_HEAD = handle_one

            def log_message(self, *_: object) -> None:
                """A story prints nothing."""

        return Handler
