"""The agent as a user runs it: the release binary, a configuration file, real sockets."""

from __future__ import annotations

import signal
from pathlib import Path

import requests

from .process import Process, free_ports
from .scrape import Scrape
from .waiting import eventually

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Agent:
    """One `redora run` on ports of its own.

    `extra` is appended to the configuration as YAML. The object outlives the process: `start` may
    be called again after `kill` or `stop`, on the same ports and the same data directory.
    """

    def __init__(self, binary: Path, directory: Path, extra: str = "") -> None:
        self.binary = binary
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.grpc_port, self.http_port, self.admin_port = free_ports(3)
        self.grpc = f"http://127.0.0.1:{self.grpc_port}"
        self.http = f"http://127.0.0.1:{self.http_port}"
        self.admin = f"http://127.0.0.1:{self.admin_port}"
        self.config = directory / "redora.yaml"
        self.configuration = f"""\
listen:
  otlp_grpc: ["127.0.0.1:{self.grpc_port}"]
  otlp_http: ["127.0.0.1:{self.http_port}"]
  admin: ["127.0.0.1:{self.admin_port}"]
data_dir: {directory / "data"}
{extra}"""
        self.config.write_text(self.configuration)
        self.starts = 0
        self.process: Process | None = None

    def launch(self) -> Process:
        """Start the process without waiting for it."""
        self.starts += 1
        command = [self.binary, "run", "--config", self.config]
        self.process = Process(f"agent-{self.starts}", command, self.directory, cwd=self.directory)
        return self.process

    def start(self) -> Agent:
        """Start it and wait until it says that it is ready."""
        process = self.launch()

        def ready() -> bool:
            assert process.running(), f"the agent ended at once\n{process.said()}"
            return requests.get(f"{self.admin}/readyz", timeout=2).status_code == 200

        eventually(ready, "/readyz answers 200")
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process only."""
        assert self.process is not None
        self.process.child.send_signal(number)

    def stop(self) -> None:
        """SIGTERM; it must drain and exit with 0, and must not have panicked in its life."""
        assert self.process is not None
        code = self.process.stop()
        said = self.process.said()
        assert code == 0, f"the agent ended with code {code}\n{said}"
        assert "panicked" not in said, said

    def endpoint(self, protocol: str) -> str:
        """The endpoint that an SDK is given for a protocol of `OTEL_EXPORTER_OTLP_PROTOCOL`."""
        return self.grpc if protocol == "grpc" else self.http

    def text(self, accept: str = TEXT) -> str:
        """The body of one scrape."""
        answer = requests.get(f"{self.admin}/metrics", headers={"Accept": accept}, timeout=10)
        answer.raise_for_status()
        wanted, got = accept.partition(";")[0], answer.headers["Content-Type"]
        assert got.startswith(wanted), f"asked for {accept}, got {got}"
        return answer.text

    def scrape(self) -> Scrape:
        """One scrape in the plain text format."""
        return Scrape.of_text(self.text())
