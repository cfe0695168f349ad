"""Two real Node services, one calling the other, over the three protocols of the Node SDK."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from conftest import Tools
from harness.agent import Agent
from harness.process import Process
from harness.scrape import Scrape
from harness.waiting import eventually

SERVICES = Path(__file__).parent / "node"
FOUND, MISSING, FAILING = 9, 4, 5
PATHS = [
    *(f"/items/{n}" for n in range(FOUND)),
    *(f"/nope/{n}" for n in range(MISSING)),
    *["/boom"] * FAILING,
]


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf", "grpc"])
def test_both_sides_of_each_call_are_counted(
    agent: Agent, tools: Tools, tmp_path: Path, protocol: str
) -> None:
    """A 404 is the caller's error and not the server's; a 500 is both sides' error."""
    environment = {
        "NODE_PATH": str(tools.node_modules),
        "OTEL_EXPORTER_OTLP_ENDPOINT": agent.endpoint(protocol),
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
    }
    run_services(environment, tmp_path)
    scrape = agent.scrape()
    check_stock(scrape)
    check_till(scrape)
    check_graph(scrape)
    assert scrape.total("redora_refused_items_total") == 0
    assert scrape.total("redora_dropped_items_total") == 0


def run_services(environment: dict[str, str], directory: Path) -> None:
    """Start the called service, run the calling one to its end, end the called one."""
    identity = {
        "OTEL_SERVICE_NAME": "stock",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=7.0.1,deployment.environment.name=test",
    }
    command = ["node", SERVICES / "stock.js"]
    stock = Process("stock", command, directory, environment | identity)
    try:
        eventually(lambda: stock.out().endswith("\n"), "the stock service names its port", 60)
        base = f"http://127.0.0.1:{json.loads(stock.out())['port']}"
        command = ["node", SERVICES / "till.js", base, json.dumps(PATHS)]
        identity = {"OTEL_SERVICE_NAME": "till", "PEER_SERVICE": "stock"}
        till = Process("till", command, directory, environment | identity)
        try:
            assert till.wait(60) == 0, till.said()
        finally:
            till.kill()
        answers = Counter({int(status): n for status, n in json.loads(till.out()).items()})
        assert answers == {200: FOUND, 404: MISSING, 500: FAILING}
        assert stock.stop() == 0, stock.said()
    finally:
        stock.kill()
        print(stock.said())


def check_stock(scrape: Scrape) -> None:
    """The called side, where Express names the route."""
    server = {"service": "stock", "kind": "server"}
    keys = ("operation", "outcome", "status")
    rows = scrape.rows("redora_requests_total", *keys, **server)
    assert {key: value for key, value in rows.items() if value} == {
        ("GET /items/:id", "ok", "2xx"): FOUND,
        ("GET /boom", "error", "5xx"): FAILING,
        ("GET", "ok", "4xx"): MISSING,
    }
    count = scrape.total("redora_request_duration_seconds_count", **server)
    assert count == len(PATHS)
    # Express adds a span of its own for each handler that ran: work inside, not a request.
    handlers = scrape.by("operation", "redora_requests_total", service="stock", kind="internal")
    assert handlers == {"request handler": FOUND + FAILING}
    served = scrape.by("outcome", "redora_version_requests_total", service="stock", version="7.0.1")
    assert served == {"ok": FOUND + MISSING, "error": FAILING}
    # The SDK leaves the text of a severity empty; the number decides.
    logs = scrape.by("severity", "redora_log_records_total", service="stock")
    assert logs == {"INFO": FOUND, "ERROR": FAILING}


def check_till(scrape: Scrape) -> None:
    """The calling side, where the SDK names every span GET."""
    client = {"service": "till", "kind": "client", "operation": "GET"}
    rows = scrape.rows("redora_requests_total", "outcome", "status", **client)
    assert {key: value for key, value in rows.items() if value} == {
        ("ok", "2xx"): FOUND,
        ("error", "4xx"): MISSING,
        ("error", "5xx"): FAILING,
    }
    assert scrape.total("redora_request_duration_seconds_count", **client) == len(PATHS)
    # WARN2 (14) is one of the four numbers of WARN.
    assert scrape.by("severity", "redora_log_records_total", service="till") == {"WARN": len(PATHS)}


def check_graph(scrape: Scrape) -> None:
    """One edge from the till to the stock service, which its client spans name as their peer."""
    (edge,) = scrape.pick("traces_service_graph_request_total")
    assert edge.labels == {"client": "till", "server": "stock", "connection_type": ""}
    assert edge.value == len(PATHS)
    labels = {"client": "till", "server": "stock"}
    failed = scrape.total("traces_service_graph_request_failed_total", **labels)
    assert failed == MISSING + FAILING
    for side in ("server", "client"):
        name = f"traces_service_graph_request_{side}_seconds_count"
        assert scrape.total(name, **labels) == len(PATHS)
