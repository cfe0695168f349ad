"""The delivery half by its command line: a ledger of its own, and its report against the truth."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .agent import Agent
from .histories import Numbers, quantile

# Several times what the longest collection takes; one that waits in vain must not hold the suite.
SECONDS_MAX = 120


class Dora:
    """A ledger of its own, asked by the command line."""

    # When reports are made: after everything that the histories tell.
    at = "2026-12-01T00:00:00Z"

    def __init__(self, redora: Path, folder: Path, extra: str = "") -> None:
        self.redora = redora
        self.config = folder / "redora.yaml"
        folder.mkdir(exist_ok=True)
        self.config.write_text(f"data_dir: {folder / 'data'}\n{extra}", encoding="utf-8")

    @classmethod
    def of_agent(cls, agent: Agent) -> Dora:
        """The ledger of an agent, which may be running."""
        dora = cls.__new__(cls)
        dora.redora, dora.config = agent.binary, agent.config
        return dora

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a subcommand to its end."""
        command = [self.redora, "dora", *words, "--config", self.config]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
        )

    def store(self, facts: Iterator[dict[str, Any]]) -> str:
        """Import facts and give what was said of them."""
        lines = "".join(json.dumps(fact) + "\n" for fact in facts)
        ended = self.run("import", "-", stdin=lines)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout.strip()

    def backfill(self) -> tuple[list[str], list[str]]:
        """Collect everything that the sources have: the lines of its end, and of its progress."""
        ended = self.run("backfill")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout.splitlines(), ended.stderr.splitlines()

    def facts(self) -> Iterator[dict[str, Any]]:
        """Everything in the ledger."""
        ended = self.run("export")
        assert ended.returncode == 0, ended.stderr
        return map(json.loads, ended.stdout.splitlines())

    def report(self, *words: str) -> dict[str, Any]:
        """The report of everything that is known, by environment."""
        return self.places("report", *words)

    def places(self, *words: str) -> dict[str, Any]:
        """What a subcommand says of everything that is known, by environment."""
        window = ("--window", "3650d", "--at", self.at, "--format", "json")
        ended = self.run(*words, *window)
        assert (ended.returncode, ended.stderr) == (0, "")
        return {place["environment"]: place for place in json.loads(ended.stdout)["places"]}


def close(seconds: float | None, millis: float | None) -> bool:
    """Whether both are the same time, to the microsecond, or both absent."""
    if seconds is None or millis is None:
        return seconds is None and millis is None
    return abs(seconds * 1000 - millis) < 1e-3


def agree(place: dict[str, Any], truth: Numbers) -> None:
    """Compare a report with the truth."""
    frequency = place["frequency"]
    assert frequency["n"] == truth.deployments
    assert frequency["redeployments"] == truth.redeployments
    assert frequency["rollbacks"] == truth.rollbacks
    assert frequency["days"] == len(truth.days)
    assert sum(week["deployments"] for week in frequency["weeks"]) == truth.deployments
    assert len(place["gaps"]) == truth.gaps
    (lead,) = [
        lead["spread"]
        for lead in place["lead_time"]
        if (lead["start"], lead["end"]) == ("commit", "deployed")
    ]
    assert (lead["n"], lead["rejected"]) == (len(truth.lead_ms), truth.negative)
    for key, share in [("p50_s", 0.5), ("p75_s", 0.75), ("p90_s", 0.9)]:
        assert close(lead[key], quantile(truth.lead_ms, share)), key
    assert place["failure"]["confirmed"] == len(truth.failed)
    assert place["failure"]["n"] == truth.deployments - truth.rollbacks
