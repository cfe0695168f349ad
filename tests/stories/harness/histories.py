"""Real histories of deployments and incidents: as facts to import, and as numbers computed apart.

The numbers follow docs/definitions.md from the files alone, by another way than redora's: whole
sets of ancestors as bits of large integers, where redora marks what it has not seen.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data"
SHA = re.compile(r"[0-9a-f]{40}")


def millis(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def quantile(values: Sequence[float], share: float) -> float | None:
    """Linear interpolation between the closest ranks."""
    if not values:
        return None
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


@dataclass
class Numbers:
    """What a report should say of one environment."""

    deployments: int = 0
    redeployments: int = 0
    rollbacks: int = 0
    gaps: int = 0
    days: set[str] = field(default_factory=set)
    lead_ms: list[int] = field(default_factory=list)
    negative: int = 0
    failed: set[int] = field(default_factory=set)


class GovUk:
    """The deployments of GOV.UK's publishing-api and the history that they are of.

    With `years` a part of it, as if the repository had begun and its data ended then.
    """

    repository = "alphagov/publishing-api"
    service = "publishing-api"

    def __init__(self, years: tuple[str, str] | None = None) -> None:
        self.years = years

    def rows(self, name: str) -> list[dict[str, str]]:
        """A file as its rows."""
        path = DATA / "govuk" / f"publishing-api.{name}.csv.gz"
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if self.years is None or name == "tags":
            return rows
        column = "requested_at" if name == "deployments" else "committed_at"
        begin, end = self.years
        rows = [row for row in rows if begin <= row[column] < end]
        if name == "commits":
            kept = {row["sha"] for row in rows}
            for row in rows:
                row["parents"] = " ".join(sha for sha in row["parents"].split() if sha in kept)
        return rows

    @cached_property
    def commits(self) -> list[dict[str, str]]:
        """Every commit."""
        return self.rows("commits")

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place of each commit."""
        return {row["sha"]: number for number, row in enumerate(self.commits)}

    @cached_property
    def tags(self) -> dict[str, str]:
        """The commit of each tag."""
        return {row["tag"]: row["sha"] for row in self.rows("tags")}

    def revision(self, image_tag: str) -> str | None:
        """The commit of an image's tag, where the history has it."""
        found = SHA.search(image_tag)
        sha = self.tags.get(image_tag) or (found and found.group())
        return sha if sha in self.numbers else None

    def facts(self) -> Iterator[dict[str, Any]]:
        """Everything as facts."""
        for row in self.commits:
            commit: dict[str, Any] = {
                "repository": self.repository,
                "authored_ms": millis(row["authored_at"]),
                "committed_ms": millis(row["committed_at"]),
            }
            if row["parents"]:
                commit["parents"] = row["parents"].split()
            yield self.fact(row["sha"], commit["committed_ms"], "commit", commit)
        for row in self.rows("deployments"):
            at_ms = millis(row["requested_at"])
            deployment: dict[str, Any] = {
                "repository": self.repository,
                "service": self.service,
                "environment": row["environment"],
                "created_ms": at_ms,
                "version": row["image_tag"],
                "statuses": [{"at_ms": at_ms, "state": "success"}],
            }
            if revision := self.revision(row["image_tag"]):
                deployment["revision"] = revision
            yield self.fact(row["id"], at_ms, "deployment", deployment)

    def fact(self, id_: str, as_of_ms: int, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """One fact."""
        return {"source": "govuk", "id": id_, "as_of_ms": as_of_ms, kind: body}

    @cached_property
    def ancestors(self) -> list[int]:
        """For each commit what it contains, a bit for each."""
        sets: list[int | None] = [None] * len(self.commits)
        for start in range(len(self.commits)):
            open_ = [start]
            while open_:
                number = open_[-1]
                parents = [self.numbers[sha] for sha in self.commits[number]["parents"].split()]
                missing = [parent for parent in parents if sets[parent] is None]
                if missing:
                    open_.extend(missing)
                    continue
                bits = 1 << number
                for parent in parents:
                    bits |= sets[parent] or 0
                sets[number] = bits
                open_.pop()
        return [bits or 0 for bits in sets]

    def truth(self, environment: str) -> Numbers:
        """The numbers of an environment, from the files."""
        rows = [row for row in self.rows("deployments") if row["environment"] == environment]
        rows.sort(key=lambda row: (millis(row["requested_at"]), row["id"]))
        numbers = Numbers()
        line: list[tuple[str, int | None, bool]] = []
        seen: dict[str, int] = {}
        deployed = 0
        for row in rows:
            sha = self.revision(row["image_tag"])
            number = self.numbers[sha] if sha else None
            thing = sha or f"version {row['image_tag']}"
            if line and line[-1][0] == thing:
                numbers.redeployments += 1
                continue
            back = thing in seen
            if back and number is not None and line[-1][1] is not None:
                back = not self.ancestors[number] >> line[-1][1] & 1
            if back:
                numbers.rollbacks += 1
                later = range(seen[thing] + 1, len(line))
                numbers.failed.update([at for at in later if not line[at][2]][:1])
            numbers.deployments += 1
            numbers.days.add(row["requested_at"][:10])
            known = number is not None and (not line or line[-1][1] is not None)
            numbers.gaps += not known
            if number is not None:
                fresh = self.ancestors[number] & ~deployed
                deployed |= fresh
                if known and line:
                    self.lead(fresh, millis(row["requested_at"]), numbers)
            seen[thing] = len(line)
            line.append((thing, number, back))
        return numbers

    def lead(self, fresh: int, at_ms: int, numbers: Numbers) -> None:
        """Add the lead time of each of these commits that is no merge."""
        while fresh:
            low = fresh & -fresh
            fresh ^= low
            commit = self.commits[low.bit_length() - 1]
            if len(commit["parents"].split()) > 1:
                continue
            span = at_ms - millis(commit["authored_at"])
            if span < 0:
                numbers.negative += 1
            else:
                numbers.lead_ms.append(span)


class GitHubIncidents:
    """The incidents of github.com."""

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Every incident as it was recorded."""
        with gzip.open(DATA / "github-incidents.jsonl.gz", "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def facts(self) -> Iterator[dict[str, Any]]:
        """Everything as facts; what had no impact is declined."""
        natures = {"maintenance": "maintenance", "none": "declined"}
        for row in self.rows:
            incident: dict[str, Any] = {
                "service": "github",
                "environment": "production",
                "title": row["title"],
                "severity": row["impact"],
                "nature": natures.get(row["impact"], "disruption"),
                "started_ms": millis(row["started_at"]),
                "url": row["url"],
            }
            if row["resolved_at"]:
                turn = {"at_ms": millis(row["resolved_at"]), "resolved": True}
                incident["changes"] = [turn]
            yield {"source": "status", "id": row["id"], "as_of_ms": 0, "incident": incident}

    def durations(self) -> list[int]:
        """How long each disruption took, in milliseconds."""
        return [
            millis(row["resolved_at"]) - millis(row["started_at"])
            for row in self.rows
            if row["impact"] not in ("maintenance", "none") and row["resolved_at"]
        ]
