//! Pairs of queries with what they are taken for: the line between what the agent counts and what
//! Prometheus is asked is drawn here, case by case.

use super::*;
use crate::red::Kind;

fn asked(total: &str, side: Side, events: &str) -> Meaning {
    let of = |query| prepared(query).unwrap_or_else(|fault| panic!("{query}: {fault}")).0;
    pair(of(total), side, of(events)).unwrap_or_else(|fault| panic!("{total}: {fault}"))
}

/// The service, the indicator with its choice, and what is told; `None` for queries.
fn found(total: &str, side: Side, events: &str) -> Option<(String, String, Vec<Uncarried>)> {
    let Meaning { measure, service, notes } = asked(total, side, events);
    let Measure::Counted { threshold_ns, select } = measure else { return None };
    let kind = select.kind.map_or("served", Kind::as_str);
    let operation = select.operation.unwrap_or_default();
    let what = threshold_ns.map_or("availability".to_owned(), |ns| format!("{ns}ns"));
    Some((service?, format!("{what} {kind} {operation}").trim().to_owned(), notes))
}

#[track_caller]
fn check(total: &str, side: Side, events: &str, expected: &str, notes: &[Uncarried]) {
    let expected = ("shop".to_owned(), expected.to_owned(), notes.to_vec());
    assert_eq!(found(total, side, events), Some(expected), "{events} of {total}");
}

#[test]
fn requests_of_redora_are_counted_by_the_agent() {
    let all = "redora_requests_total{service=\"shop\",kind=\"server\"}";
    let bad = "redora_requests_total{kind=\"server\",service=\"shop\",outcome=\"error\"}";
    let good = "redora_requests_total{kind=\"server\",service=\"shop\",outcome!=\"error\"}";
    check(all, Side::Bad, bad, "availability server", &[]);
    check(all, Side::Good, good, "availability server", &[]);
    let rate = |selector: &str| format!("sum(rate({selector}[{{{{.window}}}}]))");
    check(&rate(all), Side::Bad, &rate(bad), "availability server", &[]);
    check(
        &rate(all),
        Side::Bad,
        &format!("{} - {}", rate(all), rate(good)),
        "availability server",
        &[],
    );
    check(
        "redora_requests_total{service=\"shop\",operation=\"GET /\"}",
        Side::Bad,
        "redora_requests_total{service=\"shop\",operation=\"GET /\",outcome=\"error\"}",
        "availability served GET /",
        &[Uncarried::EveryKind],
    );
    check(
        "redora_requests_total{service=\"shop\",kind=~\"server|consumer\"}",
        Side::Good,
        "redora_requests_total{service=\"shop\",kind=~\"server|consumer\",outcome=\"ok\"}",
        "availability served",
        &[],
    );
}

#[test]
fn a_bucket_of_redora_is_a_threshold() {
    let all = "redora_request_duration_seconds_count{service=\"shop\",kind=\"server\"}";
    let with = |more: &str| {
        format!("redora_request_duration_seconds_bucket{{service=\"shop\",kind=\"server\",{more}}}")
    };
    let exact = with("outcome=\"ok\",le=\"0.3\"");
    check(all, Side::Good, &exact, "300000000ns server", &[]);
    let fast = with("le=\"0.3\"");
    check(all, Side::Good, &fast, "300000000ns server", &[Uncarried::FailedFast]);
    let rate = |selector: &str| format!("sum(rate({selector}[{{{{.window}}}}]))");
    let slow = format!("{} - {}", rate(all), rate(&exact));
    check(&rate(all), Side::Bad, &slow, "300000000ns server", &[]);
    for more in
        ["le=\"+Inf\"", "le=\"90000\"", "le=\"0.3\",outcome=\"error\"", "le=~\"0.3\"", "a=\"b\""]
    {
        assert_eq!(found(all, Side::Good, &with(more)), None, "{more}");
    }
}

#[test]
fn spans_of_other_generators_are_counted_by_their_status() {
    let told = [Uncarried::SpanStatus];
    let all = "traces_spanmetrics_calls_total{service=\"shop\",span_kind=\"SPAN_KIND_SERVER\"}";
    let bad = all.replace('}', ",status_code=\"STATUS_CODE_ERROR\"}");
    check(all, Side::Bad, &bad, "availability server", &told);
    check(all, Side::Good, &bad.replace("code=", "code!="), "availability server", &told);
    assert_eq!(found(all, Side::Good, &bad.replace("ERROR", "OK")), None, "unset is good as well");
    let (all, bad) = (all.replace("spanm", "span_m"), bad.replace("spanm", "span_m"));
    assert_eq!(found(&all, Side::Bad, &bad), None, "the Collector says service_name");
    let (all, bad) = (all.replace("{s", "{service_name"), bad.replace("{s", "{service_name"));
    let (all, bad) = (all.replace("nameervice", "name"), bad.replace("nameervice", "name"));
    check(&all, Side::Bad, &bad, "availability server", &told);
}

#[test]
fn what_the_agent_cannot_choose_stays_with_prometheus() {
    for more in [
        "job=\"redora\"",
        "status=\"5xx\"",
        "operation=~\"GET .*\"",
        "kind=~\"server|client\"",
        "kind=\"robot\"",
        "http_route=\"/\"",
        "span_kind=\"SPAN_KIND_SERVER\"",
        "operation=\"\"",
        "service=\"cart\"",
    ] {
        let all = format!("redora_requests_total{{service=\"shop\",{more}}}");
        let bad = format!("redora_requests_total{{service=\"shop\",{more},outcome=\"error\"}}");
        let Meaning { measure, notes, .. } = asked(&all, Side::Bad, &bad);
        let of = |query: &str| Query::parse(query).unwrap();
        let expected = Queries::Bad { total: of(&all), bad: of(&bad) };
        assert_eq!((measure, notes), (Measure::Queried(expected), vec![Uncarried::OwnMetric]));
    }
    for (all, bad) in [
        ("redora_requests_total", "redora_requests_total{outcome=\"error\"}"),
        (
            "redora_requests_total{service=\"a\"}",
            "redora_requests_total{service=\"b\",outcome=\"error\"}",
        ),
        ("redora_requests_total{service=\"a\"}", "redora_requests_total{service=\"a\"}"),
    ] {
        assert_eq!(found(all, Side::Bad, bad), None, "{all}");
    }
}

#[test]
fn a_query_is_a_selector_or_names_the_window() {
    let events = |query| Ok(Prepared::Events(Query::parse(query).unwrap()));
    for (query, expected, range) in [
        (" a{b=\"c\"}\n", events("a{b=\"c\"}"), None),
        ("sum(a)", events("a"), None),
        ("sum(rate(a[5m]))", events("a"), Some("\"5m\"")),
        ("sum by (b) (rate(a[{{ .window }}]))", events("sum by (b) (rate(a[{{.window}}]))"), None),
        ("sum by (b) (rate(a[5m]))", Err(QueryFault::NoWindow.into()), None),
        ("x(a[{{.service}}])", Err(QueryFault::Variable.into()), None),
        ("", Err(QueryFault::Empty.into()), None),
    ] {
        let (found, note) = match prepared(query) {
            Ok((found, note)) => (Ok(found), note),
            Err(fault) => (Err(fault), None),
        };
        assert_eq!(found, expected, "{query}");
        let told = note.map(|note| match note {
            Uncarried::FixedRange(range) => range.to_string(),
            other => panic!("{other}"),
        });
        assert_eq!(told.as_deref(), range, "{query}");
    }
}

#[test]
fn all_without_the_good_ones_are_the_bad_ones() {
    let good = |total: &str, bad: &str| match asked(total, Side::Bad, bad).measure {
        Measure::Queried(Queries::Good { good, .. }) => Some(text(&good)),
        _ => None,
    };
    let bad =
        "(sum(rate(a_count{x=\"1\"}[{{.window}}])) - sum(rate(a_bucket{le=\"1\"}[{{.window}}])))";
    assert_eq!(good("a_count{x=\"1\"}", bad).as_deref(), Some("a_bucket{le=\"1\"}"));
    assert_eq!(good("a_count{x=\"2\"}", bad), None);
    assert_eq!(good("a_count{x=\"1\"}", &bad.replacen("rate", "increase", 1)), None);
}

#[test]
fn what_gives_no_number_of_events_is_a_ratio() {
    let (total, bad) = ("count_over_time(a[{{.window}}])", "sum_over_time(b[{{.window}}]) # bad");
    let Meaning { measure, notes, .. } = asked(total, Side::Good, bad);
    let Measure::Queried(Queries::BadRatio(ratio)) = measure else { panic!("{measure:?}") };
    let expected = "1 -\n(\nsum_over_time(b[5m])\n)\n/\n(\ncount_over_time(a[5m])\n)";
    assert_eq!(ratio.over("5m"), expected);
    assert_eq!(notes, [Uncarried::Ratio]);
}
