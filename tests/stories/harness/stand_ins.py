"""WireMock and Prism as processes: stand-ins for GitHub that nobody of this project wrote.

WireMock serves what a real collection was answered, as mappings; Prism stands between a client and
a server and holds both to GitHub's published description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import requests

from .process import Process, free_ports
from .serving import Reply, Request
from .waiting import eventually

Json = Any
# A time in a query or variable is that of the run; everything else repeats.
TIME = r"\d{4}-\d{2}-\d{2}T\d{2}(?::|%3A)\d{2}(?::|%3A)\d{2}(?:\.\d+)?Z"
TIMES = re.compile(TIME)
SECONDS_TO_START = 60.0
# Every path of GitHub's description that a collector may ask.
PATHS = ["/rate_limit"] + [
    "/repos/{owner}/{repo}" + rest
    for rest in (
        "",
        "/actions/runs",
        "/actions/runs/{run_id}",
        "/actions/runs/{run_id}/attempts/{attempt_number}",
        "/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        "/commits",
        "/commits/{ref}",
        "/compare/{basehead}",
        "/deployments",
        "/deployments/{deployment_id}",
        "/deployments/{deployment_id}/statuses",
        "/git/commits/{commit_sha}",
        "/git/matching-refs/{ref}",
        "/git/tags/{tag_sha}",
        "/issues",
        "/issues/{issue_number}",
        "/issues/{issue_number}/comments",
        "/issues/{issue_number}/timeline",
        "/pulls",
        "/pulls/{pull_number}",
        "/pulls/{pull_number}/commits",
        "/pulls/{pull_number}/reviews",
        "/releases",
        "/releases/{release_id}",
        "/tags",
    )
]
GRAPHQL = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "query": {"type": "string"},
                        "variables": {"type": "object"},
                        "operationName": {"type": "string"},
                    },
                    "required": ["query"],
                    "additionalProperties": False,
                }
            }
        },
    },
    "responses": {"200": {"description": "The answer, and what went wrong with it."}},
}


class WireMock:
    """One WireMock on a port of its own, ready once it is made."""

    def __init__(self, node_modules: Path, directory: Path) -> None:
        (jar,) = (node_modules / "wiremock" / "build").glob("wiremock-standalone-*.jar")
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        root = directory / "wiremock"
        root.mkdir()
        words = ["--port", port, "--bind-address", "127.0.0.1", "--root-dir", root]
        command = ["java", "-Xmx512m", "-jar", jar, *words, "--disable-banner"]
        self.process = Process("wiremock", [str(word) for word in command], directory)

        def ready() -> bool:
            assert self.process.running(), self.process.said()
            return self.admin("health")["status"] == "healthy"

        eventually(ready, "WireMock is healthy", SECONDS_TO_START)

    def admin(self, path: str) -> Json:
        """What its own interface tells."""
        answer = requests.get(f"{self.url}/__admin/{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def teach(self, mappings: list[Json]) -> None:
        """Add mappings."""
        body = {"mappings": mappings}
        answer = requests.post(f"{self.url}/__admin/mappings/import", json=body, timeout=60)
        assert answer.ok, answer.text


class Prism:
    """One Prism between its clients and `upstream`, ready once it is made."""

    def __init__(
        self, node_modules: Path, directory: Path, description: Json, upstream: str, port: int
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        path = directory / "description.json"
        path.write_text(json.dumps(description), encoding="utf-8")
        program = node_modules / "@stoplight" / "prism-cli" / "dist" / "index.js"
        where = ["--errors", "--host", "127.0.0.1", "--port", str(port)]
        command = ["node", program, "proxy", path, upstream, *where]
        self.process = Process("prism", command, directory)

        def ready() -> bool:
            assert self.process.running(), self.process.said()
            return "Prism is listening" in self.process.out()

        eventually(ready, "Prism listens", SECONDS_TO_START)

    def complaints(self) -> list[str]:
        """What it logged of violations, or of anything else that went wrong."""
        signs = ("✖", "⚠", "Violation")
        lines = self.process.said().splitlines()
        return [line for line in lines if any(sign in line for sign in signs)]

    def received(self) -> int:
        """How many requests it saw."""
        return self.process.out().count("Request received")


def pruned(node_modules: Path) -> Json:
    """GitHub's description of `PATHS` alone, read only, with the components they need.

    The whole is 13 MB, over which Prism takes minutes.
    """
    generated = node_modules / "@octokit" / "openapi" / "generated" / "api.github.com.json"
    whole = json.loads(generated.read_text(encoding="utf-8"))
    wanted: dict[str, Json] = {path: {"get": whole["paths"][path]["get"]} for path in PATHS}
    for item in wanted.values():
        # Every path may be one that GitHub does not know, whether its description says so or not.
        missing = {"$ref": "#/components/responses/not_found"}
        item["get"]["responses"].setdefault("404", missing)
    components: dict[str, dict[str, Json]] = {}
    open_: list[Json] = [wanted]
    while open_:
        for reference in references(open_.pop()):
            _, _, kind, name = reference.split("/")
            kept = components.setdefault(kind, {})
            if name not in kept:
                kept[name] = whole["components"][kind][name]
                open_.append(kept[name])
    # GraphQL is none of REST's paths; its requests are held against a schema of their own.
    wanted["/graphql"] = {"post": GRAPHQL}
    # The description calls the range that this parameter takes a single time.
    components.get("parameters", {}).get("created", {}).get("schema", {}).pop("format", None)
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "paths": wanted,
        "components": components,
    }


def references(value: Json) -> Iterator[str]:
    """Every component that a part of a description names."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def undeclared(description: Json, request: Request) -> list[str]:
    """The query's words that the description does not know, which servers ignore in silence."""
    for path, item in description["paths"].items():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), request.path):
            parameters = item.get("get", {}).get("parameters", [])
            known = {resolved(description, parameter)["name"] for parameter in parameters}
            return [word for word in request.query if word not in known]
    return [request.line]


def resolved(description: Json, parameter: Json) -> Json:
    """A parameter that may stand among the components."""
    if "$ref" not in parameter:
        return parameter
    return description["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]


def mapping(request: Request, reply: Reply, was: str, becomes: str) -> Json:
    """An exchange as WireMock's mapping, with the server's address changed for WireMock's."""
    pattern: Json = {
        "method": request.method,
        "urlPattern": TIME.join(map(re.escape, TIMES.split(request.target))),
        "headers": {"Authorization": {"equalTo": request.headers["authorization"]}},
    }
    if request.body:
        general = re.sub(f'"{TIME}"', '"${json-unit.any-string}"', request.body.decode())
        pattern["bodyPatterns"] = [{"equalToJson": general}]
    headers = {name: value.replace(was, becomes) for name, value in reply.headers.items()}
    body = reply.body.decode().replace(was, becomes)
    response = {"status": reply.status, "headers": headers, "body": body}
    return {"request": pattern, "response": response}


def mappings(exchanges: Iterable[tuple[Request, Reply]], was: str, becomes: str) -> list[Json]:
    """Every exchange once."""
    found: dict[str, Json] = {}
    for request, reply in exchanges:
        made = mapping(request, reply, was, becomes)
        key = json.dumps(made["request"], sort_keys=True)
        before = found.setdefault(key, made)
        same = before["response"]["body"] == made["response"]["body"]
        assert same, f"two answers to one request: {key}"
    return list(found.values())


def after(trouble: Json, mapping: Json, scenario: str) -> list[Json]:
    """An answer that comes only after `trouble` came once."""
    common = {"scenarioName": scenario, "request": mapping["request"]}
    first = {"requiredScenarioState": "Started", "newScenarioState": "over", "response": trouble}
    then = {"requiredScenarioState": "over", "response": mapping["response"]}
    return [common | first, common | then]
