"""A real Alertmanager."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from .process import Process, free_ports
from .waiting import eventually


class Alertmanager:
    """One server on ports of its own, alone in its cluster."""

    def __init__(self, directory: Path, configuration: str) -> None:
        directory.mkdir(parents=True)
        port, cluster = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        config = directory / "alertmanager.yml"
        config.write_text(configuration, encoding="utf-8")
        program = shutil.which("prometheus-alertmanager") or "/usr/bin/prometheus-alertmanager"
        command = [
            Path(program),
            f"--config.file={config}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--cluster.listen-address=127.0.0.1:{cluster}",
            "--log.level=warn",
        ]
        self.process = Process("alertmanager", command, directory)
        ready = f"{self.url}/-/ready"
        eventually(lambda: requests.get(ready, timeout=2).ok, "Alertmanager is ready", 30)

    @staticmethod
    def telling(directory: Path, webhook: str) -> Alertmanager:
        """One that tells a webhook of its alerts, at once."""
        route = {"receiver": "redora", "group_by": ["alertname"]}
        pace = {"group_wait": "1s", "group_interval": "1s"}
        receiver = {"url": webhook, "send_resolved": True}
        receivers = [{"name": "redora", "webhook_configs": [receiver]}]
        # JSON is YAML, and needs no quoting of its own.
        return Alertmanager(directory, json.dumps({"route": route | pace, "receivers": receivers}))

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert that is on, silenced and inhibited ones too."""
        answer = requests.get(f"{self.url}/api/v2/alerts", timeout=5)
        answer.raise_for_status()
        return list(answer.json())

    def fire(self, began: datetime, ended: datetime | None = None, **labels: str) -> None:
        """Tell it of an alert, as Prometheus does."""
        until = ended or datetime.now(UTC) + timedelta(minutes=5)
        alert = {"labels": labels, "startsAt": began.isoformat(), "endsAt": until.isoformat()}
        posted = requests.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=5)
        posted.raise_for_status()
