"""A real Flask application under gunicorn with the real SDK: every counter equals the truth."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from conftest import Tools
from harness.agent import Agent
from harness.process import Process, free_ports
from harness.scrape import Scrape
from harness.waiting import eventually

APPS = Path(__file__).parent / "apps"
REVISION = "4f1d2a9c3b5e6f708192a3b4c5d6e7f8091a2b3c"
ROUNDS = 12
WORKERS = 2

# What one round asks for at once. The checkout calls the shop itself, so it has its turn
# afterwards, when a second worker is surely free.
PATHS = ("/", "/items/{n}", "/slow", "/boom", "/missing/{n}")

# Requests that the shop serves: (operation, outcome, status) and how many.
SERVED = {
    ("GET /", "ok", "2xx"): ROUNDS,
    ("GET /items/<int:item_id>", "ok", "2xx"): 2 * ROUNDS,
    ("GET /slow", "ok", "2xx"): ROUNDS,
    ("GET /checkout", "ok", "2xx"): ROUNDS,
    ("GET /boom", "error", "5xx"): ROUNDS,
    # Without a route Flask names the span after the raw path; one operation stands for them all.
    ("GET", "ok", "4xx"): ROUNDS,
}


@pytest.mark.parametrize("conventions", ["old", "stable"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_counters_equal_the_truth(
    agent: Agent, tools: Tools, tmp_path: Path, protocol: str, conventions: str
) -> None:
    """Both transports, both generations of the semantic conventions."""
    run_shop(agent, tools, tmp_path, protocol, conventions)
    scrape = agent.scrape()
    check_requests(scrape)
    check_durations(scrape)
    check_logs(scrape)
    check_versions(scrape)
    check_tempo_names(scrape)
    assert scrape.total("redora_refused_items_total") == 0
    assert scrape.total("redora_dropped_items_total") == 0


def run_shop(agent: Agent, tools: Tools, directory: Path, protocol: str, conventions: str) -> None:
    """Serve the known requests, then end gunicorn, which flushes the SDK of each worker."""
    (port,) = free_ports(1)
    environment = {
        "PATH": f"{tools.venv / 'bin'}:{os.environ['PATH']}",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": f"service.version=1.2.3,vcs.ref.head.revision={REVISION}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": agent.endpoint(protocol),
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_METRICS_EXPORTER": "none",
    }
    if conventions == "stable":
        environment["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
    command = ["opentelemetry-instrument", "gunicorn", "--no-control-socket"]
    command += [f"--workers={WORKERS}", f"--bind=127.0.0.1:{port}", "shop:app"]
    command[0] = str(tools.venv / "bin" / command[0])
    gunicorn = Process("gunicorn", command, directory, environment, cwd=APPS)
    try:
        eventually(lambda: gunicorn.err().count("Booting worker") == WORKERS, "gunicorn is up", 60)
        use_shop(f"http://127.0.0.1:{port}")
        assert gunicorn.stop() == 0, gunicorn.said()
    finally:
        gunicorn.kill()
        print(gunicorn.said())
    assert "Failed to export" not in gunicorn.err()


def use_shop(base: str) -> None:
    """Ask for every path in every round, four at a time, and check what the shop answered."""

    def ask(path: str) -> tuple[int, str]:
        answer = requests.get(base + path, timeout=60)
        return answer.status_code, answer.headers["X-Worker"]

    paths = [path.format(n=n) for n in range(1, ROUNDS + 1) for path in PATHS]
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(ask, paths))
    answers += [ask("/checkout") for _ in range(ROUNDS)]
    assert Counter(code for code, _ in answers) == {200: 4 * ROUNDS, 500: ROUNDS, 404: ROUNDS}
    assert len({worker for _, worker in answers}) == WORKERS, "only one worker served"


def check_requests(scrape: Scrape) -> None:
    """Rate and errors: each operation exactly, and no operation besides."""
    keys = ("kind", "operation", "outcome", "status")
    rows = scrape.rows("redora_requests_total", *keys, service="shop")
    truth = {("server", *key): float(count) for key, count in SERVED.items()}
    truth["client", "GET", "ok", "2xx"] = float(ROUNDS)
    assert {key: value for key, value in rows.items() if value} == truth
    # The error that has not happened yet stands at 0, else `increase` would miss the first one.
    assert rows["server", "GET /slow", "error", "5xx"] == 0


def check_durations(scrape: Scrape) -> None:
    """Duration: as many observations as requests, the slow ones above the bound they exceed."""
    name = "redora_request_duration_seconds"
    for (operation, outcome, _), count in SERVED.items():
        labels = {"service": "shop", "kind": "server", "operation": operation, "outcome": outcome}
        assert scrape.total(f"{name}_count", **labels) == count, labels
        buckets = scrape.buckets(name, **labels)
        assert buckets[float("inf")] == count, labels
        assert list(buckets.values()) == sorted(buckets.values()), "buckets are cumulative"
    slow = {"service": "shop", "kind": "server", "operation": "GET /slow"}
    assert scrape.buckets(name, **slow)[0.025] == 0
    assert scrape.total(f"{name}_sum", **slow) >= 0.03 * ROUNDS


def check_logs(scrape: Scrape) -> None:
    """The four levels of the start page, and Flask's own error for each exception."""
    assert scrape.by("severity", "redora_log_records_total", service="shop") == {
        "DEBUG": ROUNDS,
        "INFO": ROUNDS,
        "WARN": ROUNDS,
        "ERROR": ROUNDS,
        "FATAL": ROUNDS,
    }


def check_versions(scrape: Scrape) -> None:
    """What the shop served, by version; calls that it made are no service of it."""
    version = {"service": "shop", "version": "1.2.3"}
    assert scrape.by("outcome", "redora_version_requests_total", **version) == {
        "ok": sum(count for (_, outcome, _), count in SERVED.items() if outcome == "ok"),
        "error": ROUNDS,
    }
    assert scrape.total("redora_version_info", **version, revision=REVISION) == 1
    (first,) = scrape.pick("redora_version_first_seen_timestamp_seconds", **version)
    (last,) = scrape.pick("redora_version_last_seen_timestamp_seconds", **version)
    assert 0 < first.value <= last.value


def check_tempo_names(scrape: Scrape) -> None:
    """The same truth under the names that Grafana's service table reads."""
    calls = {"service": "shop", "span_kind": "SPAN_KIND_SERVER"}
    name = "traces_spanmetrics_calls_total"
    assert scrape.total(name, span_name="GET /slow", **calls) == ROUNDS
    assert scrape.by("status_code", name, span_name="GET /boom", **calls) == {
        "STATUS_CODE_ERROR": ROUNDS
    }
    assert scrape.total(name, **calls) == sum(SERVED.values())
    latency = scrape.total("traces_spanmetrics_latency_count", span_name="GET /slow", **calls)
    assert latency == ROUNDS
