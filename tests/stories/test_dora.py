"""Real histories through the ledger to the report, against numbers that were computed apart."""

from __future__ import annotations

import json
from pathlib import Path

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
