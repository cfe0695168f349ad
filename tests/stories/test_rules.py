"""The committed alert rules under real promtools, old and new, and their Alertmanager under amtool.

Each file of tests/promtool holds cases that must fire and cases that must stay silent; here they
are run, and held to cover every alert both ways.
"""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import ROOT, Tools

RULES = sorted((ROOT / "alerts" / "rules").glob("*.yaml"))
CASES = sorted((ROOT / "tests" / "promtool").glob("*.yaml"))
# Rendered from objectives over metrics of others, some of which try to break out of their rules.
QUERIED = ROOT / "tests" / "promtool" / "queried" / "rules.yaml"


def tools_of(tools: Tools) -> list[tuple[str, Path]]:
    """Both programs."""
    return [("2", tools.prometheus_2 / "promtool"), ("3", tools.prometheus_3 / "promtool")]


def run(*command: str | Path) -> None:
    """Run a program that must succeed."""
    code, said = ended(*command)
    assert code == 0, said


def ended(*command: str | Path) -> tuple[int, str]:
    """How a program ends, and what it says."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    return done.returncode, f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def outcomes(tools: Tools) -> dict[tuple[str, str], tuple[int, str]]:
    """What becomes of every file of cases in either program, two at a time: they take seconds."""
    runs = {(path.stem, major): (tool, path) for path in CASES for major, tool in tools_of(tools)}
    with ThreadPoolExecutor(max_workers=2) as pool:
        ends = pool.map(lambda run: ended(run[0], "test", "rules", run[1]), runs.values())
        return dict(zip(runs, ends, strict=True))


@pytest.mark.parametrize("major", ["2", "3"])
def test_the_rules_are_rules(tools: Tools, major: str) -> None:
    """Every expression parses, on both."""
    assert len(RULES) == 4
    run(dict(tools_of(tools))[major], "check", "rules", *RULES, QUERIED)


@pytest.mark.parametrize("major", ["2", "3"])
@pytest.mark.parametrize("cases", [path.stem for path in CASES])
def test_what_must_fire_fires_and_nothing_else(
    outcomes: dict[tuple[str, str], tuple[int, str]], cases: str, major: str
) -> None:
    """The cases of one file."""
    code, said = outcomes[cases, major]
    assert code == 0, said


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    """Alerts that fire are compared whole, labels and annotations."""
    alerts = {name for path in RULES for name in re.findall(r"- alert: (\w+)", path.read_text())}
    text = "\n".join(path.read_text() for path in CASES)
    fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", text))
    assert alerts
    assert fired == alerts


def test_alertmanager_takes_the_configuration() -> None:
    """Routes, receivers and inhibitions are what Alertmanager knows."""
    run("amtool", "check-config", ROOT / "alerts" / "alertmanager.yml")


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["alertname=RedoraWatchdog", "severity=none"], "watchdog"),
        (["alertname=RedoraSloBurn", "severity=page", "service=shop", "slo=up"], "redora,pager"),
        (["alertname=RedoraAbsent", "severity=page"], "pager"),
        (["alertname=RedoraLeadTime", "severity=ticket", "service=shop"], "tickets"),
    ],
)
def test_each_alert_finds_its_receiver(labels: list[str], receivers: str) -> None:
    """A page of a service is an incident too; nothing of a ticket wakes anyone."""
    config = ROOT / "alerts" / "alertmanager.yml"
    words = [f"--config.file={config}", f"--verify.receivers={receivers}", *labels]
    run("amtool", "config", "routes", "test", *words)
