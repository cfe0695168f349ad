"""The compose file against the schema of its specification, against what it mounts and starts, and
as the same wiring of plain processes: the files of deploy/ with other addresses in them.

No container engine takes part, so nothing here builds or pulls an image.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, Tools
from harness.agent import Agent
from harness.alertmanager import Alertmanager
from harness.process import Process, free_ports
from harness.prometheus import Flavour, Prometheus
from harness.waiting import eventually

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DEPLOY = ROOT / "deploy" / "compose"
EXAMPLE = ROOT / "deploy" / "example"


def schema_says(tools: Tools, directory: Path, compose: dict[str, Any]) -> str:
    """The faults that the specification's schema finds, as JSON; nothing where there is none."""
    script = directory / "compose.js"
    script.write_text((Path(__file__).parent / "node" / "compose.js").read_text())
    link = directory / "node_modules"
    if not link.exists():
        link.symlink_to(tools.node_modules)
    words = json.dumps(compose)
    done = subprocess.run(["node", script], input=words, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


def test_it_is_a_compose_file(tools: Tools, tmp_path: Path) -> None:
    """By the published schema, which finds a fault where there is one."""
    assert schema_says(tools, tmp_path, COMPOSE) == ""
    misspelt = {"services": {"redora": {"image": "redora", "helthcheck": {}}}}
    assert "helthcheck" in schema_says(tools, tmp_path, misspelt)


def test_what_it_mounts_is_there_and_what_it_names_is_pinned() -> None:
    """Paths, named volumes, image versions, and who waits for whom."""
    used = set()
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            assert target.startswith("/"), volume
            if source.startswith("./"):
                assert (ROOT / source).exists(), volume
            else:
                used.add(source)
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port
        for other in service.get("depends_on", []):
            waits = isinstance(service["depends_on"], dict)
            assert not waits or "healthcheck" in SERVICES[other], other
    assert used == set(COMPOSE["volumes"])
    build = SERVICES["redora"]["build"]
    lines = (ROOT / build["dockerfile"]).read_text().splitlines()
    assert "USER 65532:65532" in lines
    copied = [line.split()[1:-1] for line in lines if re.match(r"COPY (?!--|\.)", line)]
    copied += [["shop.py", "customers.py", "requirements.txt"]]
    assert all((EXAMPLE / path).exists() for path in copied[-1])


def test_every_command_is_one(tools: Tools, tmp_path: Path) -> None:
    """Flags that the programs know, ports that the configuration opens."""
    helps = {
        "prometheus": tools.prometheus_3 / "prometheus",
        "alertmanager": Path(shutil.which("prometheus-alertmanager") or "alertmanager"),
    }
    for name, program in helps.items():
        done = subprocess.run([program, "--help"], capture_output=True, text=True)
        for flag in SERVICES[name]["command"]:
            assert f"{flag.split('=')[0]}=" in done.stdout + done.stderr, flag
    config = tmp_path / "config"
    shutil.copytree(DEPLOY, config)
    words = SERVICES["redora"]["command"]
    assert words[:2] == ["run", "--config"]
    command = [tools.redora, "check", "--config", config / Path(words[2]).name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listen = yaml.safe_load((DEPLOY / "redora.yaml").read_text())["listen"]
    opened = {address.rsplit(":", 1)[1] for door in listen.values() for address in door}
    assert opened == {port.rsplit(":", 1)[1] for port in SERVICES["redora"]["ports"]}
    assert SERVICES["redora"]["healthcheck"]["test"][1:] == ["/redora", "health"]


def test_inhibitions_are_the_rendered_ones() -> None:
    """One place decides which alert silences which."""
    rules = [ROOT / "alerts" / "alertmanager.yml", DEPLOY / "alertmanager.yml"]
    rendered, ours = (yaml.safe_load(path.read_text())["inhibit_rules"] for path in rules)
    assert rendered == ours


def test_one_of_two_notifies() -> None:
    """Prometheus and Grafana evaluate the same alerts: two that tell of them wake people twice."""
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    mounts = [volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"]]
    folder = "/etc/grafana/provisioning/alerting/"
    sources = [ROOT / source for source, target in mounts if target.startswith(folder)]
    files = [yaml.safe_load(source.read_text()) for source in sources]
    assert any("groups" in file for file in files)
    muted = {time["name"] for file in files for time in file.get("muteTimes", [])}
    (policy,) = [policy for file in files for policy in file.get("policies", [])]
    (route,) = policy["routes"]
    assert route["object_matchers"] == [["alertname", "=~", ".+"]]
    assert set(route["mute_time_intervals"]) == muted
    assert prometheus["alerting"]["alertmanagers"]


def moved(text: str, addresses: dict[str, str]) -> str:
    """A file of deploy/ with the places of this story in it; each must be named."""
    for old, new in addresses.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def running(tools: Tools, tmp_path: Path) -> Iterator[tuple[Agent, Prometheus, Alertmanager]]:
    """What the compose file starts, but for Grafana."""
    agent = Agent(tools.redora, tmp_path / "redora")
    for name in ("slos.yaml", "admin-token"):
        shutil.copy(DEPLOY / name, agent.directory)
    doors = {
        '["0.0.0.0:4317"]': f'["127.0.0.1:{agent.grpc_port}"]',
        '["0.0.0.0:4318"]': f'["127.0.0.1:{agent.http_port}"]',
        '["0.0.0.0:9464"]': f'["127.0.0.1:{agent.admin_port}"]',
        "/var/lib/redora": str(agent.directory / "data"),
    }
    agent.config.write_text(moved((DEPLOY / "redora.yaml").read_text(), doors))
    with ExitStack() as stack:
        agent.start()
        stack.callback(lambda: agent.process and agent.process.kill())
        places = {
            "http://redora:9464": agent.admin,
            "/etc/alertmanager/admin-token": str(DEPLOY / "admin-token"),
        }
        words = moved((DEPLOY / "alertmanager.yml").read_text(), places)
        alertmanager = Alertmanager(tmp_path / "alertmanager", words)
        stack.callback(alertmanager.process.kill)
        places = {
            "15s": "1s",
            "/etc/prometheus/rules": str(ROOT / "alerts" / "rules"),
            "alertmanager:9093": alertmanager.url.removeprefix("http://"),
            "redora:9464": f"127.0.0.1:{agent.admin_port}",
        }
        words = moved((DEPLOY / "prometheus.yml").read_text(), places)
        flavour = Flavour(tools.prometheus_3 / "prometheus", "protobuf")
        prometheus = Prometheus.configured(flavour, tmp_path / "prometheus", words)
        stack.callback(prometheus.process.kill)
        prometheus.wait_ready()
        shop = shop_of(tools, tmp_path, agent)
        stack.enter_context(shop)
        yield agent, prometheus, alertmanager
        prometheus.stop()
        agent.stop()


def shop_of(tools: Tools, directory: Path, agent: Agent) -> ExitStack:
    """The example and its customers, with the environment that the compose file gives it."""
    (port,) = free_ports(1)
    given = SERVICES["shop"]["environment"]
    plain = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in given.items()}
    environment = plain | {"OTEL_EXPORTER_OTLP_ENDPOINT": agent.grpc}
    started = (EXAMPLE / "Dockerfile").read_text().splitlines()[-1].removeprefix("CMD ")
    command = json.loads(started.replace("0.0.0.0:8000", f"127.0.0.1:{port}"))
    command[0] = str(tools.venv / "bin" / command[0])
    command.insert(2, "--no-control-socket")
    environment["PATH"] = f"{tools.venv / 'bin'}:/usr/bin:/bin"
    stack = ExitStack()
    shop = Process("shop", command, directory, environment, cwd=EXAMPLE)
    stack.callback(shop.kill)
    script = SERVICES["customers"]["command"][1]
    command = [sys.executable, script, f"http://127.0.0.1:{port}"]
    customers = Process("customers", command, directory, cwd=EXAMPLE)
    stack.callback(customers.kill)
    return stack


def test_the_wiring_works_as_plain_processes(
    running: tuple[Agent, Prometheus, Alertmanager],
) -> None:
    """From a customer to a series, an objective, an exemplar; from an alert to an incident."""
    agent, prometheus, alertmanager = running
    orders = 'redora_requests_total{service="shop",operation="POST /orders",outcome="ok"} > 0'
    eventually(lambda: prometheus.query(orders), "orders are in Prometheus", 90)
    assert {row["value"][1] for row in prometheus.query("up")} == {"1"}
    for slo in ("orders", "stock-latency"):
        events = f'redora_slo_events_total{{service="shop",slo="{slo}",outcome="good"}} > 0'
        eventually(lambda events=events: prometheus.query(events), f"{slo} has events", 60)
    logged = 'sum(redora_version_info{version="1.0.0",environment="production"})'
    assert prometheus.value(logged) == 1
    assert not prometheus.query('ALERTS{alertname!="RedoraWatchdog",alertstate="firing"}')
    told = eventually(lambda: prometheus.api("alertmanagers")["activeAlertmanagers"], "one is told")
    assert [one["url"] for one in told] == [f"{alertmanager.url}/api/v2/alerts"]
    groups = prometheus.api("rules")["groups"]
    assert {Path(group["file"]).name for group in groups} == {
        path.name for path in (ROOT / "alerts" / "rules").iterdir()
    }
    place = {"service": "shop", "environment": "production"}
    alertmanager.fire(datetime.now(UTC), alertname="Down", severity="page", **place)
    still = "redora_dora_incidents_open"
    eventually(lambda: agent.scrape().total(still, **place) == 1, "the incident is open", 60)
