"""Real histories through the ledger to the report, against numbers that were computed apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import Tools
from harness.dora import Dora, agree, close
from harness.histories import GitHubIncidents, GovUk, quantile


@pytest.fixture
def dora(tools: Tools, tmp_path: Path) -> Dora:
    """A ledger without facts."""
    return Dora(tools.redora, tmp_path)


def test_four_years_of_deployments_give_the_numbers_computed_apart(dora: Dora) -> None:
    """Every environment, every number of the report."""
    history = GovUk()
    assert dora.store(history.facts()) == "-: 16970 new, 0 corrected, 0 known, 0 out of date"
    places = dora.report("--service", history.service)
    assert set(places) == {"integration", "staging", "production"}
    for environment, place in places.items():
        truth = history.truth(environment)
        assert truth.rollbacks > 0
        assert len(truth.lead_ms) > 1000
        agree(place, truth)


def told(explained: dict[str, Any]) -> list[float]:
    """The values of what counts."""
    values = [told["value"] for told in explained["told"] if told["value"] is not None]
    assert len(values) == explained["n"]
    return values


def test_what_explains_a_number_adds_up_to_it(dora: Dora) -> None:
    """Every metric of every environment, from four years of deployments."""
    history = GovUk()
    dora.store(history.facts())
    report = dora.report()
    deployments = dora.places("explain", "deployments")
    lead_time = dora.places("explain", "lead_time")
    failure = dora.places("explain", "change_failure_ratio")
    recovery = dora.places("explain", "recovery_time")
    rework = dora.places("explain", "rework_ratio")
    assert len(report) == 3
    for environment, place in report.items():
        assert sum(told(deployments[environment])) == place["frequency"]["n"]
        lead = [value * 1000 for value in told(lead_time[environment])]
        assert close(place["lead_time"][0]["spread"]["p50_s"], quantile(lead, 0.5))
        assert sum(told(failure[environment])) == place["failure"]["confirmed"]
        assert len(told(failure[environment])) == place["failure"]["n"]
        recovered = [value * 1000 for value in told(recovery[environment])]
        assert close(place["recovery"]["p50_s"], quantile(recovered, 0.5))
        assert sum(told(rework[environment])) == place["rework"]["repairs"]
        assert len(told(rework[environment])) == place["rework"]["n"]


def test_facts_that_come_again_or_the_other_way_round_change_nothing(dora: Dora) -> None:
    """Imports repeated, reversed, and out of one ledger into another."""
    history = GovUk()
    facts = [fact for fact in history.facts() if "commit" in fact or fact["id"] < "4"]
    dora.store(iter(facts))
    before = dora.report()
    said = dora.store(reversed(facts))
    assert said == f"-: 0 new, 0 corrected, {len(facts)} known, 0 out of date"
    exported = dora.run("export")
    assert exported.returncode == 0
    other = Dora(dora.redora, dora.config.parent / "other")
    other.store(json.loads(line) for line in reversed(exported.stdout.splitlines()))
    assert other.report() == before == dora.report()


def test_incidents_of_years_give_their_durations(dora: Dora) -> None:
    """What was maintenance or had no impact is none of them."""
    incidents = GitHubIncidents()
    dora.store(incidents.facts())
    durations = incidents.durations()
    found = dora.report()["production"]["incidents"]
    assert (found["n"], found["duration"]["n"]) == (770, len(durations))
    assert close(found["duration"]["p50_s"], quantile(durations, 0.5))
    assert close(found["duration"]["mean_s"], sum(durations) / len(durations))
    assert (found["open"], found["unattributed"]) == ([], 770)


def test_a_bad_line_is_named_and_the_rest_is_stored(dora: Dora) -> None:
    """By its number, with exit code 1."""
    facts = [json.dumps(fact) for fact in GitHubIncidents().facts()][:3]
    lines = "\n".join([facts[0], "no fact", facts[1], '{"source":"s"}', facts[2]])
    ended = dora.run("import", "-", stdin=lines)
    assert ended.returncode == 1
    assert ended.stdout == "-: 3 new, 0 corrected, 0 known, 0 out of date\n"
    first, second = ended.stderr.splitlines()
    assert first.startswith("error: -:2: no fact")
    assert second.startswith("error: -:4: no fact")
