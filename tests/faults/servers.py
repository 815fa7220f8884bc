"""Tracking servers that are dead, dumb, slow or strange, on a port of this machine."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EXPERIMENT = b'{"experiment":{"experiment_id":"7","name":"cx/callback","artifact_location":"mlflow-artifacts:/7"}}'


class Well(BaseHTTPRequestHandler):
    """A server whose health page is fine; what it does with a question of MLflow's is up to its kind."""

    def do_GET(self) -> None:
        if self.path.endswith("/health"):
            self.say(200, b"OK")
        else:
            self.asked()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.asked()

    def asked(self) -> None:
        self.say(500, b"{}")

    def say(self, status: int, body: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Down(Well):
    """Every page is an error, the health page too."""

    def do_GET(self) -> None:
        self.say(500, b"down")


class Mute(Well):
    """Falls silent once it is asked for anything but its health."""

    def asked(self) -> None:
        time.sleep(8)


class Dripping(Well):
    """Sends a byte now and then, so that no socket ever times out."""

    def asked(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            for _ in range(20):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.4)


class Page(Well):
    """Answers everything with a page in HTML, as a proxy's login does."""

    def asked(self) -> None:
        self.say(200, b"<!doctype html><title>Please sign in</title>")


class Nonsense(Well):
    """Answers everything with JSON of another kind."""

    def asked(self) -> None:
        self.say(200, b'["no", {"run": 7}]')


class Dying(Well):
    """Answers one question, then breaks every connection."""

    first = itertools.count()

    def asked(self) -> None:
        if next(self.first) == 0:
            self.say(200, EXPERIMENT)
        else:
            self.connection.close()


@contextmanager
def serving(kind: type[Well]) -> Iterator[str]:
    """Serve in threads of this process; questions still open at the end are left to them."""
    fresh = type(kind.__name__, (kind,), {"first": itertools.count()})
    with ThreadingHTTPServer(("127.0.0.1", 0), fresh, bind_and_activate=True) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def nobody() -> Iterator[str]:
    """Name a port where nobody listens: bound, so that no other process takes it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
