"""A real history as GitHub would hold it, so that a collector has four years to read.

How it is told over REST stands in `github_rest`, and over GraphQL in `github_graphql`, so that both
tell the same.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from .histories import SHA, GovUk, millis

TOKEN = "ghp_of_a_story"
BRANCH = "main"
# A deployment is created that long before the request that the history records is carried out.
LEAD_MS = 60_000
LIMIT = 15_000


def delivery(
    url: str,
    history: GovUk,
    *,
    token: str = TOKEN,
    repository: str = GovUk.repository,
    environments: str = "",
    secret: str | None = None,
    label: str = "",
) -> str:
    """The part of a configuration for the repository at an address, as far back as it goes.

    After the round of a start the next one is years away.
    """
    begin_ms = min(millis(row["committed_at"]) for row in history.commits)
    age = datetime.now(UTC) - datetime.fromtimestamp(begin_ms / 1000, UTC)
    hook = f", webhook_secret: {secret}" if secret else ""
    only = f", deployments: {{ environment: {environments} }}" if environments else ""
    incidents = f"  incidents:\n    - {{ github_labels: [{label}] }}\n" if label else ""
    return f"""\
delivery:
  schedule: "0 0 0 29 2 *"
  history: {age.days + 1}d
  github: {{ api_url: "{url}", token: {token}{hook} }}
  repositories:
    - {{ repo: {repository}, service: {history.service}{only} }}
{incidents}"""


def at(ms: int) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Deployed:
    """One deployment with its statuses as (id, state, time), oldest first."""

    id: int
    sha: str
    reference: str
    environment: str
    created_ms: int
    statuses: list[tuple[int, str, int]]


class Repository:
    """The history as GitHub would hold it."""

    def __init__(self, history: GovUk) -> None:
        self.history = history
        self.name = history.repository
        self.rows = history.rows("deployments")
        merges = [row for row in history.commits if row["merged_pull_request"]]
        # The branch ends with the last pull request that was merged into it.
        self.head = max(merges, key=lambda row: millis(row["committed_at"]))["sha"]
        self._contained: dict[str, list[int]] = {}

    @cached_property
    def deployments(self) -> list[Deployed]:
        """Oldest first; the ids grow with time, as GitHub's do."""
        rows = sorted(self.rows, key=lambda row: (millis(row["requested_at"]), row["id"]))
        found: list[Deployed] = []
        live: dict[str, Deployed] = {}
        for number, row in enumerate(rows):
            id_, done_ms = 500_000_000 + 7 * number, millis(row["requested_at"])
            created_ms = done_ms - LEAD_MS
            states = [("queued", created_ms), ("in_progress", created_ms + 5_000)]
            states.append(("success", done_ms))
            statuses = [(4 * id_ + n, state, ms) for n, (state, ms) in enumerate(states)]
            tag, environment = row["image_tag"], row["environment"]
            before = live.get(environment)
            if before is not None:
                before.statuses.append((4 * before.id + 3, "inactive", done_ms))
            here = Deployed(id_, self.sha(tag), tag, environment, created_ms, statuses)
            live[environment] = here
            found.append(here)
        return found

    def find(self, id_: int) -> Deployed | None:
        """A deployment by its id."""
        place = bisect_left(self.deployments, id_, key=lambda one: one.id)
        found = self.deployments[place : place + 1]
        return found[0] if found and found[0].id == id_ else None

    def sha(self, image_tag: str) -> str:
        """The commit of an image's tag. GitHub keeps that of a commit which is gone, too."""
        found = SHA.search(image_tag)
        gone = found.group() if found else hashlib.sha1(image_tag.encode()).hexdigest()
        return self.history.revision(image_tag) or gone

    def resolve(self, reference: str) -> str | None:
        """The commit that a branch, a tag or a SHA names."""
        reference = reference.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")
        sha = self.head if reference in (BRANCH, "HEAD") else reference
        sha = self.tags.get(sha, sha)
        return sha if sha in self.history.numbers else None

    def contained(self, sha: str) -> list[int]:
        """The places of the commits that a commit contains, in the order of `git log`."""
        if sha not in self._contained:
            bits = self.history.ancestors[self.history.numbers[sha]]
            self._contained[sha] = self.newest_first(bits)
        return self._contained[sha]

    def newest_first(self, bits: int) -> list[int]:
        """The places that are set, the latest committed first."""
        text = f"{bits:b}"[::-1]
        places = [place for place, bit in enumerate(text) if bit == "1"]
        return sorted(places, key=lambda place: (self.committed_ms[place], place), reverse=True)

    @cached_property
    def tags(self) -> dict[str, str]:
        """The tags whose commit the history has."""
        known = self.history.numbers
        return {name: sha for name, sha in self.history.tags.items() if sha in known}

    @cached_property
    def committed_ms(self) -> list[int]:
        """When each commit was committed."""
        return [millis(row["committed_at"]) for row in self.history.commits]

    @cached_property
    def reachable(self) -> int:
        """How many commits the default branch and the deployed commits contain."""
        bits = self.history.ancestors[self.history.numbers[self.head]]
        for row in self.rows:
            if sha := self.history.revision(row["image_tag"]):
                bits |= self.history.ancestors[self.history.numbers[sha]]
        return bits.bit_count()


def log_url(one: Deployed) -> str:
    """Where a deployment's output would be read."""
    return f"https://deploy.example.org/logs/{one.id}"


def message(row: dict[str, str]) -> str:
    """A commit's message; the history does not tell it, but what GitHub itself would write."""
    if row["merged_pull_request"]:
        return f"Merge pull request #{row['merged_pull_request']} from alphagov/a-branch"
    return f"Change {row['sha'][:7]}"
