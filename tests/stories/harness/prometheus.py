"""A real Prometheus that scrapes the agent every second, and its HTTP API."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .process import Process, free_ports
from .waiting import eventually

# What one scrape job asks for, in the words of `scrape_protocols` (Prometheus 2.49 and later).
PROTOCOLS = {
    "text": "PrometheusText0.0.4",
    "openmetrics": "OpenMetricsText1.0.0",
    "protobuf": "PrometheusProto",
}


@dataclass(frozen=True)
class Flavour:
    """A program and the form in which it shall scrape."""

    program: Path
    protocol: str

    @property
    def native(self) -> bool:
        """Whether it takes native histograms: they only travel as protobuf."""
        return self.protocol == "protobuf"


class Prometheus:
    """One server on a port of its own with a store of its own; `extra` is more configuration."""

    def __init__(
        self, flavour: Flavour, directory: Path, target_port: int, extra: str = ""
    ) -> None:
        self._start(flavour, directory, lambda: self._configuration(target_port) + extra)

    @classmethod
    def configured(cls, flavour: Flavour, directory: Path, configuration: str) -> Prometheus:
        """One with a configuration that is given."""
        server = cls.__new__(cls)
        server._start(flavour, directory, lambda: configuration)
        return server

    def _start(self, flavour: Flavour, directory: Path, configuration: Callable[[], str]) -> None:
        self.flavour = flavour
        self.version = version_of(flavour.program)
        # It is there already where a store was made beforehand.
        directory.mkdir(parents=True, exist_ok=True)
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config = directory / "prometheus.yml"
        config.write_text(configuration())
        command = [
            flavour.program,
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--query.lookback-delta=30s",
            f"--enable-feature={','.join(self._features())}",
            "--log.level=warn",
        ]
        self.process = Process("prometheus", command, directory)

    def _configuration(self, target_port: int) -> str:
        lines = ["global: { scrape_interval: 1s, scrape_timeout: 1s }"]
        lines += ["scrape_configs:", "  - job_name: redora"]
        if self.version >= (2, 49):
            lines += [f"    scrape_protocols: [{PROTOCOLS[self.flavour.protocol]}]"]
        if self.flavour.native and self.version >= (3, 0):
            lines += ["    always_scrape_classic_histograms: true"]
        if self.flavour.native and self.version >= (3, 8):
            lines += ["    scrape_native_histograms: true"]
        lines += [f"    static_configs: [{{ targets: ['127.0.0.1:{target_port}'] }}]"]
        return "\n".join(lines) + "\n"

    def _features(self) -> list[str]:
        features = ["exemplar-storage", "extra-scrape-metrics"]
        # Before `scrape_protocols` this switch alone chose between protobuf and OpenMetrics.
        if self.flavour.native and self.version < (3, 8):
            features.append("native-histograms")
        return features

    def wait_ready(self) -> None:
        """Until it answers queries."""

        def ready() -> bool:
            assert self.process.running(), self.process.said()
            return requests.get(f"{self.url}/-/ready", timeout=2).status_code == 200

        eventually(ready, "Prometheus is ready", 60)

    def stop(self) -> None:
        """SIGTERM, and its own exit code must be 0."""
        code = self.process.stop()
        assert code == 0, self.process.said()

    def api(self, path: str, **parameters: str | float) -> Any:
        """The `data` of one API answer."""
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10)
        body = answer.json()
        assert body["status"] == "success", body
        return body["data"]

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """An instant query: `{metric, value}` rows, or `{metric, values}` for a range selector."""
        when = {} if at is None else {"time": at}
        return self.api("query", query=expression, **when)["result"]

    def value(self, expression: str, at: float | None = None) -> float | None:
        """The one number that an expression yields, or none when it yields nothing."""
        rows = self.query(expression, at)
        assert len(rows) <= 1, rows
        return float(rows[0]["value"][1]) if rows else None

    def samples(self, selector: str, at: float, seconds: int) -> list[tuple[float, float]]:
        """The stored (time, value) pairs of the one series that a selector names."""
        rows = self.query(f"{selector}[{seconds}s]", at)
        assert len(rows) == 1, rows
        return [(float(when), float(value)) for when, value in rows[0]["values"]]


def version_of(program: Path) -> tuple[int, int]:
    """Major and minor version as the program itself says them."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.(\d+)", done.stdout + done.stderr)
    assert found is not None, done.stdout
    return int(found[1]), int(found[2])
