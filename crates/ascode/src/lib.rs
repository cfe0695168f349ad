//! Objectives into alert rules, dashboards and a runbook index: text out, so that every rendered file can be compared.
