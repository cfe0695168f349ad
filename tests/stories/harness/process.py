"""Real programs as children with their output on file, ended only by their own process id."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Stories run side by side in a few processes, and two must not be given the same free port.
WORKERS_MAX = 8
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_MAX
# Below the kernel's range for outgoing connections, so that no client of the machine sits on one.
PORTS = range(20_000 + WORKER, 32_000, WORKERS_MAX)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, on either loopback family, all different."""
    found: list[int] = []
    for port in random.sample(PORTS, 200):
        if len(found) == count:
            return found
        if is_free(port):
            found.append(port)
    raise AssertionError(f"fewer than {count} of 200 random ports are free")


def is_free(port: int) -> bool:
    """Whether both loopback families would let a server listen there."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


class Process:
    """One child; what it writes goes to `<directory>/<name>.{out,err}`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        directory: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.out_path = directory / f"{name}.out"
        self.err_path = directory / f"{name}.err"
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self.child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd,
                env=clean_environment() | dict(environment or {}),
            )

    def out(self) -> str:
        """What it wrote to standard output so far."""
        return self.out_path.read_text(errors="replace")

    def err(self) -> str:
        """What it wrote to standard error so far."""
        return self.err_path.read_text(errors="replace")

    def said(self) -> str:
        """Both outputs under headings, for a failure's message."""
        return f"--- {self.name} stdout\n{self.out()}\n--- {self.name} stderr\n{self.err()}"

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.child.poll() is None

    def wait(self, seconds: float) -> int:
        """Its exit code, once it ended by itself."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} still ran after {seconds:.0f} s\n{self.said()}"
            ) from None

    def stop(self, seconds: float = 20.0) -> int:
        """Ask it to end with SIGTERM; its exit code."""
        if self.running():
            self.child.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """End it without its consent, as the last resort of a fixture or as the story's blow."""
        if self.running():
            self.child.kill()
        self.child.wait()


def clean_environment() -> dict[str, str]:
    """Our environment without what would steer an SDK or the agent behind a story's back."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OTEL_", "REDORA_", "GUNICORN_", "RUST_LOG"))
        and not key.lower().endswith("_proxy")
    }
