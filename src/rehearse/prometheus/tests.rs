//! How a Prometheus is asked for a history. That a real one answers is a story's to tell.

use super::*;
use crate::rehearse::Ask;
use redora_model::slo::replay::Gaps;

#[test]
fn names_are_quoted_for_promql_and_for_a_url() {
    let asked = |service: Option<&str>, slo: Option<&str>| {
        let text = |name: Option<&str>| name.map(str::to_owned);
        let ask = Ask { service: text(service), slo: text(slo), ..Ask::default() };
        selector(&Rehearsal::new(ask, Gaps::Absent, 0))
    };
    assert_eq!(asked(None, None), "{}");
    assert_eq!(asked(Some("shop"), Some(r#"a"b\c"#)), r#"{service="shop",slo="a\"b\\c"}"#);
    assert_eq!(encoded("a{b=\"ü c\"}&+"), "a%7Bb%3D%22%C3%BC%20c%22%7D%26%2B");
}
