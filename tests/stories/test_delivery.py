"""The delivery half in the agent: first requests of deployed commits, incidents that are pushed."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from conftest import Tools
from harness.agent import Agent
from harness.alertmanager import Alertmanager
from harness.dora import Dora
from harness.otlp import Request, Sender
from harness.process import Process
from harness.serving import Reply, Server
from harness.waiting import eventually

SECRET = "story-of-pagerduty"

LISTENING = f"""\
delivery:
  incidents:
    - {{ alertmanager: true }}
    - {{ pagerduty: {SECRET} }}
    - {{ webhook: true, service: shop }}
"""


class Clone:
    """A repository that is tagged when it is deployed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        """Run git here, as nobody in particular."""
        name = ("-c", "user.name=story", "-c", "user.email=story@example.org")
        command = ["git", *name, *words]
        return subprocess.run(
            command, cwd=self.path, capture_output=True, text=True, check=True
        ).stdout.strip()

    def deploy(self, tag: str) -> str:
        """Commit a change and tag it; the commit's SHA."""
        self.git("commit", "--quiet", "--allow-empty", "--message", tag)
        self.git("tag", tag)
        return self.git("rev-parse", "HEAD")


def production(agent: Agent) -> dict[str, Any]:
    """What the agent says of the shop in production; nothing while it knows of none."""
    page = requests.get(f"{agent.admin}/api/v1/dora/report?service=shop", timeout=10).json()
    places = {place["environment"]: place for place in page["places"]}
    return places.get("production", {})


def first_requests(agent: Agent) -> dict[str, Any]:
    """Its lead time to the first request."""
    leads = production(agent)["lead_time"]
    ends = [lead for lead in leads if (lead["start"], lead["end"]) == ("commit", "first_request")]
    (lead,) = ends
    return dict(lead["spread"])


def served(agent: Agent) -> dict[str, Any] | None:
    """The same, once there is a sample of it."""
    lead = first_requests(agent)
    return lead if lead["n"] else None


def deployments(agent: Agent) -> int:
    """How many deployments it knows of."""
    place = production(agent)
    return int(place["frequency"]["n"]) if place else 0


def test_lead_time_runs_to_the_first_request_that_a_commit_served(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    """Seen in the telemetry alone; it outlives the process that saw it."""
    clone = Clone(tmp_path / "shop")
    first = clone.deploy("v1")
    agent = make_agent(f"""\
delivery:
  schedule: "* * * * * *"
  git: [{{ path: {clone.path}, service: shop, tags: "v*" }}]
""").start()
    second = clone.deploy("v2")
    eventually(lambda: deployments(agent) == 2, "both are deployed")
    assert first_requests(agent)["n"] == 0, "deployed, and not yet served"
    for version, sha in [("v1", first), ("v2", second)]:
        sender = Sender(agent.grpc, "grpc", "shop", version, sha, "production")
        sender.send([Request("GET /stock", 0.01)])
        sender.close()
    lead = eventually(lambda: served(agent), "a request")
    assert 0 <= lead["p50_s"] < 120
    labels = {"service": "shop", "environment": "production", "window": "7d"}
    named = "redora_dora_change_lead_time_seconds"
    ends = {"start": "commit", "end": "first_request", "quantile": "0.5"}
    eventually(lambda: agent.scrape().pick(named, **labels, **ends), "it is in a scrape", 30)
    assert agent.process is not None
    agent.process.kill()
    agent.start()
    assert first_requests(agent) == lead
    agent.stop()


def test_a_real_alertmanager_opens_an_incident_and_closes_it(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    """With the time of the alert itself, not of its telling."""
    agent = make_agent(LISTENING).start()
    alertmanager = Alertmanager.telling(
        tmp_path / "alertmanager", f"{agent.admin}/webhooks/alertmanager"
    )
    try:
        labels = {"alertname": "Burn", "service": "shop", "environment": "production"}
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
        alertmanager.fire(began, **labels)
        place = {"service": "shop", "environment": "production"}
        still = "redora_dora_incidents_open"
        eventually(lambda: agent.scrape().total(still, **place) == 1, "the incident is open", 40)
        alertmanager.fire(began, began + timedelta(minutes=20), **labels)
        eventually(lambda: agent.scrape().pick(still, **place)[0].value == 0, "it is over", 60)
    finally:
        alertmanager.process.kill()
    told = production(agent)["incidents"]
    assert (told["n"], told["duration"]["p50_s"]) == (1, 1200.0)
    agent.stop()


def incidents(agent: Agent) -> list[dict[str, Any]]:
    """Every incident fact that was ever stored."""
    return [fact for fact in Dora.of_agent(agent).facts() if "incident" in fact]


def test_what_is_pushed_is_proved_kept_and_read(make_agent: Callable[..., Agent]) -> None:
    """PagerDuty by its signature; a script by being on this machine; nobody twice."""
    agent = make_agent(LISTENING).start()
    event = {
        "id": "01DEN4HPBQAAAG05V5QQYBRZMF",
        "event_type": "incident.triggered",
        "occurred_at": "2026-11-01T10:00:30Z",
        "data": {
            "id": "PGR0VU2",
            "type": "incident",
            "created_at": "2026-11-01T10:00:00Z",
            "status": "triggered",
            "title": "A little bump in the road",
            "service": {"id": "PF9KMXH", "summary": "shop"},
        },
    }
    body = json.dumps({"event": event}).encode()
    proof = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def push(door: str, data: bytes, **headers: str) -> int:
        url = f"{agent.admin}/webhooks/{door}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(url, data=data, headers=named, timeout=10).status_code

    assert push("pagerduty", body) == 401
    assert push("pagerduty", body + b" ", X_PagerDuty_Signature=f"v1={proof}") == 401
    for _ in range(3):
        assert push("pagerduty", body, X_PagerDuty_Signature=f"v1={'0' * 64},v1={proof}") == 202
    record = b'{"id": 7, "started_at": "2026-11-01T09:00:00Z", "resolved_at": 1793527200}'
    assert push("incidents", record) == 202
    assert push("incidents", record, Origin="https://evil.example") == 403
    assert push("incidents", b"no JSON") == 202
    assert push("incidents", b"x" * (5 << 20)) == 413
    assert push("github", body) == 404, "without a secret there is no door"
    assert push("jira", body) == 404
    eventually(lambda: len(incidents(agent)) == 2, "both are facts")
    told = {fact["source"]: fact["incident"] for fact in incidents(agent)}
    assert told["pagerduty"]["service"] == "shop"
    assert told["webhook"]["service"] == "shop"
    assert told["webhook"]["changes"] == [{"at_ms": 1793527200000, "resolved": True}]
    rejects = "redora_source_rejects_total"
    eventually(lambda: agent.scrape().total(rejects, source="webhook") == 1, "one set aside", 30)
    agent.stop()


def fact(name: str, number: str, **what: Any) -> dict[str, Any]:
    """One of this kind, as of its beginning."""
    return {"source": "story", "id": number, "as_of_ms": what["created_ms"], name: what}


def test_the_numbers_of_ci_and_of_failures_are_in_a_scrape(
    make_agent: Callable[..., Agent],
) -> None:
    """Of runs in their last attempt, and of a rollback that nobody called an incident."""
    agent = make_agent(LISTENING)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    repository = {"repository": "acme/shop"}

    def run(number: str, conclusion: str, seconds: int, attempt: int = 1) -> dict[str, Any]:
        began_ms = now_ms - 3_600_000
        return fact(
            "run",
            f"{number}/{attempt}",
            **repository,
            workflow="test",
            attempt=attempt,
            created_ms=began_ms - 60_000,
            started_ms=began_ms,
            ended_ms=began_ms + seconds * 1000,
            conclusion=conclusion,
            jobs=[{"name": "test", "created_ms": began_ms - seconds * 500, "started_ms": began_ms}],
        )

    def deployment(number: int, sha: str) -> dict[str, Any]:
        at_ms = now_ms - (10 - number) * 60_000
        return fact(
            "deployment",
            str(number),
            **repository,
            service="shop",
            environment="production",
            created_ms=at_ms,
            revision=sha * 40,
            statuses=[{"at_ms": at_ms, "state": "success"}],
        )

    facts = [run("1", "failure", 10), run("1", "success", 30, attempt=2)]
    facts += [run("2", "timed_out", 60), run("3", "cancelled", 5)]
    facts += [deployment(1, "a"), deployment(2, "b"), deployment(3, "a")]
    Dora.of_agent(agent).store(iter(facts))
    agent.start()
    week = {"service": "shop", "workflow": "test", "window": "7d"}
    eventually(lambda: agent.scrape().pick("redora_ci_runs"), "the numbers are there")
    scrape = agent.scrape()
    runs = scrape.rows("redora_ci_runs", "conclusion", **week)
    assert runs == {("success",): 1, ("timed_out",): 1, ("cancelled",): 1}
    assert scrape.total("redora_ci_success_ratio", **week) == 0.5
    assert scrape.total("redora_ci_duration_seconds", **week, quantile="0.5") == 45
    # Those of every run's last attempt: 2.5, 15 and 30 seconds.
    assert scrape.total("redora_ci_queue_seconds", **week, quantile="0.5") == 15
    place = {"service": "shop", "environment": "production"}
    causes = scrape.rows("redora_dora_change_failures_total", "cause", **place)
    assert causes == {("burn",): 0, ("incident",): 0, ("rollback",): 1}
    assert scrape.total("redora_dora_rollbacks_total", **place) == 1
    finished = scrape.rows("redora_dora_finished_deployments_total", "result", **place)
    assert finished == {("success",): 3, ("failure",): 0}
    agent.stop()


def test_environments_of_pull_requests_do_not_fill_a_scrape(
    make_agent: Callable[..., Agent],
) -> None:
    """The ones that were deployed last are shown, the others counted; a report has them all."""
    agent = make_agent(LISTENING)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)

    def deployment(number: int) -> dict[str, Any]:
        at_ms = now_ms - number * 60_000
        return fact(
            "deployment",
            str(number),
            repository="acme/shop",
            service="shop",
            environment=f"pr-{number}",
            created_ms=at_ms,
            statuses=[{"at_ms": at_ms, "state": "success"}],
        )

    Dora.of_agent(agent).store(deployment(number) for number in range(510))
    agent.start()
    eventually(lambda: agent.scrape().pick("redora_dora_deployments"), "the numbers are there")
    scrape = agent.scrape()
    assert scrape.total("redora_dora_places_omitted") == 10
    shown = scrape.rows("redora_dora_deployments", "environment", window="7d")
    assert len(shown) == 500
    assert ("pr-0",) in shown
    assert ("pr-509",) not in shown
    page = requests.get(f"{agent.admin}/api/v1/dora/report", timeout=20).json()
    assert len(page["places"]) == 510
    agent.stop()


def test_questions_that_are_none_are_told_so(make_agent: Callable[..., Agent]) -> None:
    """And without the delivery half nobody knows an answer."""
    agent = make_agent(LISTENING).start()

    def ask(question: str) -> tuple[int, str]:
        answer = requests.get(f"{agent.admin}/api/v1/{question}", timeout=10)
        return answer.status_code, answer.text

    assert ask("dora/report?window=7d&time_zone=Europe/Berlin")[0] == 200
    code, said = ask("dora/repot")
    assert code == 404
    assert said.startswith("/api/v1/dora/repot is not known; there are /api/v1/dora/report and ")
    assert ask("dora/explain/lead_time?window=30d")[0] == 200
    assert ask("dora/explain/mttr")[0] == 404
    assert ask("dora/report?window=week") == (400, "`window` is days such as 30d, not `week`\n")
    assert ask("dora/report?at=today")[0] == 400
    assert ask("dora/report?servce=shop")[0] == 400
    assert ask("dora/report?compat=devlake")[0] == 200
    assert ask("dora/report?bands=2024&quick_check=true")[0] == 200
    assert ask("dora/report?bands=2020")[0] == 400
    assert ask("dora/explain/lead_time?bands=2024")[0] == 400
    agent.stop()
    bare = make_agent().start()
    assert requests.get(f"{bare.admin}/api/v1/dora/report", timeout=10).status_code == 404
    assert requests.post(f"{bare.admin}/webhooks/github", timeout=10).status_code == 404
    assert not bare.scrape().pick("redora_dora_deployments")
    bare.stop()


@pytest.mark.parametrize(
    ("reply", "cure"),
    [
        (Reply(401), "GitHub refuses the token (401): it is mistyped, expired or revoked"),
        (Reply(404), "check the spelling of owner/name, and that the token may read"),
        (
            Reply(403, b'{"message": "Resource not accessible by personal access token"}'),
            "give the token",
        ),
    ],
    ids=["wrong token", "unknown repository", "missing scope"],
)
def test_a_refusal_of_github_is_one_error_that_names_the_cure(
    tools: Tools, tmp_path: Path, reply: Reply, cure: str
) -> None:
    """Each once for a source, though several streams of it are refused."""
    with Server(lambda _: reply) as github:
        dora = Dora(tools.redora, tmp_path / "d", github_at(github.url))
        ended = dora.run("backfill")
    assert ended.returncode == 1
    complaints = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert complaints, ended.stderr
    assert all(cure in line for line in complaints), ended.stderr
    assert len(complaints) == len(set(complaints)), ended.stderr


def github_at(url: str, ca_file: str = "") -> str:
    """One repository behind this address."""
    trust = f", ca_file: {ca_file}" if ca_file else ""
    return f"""\
delivery:
  github: {{ api_url: "{url}", token: story{trust} }}
  repositories: [{{ repo: acme/shop }}]
"""


def test_a_start_that_cannot_work_is_one_error(
    make_agent: Callable[..., Agent], tools: Tools, tmp_path: Path
) -> None:
    """A file that is not there, a folder in its place, a second agent on one ledger."""
    broken = make_agent(github_at("https://127.0.0.1:1", str(tmp_path / "no.pem")))
    assert ended(broken.launch()) == 2
    assert broken.process is not None
    assert "no.pem cannot be read" in broken.process.said()
    agent = make_agent(LISTENING).start()
    twin = make_agent(LISTENING)
    twin.config.write_text(twin.configuration.replace(str(twin.directory), str(agent.directory)))
    assert ended(twin.launch()) == 1
    assert twin.process is not None
    assert "in use by another redora" in twin.process.said()
    agent.stop()


def ended(process: Process) -> int:
    """The exit code of what ends by itself."""
    eventually(lambda: not process.running(), "it ends")
    return process.child.returncode
