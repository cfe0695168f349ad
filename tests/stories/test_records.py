"""Objectives over what a real SDK logs: a budget that burns, a slice that outlives a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.agent import Agent
from harness.dora import Dora
from harness.otlp import Sender, SeverityNumber
from harness.waiting import eventually

# Of the first only invoices are events, of the second everything that is logged within ten seconds.
OBJECTIVES = r"""
- name: invoices
  service: billing
  match: { deployment.environment.name: production }
  indicator: { logs: { total: { body: invoice }, bad: { severity: ">=ERROR" } } }
  objective: 99%
- name: seconds
  service: billing
  match: { deployment.environment.name: production }
  indicator: { logs: { good: { body_regex: "^invoice [0-9]+ sent$" } } }
  objective: 99%
  slices: { length: 10s, good: 70% }
"""

SENT = [(SeverityNumber.INFO, f"invoice {number} sent") for number in range(30)]
LOST = [(SeverityNumber.ERROR2, f"invoice {number} lost") for number in range(10)]
OTHER = [(SeverityNumber.FATAL, "disk full"), (SeverityNumber.WARN, "disk fuller")]


def test_lost_invoices_burn_the_budget_and_a_slice_outlives_a_restart(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    """Thirty of forty invoices go out, which is a burn, and less than 70 % of all that was said."""
    (tmp_path / "slos.yaml").write_text(OBJECTIVES)
    extra = f"slos: [{tmp_path / 'slos.yaml'}]\ndelivery: {{ incidents: [webhook: true] }}\n"
    agent = make_agent(extra).start()
    for environment, records in [("staging", LOST), ("production", SENT + LOST + OTHER * 2)]:
        sender = Sender(agent.grpc, "grpc", "billing", environment=environment)
        sender.log(records)
        sender.close()
    scrape = agent.scrape()
    invoices = {"service": "billing", "slo": "invoices"}
    assert scrape.by("outcome", "redora_slo_events_total", **invoices) == {"good": 30, "bad": 10}
    rate = scrape.total("redora_slo_burn_rate", window="1h", **invoices)
    assert rate == pytest.approx(10 / 40 / 0.01)
    budget = "redora_slo_error_budget_remaining_ratio"
    assert scrape.total(budget, **invoices) == pytest.approx(1 - 25)

    agent.stop()
    agent.start()
    slices = {"service": "billing", "slo": "seconds"}

    def ended() -> bool:
        return agent.scrape().total("redora_slo_events_total", **slices) > 0

    eventually(ended, "the slice has ended")
    scrape = agent.scrape()
    assert scrape.by("outcome", "redora_slo_events_total", **slices) == {"bad": 1}
    assert scrape.total("redora_slo_events_total", **invoices) == 0
    assert scrape.total(budget, **invoices) == pytest.approx(1 - 25)

    def burns() -> list[dict[str, object]]:
        return [fact["burn"] for fact in Dora.of_agent(agent).facts() if "burn" in fact]

    (burn,) = eventually(burns, "the burn is a fact")
    assert (burn["slo"], burn["tier"]) == ("invoices", "1h")
    agent.stop()
