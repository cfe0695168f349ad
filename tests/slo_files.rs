//! Files of objectives as users write them: what a right one means, what a wrong one hears, and
//! that the page about them shows what the loader takes.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::Path;

use redora::config::{Config, Faults, OBJECTIVE_KEYS, list_folder, load, read_file};
use redora::record::{Body, Match, SeverityRange};
use redora::red::Kind;
use redora::slo::{Records, Told};
use redora_model::identity::Service;
use redora_model::slo::{
    Goal, Indicator, Period, Queried, Queries, Query, Share, Slices, Tiers, Window,
};

/// A folder of files that stand nowhere.
struct Folder(BTreeMap<&'static str, String>);

impl Folder {
    fn new(files: &[(&'static str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect())
    }

    fn load(&self) -> Result<Config, Faults> {
        let read = |path: &Path, bytes_max: usize| {
            let text = self.0.get(path.to_str().unwrap_or_default());
            let bytes = text.ok_or(Error::from(ErrorKind::NotFound))?.as_bytes();
            Ok(bytes[..bytes.len().min(bytes_max)].to_vec())
        };
        let list = |folder: &Path| {
            let below = |path: &&str| Path::new(path).parent() == Some(folder);
            let name = |path: &str| path.rsplit('/').next().expect("a last part").to_owned();
            let names: Vec<_> =
                self.0.keys().copied().filter(|path| below(path)).map(name).collect();
            if names.is_empty() { Err(ErrorKind::NotFound.into()) } else { Ok(names) }
        };
        let env = |name: &str| (name == "TEAM").then(|| "till".to_owned());
        load(Path::new("etc/redora.yaml"), &env, &read, &list)
    }

    fn faults(&self) -> String {
        self.load().err().map_or("fine".to_owned(), |faults| faults.to_string())
    }
}

/// The faults of one file of objectives, without its name.
fn faults(objectives: &str) -> String {
    let folder = [("etc/redora.yaml", "slos: a.yaml"), ("etc/a.yaml", objectives)];
    Folder::new(&folder).faults().replace("etc/a.yaml:", "")
}

#[track_caller]
fn check(objectives: &str, expected: &str) {
    let expected = expected.trim_matches('\n').replace("\n    ", " ");
    assert_eq!(faults(objectives), expected, "for:\n{objectives}");
}

/// An objective without a fault but those of what is added.
fn with(more: &str) -> String {
    let base = "- { name: a, service: s, indicator: availability, objective: 99%";
    if more.is_empty() { format!("{base} }}") } else { format!("{base}, {more} }}") }
}

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/slo.md");
    std::fs::read_to_string(page).expect("the page exists")
}

/// The objectives file that the page shows.
fn example() -> String {
    let page = page();
    let (_, rest) = page.split_once("```yaml\n").expect("the page shows a file");
    rest.split_once("```").expect("the file ends").0.to_owned()
}

#[test]
fn the_example_of_the_page_says_what_it_shows() {
    let files = [("etc/redora.yaml", "slos: [\"slos/*.yaml\"]"), ("etc/slos/a.yaml", &*example())];
    let slos = Folder::new(&files).load().unwrap_or_else(|faults| panic!("{faults}")).slos;
    let [checkout, latency, orders, invoices] = &slos[..] else { panic!("four: {slos:?}") };

    assert_eq!(checkout.objective.name, "checkout-availability");
    assert_eq!(checkout.objective.service.as_str(), "shop");
    assert_eq!(checkout.objective.indicator, Indicator::Availability);
    assert_eq!(checkout.objective.goal.to_string(), "99.9%");
    assert_eq!(checkout.objective.window, Window::Rolling { seconds: 30 * 86_400 });
    assert_eq!(checkout.objective.tiers, Tiers::ALL);
    assert_eq!(checkout.objective.team, "till");
    assert_eq!(checkout.objective.runbook, "https://example.org/runbooks/checkout");
    assert_eq!(checkout.select.operation.as_deref(), Some("POST /checkout"));
    assert_eq!(checkout.select.kind, None);

    assert_eq!(latency.objective.indicator, Indicator::Latency { threshold_ns: 300_000_000 });
    assert_eq!(latency.objective.goal.ratio(), 0.99);
    assert_eq!(latency.objective.window, Window::Rolling { seconds: 28 * 86_400 });
    assert_eq!(latency.select.kind, Some(Kind::Server));
    let environment = ("deployment.environment.name".to_owned(), "production".to_owned());
    assert_eq!(latency.select.attributes, [environment]);

    let time_zone = "Europe/Berlin".to_owned();
    assert_eq!(orders.objective.window, Window::Calendar { period: Period::Month, time_zone });
    assert_eq!(orders.objective.tiers, Tiers { page: false, ticket: true });
    assert_eq!((&*orders.objective.team, &*orders.objective.runbook), ("", ""));
    assert_eq!((&orders.select.records, orders.slices), (&None, None));

    assert_eq!(invoices.objective.indicator, Indicator::Logs);
    let sent = Some(Body::Contains("invoice sent".to_owned()));
    let errors = Some(SeverityRange { min: 17, max: 24 });
    let records = Records {
        total: Match { body: sent, ..Match::default() },
        told: Told::Bad(Match { severity: errors, ..Match::default() }),
    };
    assert_eq!(invoices.select.records, Some(records));
    let good = Share::parse("95%").expect("a share");
    assert_eq!(invoices.slices, Some(Slices { seconds: 60, good }));
}

#[test]
fn the_examples_over_metrics_of_others_load() {
    let page = page();
    let (_, rest) = page.split_once("\n## Metrics of others\n").expect("the page has this part");
    let (_, rest) = rest.split_once("```yaml\n").expect("the part shows a file");
    let (text, _) = rest.split_once("```").expect("the file ends");
    let files = [("etc/redora.yaml", "slos: a.yaml"), ("etc/a.yaml", text)];
    let config = Folder::new(&files).load().unwrap_or_else(|faults| panic!("{faults}"));
    assert!(config.slos.is_empty());
    let queries: Vec<_> = config.queried.iter().map(|one| &one.queries).collect();
    let [Queries::Bad { bad, .. }, Queries::Good { good, .. }, Queries::BadRatio(_)] = &queries[..]
    else {
        panic!("one of each: {queries:?}")
    };
    assert!(matches!(bad, Query::Selector(_)));
    assert!(matches!(good, Query::PerSecond(_)));
}

#[test]
fn the_page_and_the_table_of_keys_agree() {
    let page = page();
    let (_, keys) = page.split_once("\n## Keys\n").expect("the page has a part on keys");
    let (keys, _) = keys.split_once("\n## ").expect("something follows");
    let rows = keys.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let written: Vec<String> = rows
        .map(|row| {
            let (row, reason) = row.rsplit_once(" | ").expect("a row has four columns");
            assert!(reason.len() > 10, "{row} has no reason");
            format!("`{row}")
        })
        .collect();
    let known = OBJECTIVE_KEYS.iter().filter(|key| key.takes != "section").map(|key| {
        let name = key.path.strip_prefix("objective.").expect("keys of an objective");
        let default = key.default.map_or("none".to_owned(), |default| format!("`{default}`"));
        format!("`{name}` | {} | {default}", key.takes)
    });
    assert_eq!(written, known.collect::<Vec<_>>());
}

#[test]
fn what_is_missing_or_unknown_is_named_with_its_place() {
    check(&with(""), "fine");
    check("", "fine");
    check("[]", "fine");
    check(
        "- {}",
        "
1:3: [0].name: is missing; write 1 to 256 characters, such as production
1:3: [0].service: is missing; write 1 to 256 characters, such as production
1:3: [0].objective: is missing; write a percentage such as 99.9% or a ratio such as 0.999, from 1%
    to below 100%
1:3: [0].indicator: is missing; write availability, latency: { threshold: 300ms }, logs: {…} or
    prometheus: {…}",
    );
    check(&with("teams: x"), "1:67: [0].teams: is no known key; did you mean `team`?");
    check(&with("slos: x"), "1:67: [0].slos: is no known key; did you mean `slos`?");
    check("name: a", "1:1: is a section of keys and must be a list");
    check("- a", "1:3: [0]: is a single value and must be a section of keys");
    check("- {\n", "1:4: is no YAML: while parsing a node, did not find expected node content");
}

#[test]
fn values_are_held_to_their_forms_and_bounds() {
    let goal = |goal: &str| {
        faults(&format!("- {{ name: a, service: s, indicator: availability, objective: {goal} }}"))
    };
    for text in ["100%", "99.9", "0%", "1", "all"] {
        assert!(goal(text).contains("is no goal; write a percentage"), "{text}: {}", goal(text));
    }
    assert_eq!(goal("99.999%"), "fine");
    for (more, expected) in [
        ("window: 6d", "1:75: [0].window: \"6d\" is out of bounds; use 7d to 92d"),
        ("window: 93d", "1:75: [0].window: \"93d\" is out of bounds; use 7d to 92d"),
        ("window: { calendar: month }", "fine"),
        ("window: { calendar: quarter, time_zone: Asia/Kolkata }", "fine"),
        (
            "window: { calendar: year }",
            "1:87: [0].window.calendar: \"year\" is no period; write week, month or quarter",
        ),
        (
            "window: { time_zone: UTC }",
            "1:75: [0].window.calendar: is missing; write week, month or quarter",
        ),
        ("tiers: []", "fine"),
        ("tiers: page", "fine"),
        ("tiers: [wake]", "1:75: [0].tiers[0]: \"wake\" is no tier; write page or ticket"),
        (
            "tiers: [page, page]",
            "1:81: [0].tiers[1]: \"page\" stands twice in the list; remove one",
        ),
        ("kind: client", "fine"),
        (
            "kind: servers",
            "1:73: [0].kind: \"servers\" is no kind of span; write server, client, producer, \
             consumer or internal",
        ),
        ("match: { a.b: 1, c: x }", "fine"),
        ("match: [a]", "1:74: [0].match: is a list and must be a map of keys and values"),
        ("operation: GET /cart", "fine"),
        ("team: \"${TEAM}\"", "fine"),
    ] {
        assert_eq!(faults(&with(more)), expected, "{more}");
    }
}

#[test]
fn an_indicator_is_a_word_or_a_threshold() {
    let indicator = |indicator: &str| {
        faults(&format!("- {{ name: a, service: s, objective: 99%, indicator: {indicator} }}"))
    };
    for (text, expected) in [
        ("availability", "fine"),
        ("{ latency: { threshold: 300ms } }", "fine"),
        ("{ latency: { threshold: 1ns } }", "fine"),
        (
            "latency",
            "1:53: [0].indicator: \"latency\" is no indicator; write availability, latency: { \
             threshold: 300ms }, logs: {…} or prometheus: {…}",
        ),
        (
            "{}",
            "1:53: [0].indicator.latency: is missing; write availability, latency: { threshold: \
             300ms }, logs: {…} or prometheus: {…}",
        ),
        (
            "{ latency: {} }",
            "1:64: [0].indicator.latency.threshold: is missing; write numbers with ns, us, ms, s, \
             m or h, such as 300ms or 1s500ms",
        ),
        (
            "{ latency: { threshold: 300 } }",
            "1:77: [0].indicator.latency.threshold: \"300\" is no threshold; write numbers with \
             ns, us, ms, s, m or h, such as 300ms or 1s500ms",
        ),
        (
            "{ latency: { threshold: 0ms } }",
            "1:77: [0].indicator.latency.threshold: \"0ms\" is out of bounds; use 1ns to 24h",
        ),
    ] {
        assert_eq!(indicator(text), expected, "{text}");
    }
}

#[test]
fn an_indicator_over_metrics_of_others_is_a_ratio_of_queries() {
    let prometheus = |queries: &str| {
        faults(&format!(
            "- name: a\n  service: s\n  objective: 99%\n  indicator:\n    prometheus: {queries}\n"
        ))
    };
    let ratio = "tells no events, or tells them twice; give total with bad or good, or bad_ratio \
                 alone";
    for (queries, expected) in [
        ("{ total: a, bad: 'a{b=\"c\"}' }", "fine".to_owned()),
        ("{ total: 'rate(a[{{.window}}])', good: b }", "fine".to_owned()),
        ("{ bad_ratio: 'a[{{.window}}] / 2' }", "fine".to_owned()),
        ("{ total: a, bad: 'a{b=\"${TEAM}$\"}' }", "fine".to_owned()),
        ("{}", format!("5:17: [0].indicator.prometheus: {ratio}")),
        ("{ total: a }", format!("5:17: [0].indicator.prometheus: {ratio}")),
        ("{ total: a, bad: b, good: c }", format!("5:17: [0].indicator.prometheus: {ratio}")),
        ("{ total: a, bad_ratio: b }", format!("5:17: [0].indicator.prometheus: {ratio}")),
        ("up", "5:17: [0].indicator.prometheus: is a single value and must be a section of keys".to_owned()),
        (
            "{ totals: a, bad: b }",
            format!(
                "5:17: [0].indicator.prometheus: {ratio}\n5:19: [0].indicator.prometheus.totals: is \
                 no known key; did you mean `total`?"
            ),
        ),
        (
            "{ total: '${UNSET:-}', bad: a }",
            "5:17: [0].indicator.prometheus.total: is missing; write a selector such as \
             requests_total{job=\"api\"}, or an expression with {{.window}} for its range"
                .to_owned(),
        ),
        (
            "{ total: 'sum(rate(a[5m]))', bad: 'increase(b[{{.window}}]' }",
            "5:26: [0].indicator.prometheus.total: \"sum(rate(a[5m]))\" is no selector alone and has \
             no {{.window}}; write the one, or the other where the range is, as in \
             sum(rate(requests_total[{{.window}}]))\n5:51: [0].indicator.prometheus.bad: \
             \"increase(b[{{.window}}]\" does not close its ("
                .to_owned(),
        ),
        (
            "{ total: a, bad: '${TEAM}[' }",
            "5:34: [0].indicator.prometheus.bad: (from ${TEAM}) does not close its [".to_owned(),
        ),
    ] {
        assert_eq!(prometheus(queries), expected, "{queries}");
    }
}

#[test]
fn metrics_of_others_know_neither_spans_nor_calendars() {
    let with = |more: &str| {
        faults(&format!(
            "- {{ name: a, service: s, objective: 99%, indicator: {{ prometheus: {{ total: a, bad: b \
             }} }}, {more} }}"
        ))
    };
    let spans = "picks requests that redora counts; pick in the queries of prometheus instead";
    for (more, expected) in [
        ("window: 28d", "fine".to_owned()),
        ("tiers: [ticket], team: x", "fine".to_owned()),
        ("operation: GET /", format!("1:102: [0].operation: {spans}")),
        ("kind: server", format!("1:97: [0].kind: {spans}")),
        ("match: { a: b }", format!("1:98: [0].match: {spans}")),
        (
            "window: { calendar: month }",
            "1:99: [0].window: follows the calendar, which metrics of others cannot; write a \
             duration such as 30d"
                .to_owned(),
        ),
    ] {
        assert_eq!(with(more), expected, "{more}");
    }
    check(
        "- { name: a, service: s, objective: 99%, indicator: { latency: { threshold: 1s }, prometheus: {} } }",
        "1:64: [0].indicator.latency: stands beside prometheus; keep one of the two",
    );
}

#[test]
fn an_objective_over_metrics_of_others_is_kept_apart_under_a_name_of_its_own() {
    let queried = |name: &str| {
        format!(
            "- name: {name}\n  service: shop\n  objective: 99.9%\n  window: 28d\n  tiers: page\n  \
             team: till\n  indicator: {{ prometheus: {{ total: a, bad: 'a{{b=\"c\"}}' }} }}\n"
        )
    };
    let counted = "- { name: a, service: shop, indicator: availability, objective: 99% }\n";
    let files = |name: &str| {
        let both = format!("{counted}{}", queried(name));
        Folder::new(&[("etc/redora.yaml", "slos: a.yaml"), ("etc/a.yaml", &*both)])
    };
    let config = files("b").load().unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.slos.len(), 1);
    let query = |text: &str| Query::parse(text).expect("a query");
    let expected = Queried {
        name: "b".to_owned(),
        service: Service::new("shop"),
        queries: Queries::Bad { total: query("a"), bad: query("a{b=\"c\"}") },
        goal: Goal::parse("99.9%").expect("a goal"),
        window_s: 28 * 86_400,
        tiers: Tiers { page: true, ticket: false },
        team: "till".to_owned(),
        runbook: String::new(),
    };
    assert_eq!(config.queried, [expected]);
    assert_eq!(
        files("a").faults(),
        "etc/a.yaml:2:3: [1].name: \"a\" is already the name of etc/a.yaml: [0], for the same \
         service; give it another name"
    );
}

#[test]
fn log_records_are_told_apart_by_one_match_that_asks_for_something() {
    let logs = |logs: &str| {
        let base = "- { name: a, service: s, objective: 99%, indicator: { logs: {";
        faults(&format!("{base} {logs} }} }} }}"))
    };
    let nothing = "is missing; give severity, body, body_regex or attributes; all records would \
                   be the same";
    for (text, expected) in [
        ("bad: { severity: '>=ERROR' }", "fine"),
        ("good: { body: done }", "fine"),
        ("total: { attributes: { a: 1 } }, bad: { body_regex: 'x+' }", "fine"),
        ("total: {}, bad: { attributes: { a: x } }", "fine"),
        (
            "total: { body: x }",
            "1:61: [0].indicator.logs.bad: is missing; say what bad records have, such as { \
             severity: \">=ERROR\" }, or give good",
        ),
        ("bad: {}", &format!("1:68: [0].indicator.logs.bad: {nothing}")),
        ("good: { attributes: {} }", &format!("1:69: [0].indicator.logs.good: {nothing}")),
        (
            "good: { body: x }, bad: { body: y }",
            "1:69: [0].indicator.logs.good: stands beside bad; keep one of the two",
        ),
        (
            "bad: { severity: LOUD }",
            "1:80: [0].indicator.logs.bad.severity: \"LOUD\" is no range of severities; write \
             \">=WARN\", \"<=INFO\", ERROR or WARN..ERROR with TRACE, DEBUG, INFO, WARN, ERROR, \
             FATAL or, by itself, UNSPECIFIED",
        ),
        (
            "bad: { bodyRegex: x }",
            "1:70: [0].indicator.logs.bad.bodyRegex: is no known key; did you mean `body_regex`?",
        ),
        (
            "bad: { body_regex: '(' }",
            "1:82: [0].indicator.logs.bad.body_regex: \"(\" is no regular expression (unclosed \
             group); escape special characters with a backslash",
        ),
        (
            "bad: { body_regex: '((a{100}){100}){100}' }",
            "1:82: [0].indicator.logs.bad.body_regex: \"((a{100}){100}){100}\" compiles to more \
             than 1048576 bytes; lower its repetition counts",
        ),
    ] {
        assert_eq!(logs(text), expected, "{text}");
    }
}

#[test]
fn what_only_requests_have_is_a_fault_beside_log_records() {
    check(
        "
- name: a
  service: s
  objective: 99%
  operation: GET /cart
  kind: client
  indicator: { logs: { bad: { body: x } }, latency: { threshold: 1s } }
",
        "
5:14: [0].operation: says nothing of log records; ask for attributes in
    indicator.logs.total instead
6:9: [0].kind: says nothing of log records; ask for attributes in
    indicator.logs.total instead
7:22: [0].indicator.logs: stands beside latency; keep one of the two",
    );
}

#[test]
fn slices_have_a_length_in_seconds_and_a_share() {
    let bounds = "is out of bounds; use 10s to 1h";
    for (slices, expected) in [
        ("{ length: 1m, good: 95% }", "fine"),
        ("{ length: 10s, good: 100% }", "fine"),
        ("{ length: 1h, good: 0.5 }", "fine"),
        ("{ length: 9s, good: 95% }", &format!("1:85: [0].slices.length: \"9s\" {bounds}")),
        ("{ length: 61m, good: 95% }", &format!("1:85: [0].slices.length: \"61m\" {bounds}")),
        (
            "{ length: 10s500ms, good: 95% }",
            "1:85: [0].slices.length: \"10s500ms\" is no whole number of seconds; leave out the \
             milliseconds",
        ),
        (
            "{ length: 1m, good: 101% }",
            "1:95: [0].slices.good: \"101%\" is no share; write it like 95% or 0.95, from 1% to \
             100%",
        ),
        (
            "{}",
            "1:75: [0].slices.good: is missing; write it like 95% or 0.95, from 1% to 100%\n1:75: \
             [0].slices.length: is missing; write numbers with ms, s, m, h or d, such as 30s or 1h30m",
        ),
        ("1m", "1:75: [0].slices: is a single value and must be a section of keys"),
    ] {
        assert_eq!(faults(&with(&format!("slices: {slices}"))), expected, "{slices}");
    }
}

#[test]
fn a_file_of_another_tool_is_told_from_a_slip() {
    check(
        "apiVersion: openslo/v1\nkind: SLO\n",
        "1:1: metadata.name: is missing; write a name, such as checkout",
    );
    check(
        "version: prometheus/v1\nservice: s\nslos: []\n",
        "1:10: version: \"prometheus/v1\" is not read directly; convert the file with redora slo
    import, and name its output under slos",
    );
    check(
        "apiVersion: openslo/v2\nkind: SLO\n",
        "1:13: apiVersion: \"openslo/v2\" is no format that is read here; use version:
    prometheus/v1 or sloth.slok.dev/v1 of Sloth, pyrra.dev/v1alpha1 of Pyrra, or openslo/v1",
    );
    check("[]\n---\n[]\n", "2:1: a second document starts here; keep one document per file");
}

#[test]
fn a_name_is_unique_within_its_service_across_files() {
    let one = |service: &str| {
        format!("- {{ name: a, service: {service}, indicator: availability, objective: 99% }}\n")
    };
    let (shop, cart) = (one("shop"), one("cart"));
    let files = [
        ("etc/redora.yaml", "slos: [slos/*.yaml, slos/a.yaml]"),
        ("etc/slos/a.yaml", &*shop),
        ("etc/slos/b.yaml", &*cart),
    ];
    let config = Folder::new(&files).load().unwrap_or_else(|faults| panic!("{faults}"));
    let services: Vec<_> = config.slos.iter().map(|one| one.objective.service.as_str()).collect();
    assert_eq!(services, ["shop", "cart"], "each file is read once");
    let twice = format!("{cart}{shop}");
    let files = [files[0], files[1], ("etc/slos/b.yaml", &*twice)];
    assert_eq!(
        Folder::new(&files).faults(),
        "etc/slos/b.yaml:2:3: [1].name: \"a\" is already the name of etc/slos/a.yaml: [0], for the \
         same service; give it another name"
    );
}

#[test]
fn patterns_find_files_beside_the_configuration_and_say_when_there_are_none() {
    let objective = with("");
    for (slos, expected) in [
        ("[]", "fine"),
        ("slos/a.yaml", "fine"),
        ("[slos/*.yaml, 'slos/?.yaml']", "fine"),
        ("slos/b.yaml", "etc/slos/b.yaml: cannot be read: entity not found"),
        (
            "slos/*.yml",
            "etc/redora.yaml:1:7: slos[0]: \"slos/*.yml\" matches no file in the folder \
             \"etc/slos\"; write the file, or remove the pattern",
        ),
        (
            "other/*.yaml",
            "etc/redora.yaml:1:7: slos[0]: the folder \"etc/other\" cannot be looked into: entity \
             not found; create it, or let redora's user read it",
        ),
        (
            "slos/*/a.yaml",
            "etc/redora.yaml:1:7: slos: \"slos/*/a.yaml\" is no pattern of files; write a file or \
             a pattern with * and ? in its last part, such as slos/*.yaml",
        ),
    ] {
        let main = format!("slos: {slos}");
        let files = [
            ("etc/redora.yaml", &*main),
            ("etc/slos/a.yaml", &*objective),
            ("etc/slos/.hidden.yml", "!"),
        ];
        let found = Folder::new(&files).faults();
        assert_eq!(found, expected.replace("slos[0]:", "slos:"), "{slos}");
    }
}

#[test]
fn there_is_a_bound_on_objectives_and_on_what_they_ask_for() {
    let many: String = (0..501)
        .map(|i| {
            format!("- {{ name: n{i}, service: s, indicator: availability, objective: 99% }}\n")
        })
        .collect();
    check(&many, "1:1: has 501 entries; 500 are the most");
    let asking: String = (0..65)
        .map(|i| {
            format!(
                "- {{ name: n{i}, service: s, indicator: availability, objective: 99%, match: {{ \
                 k{i}: v }} }}\n"
            )
        })
        .collect();
    check(
        &asking,
        "65:3: [64].match: is one attribute more than the 64 that all objectives together may ask
    for",
    );
}

#[test]
fn a_record_is_held_against_so_many_objectives_and_no_more() {
    let of = |count: usize| -> String {
        let one = |i| {
            let logs = "{ logs: { bad: { body: x } } }";
            format!("- {{ name: n{i}, service: s, objective: 99%, indicator: {logs} }}\n")
        };
        (0..count).map(one).collect()
    };
    check(&format!("{}{}", of(64), with("")), "fine");
    check(
        &of(65),
        "65:3: [64].indicator: is one objective over log records more than the 64 that an agent
    counts",
    );
}

#[test]
fn a_real_folder_is_looked_into() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("slos")).expect("made");
    std::fs::write(folder.path().join("slos/shop.yaml"), example()).expect("written");
    let main = folder.path().join("redora.yaml");
    std::fs::write(&main, "slos: 'slos/*.yaml'\n").expect("written");
    let config = load(&main, &|_| None, &read_file, &list_folder);
    assert_eq!(config.unwrap_or_else(|faults| panic!("{faults}")).slos.len(), 4);
}
