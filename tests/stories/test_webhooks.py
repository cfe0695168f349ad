"""GitHub's own example deliveries, signed, at the door of a running agent."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from conftest import Tools, github_schema
from harness.agent import Agent
from harness.dora import Dora
from harness.github import Repository, delivery
from harness.github_graphql import GraphQL
from harness.histories import GovUk
from harness.process import free_ports
from harness.serving import Server
from harness.stand_ins import Prism, pruned, undeclared
from harness.waiting import eventually, every

SECRET = "the-secret-of-the-hook"
STATUS = "deployment_status"
MONTH = ("2023-03", "2023-04")
# The events that say that something of a repository has to be read.
EVENTS = {
    "create",
    "deployment",
    "deployment_status",
    "issues",
    "pull_request",
    "pull_request_review",
    "push",
    "release",
    "workflow_run",
}


def examples(tools: Tools) -> Iterator[tuple[str, bytes]]:
    """Every example payload of github.com with the name of its event."""
    folder = tools.node_modules / "@octokit" / "webhooks-examples" / "api.github.com"
    for event in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        for payload in event["examples"]:
            yield event["name"], json.dumps(payload).encode()


class Hook:
    """GitHub's side of a webhook."""

    def __init__(self, agent: Agent, secret: str) -> None:
        self.url = f"{agent.admin}/webhooks/github"
        self.secret = secret.encode()
        self.session = requests.Session()

    def deliver(self, event: str, body: bytes, number: str = "", signature: str = "") -> int:
        """Make a delivery; the status it is answered with."""
        digest = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": number or str(uuid.uuid4()),
            "X-Hub-Signature-256": signature or f"sha256={digest}",
        }
        return self.session.post(self.url, data=body, headers=headers, timeout=10).status_code


def with_secret(make_agent: Callable[..., Agent], secret: str | None) -> Agent:
    """An agent whose hook has this secret, or none; its GitHub is not there."""
    return make_agent(delivery("http://127.0.0.1:9", GovUk(MONTH), secret=secret)).start()


def test_every_example_of_github_is_taken(make_agent: Callable[..., Agent], tools: Tools) -> None:
    """Whatever its event, once and again under the same number."""
    agent = with_secret(make_agent, SECRET)
    hook = Hook(agent, SECRET)
    taken = 0
    for event, body in examples(tools):
        number = str(uuid.uuid4())
        for _ in range(2):
            assert hook.deliver(event, body, number) // 100 == 2, (event, body[:200])
        taken += 1
    assert taken == 329
    agent.stop()


def test_a_hook_has_its_deployment_read_once(
    make_agent: Callable[..., Agent], tools: Tools
) -> None:
    """At once and from GitHub itself, however often the delivery comes."""
    history = GovUk(MONTH)
    repository = Repository(history)
    late = repository.deployments.pop()
    known = len(repository.deployments)
    with Server(GraphQL(repository, github_schema(tools))) as github:
        agent = make_agent(delivery(github.url, history, secret=SECRET)).start()
        ledger = Dora.of_agent(agent)

        def deployments() -> int:
            return sum("deployment" in fact for fact in ledger.facts())

        eventually(lambda: deployments() == known, "the round of the start is over", 60)
        eventually(lambda: quiet(github), "GitHub is asked nothing more", 60)
        repository.deployments.append(late)
        hook = Hook(agent, SECRET)
        (body, *_) = [ours(body, late.id) for name, body in examples(tools) if name == STATUS]
        number = str(uuid.uuid4())
        for _ in range(3):
            assert hook.deliver(STATUS, body, number) // 100 == 2
        eventually(lambda: deployments() == known + 1, "the late deployment is in the ledger", 60)
        agent.stop()
    paths = [request.path for request, _ in github.exchanges]
    assert paths.count(f"/repos/{repository.name}/deployments/{late.id}") == 1
    assert github.faults == []


def quiet(github: Server) -> bool:
    """Whether nothing was asked for a while."""
    before = len(github.exchanges)
    return all(len(github.exchanges) == before for _ in every(0.25, 1.5))


def ours(body: bytes, deployment: int) -> bytes:
    """An example made one of our repository, and of this deployment if it is about one."""
    payload = json.loads(body)
    payload["repository"]["full_name"] = GovUk.repository
    if "deployment" in payload:
        payload["deployment"]["id"] = deployment
    return json.dumps(payload).encode()


def test_what_hooks_have_read_is_in_githubs_description(
    make_agent: Callable[..., Agent], tools: Tools, tmp_path: Path
) -> None:
    """Of every kind of object, known to the stand-in or not."""
    history = GovUk(MONTH)
    repository = Repository(history)
    description = pruned(tools.node_modules)
    (port,) = free_ports(1)
    public = f"http://127.0.0.1:{port}"
    with Server(GraphQL(repository, github_schema(tools), public)) as github:
        prism = Prism(tools.node_modules, tmp_path, description, github.url, port)
        try:
            words = delivery(prism.url, history, secret=SECRET, label="incident")
            agent = make_agent(words).start()
            eventually(lambda: github.exchanges, "the round of the start begins", 60)
            eventually(lambda: quiet(github), "the round of the start is over", 60)
            hook, before = Hook(agent, SECRET), len(github.exchanges)
            for event, body in examples(tools):
                if event in EVENTS:
                    body = ours(body, repository.deployments[0].id)
                    assert hook.deliver(event, body) // 100 == 2
            eventually(lambda: len(github.exchanges) > before, "the hooks are followed", 60)
            eventually(lambda: quiet(github), "the hooks were followed", 60)
            agent.stop()
            prism.process.stop()
            assert prism.complaints() == []
        finally:
            prism.process.kill()
    asked = [request for request, _ in github.exchanges[before:]]
    base = f"/repos/{repository.name}"
    kinds = {request.path.removeprefix(base).strip("/").split("/")[0] for request in asked}
    assert kinds >= {"actions", "deployments", "issues", "pulls"}
    assert [word for request in asked for word in undeclared(description, request)] == []


def test_what_is_not_githubs_is_refused(make_agent: Callable[..., Agent], tools: Tools) -> None:
    """Another secret, another body, no signature in the right form."""
    agent = with_secret(make_agent, SECRET)
    hook, stranger = Hook(agent, SECRET), Hook(agent, "guessed")
    event, body = next(examples(tools))
    good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert stranger.deliver(event, body) == 401
    assert hook.deliver(event, body + b" ", signature=good) == 401
    assert hook.deliver(event, body, signature=good.replace("sha256", "sha1")) == 401
    assert hook.deliver(event, body, signature=good) // 100 == 2
    agent.stop()


def test_without_a_secret_there_is_no_door(make_agent: Callable[..., Agent], tools: Tools) -> None:
    """Not even for who signs with an empty one."""
    agent = with_secret(make_agent, None)
    event, body = next(examples(tools))
    assert Hook(agent, "").deliver(event, body) == 404
    agent.stop()
