"""One scrape as a table of samples, read by the parsers of the Prometheus project's own client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text


@dataclass(frozen=True)
class Sample:
    """One line of a scrape."""

    name: str
    labels: dict[str, str]
    value: float
    exemplar: dict[str, str] | None = None


class Scrape:
    """Samples that can be picked and added up by name and labels."""

    def __init__(self, samples: Iterable[Sample], types: dict[str, str]) -> None:
        self.samples = list(samples)
        self.types = types

    @classmethod
    def of_text(cls, text: str) -> Scrape:
        """Read Prometheus' text format 0.0.4."""
        return cls._of(parse_text(text))

    @classmethod
    def of_openmetrics(cls, text: str) -> Scrape:
        """Read OpenMetrics 1.0 with a parser that refuses whatever the specification forbids."""
        return cls._of(parse_openmetrics(text))

    @classmethod
    def _of(cls, families: Iterable[Any]) -> Scrape:
        known = list(families)

        def samples() -> Iterator[Sample]:
            for family in known:
                for row in family.samples:
                    exemplar = dict(row.exemplar.labels) if row.exemplar else None
                    yield Sample(row.name, dict(row.labels), row.value, exemplar)

        return cls(samples(), {family.name: family.type for family in known})

    def pick(self, name: str, **labels: str) -> list[Sample]:
        """Every sample of this name whose labels include these."""
        return [
            sample
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, **labels: str) -> float:
        """The sum over them; 0 when there is none."""
        return sum(sample.value for sample in self.pick(name, **labels))

    def rows(self, name: str, *keys: str, **labels: str) -> dict[tuple[str, ...], float]:
        """Every sample that `pick` yields, under the values of the labels named."""
        table: dict[tuple[str, ...], float] = {}
        for sample in self.pick(name, **labels):
            row = tuple(sample.labels.get(key, "") for key in keys)
            assert row not in table, f"{name}: {keys} do not tell its series apart: {row}"
            table[row] = sample.value
        return table

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """Sums per value of one label, rows that are still 0 left out."""
        sums: dict[str, float] = {}
        for sample in self.pick(name, **labels):
            key = sample.labels.get(label, "")
            sums[key] = sums.get(key, 0.0) + sample.value
        return {key: value for key, value in sums.items() if value}

    def buckets(self, name: str, **labels: str) -> dict[float, float]:
        """Cumulative counts of a classic histogram per upper bound, added over its series."""
        sums: dict[float, float] = {}
        for sample in self.pick(f"{name}_bucket", **labels):
            bound = float(sample.labels["le"])
            sums[bound] = sums.get(bound, 0.0) + sample.value
        return dict(sorted(sums.items()))
