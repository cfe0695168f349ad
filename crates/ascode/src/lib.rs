//! Objectives into alert rules, dashboards and a runbook index: text out, so that every rendered
//! file can be compared.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod alertmanager;
pub mod alerts;
pub mod dashboard;
pub mod grafana;
pub mod rules;
mod yaml;
