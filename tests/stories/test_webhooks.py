"""GitHub's own example deliveries, signed, at the door of a running agent."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator

import requests

from conftest import Tools
from harness.agent import Agent
from harness.github import TOKEN

SECRET = "a secret of the hook"
# A repository that nobody asks GitHub about in this story: its next round is years away.
DELIVERY = f"""\
delivery:
  schedule: "0 0 0 29 2 *"
  github: {{ api_url: "http://127.0.0.1:9", token: {TOKEN}{{secret}} }}
  repositories:
    - {{ repo: Codertocat/Hello-World, service: hello }}
"""


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

    def deliver(self, event: str, body: bytes, delivery: str = "", signature: str = "") -> int:
        """Make a delivery; the status it is answered with."""
        digest = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": signature or f"sha256={digest}",
        }
        return self.session.post(self.url, data=body, headers=headers, timeout=10).status_code


def with_secret(make_agent: Callable[..., Agent], secret: str | None) -> Agent:
    """An agent whose hook has this secret, or none."""
    words = f', webhook_secret: "{secret}"' if secret else ""
    return make_agent(DELIVERY.replace("{secret}", words)).start()


def test_every_example_of_github_is_taken(make_agent: Callable[..., Agent], tools: Tools) -> None:
    """Whatever its event, once and again under the same number."""
    agent = with_secret(make_agent, SECRET)
    hook = Hook(agent, SECRET)
    taken = 0
    for event, body in examples(tools):
        delivery = str(uuid.uuid4())
        for _ in range(2):
            assert hook.deliver(event, body, delivery) // 100 == 2, (event, body[:200])
        taken += 1
    assert taken == 329
    agent.stop()


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
