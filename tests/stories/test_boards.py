"""Every query of every board, asked of real Prometheus servers that scraped a real agent.

That an expression parses says little: labels that do not match on both sides of a division, a
metric that is born late, a histogram that is kept in another form are all seen only with data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from conftest import Tools
from harness.agent import Agent
from harness.boards import FOLDER, answers, board, filled_in
from harness.dora import Dora
from harness.otlp import Request, Sender, SeverityNumber, SpanKind
from harness.prometheus import Flavour, Prometheus
from harness.waiting import eventually, every

BOARDS = sorted(FOLDER.glob("*.json"))
DAY_MS = 86_400_000
SECONDS = 12.0
# One keeps classic histograms, the other native ones alone.
SERVERS = ("3-openmetrics", "2-protobuf")

# Boards that another story asks, and why.
ELSEWHERE = {
    "redora-alerts": "it asks of alerts and of Alertmanager, which test_burn has",
}
# Queries that rightly find nothing, by board, panel and letter, and why.
EMPTY_QUERIES = {
    ("redora-agent", "Connections in trouble A"): "no connection is in trouble",
    ("redora-agent", "Sources of delivery D"): "GitHub is no source here",
    ("redora-incidents", "Alerts A"): "these servers have no rules; test_burn has",
}


@dataclass(frozen=True)
class Stage:
    """The servers, and when the traffic ended: what is asked is asked of that moment."""

    servers: list[Prometheus]
    end: float


@pytest.fixture(scope="module")
def stage(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Servers that scraped an agent with a history, under traffic with faults."""
    directory = tmp_path_factory.mktemp("boards")
    log = directory / "incidents.jsonl"
    log.touch()
    slos = directory / "slos.yaml"
    slos.write_text("- { name: stock, service: shop, indicator: availability, objective: 99% }\n")
    extra = f"slos: [{slos}]\ndelivery: {{ incidents: [jsonl: {log}] }}\n"
    agent = Agent(tools.redora, directory / "agent", extra)
    servers: list[Prometheus] = []
    try:
        Dora.of_agent(agent).store(history())
        agent.start()
        folders = {"2": tools.prometheus_2, "3": tools.prometheus_3}
        for name in SERVERS:
            generation, _, protocol = name.partition("-")
            flavour = Flavour(folders[generation] / "prometheus", protocol)
            servers.append(Prometheus(flavour, directory / name, agent.admin_port))
        for server in servers:
            server.wait_ready()
        numbers = "the numbers of delivery are there"
        eventually(lambda: agent.scrape().pick("redora_dora_deployments"), numbers, 30)
        run_traffic(agent)
        yield Stage(servers, time.time())
        for server in servers:
            server.stop()
        agent.stop()
    finally:
        for process in [agent.process, *(server.process for server in servers)]:
            if process is not None:
                process.kill()
                print(process.said())


def history() -> Iterator[dict[str, Any]]:
    """Four commits, one by pull request, deployed; an incident that is over, a rollback, runs."""
    now_ms = int(time.time() * 1000)

    def fact(kind: str, number: str, as_of_ms: int, **what: Any) -> dict[str, Any]:
        return {"source": "story", "id": number, "as_of_ms": as_of_ms, kind: what}

    shop = {"repository": "acme/shop", "service": "shop", "environment": "production"}
    for number, sha in enumerate("abcd"):
        at_ms = now_ms - (6 - number) * DAY_MS
        parents = {"parents": ["abcd"[number - 1] * 40]} if number else {}
        times = {"authored_ms": at_ms - 43_200_000, "committed_ms": at_ms - 3_600_000}
        yield fact("commit", sha * 40, at_ms, repository="acme/shop", **times, **parents)
    for number, sha in enumerate("abcdc"):
        at_ms = now_ms - (6 - number) * DAY_MS
        done = [{"at_ms": at_ms, "state": "success"}]
        deployed = {"created_ms": at_ms, "revision": sha * 40, "statuses": done}
        yield fact("deployment", str(number), at_ms, **shop, **deployed)
    merged_ms = now_ms - 3 * DAY_MS - 3_600_000
    hours = {"created": 5, "first_review": 3, "merged": 0}
    moments = {f"{name}_ms": merged_ms - ago * 3_600_000 for name, ago in hours.items()}
    branch = {"commits": ["d" * 40], "first_authored_ms": merged_ms - 8 * 3_600_000}
    change = {"repository": "acme/shop", "merge": "d" * 40} | branch | moments
    yield fact("pull_request", "1", merged_ms, **change)
    # After a deployment that no telemetry shows: it is bad from its finish on.
    began_ms = now_ms - 5 * DAY_MS + 60_000
    over = [{"at_ms": began_ms + 600_000, "resolved": True}]
    place = {"service": "shop", "environment": "production"}
    yield fact("incident", "1", began_ms, **place, started_ms=began_ms, changes=over)
    for number, conclusion in enumerate(("success", "success", "failure")):
        at_ms = now_ms - DAY_MS + number * 3_600_000
        run = {"workflow": "test", "attempt": 1, "created_ms": at_ms, "started_ms": at_ms}
        ended = {"ended_ms": at_ms + 300_000, "conclusion": conclusion}
        yield fact("run", f"{number}/1", at_ms, repository="acme/shop", **run, **ended)


def run_traffic(agent: Agent) -> None:
    """Two versions that serve, fail, log and call others, and requests that are no OTLP."""
    senders = [
        Sender(agent.grpc, "grpc", "shop", version, sha * 40, "production")
        for version, sha in (("1.0.0", "c"), ("2.0.0", "d"))
    ]
    web = {"http.request.method": "GET", "http.route": "/stock"}
    batch = [Request("GET /stock", 0.02, attributes=web)] * 9
    batch += [Request("GET /stock", 0.2, failed=True, attributes=web)]
    for name, failed in (("read", False), ("write", True)):
        batch.append(Request(name, 0.01, failed, SpanKind.CLIENT))
    for _ in every(0.5, SECONDS):
        for sender in senders:
            sender.send(batch)
            sender.log([(SeverityNumber.WARN, "low"), (SeverityNumber.ERROR, "out of stock")])
        answer = requests.post(f"{agent.http}/v1/traces", data=b"no OTLP", timeout=10)
        assert answer.status_code == 415
    for sender in senders:
        sender.close()


@pytest.mark.parametrize("uid", [path.stem for path in BOARDS if path.stem not in ELSEWHERE])
def test_every_query_finds_what_it_asks_for(stage: Stage, uid: str) -> None:
    """Where it does not, there is a reason; and no reason stands where there is data."""
    astray = []
    for server in stage.servers:
        for query, answered in answers(server, board(uid), stage.end):
            excused = (uid, query) in EMPTY_QUERIES
            if answered == excused:
                kind = "has data" if answered else "found nothing"
                astray.append(f"{server.flavour.protocol}: {query} {kind}")
    assert not astray, "\n".join(astray)


def test_arrivals_are_marked_at_their_first_request(stage: Stage) -> None:
    """The marker's time is the value, in milliseconds, and each version has one."""
    red = board("redora-red")
    (marker,) = red["annotations"]["list"]
    assert marker["useValueForTime"] is True
    expr = filled_in(marker["expr"], red, stage.end - 60)
    for server in stage.servers:
        rows = server.query(expr, stage.end)
        assert {row["metric"]["version"] for row in rows} == {"1.0.0", "2.0.0"}
        moments = [float(row["value"][1]) / 1000 for row in rows]
        assert all(stage.end - 60 < moment < stage.end for moment in moments)


def test_dots_in_a_graph_of_durations_are_traces(stage: Stage) -> None:
    """The query that asks for exemplars gets them, each with the trace that Grafana links to."""
    service = board("redora-service")
    targets = [target for panel in service["panels"] for target in panel.get("targets", [])]
    (target,) = [target for target in targets if target.get("exemplar")]
    expr = filled_in(target["expr"], service, stage.end - 60)
    server = stage.servers[0]
    found = server.api("query_exemplars", query=expr, start=stage.end - 60, end=stage.end)
    traces = [one["labels"]["trace_id"] for series in found for one in series["exemplars"]]
    assert traces
    assert all(len(trace) == 32 for trace in traces)
