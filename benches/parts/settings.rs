//! The settings that are compared: one feature more in each, so that the difference of two lines is
//! the price of a feature.

use redora::digest::Settings;
use redora::log_metrics::Rule;
use redora::record::{Body, Match, SeverityRange};
use redora::red::{Compat, Config};
use redora::series::Limits;
use redora::slo::{Records, Select, Told, Watched};
use redora_model::dimension::Dimension;
use redora_model::identity::Service;
use redora_model::slo::{Goal, Indicator, Objective, Share, Slices, Tiers, Window};

/// The name of the variant that the budget is for.
pub(crate) const EVERYTHING: &str = "everything: both profiles, two dimensions";

/// Books with the default bounds and these objectives.
pub(crate) fn with_objectives(slos: Vec<Watched>) -> Settings {
    Settings { slos, ..settings(Config::default(), Vec::new()) }
}

/// Books with the default bounds.
pub(crate) fn settings(red: Config, log_metrics: Vec<Rule>) -> Settings {
    Settings { red, log_metrics, slos: Vec::new(), series: Limits::default() }
}

/// Classic histograms alone, then one feature more at a time.
pub(crate) fn variants() -> Vec<(&'static str, Config)> {
    let classic = Config {
        native_histograms: false,
        exemplars: false,
        compat: Compat::default(),
        ..Config::default()
    };
    let native = Config { native_histograms: true, ..classic.clone() };
    let own = Config { exemplars: true, ..native.clone() };
    let everything = Config {
        compat: Compat { tempo: true, spanmetrics: true },
        dimensions: ["http.route", "k8s.namespace.name"].map(Dimension::new).into(),
        ..Config::default()
    };
    vec![
        ("classic histograms", classic),
        ("+ native histograms", native),
        ("+ exemplars", own),
        ("+ Tempo's names (the defaults)", Config::default()),
        (EVERYTHING, everything),
    ]
}

/// So many objectives of one service, half of them latencies; each of an operation of its own, or
/// all of every operation.
pub(crate) fn objectives(service: &str, count: usize, operations: &[&str]) -> Vec<Watched> {
    let watched = |number: usize| {
        let indicator = match number % 2 {
            0 => Indicator::Availability,
            _ => Indicator::Latency { threshold_ns: 300_000_000 },
        };
        let objective = Objective {
            name: format!("objective {number}"),
            service: Service::new(service),
            indicator,
            goal: Goal::parse("99.9%").expect("a goal"),
            window: Window::Rolling { seconds: 30 * 86_400 },
            tiers: Tiers::ALL,
            team: String::new(),
            runbook: String::new(),
        };
        let operation = operations.get(number).map(|name| (*name).to_owned());
        Watched { objective, select: Select { operation, ..Select::default() }, slices: None }
    };
    (0..count).map(watched).collect()
}

/// The same with minutes for events.
pub(crate) fn in_slices(slos: Vec<Watched>) -> Vec<Watched> {
    let slices = Some(Slices { seconds: 60, good: Share::parse("95%").expect("a share") });
    slos.into_iter().map(|one| Watched { slices, ..one }).collect()
}

/// So many objectives over log records of one service, of all or of those that say these words.
pub(crate) fn over_records(service: &str, count: usize, words: Option<&str>) -> Vec<Watched> {
    let body = words.map(|words| Body::Contains(words.to_owned()));
    let errors = Some(SeverityRange { min: 17, max: 24 });
    let records = Records {
        total: Match { body, ..Match::default() },
        told: Told::Bad(Match { severity: errors, ..Match::default() }),
    };
    let mut slos = objectives(service, count, &[]);
    for one in &mut slos {
        one.objective.indicator = Indicator::Logs;
        one.select.records = Some(records.clone());
    }
    slos
}

/// redora's own families with all they have, and no other tool's.
pub(crate) fn own_names() -> Config {
    Config { compat: Compat::default(), ..Config::default() }
}

/// One rule of each kind.
pub(crate) fn rules() -> Vec<Rule> {
    let rule = |name: &str, matches, labels: &[&str]| Rule {
        name: name.into(),
        matches,
        labels: labels.iter().map(|attribute| Dimension::new(attribute)).collect(),
    };
    let body = |text: &str| Some(Body::Contains(text.into()));
    let warnings = Some(SeverityRange { min: 13, max: 24 });
    let slow = regex::Regex::new("took [0-9]{2,} ms$").expect("a valid expression");
    let provider = vec![("payment.provider".to_owned(), "acme".to_owned())];
    vec![
        rule(
            "payment_declined",
            Match { severity: warnings, body: body("declined"), ..Match::default() },
            &["payment.method"],
        ),
        rule("timed_out", Match { body: body("timed out"), ..Match::default() }, &[]),
        rule("slow", Match { body: Some(Body::Matches(slow)), ..Match::default() }, &[]),
        rule("acme", Match { attributes: provider, ..Match::default() }, &["payment.method"]),
        rule("warnings", Match { severity: warnings, ..Match::default() }, &["thread.name"]),
    ]
}
