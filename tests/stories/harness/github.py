"""A real history as GitHub would hold it, so that a collector has four years to read.

How it is told over REST stands in `github_rest`, and over GraphQL in `github_graphql`, so that both
tell the same.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from .histories import SHA, GovUk, at, millis

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
    sign: str = "",
    jobs: bool = False,
    secret: str | None = None,
    label: str = "",
) -> str:
    """The part of a configuration for the repository at an address, as far back as it goes.

    After the round of a start the next one is years away.
    """
    begin_ms = min(millis(row["committed_at"]) for row in history.commits)
    age = datetime.now(UTC) - datetime.fromtimestamp(begin_ms / 1000, UTC)
    hook = f", webhook_secret: {secret}" if secret else ""
    sign = sign or (f"environment: {environments}" if environments else "")
    only = f", deployments: {{ {sign} }}" if sign else ""
    only += ", ci: { jobs: true }" if jobs else ""
    incidents = f"  incidents:\n    - {{ github_labels: [{label}] }}\n" if label else ""
    return f"""\
delivery:
  schedule: "0 0 0 29 2 *"
  history: {age.days + 1}d
  github: {{ api_url: "{url}", token: {token}{hook} }}
  repositories:
    - {{ repo: {repository}, service: {history.service}{only} }}
{incidents}"""


@dataclass
class Deployed:
    """One deployment with its statuses as (id, state, time), oldest first."""

    id: int
    sha: str
    reference: str
    environment: str
    created_ms: int
    statuses: list[tuple[int, str, int]]


@dataclass
class Tagged:
    """A tag of a commit, and the release that was made of it an hour later."""

    id: int
    name: str
    sha: str
    # Where the tag is an object of its own, which says when it was made.
    object: str | None
    at_ms: int

    @property
    def released_ms(self) -> int:
        """When the release was published."""
        return self.at_ms + 3_600_000


class Repository:
    """The history as GitHub would hold it: whole, or with `now_ms` what there was by then."""

    def __init__(self, history: GovUk, now_ms: int | None = None) -> None:
        self.history = history
        self.now_ms = now_ms
        self.name = history.repository
        self.rows = history.rows("deployments")
        self._contained: dict[str, list[int]] = {}

    @property
    def head(self) -> str:
        """The end of the branch: the last pull request that was merged into it."""
        merges = [row for row in self.history.commits if row["merged_pull_request"]]
        if self.now_ms is not None:
            merges = [row for row in merges if millis(row["committed_at"]) <= self.now_ms]
        return max(merges, key=lambda row: millis(row["committed_at"]))["sha"]

    @property
    def deployments(self) -> list[Deployed]:
        """Oldest first."""
        now_ms = self.now_ms
        if now_ms is None:
            return self.all
        return [
            replace(one, statuses=[status for status in one.statuses if status[2] <= now_ms])
            for one in self.all
            if one.created_ms <= now_ms
        ]

    @cached_property
    def all(self) -> list[Deployed]:
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
        known = self.deployments
        place = bisect_left(known, id_, key=lambda one: one.id)
        found = known[place : place + 1]
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
    def signed(self) -> list[Tagged]:
        """Tags by the time of their commit; every third is an object of its own, of a minute
        later.
        """
        ordered = sorted(self.tags.items(), key=lambda pair: (self.made_ms(pair[1]), pair[0]))
        found: list[Tagged] = []
        for number, (name, sha) in enumerate(ordered):
            made_ms, own = self.made_ms(sha), number % 3 == 0
            object_ = hashlib.sha1(name.encode()).hexdigest() if own else None
            found.append(Tagged(700_000 + number, name, sha, object_, made_ms + 60_000 * own))
        return found

    def shown(self) -> list[Tagged]:
        """Those that are there by now."""
        now_ms = self.now_ms
        return [one for one in self.signed if now_ms is None or one.at_ms <= now_ms]

    def released(self) -> list[Tagged]:
        """Those whose release is there by now, the newest first."""
        now_ms = self.now_ms
        shown = [one for one in self.signed if now_ms is None or one.released_ms <= now_ms]
        return shown[::-1]

    def made_ms(self, sha: str) -> int:
        """When a commit was committed."""
        return self.committed_ms[self.history.numbers[sha]]

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


class Signed(GovUk):
    """A history as if its tags, or the releases that were made of them, were its deployments."""

    def __init__(self, repository: Repository, releases: bool) -> None:
        super().__init__(repository.history.years, repository.history.later_ms)
        self.signed: list[dict[str, str]] = []
        first: dict[str, Tagged] = {}
        for one in sorted(repository.signed, key=lambda one: one.at_ms):
            if first.setdefault(one.sha, one) is not one and first[one.sha].at_ms == one.at_ms:
                continue  # What comes with the first of its commit is the same deployment.
            at_ms = one.released_ms if releases else one.at_ms
            row = {"id": f"{one.id}", "environment": "production", "image_tag": one.name}
            self.signed.append(row | {"requested_at": at(at_ms)})

    def rows(self, name: str) -> list[dict[str, str]]:
        """A file as its rows."""
        return self.signed if name == "deployments" else super().rows(name)


def log_url(one: Deployed) -> str:
    """Where a deployment's output would be read."""
    return f"https://deploy.example.org/logs/{one.id}"


def message(row: dict[str, str]) -> str:
    """A commit's message; the history does not tell it, but what GitHub itself would write."""
    if row["merged_pull_request"]:
        return f"Merge pull request #{row['merged_pull_request']} from alphagov/a-branch"
    return f"Change {row['sha'][:7]}"
