"""Real Prometheus servers, an old and a new one, scrape the agent under steady known traffic.

All of them watch one agent at once: 2.42 and 3.x, each in every form that it can ask for. What they
stored is then compared with what was sent.
"""

from __future__ import annotations

import math
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests

from conftest import Tools
from harness.agent import OPENMETRICS, TEXT, Agent
from harness.otlp import Request, Sender, SeverityNumber
from harness.prometheus import Flavour, Prometheus
from harness.scrape import Scrape
from harness.waiting import eventually, every

SERVICE, VERSION, REVISION = "mill", "2.0.0", "0123456789abcdef0123456789abcdef01234567"
SECONDS, TURN_SECONDS, BATCH = 20.0, 0.1, 10
QUANTILES = (0.1, 0.5, 0.9, 0.99)
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

GOOD = f'service="{SERVICE}",operation="GET /work",kind="server",outcome="ok"'
BAD = f'service="{SERVICE}",operation="GET /work",kind="server",outcome="error"'

# `2-text` is missing because 2.42 asks for OpenMetrics whenever it does not ask for protobuf.
SCRAPERS = ("2-openmetrics", "2-protobuf", "3-text", "3-openmetrics", "3-protobuf")
# 2.42 drops the classic buckets of a histogram that is native as well.
CLASSIC = [name for name in SCRAPERS if name != "2-protobuf"]
NATIVE = [name for name in SCRAPERS if name.endswith("protobuf")]
# The plain text format has no place for exemplars.
WITH_EXEMPLARS = [name for name in SCRAPERS if not name.endswith("text")]


@dataclass
class Sent:
    """What went out: durations by trace, and how many good requests were out and acknowledged."""

    durations: dict[str, float] = field(default_factory=dict)
    good: list[float] = field(default_factory=list)
    bad: int = 0
    # (when the batch began to leave, when it was acknowledged, good requests by then)
    batches: list[tuple[float, float, int]] = field(default_factory=list)

    def acknowledged(self, at: float) -> int:
        """Good requests that the agent had answered for by then."""
        return max((total for _, acked, total in self.batches if acked <= at), default=0)

    def begun(self, at: float) -> int:
        """Good requests that could be in the agent by then."""
        return max((total for begun, _, total in self.batches if begun <= at), default=0)


@dataclass
class Stage:
    """Everything that the tests of this file look at, after the traffic."""

    agent: Agent
    sent: Sent
    servers: dict[str, Prometheus]
    finished: float


@pytest.fixture(scope="module")
def stage(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One agent, five servers, one run of traffic."""
    directory = tmp_path_factory.mktemp("prometheus")
    agent = Agent(tools.redora, directory / "agent")
    servers: dict[str, Prometheus] = {}
    try:
        agent.start()
        folders = {"2": tools.prometheus_2, "3": tools.prometheus_3}
        for name in SCRAPERS:
            generation, _, protocol = name.partition("-")
            flavour = Flavour(folders[generation] / "prometheus", protocol)
            servers[name] = Prometheus(flavour, directory / name, agent.admin_port)
        for server in servers.values():
            server.wait_ready()
        sent = run_traffic(agent, list(servers.values()))
        yield Stage(agent, sent, servers, time.time())
        for server in servers.values():
            server.stop()
        agent.stop()
    finally:
        for process in [agent.process, *(server.process for server in servers.values())]:
            if process is not None:
                process.kill()
                print(process.said())


def run_traffic(agent: Agent, servers: list[Prometheus]) -> Sent:
    """One good request, seen by all servers; then the load; then until all have the last of it."""
    sender = Sender(agent.grpc, "grpc", SERVICE, VERSION, REVISION)
    sent = Sent()
    dice = random.Random(7)
    send_batch(sender, sent, [request(dice, failed=False)])
    sender.log([(SeverityNumber.INFO, "the mill turns")])
    for server in servers:
        eventually(lambda s=server: stored(s, GOOD) == 1, "the first request is stored", 30)
    for _ in every(TURN_SECONDS, SECONDS):
        batch = [request(dice, failed=False) for _ in range(BATCH - 1)]
        send_batch(sender, sent, [*batch, request(dice, failed=True)])
        sender.log([(SeverityNumber.ERROR, "a stone broke")])
    sender.close()
    good, bad = len(sent.good), sent.bad
    for server in servers:
        eventually(lambda s=server: stored(s, GOOD) == good, f"{good} good ones are stored", 30)
        eventually(lambda s=server: stored(s, BAD) == bad, f"{bad} bad ones are stored", 30)
        eventually(lambda s=server: errors(s) == bad, f"{bad} ERROR logs are stored", 30)
    return sent


def request(dice: random.Random, *, failed: bool) -> Request:
    """One served request between 2 ms and 2 s, all magnitudes alike."""
    seconds = round(math.exp(dice.uniform(math.log(0.002), math.log(2.0))), 9)
    attributes: dict[str, str | int] = {
        "http.request.method": "GET",
        "http.route": "/work",
        "http.response.status_code": 500 if failed else 200,
    }
    return Request("GET /work", seconds, failed, attributes=attributes)


def send_batch(sender: Sender, sent: Sent, batch: list[Request]) -> None:
    """Send and note it."""
    good = [request.seconds for request in batch if not request.failed]
    begun = time.time()
    traces = sender.send(batch)
    sent.good += good
    sent.bad += len(batch) - len(good)
    sent.batches.append((begun, time.time(), len(sent.good)))
    sent.durations |= dict(zip(traces, (r.seconds for r in batch), strict=True))


def stored(server: Prometheus, labels: str) -> float | None:
    """The newest stored value of the counter of requests."""
    return server.value(f"sum(redora_requests_total{{{labels}}})")


def errors(server: Prometheus) -> float | None:
    """The newest stored value of the counter of ERROR logs."""
    selector = f'redora_log_records_total{{service="{SERVICE}",severity="ERROR"}}'
    return server.value(f"sum({selector})")


@pytest.mark.parametrize("scraper", SCRAPERS)
def test_every_scrape_succeeds(stage: Stage, scraper: str) -> None:
    """The target is up from the first scrape to the last, with samples and without a complaint."""
    server = stage.servers[scraper]
    (target,) = server.api("targets")["activeTargets"]
    assert target["health"] == "up"
    assert target["lastError"] == ""
    ups = server.samples('up{job="redora"}', stage.finished, 120)
    assert len(ups) >= SECONDS
    assert {value for _, value in ups} == {1.0}
    scraped = server.value('scrape_samples_scraped{job="redora"}', stage.finished)
    assert scraped is not None
    assert scraped > 0
    assert "scrape" not in server.process.err().lower(), server.process.said()


@pytest.mark.parametrize("scraper", SCRAPERS)
def test_every_stored_counter_is_the_truth_of_its_moment(stage: Stage, scraper: str) -> None:
    """Nothing that was acknowledged before a scrape is missing from it, and nothing is invented."""
    server = stage.servers[scraper]
    samples = server.samples(f"redora_requests_total{{{GOOD}}}", stage.finished, 120)
    assert len(samples) >= SECONDS
    for at, value in samples:
        # Prometheus moves a timestamp by up to 2 ms onto its grid, and waits at most 1 s.
        assert stage.sent.acknowledged(at - 0.002) <= value <= stage.sent.begun(at + 1.0), at
    assert samples[-1][1] == len(stage.sent.good)


@pytest.mark.parametrize("scraper", SCRAPERS)
def test_rate_follows_the_traffic(stage: Stage, scraper: str) -> None:
    """`rate` over 10 s in the midst of the load lies where the stored samples allow it to lie."""
    server = stage.servers[scraper]
    window = 10
    at = stage.sent.batches[-1][0] - 2.0
    samples = server.samples(f"redora_requests_total{{{GOOD}}}", at, window)
    (first_at, first), (last_at, last) = samples[0], samples[-1]
    rate = server.value(f"rate(redora_requests_total{{{GOOD}}}[{window}s])", at)
    assert rate is not None
    # It extrapolates from the samples to the window's edges, so it lies between these two.
    assert (last - first) / window <= rate * 1.000001
    assert rate <= (last - first) / (last_at - first_at) * 1.000001
    steady = (BATCH - 1) / TURN_SECONDS
    assert rate == pytest.approx(steady, rel=0.25)


@pytest.mark.parametrize("scraper", SCRAPERS)
def test_the_first_error_is_an_increase(stage: Stage, scraper: str) -> None:
    """Counters are born at 0 with the service, before the first error and the first ERROR log."""
    server = stage.servers[scraper]
    for selector in (
        f"redora_requests_total{{{BAD}}}",
        f'redora_version_requests_total{{service="{SERVICE}",outcome="error"}}',
        f'redora_log_records_total{{service="{SERVICE}",severity="ERROR"}}',
    ):
        samples = server.samples(selector, stage.finished, 120)
        assert samples[0][1] == 0, selector
        assert samples[-1][1] == stage.sent.bad, selector
        increase = server.value(f"increase({selector}[120s])", stage.finished)
        assert increase is not None
        assert increase >= stage.sent.bad * 0.999999, selector


@pytest.mark.parametrize("scraper", CLASSIC)
def test_classic_buckets_and_their_quantiles(stage: Stage, scraper: str) -> None:
    """Each cumulative bucket is exact, and a quantile falls into the bucket of the truth."""
    server = stage.servers[scraper]
    name = f"redora_request_duration_seconds_bucket{{{GOOD}}}"
    rows = server.query(name, stage.finished)
    counts = {float(row["metric"]["le"]): float(row["value"][1]) for row in rows}
    good = sorted(stage.sent.good)
    assert counts == {
        bound: sum(seconds <= bound for seconds in good) for bound in (*BOUNDS, math.inf)
    }
    for quantile in QUANTILES:
        truth = good[math.ceil(quantile * len(good)) - 1]
        upper = min(bound for bound in BOUNDS if truth <= bound)
        lower = max((bound for bound in BOUNDS if bound < upper), default=0.0)
        told = server.value(f"histogram_quantile({quantile}, {name})", stage.finished)
        assert told is not None
        assert lower <= told <= upper, (quantile, truth)


@pytest.mark.parametrize("scraper", NATIVE)
def test_native_histograms_tell_quantiles_within_5_percent(stage: Stage, scraper: str) -> None:
    """The native form needs no bounds to be chosen and still tells the truth."""
    server = stage.servers[scraper]
    name = f"redora_request_duration_seconds{{{GOOD}}}"
    good = sorted(stage.sent.good)
    assert server.value(f"histogram_count({name})", stage.finished) == len(good)
    total = server.value(f"histogram_sum({name})", stage.finished)
    assert total == pytest.approx(sum(good), rel=1e-6)
    for quantile in QUANTILES:
        truth = good[math.ceil(quantile * len(good)) - 1]
        told = server.value(f"histogram_quantile({quantile}, {name})", stage.finished)
        assert told == pytest.approx(truth, rel=0.05), quantile


@pytest.mark.parametrize("scraper", WITH_EXEMPLARS)
def test_exemplars_lead_to_traces_that_were_sent(stage: Stage, scraper: str) -> None:
    """Each exemplar's trace is one of ours, and its value is the duration of that very request."""
    server = stage.servers[scraper]
    found = []
    for name in ("redora_request_duration_seconds_bucket", "redora_request_duration_seconds"):
        when = {"start": stage.finished - 120, "end": stage.finished}
        for series in server.api("query_exemplars", query=f"{name}{{{GOOD}}}", **when):
            found += series["exemplars"]
    assert len(found) >= 10
    for exemplar in found:
        trace = exemplar["labels"]["trace_id"]
        truth = stage.sent.durations[trace]
        assert float(exemplar["value"]) == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize("scraper", SCRAPERS)
def test_versions_are_series(stage: Stage, scraper: str) -> None:
    """The version that was seen serving, and the agent's own."""
    server = stage.servers[scraper]
    info = f'redora_version_info{{service="{SERVICE}",version="{VERSION}",revision="{REVISION}"}}'
    assert server.value(info, stage.finished) == 1
    assert server.value("redora_build_info", stage.finished) == 1
    first = f'redora_version_first_seen_timestamp_seconds{{service="{SERVICE}"}}'
    begun = server.value(first, stage.finished)
    assert begun is not None
    assert stage.sent.batches[0][0] - 5 < begun < stage.sent.batches[0][1] + 5


@pytest.mark.parametrize("generation", ["2", "3"])
def test_promtool_finds_nothing_to_say(stage: Stage, tools: Tools, generation: str) -> None:
    """The linter of the Prometheus project accepts names, types, units and help of every family."""
    folder = tools.prometheus_2 if generation == "2" else tools.prometheus_3
    done = subprocess.run(
        [folder / "promtool", "check", "metrics"],
        input=stage.agent.text(TEXT),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_text_formats_tell_the_same(stage: Stage) -> None:
    """OpenMetrics passes a strict parser and agrees with the plain text on every counter."""
    strict = Scrape.of_openmetrics(stage.agent.text(OPENMETRICS))
    plain = stage.agent.scrape()
    keys = ("operation", "kind", "outcome", "status")
    counters = strict.rows("redora_requests_total", *keys, service=SERVICE)
    assert counters == plain.rows("redora_requests_total", *keys, service=SERVICE)
    assert sum(counters.values()) == len(stage.sent.durations)
    name = "redora_request_duration_seconds"
    assert strict.buckets(name, service=SERVICE) == plain.buckets(name, service=SERVICE)
    assert strict.types["redora_requests"] == "counter"
    assert plain.types[name] == "histogram"


def test_a_scrape_is_answered_in_the_form_that_is_asked_for(stage: Stage) -> None:
    """Prometheus 3 refuses a scrape whose content type is not exactly named."""
    for accept, kind in {
        "": "text/plain; version=0.0.4",
        "*/*": "text/plain; version=0.0.4",
        "application/openmetrics-text;version=1.0.0,*/*;q=0.1": "application/openmetrics-text",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"
        ";encoding=delimited,text/plain;q=0.5": "application/vnd.google.protobuf",
    }.items():
        answer = requests.get(
            f"{stage.agent.admin}/metrics", headers={"Accept": accept or None}, timeout=10
        )
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind), accept
        assert answer.content
