"""The peers as fixtures: an agent of its own for each story, and where the real tools are.

`./test stories` names the tools in REDORA_* variables; a bare `pytest tests/stories` finds them in
.test-tools once `./test install` ran.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.agent import Agent

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".test-tools"


@dataclass(frozen=True)
class Tools:
    """Where the programs are."""

    redora: Path
    venv: Path
    node_modules: Path
    prometheus_2: Path
    prometheus_3: Path


def locate() -> Tools:
    """The programs, from the environment that `./test` sets or from where it installs them."""

    def given(variable: str, otherwise: Path) -> Path:
        return Path(os.environ.get(variable) or otherwise)

    target = given("CARGO_TARGET_DIR", ROOT / "target")
    installed = shutil.which("prometheus") or "/usr/bin/prometheus"
    return Tools(
        redora=given("REDORA_BINARY", target / "debug" / "redora"),
        venv=given("REDORA_VENV", TOOLS / "venv"),
        node_modules=given("REDORA_NODE_MODULES", TOOLS / "node" / "node_modules"),
        prometheus_2=Path(installed).parent,
        prometheus_3=given("REDORA_PROMETHEUS_3", TOOLS / "prometheus3" / "usr" / "bin"),
    )


def github_schema(tools: Tools) -> Path:
    """GitHub's GraphQL schema."""
    return tools.node_modules / "@octokit" / "graphql-schema" / "schema.graphql"


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The programs, all of which must be there."""
    found = locate()
    needed = [
        found.redora,
        found.venv / "bin" / "opentelemetry-instrument",
        found.node_modules / "@opentelemetry" / "sdk-node",
        found.node_modules / "wiremock",
        found.prometheus_2 / "promtool",
        found.prometheus_3 / "promtool",
    ]
    missing = [str(path) for path in needed if not path.exists()]
    assert not missing, f"run ./test install and cargo build; missing: {missing}"
    return found


@pytest.fixture
def make_agent(tools: Tools, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Make agents that are not started yet; whatever still runs when the story ends is ended."""
    made: list[Agent] = []

    def make(extra: str = "") -> Agent:
        agent = Agent(tools.redora, tmp_path / f"agent-{len(made)}", extra)
        made.append(agent)
        return agent

    yield make
    for agent in made:
        if agent.process is not None:
            agent.process.kill()
            print(agent.process.said())


@pytest.fixture
def agent(make_agent: Callable[..., Agent]) -> Iterator[Agent]:
    """One running agent that must end well after the story."""
    running: Agent = make_agent().start()
    yield running
    running.stop()
