//! A fault for every rule, planted into a good board, because a rule that finds nothing may be one
//! that cannot.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::lint::RULES;
use crate::{boards, faults, metrics};

/// The rule, where the fault is planted, and what.
type Fault = (&'static str, &'static str, fn() -> Value);

const EXPR: &str = "/panels/0/targets/0/expr";

const FAULTS: &[Fault] = &[
    ("template-datasource-rule", "/templating/list/0/name", || json!("prometheus")),
    ("template-job-rule", "/templating/list/1/multi", || json!(false)),
    ("template-instance-rule", "/templating/list/2/allValue", || json!(".*")),
    ("template-label-promql-rule", "/templating/list/3/query", || json!("tenants")),
    ("template-on-time-change-reload-rule", "/templating/list/4/refresh", || json!(1)),
    ("panel-datasource-rule", "/panels/0/datasource/uid", || json!("mine")),
    ("panel-title-description-rule", "/panels/0/description", || json!("")),
    ("panel-units-rule", "/panels/0/fieldConfig/defaults/unit", || json!("furlongs")),
    ("panel-no-targets-rule", "/panels/0/targets", || json!([])),
    ("target-logql-rule", "/panels/0/targets/0/datasource/type", || json!("loki")),
    ("target-rate-interval-rule", EXPR, || json!(format!("rate({UP}[5m])"))),
    ("target-job-rule", EXPR, || json!(r#"up{instance=~"$instance"}"#)),
    ("target-instance-rule", EXPR, || json!(r#"up{job=~"$job", instance="a"}"#)),
    ("target-counter-agg-rule", EXPR, || json!(r#"sum(redora_requests_total{job=~"$job"})"#)),
    ("uneditable-dashboard", "/editable", || json!(true)),
    ("metrics-exist", EXPR, || json!("redora_wishes")),
    ("labels-exist", EXPR, || json!(r#"up{colour="red"}"#)),
    ("variables-exist", EXPR, || json!("up > $limit")),
    ("ratios-are-guarded", EXPR, || json!(format!("{UP} / sum({UP})"))),
    ("empty-state", "/panels/0/fieldConfig/defaults/noValue", || json!("")),
    ("grid", "/panels/1/gridPos/x", || json!(0)),
    ("identity", "/uid", || json!("red")),
    ("links-lead-somewhere", "/links/0/url", || json!("/d/redora-nowhere?")),
];

const UP: &str = r#"up{job=~"$job", instance=~"$instance"}"#;

#[test]
fn every_rule_finds_its_fault() {
    let (metrics, boards) = (metrics(), boards());
    let uids: Vec<_> = boards.iter().filter_map(|(_, json)| json["uid"].as_str()).collect();
    let (_, good) = &boards[0];
    assert_eq!(faults(good, &metrics, &uids), Vec::<(&str, String)>::new());
    for (rule, place, fault) in FAULTS {
        let mut board = good.clone();
        *board.pointer_mut(place).expect("the good board has this place") = fault();
        let found = faults(&board, &metrics, &uids);
        assert!(found.iter().any(|(name, _)| name == rule), "{rule} does not find {place}");
    }
    let planted: BTreeSet<_> = FAULTS.iter().map(|(rule, ..)| *rule).collect();
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(planted, all, "a rule without a fault");
}
