//! One objective under real requests: what is told of a burn, and that it is told once.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use prost::Message;
use redora_model::identity::{Service, Tenant};
use redora_model::slo::{Goal, Indicator, Objective, Share, Slices, Tiers, Window};
use redora_wire::Signal;

use super::*;
use crate::app::delivery::sources::PRODUCTION;
use crate::digest::Settings;
use crate::record::{Match, SeverityRange};
use crate::series::{Hasher, Limits};
use crate::slo::{Records, Select, Told, Watched};

const START_MS: u64 = 1_790_000_000_000;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// An agent with one objective and its ledger.
struct Stage {
    digest: Digest,
    ledger: Ledger,
    burns: Burns,
    now_ms: u64,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new(tiers: Tiers) -> Self {
        let mut watched = availability();
        watched.objective.tiers = tiers;
        Self::of(watched)
    }

    fn of(watched: Watched) -> Self {
        let settings = Settings {
            red: Default::default(),
            log_metrics: Vec::new(),
            slos: vec![watched],
            series: Limits::default(),
        };
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
        let digest = Digest::new(settings, Hasher::default());
        digest.advance(START_MS);
        let burns = Burns::of(&ledger).unwrap();
        Self { digest, ledger, burns, now_ms: START_MS, _folder: folder }
    }

    /// Requests that a version serves at this moment.
    fn serve(&self, version: &str, good: usize, bad: usize) {
        self.serve_in(1, version, good, bad);
    }

    /// Requests that took as many nanoseconds.
    fn serve_in(&self, nanos: u64, version: &str, good: usize, bad: usize) {
        let span = |code| trace::Span {
            kind: 2,
            start_time_unix_nano: 1,
            end_time_unix_nano: 1 + nanos,
            status: Some(trace::Status { code, ..Default::default() }),
            ..Default::default()
        };
        let spans = (0..good).map(|_| span(0)).chain((0..bad).map(|_| span(2)));
        let part = trace::ResourceSpans {
            resource: resource(version),
            scope_spans: vec![trace::ScopeSpans { spans: spans.collect(), ..Default::default() }],
            ..Default::default()
        };
        let bytes = ExportTraceServiceRequest { resource_spans: vec![part] }.encode_to_vec();
        let taken = self.digest.take(&Tenant::single(), Signal::Traces, &bytes, self.now_ms);
        taken.unwrap();
    }

    /// Log records that a version writes at this moment.
    fn log(&self, version: &str, severities: &[i32]) {
        let record =
            |number: &i32| logs::LogRecord { severity_number: *number, ..Default::default() };
        let log_records = severities.iter().map(record).collect();
        let part = logs::ResourceLogs {
            resource: resource(version),
            scope_logs: vec![logs::ScopeLogs { log_records, ..Default::default() }],
            ..Default::default()
        };
        let bytes = ExportLogsServiceRequest { resource_logs: vec![part] }.encode_to_vec();
        self.digest.take(&Tenant::single(), Signal::Logs, &bytes, self.now_ms).unwrap();
    }

    /// Five seconds later it looks.
    fn look(&mut self) -> bool {
        self.now_ms += 5 * SECOND;
        self.burns.keep(&self.digest, &mut self.ledger, self.now_ms).unwrap()
    }

    fn facts(&self) -> Vec<Burn> {
        let mut all = BTreeMap::new();
        let each = |fact: Fact| {
            let What::Burn(burn) = fact.what else { panic!("{fact:?}") };
            all.insert(fact.id, burn);
        };
        self.ledger.winners("burn", Scope::All, each).unwrap();
        all.into_values().collect()
    }
}

fn availability() -> Watched {
    let objective = Objective {
        name: "availability".into(),
        service: Service::new("shop"),
        indicator: Indicator::Availability,
        goal: Goal::parse("99%").unwrap(),
        window: Window::Rolling { seconds: 30 * 86_400 },
        tiers: Tiers::ALL,
        team: String::new(),
        runbook: String::new(),
    };
    Watched { objective, select: Select::default(), slices: None }
}

fn resource(version: &str) -> Option<Resource> {
    let text = |key: &str, value: &str| KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) }),
        ..Default::default()
    };
    let attributes = vec![text("service.name", "shop"), text("service.version", version)];
    Some(Resource { attributes, ..Default::default() })
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap()
}

#[test]
fn a_version_that_burns_the_budget_is_told_with_its_evidence() {
    let mut stage = Stage::new(Tiers::ALL);
    for _ in 0..12 {
        stage.serve("1", 10, 0);
        assert!(!stage.look());
    }
    let arrived_ms = stage.now_ms;
    stage.serve("1", 10, 0);
    stage.serve("2", 0, 40);
    assert!(stage.look(), "three bad events and more, over both windows");
    assert!(!stage.look(), "it is told once");
    let [burn] = &stage.facts()[..] else { panic!("one burn") };
    let began_ms = signed(arrived_ms + 5 * SECOND);
    assert_eq!((burn.started_ms, burn.ended_ms, &*burn.tier), (began_ms, None, "1h"));
    assert_eq!((burn.service.as_str(), burn.environment.as_str()), ("shop", PRODUCTION));
    assert_eq!(burn.before, Events { good: 120, bad: 0 });
    assert_eq!(burn.since, Events { good: 10, bad: 40 });
    let version = |version: &str, good, bad, burns| {
        let version = version.to_owned();
        VersionEvents { version, good, bad, burns }
    };
    assert_eq!(burn.versions, [version("1", 10, 0, false), version("2", 0, 40, true)]);

    stage.serve("2", 0, 5);
    let bad_ms = signed(stage.now_ms + 5 * SECOND);
    while !stage.look() {
        stage.serve("1", 10, 0);
        assert!(stage.now_ms < START_MS + 60 * MINUTE, "it never ends");
    }
    let [burn] = &stage.facts()[..] else { panic!("the same burn") };
    assert_eq!((burn.started_ms, burn.ended_ms), (began_ms, Some(bad_ms)));
    assert_eq!(burn.since.bad, 45);
}

/// Slow requests are no errors: only the objective knows that they are bad.
#[test]
fn a_version_that_is_slow_burns_an_objective_of_latency() {
    let mut watched = availability();
    watched.objective.indicator = Indicator::Latency { threshold_ns: 5 };
    let mut stage = Stage::of(watched);
    stage.serve_in(5, "1", 120, 0);
    stage.look();
    stage.serve_in(5, "1", 10, 0);
    stage.serve_in(6, "2", 40, 0);
    assert!(stage.look());
    let burns: Vec<_> =
        stage.facts()[0].versions.iter().map(|one| (one.version.clone(), one.burns)).collect();
    assert_eq!(burns, [("1".to_owned(), false), ("2".to_owned(), true)]);
}

#[test]
fn a_burn_goes_on_in_the_next_process_and_ends_there() {
    let mut stage = Stage::new(Tiers::ALL);
    stage.serve("1", 10, 0);
    stage.look();
    stage.serve("1", 0, 40);
    assert!(stage.look());
    let began_ms = stage.facts()[0].started_ms;
    stage.burns = Burns::of(&stage.ledger).unwrap();
    stage.serve("1", 0, 5);
    assert!(!stage.look(), "it is known");
    stage.now_ms += 7 * 3_600 * SECOND;
    assert!(stage.look(), "all windows are over");
    let [burn] = &stage.facts()[..] else { panic!("the same burn") };
    assert_eq!(burn.started_ms, began_ms);
    assert!(burn.ended_ms.is_some_and(|ended_ms| ended_ms >= began_ms));
}

#[test]
fn what_pages_nobody_is_no_burn() {
    let mut silent = Stage::new(Tiers { page: false, ticket: true });
    let mut few = Stage::new(Tiers::ALL);
    for stage in [&mut silent, &mut few] {
        stage.serve("1", 10, 0);
        stage.look();
    }
    silent.serve("1", 0, 40);
    few.serve("1", 0, 2);
    for stage in [&mut silent, &mut few] {
        assert!(!stage.look());
        assert_eq!(stage.facts(), []);
    }
}

#[test]
fn with_slices_a_version_burns_whose_own_requests_make_no_good_one() {
    let slices = |seconds| Some(Slices { seconds, good: Share::parse("95%").unwrap() });
    for (seconds, tier, bad) in [(10, "1h", 9), (1800, "6h", 3)] {
        let mut stage = Stage::of(Watched { slices: slices(seconds), ..availability() });
        while stage.now_ms < START_MS + 5 * seconds * SECOND {
            stage.serve("1", 10, 0);
            assert!(!stage.look());
        }
        let arrived_ms = signed(stage.now_ms);
        loop {
            stage.serve("1", 10, 0);
            // A tenth fails: ten times the budget, less than the tier allows.
            stage.serve("2", 45, 5);
            if stage.look() {
                break;
            }
            assert!(stage.now_ms < START_MS + 360 * MINUTE, "it never burns");
        }
        let [burn] = &stage.facts()[..] else { panic!("one burn") };
        assert!((3..=bad).contains(&burn.since.bad), "{:?} are slices", burn.since);
        assert_eq!((&*burn.tier, burn.before.bad), (tier, 0));
        // It is seen with the end of the first slice, and stays begun until a tier fires.
        let length_ms = signed(seconds * SECOND);
        let first_ms = arrived_ms - arrived_ms.rem_euclid(length_ms) + length_ms;
        assert!((first_ms..first_ms + length_ms).contains(&burn.started_ms), "{burn:?}");
        let burning: Vec<_> = burn.versions.iter().map(|one| (&*one.version, one.burns)).collect();
        assert_eq!(burning, [("1", false), ("2", true)]);
    }
}

#[test]
fn records_that_burn_are_counted_by_the_version_that_wrote_them() {
    let errors = Match { severity: Some(SeverityRange { min: 17, max: 24 }), ..Match::default() };
    let records = Some(Records { total: Match::default(), told: Told::Bad(errors) });
    let mut watched = availability();
    watched.objective.indicator = Indicator::Logs;
    watched.select.records = records;
    let mut stage = Stage::of(watched);
    stage.log("1", &[9; 10]);
    stage.serve("1", 0, 10);
    assert!(!stage.look(), "requests that fail are no records");
    stage.log("2", &[17, 17, 17, 9]);
    assert!(stage.look());
    let [burn] = &stage.facts()[..] else { panic!("one burn") };
    assert_eq!(burn.since, Events { good: 1, bad: 3 });
    let [version] = &burn.versions[..] else { panic!("one version wrote since: {burn:?}") };
    assert_eq!((&*version.version, version.good, version.bad, version.burns), ("2", 1, 3, true));
}
