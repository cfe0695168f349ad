"""A version that fails, from its first request to the alert and to the DORA numbers.

The committed rules and the committed Alertmanager configuration, with every duration a sixtieth of
what it is: an hour's window is a minute long, and so nobody waits for an hour.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, Tools
from harness.agent import Agent
from harness.alertmanager import Alertmanager
from harness.boards import answers, board
from harness.dora import Dora
from harness.otlp import Request, Sender
from harness.prometheus import Flavour, Prometheus
from harness.serving import Reply, Server
from harness.waiting import every

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
TIERS = ("1h", "6h", "1d", "3d")
# Queries of the board of alerts that rightly find nothing while someone is paged, and why.
CALM = {
    "Notifications by hour B": "every notification arrived",
}
OBJECTIVE = """\
- name: availability
  service: shop
  indicator: availability
  objective: 99%
  team: till
- name: as-others
  service: shop
  objective: 99%
  tiers: []
  indicator:
    prometheus:
      total: redora_requests_total{service="shop",kind="server"}
      good: redora_requests_total{service="shop",kind="server",outcome="ok"}
"""


def hurried(text: str) -> str:
    """Rules or a configuration with every duration a sixtieth, of a second at least."""

    def sixtieth(found: re.Match[str]) -> str:
        return f"{max(1, round(int(found[1]) * SECONDS[found[2]] / 60))}s"

    def all_of(found: re.Match[str]) -> str:
        return found[1] + re.sub(r"(\d+)([smhd])", sixtieth, found[2])

    ranges = re.sub(r"(\[)([\d:smhd]+)(?=\])", all_of, text)
    ranges = re.sub(r"(offset )(\d+[smhd])", all_of, ranges)
    return re.sub(r"(?m)^(\s*(?:- )?\w*(?:for|interval|wait): )(\d+[smhd])$", all_of, ranges)


@dataclass(frozen=True)
class Stage:
    """An agent, who watches it, and who is told."""

    agent: Agent
    prometheus: Prometheus
    alertmanager: Alertmanager
    told: Server

    def heard(self, path: str) -> list[dict[str, Any]]:
        """What was sent to an address."""
        asked = [request for request, _ in self.told.exchanges if request.path == path]
        return [json.loads(request.body) for request in asked]

    def tickets(self, status: str) -> list[dict[str, str]]:
        """The labels of alerts that the ticket system was told of."""
        alerts = [alert for group in self.heard("/tickets") for alert in group["alerts"]]
        return [alert["labels"] for alert in alerts if alert["status"] == status]

    def states(self) -> dict[str, str]:
        """Of each tier that burns, whether its alert is active or suppressed."""
        burns = [
            a for a in self.alertmanager.alerts() if a["labels"]["alertname"] == "RedoraSloBurn"
        ]
        return {alert["labels"]["burn_tier"]: alert["status"]["state"] for alert in burns}


@pytest.fixture
def stage(tools: Tools, make_agent: Callable[..., Agent], tmp_path: Path) -> Iterator[Stage]:
    """Everything as the repository has it, but for addresses and time."""
    (tmp_path / "slos.yaml").write_text(OBJECTIVE)
    agent = make_agent(f"""\
slos: [{tmp_path / "slos.yaml"}]
delivery: {{ incidents: [webhook: true] }}
""").start()
    rules = tmp_path / "rules"
    rules.mkdir()
    render = [tools.redora, "render", "--config", agent.config, "--out", tmp_path / "rendered"]
    subprocess.run(render, check=True, capture_output=True, timeout=60)
    rendered = tmp_path / "rendered" / "alerts" / "rules"
    for path in (ROOT / "alerts" / "rules").glob("*.yaml"):
        assert (rendered / path.name).read_text() == path.read_text()
    for path in rendered.glob("*.yaml"):
        (rules / path.name).write_text(hurried(path.read_text()))
    key = tmp_path / "routing-key"
    key.write_text("story")
    with Server(lambda _: Reply(202, b"{}")) as told:
        words = hurried((ROOT / "alerts" / "alertmanager.yml").read_text())
        words = words.replace("http://127.0.0.1:8080", told.url)
        words = words.replace("http://127.0.0.1:9464", told.url)
        pager = f'      - url: "{told.url}/pager"\n        routing_key_file: "{key}"'
        words = re.sub(r'(?m)^      - routing_key_file: ".*"$', pager, words)
        alertmanager = Alertmanager(tmp_path / "alertmanager", words)
        target = f"static_configs: [{{ targets: ['{alertmanager.url.removeprefix('http://')}'] }}]"
        extra = f"  - job_name: alertmanager\n    {target}\n"
        extra += f"rule_files: [{rules}/*.yaml]\nalerting:\n  alertmanagers: [{{ {target} }}]\n"
        flavour = Flavour(tools.prometheus_3 / "prometheus", "text")
        prometheus = Prometheus(flavour, tmp_path / "prometheus", agent.admin_port, extra)
        try:
            prometheus.wait_ready()
            yield Stage(agent, prometheus, alertmanager, told)
            prometheus.stop()
            agent.stop()
        finally:
            for process in (prometheus.process, alertmanager.process):
                process.kill()
                print(process.said())


def traffic(senders: dict[str, Sender], failing: str, until: Callable[[], bool], what: str) -> None:
    """Ten requests a second of each version until something is so; `failing` fails all of its."""
    for _ in every(0.5, 120):
        for version, sender in senders.items():
            sender.send([Request("GET /stock", 0.01, failed=version == failing)] * 5)
        if until():
            return
    raise AssertionError(f"two minutes in vain until {what}")


def alerts_are_on_their_boards(prometheus: Prometheus, at: float) -> None:
    """Every query of the board of alerts finds something, or there is a reason in `CALM`."""
    # The steps of a minute in which the board counts, in the time of this story.
    words = {":1m]": ":1s]", "offset 1m": "offset 1s"}
    asked = dict(answers(prometheus, board("redora-alerts"), at, words))
    assert len(asked) > 10
    assert {query for query, answered in asked.items() if not answered} == set(CALM)
    assert dict(answers(prometheus, board("redora-incidents"), at))["Alerts A"]


def grafana_would_alert_too(prometheus: Prometheus, at: float) -> None:
    """The rules for Grafana's own alerting have an answer where those of Prometheus alert."""
    rules = yaml.safe_load(hurried((ROOT / "alerts" / "grafana" / "rules.yaml").read_text()))
    firing = set()
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        if prometheus.query(rule["data"][0]["model"]["expr"], at):
            firing.add(rule["title"])
    assert firing >= {"RedoraWatchdog", *(f"RedoraSloBurn {tier}" for tier in TIERS)}
    assert not firing & {"RedoraAbsent", "RedoraDown", "RedoraReloadFailed"}


def assert_board_shows(prometheus: Prometheus, objectives: set[str]) -> None:
    """Both objectives look at the same requests, and both burn on the board: one by the agent's
    counters, the other by rules over a counter that might be anybody's.
    """
    board = json.loads((ROOT / "dashboards" / "redora-slo.json").read_text())
    graphs = {panel["title"]: panel for panel in board["panels"] if panel["type"] == "timeseries"}
    burning = {"Budget left": False, "Burn over an hour": True, "Burn over six hours": True}
    for title, is_rate in burning.items():
        expr = graphs[title]["targets"][0]["expr"]
        for variable in board["templating"]["list"]:
            expr = expr.replace(f"${variable['name']}", variable.get("allValue", ".+"))
        rows = prometheus.query(expr.replace("[1h]", "[60s]").replace("[6h]", "[360s]"))
        values = {row["metric"]["slo"]: float(row["value"][1]) for row in rows}
        assert set(values) == objectives, title
        assert all((value > 1) is is_rate for value in values.values()), title


def test_a_version_that_burns_the_budget_pages_and_fails_its_deployment(stage: Stage) -> None:
    """The page comes alone, ends, and the change failure has its evidence."""

    def sender(version: str) -> Sender:
        sha = version[0] * 40
        return Sender(stage.agent.grpc, "grpc", "shop", version, sha, "production")

    senders = {"1.0.0": sender("1.0.0")}
    began = time.monotonic()
    traffic(senders, "", lambda: time.monotonic() - began > 8, "eight seconds are over")
    assert stage.states() == {}
    senders["2.0.0"] = sender("2.0.0")

    def inhibited() -> bool:
        states = stage.states()
        return len(states) == 4 and bool(stage.heard("/pager"))

    traffic(senders, "2.0.0", inhibited, "every tier burns and someone is paged")
    assert stage.states() == {
        "1h": "active",
        "6h": "suppressed",
        "1d": "suppressed",
        "3d": "suppressed",
    }
    assert_board_shows(stage.prometheus, {"availability", "as-others"})
    assert "RedoraSloBurn" not in {labels["alertname"] for labels in stage.tickets("firing")}
    page = stage.heard("/pager")[0]
    assert page["routing_key"] == "story"
    assert page["payload"]["summary"] == "shop spends the error budget of availability too fast"
    (incident,) = stage.heard("/webhooks/alertmanager")[0]["alerts"]
    assert incident["labels"]["burn_tier"] == "1h"
    assert incident["labels"]["team"] == "till"
    paged = time.time()
    alerts_are_on_their_boards(stage.prometheus, paged)
    grafana_would_alert_too(stage.prometheus, paged)

    def resolved() -> bool:
        told = stage.heard("/webhooks/alertmanager")
        return any(group["status"] == "resolved" for group in told)

    del senders["2.0.0"]
    traffic(senders, "", resolved, "the page is over")

    dora = Dora.of_agent(stage.agent)
    (burn,) = [fact["burn"] for fact in dora.facts() if "burn" in fact]
    assert (burn["slo"], burn["environment"]) == ("availability", "production")
    # In a process so young all windows hold the same, and the lower factor is passed first.
    assert burn["tier"] in ("1h", "6h")
    assert burn["before"]["bad"] == 0 < burn["before"]["good"]
    assert burn["since"]["bad"] >= 3
    versions = {version["version"]: version for version in burn["versions"]}
    assert not versions["1.0.0"]["burns"]
    assert versions["2.0.0"]["burns"]
    place = dora.places("explain", "change_failure_ratio")["production"]
    deployed = {told["id"]: told for told in place["told"] if told["kind"] == "deployment"}
    failed = [told for told in deployed.values() if told["rule"] == "failed"]
    assert [told["id"].split("/")[2] for told in failed] == ["2.0.0"]
    for one in senders.values():
        one.close()
