"""A small HTTP server on this machine's loopback, for pages that one person looks at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["LoopbackHandler", "serve_on_loopback"]

_OWN_NAMES = {"127.0.0.1", "localhost"}


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers with text that runs no script and loads nothing, and only who asks for this machine by name."""

    def parse_request(self) -> bool:
        """Refuse a request for another host: so a page of a stranger's cannot read this one by a name of its
        own that leads here (DNS rebinding).
        """
        if not super().parse_request():
            return False
        name = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if name not in _OWN_NAMES:
            self.answer(403, "text/plain", "this server answers at 127.0.0.1 only")
            return False
        return True

    def answer(self, status: int, kind: str, text: str) -> None:
        """Send a whole answer; `kind` is its media type, the text goes out as UTF-8."""
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are nobody's news."""


@contextmanager
def serve_on_loopback(handler: type[LoopbackHandler], port: int) -> Iterator[str]:
    """Serve while the block runs; the address of its first page is yielded.

    With port 0 the system chooses one. Raises OSError if the port is taken.
    """
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
