//! The case table of `docs/definitions.md`: a test for each row, failing when its rule is removed.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

use jiff::tz::TimeZone;
use redora_collector::keys::{LeadTime, Query, Report, report};
use redora_collector::link::{
    Arrival, Change, Failure, Gap, History, Linked, Name, Rules, Step, link,
};
use redora_model::fact::{
    Burn, Claim, Commit, Deployment, Events, Incident, Link, Nature, PullRequest, Sighting, State,
    Status, Turn, VersionEvents,
};
use redora_model::identity::{Environment, Repository, Revision, Service};

/// Times are in hours.
const HOUR: i64 = 3_600_000;
/// Who tells of deployments and pull requests.
const GITHUB: &str = "github:o/shop";

/// A revision of eight characters, since git abbreviates to seven at least.
fn sha(name: &str) -> Revision {
    Revision::new(&format!("{name:0>8}"))
}

/// A place whose facts are added one by one.
#[derive(Clone, Default)]
struct Place {
    history: History,
    rules: Rules,
}

impl Place {
    fn new() -> Self {
        let history = History { service: "shop".into(), ..History::default() };
        Self { history, ..Self::default() }
    }

    /// Commits in a row, each the child of the one before.
    fn line(mut self, names: &[(&str, i64)]) -> Self {
        let mut parent: Option<&str> = None;
        for (name, hours) in names {
            self = self.commit(name, &Vec::from_iter(parent), *hours);
            parent = Some(name);
        }
        self
    }

    fn commit(mut self, name: &str, parents: &[&str], hours: i64) -> Self {
        let commit = Commit {
            repository: Repository::new("o/shop"),
            parents: parents.iter().map(|parent| sha(parent)).collect(),
            authored_ms: hours * HOUR,
            committed_ms: hours * HOUR,
            patch: None,
            reverts: Vec::new(),
            services: None,
        };
        self.history.commits.push((sha(name), commit));
        self
    }

    fn last_commit(mut self, change: impl FnOnce(&mut Commit)) -> Self {
        change(&mut self.history.commits.last_mut().unwrap().1);
        self
    }

    fn deploy(self, id: &str, revision: &str, hours: i64) -> Self {
        self.deployment(id, revision, hours, &[(State::Success, hours)])
    }

    fn deployment(mut self, id: &str, revision: &str, hours: i64, ends: &[(State, i64)]) -> Self {
        let status = |(state, hours): &(State, i64)| Status { at_ms: hours * HOUR, state: *state };
        let deployment = Deployment {
            repository: Repository::new("o/shop"),
            service: Service::new("shop"),
            environment: Environment::new("production"),
            created_ms: hours * HOUR,
            revision: (!revision.is_empty()).then(|| sha(revision)),
            version: String::new(),
            statuses: ends.iter().map(status).collect(),
            attempt: 1,
            region: String::new(),
            url: String::new(),
        };
        self.history.deployments.push((Name::new(GITHUB, id), deployment));
        self
    }

    fn last_deployment(mut self, change: impl FnOnce(&mut Deployment)) -> Self {
        change(&mut self.history.deployments.last_mut().unwrap().1);
        self
    }

    fn pull(mut self, number: u64, change: impl FnOnce(&mut PullRequest)) -> Self {
        let mut pull = PullRequest {
            repository: Repository::new("o/shop"),
            title: String::new(),
            branch: String::new(),
            labels: Vec::new(),
            commits: Vec::new(),
            first_authored_ms: None,
            created_ms: 0,
            first_review_ms: None,
            approved_ms: None,
            merged_ms: None,
            merge: None,
            reverts: None,
        };
        change(&mut pull);
        self.history.pull_requests.push((Name::new(GITHUB, &number.to_string()), pull));
        self
    }

    fn incident(mut self, id: &str, from: i64, to: Option<i64>) -> Self {
        let over = |hours: i64| Turn { at_ms: hours * HOUR, resolved: true };
        let incident = Incident {
            service: Some(Service::new("shop")),
            environment: Some(Environment::new("production")),
            title: String::new(),
            severity: String::new(),
            nature: Nature::Disruption,
            started_ms: from * HOUR,
            changes: to.map(over).into_iter().collect(),
            deployment: None,
            url: String::new(),
        };
        self.history.incidents.push((Name::new("jsonl", id), incident));
        self
    }

    fn last_incident(mut self, change: impl FnOnce(&mut Incident)) -> Self {
        change(&mut self.history.incidents.last_mut().unwrap().1);
        self
    }

    /// A burn in which these versions served, each with whether it burned.
    fn burn(mut self, from: i64, to: Option<i64>, versions: &[(&str, bool)]) -> Self {
        let version = |(name, burns): &(&str, bool)| {
            let (bad, version) = (if *burns { 50 } else { 0 }, (*name).to_owned());
            VersionEvents { version, good: 50, bad, burns: *burns }
        };
        let burn = Burn {
            service: Service::new("shop"),
            environment: Environment::new("production"),
            slo: "availability".into(),
            tier: "1h".into(),
            started_ms: from * HOUR,
            ended_ms: to.map(|hours| hours * HOUR),
            before: Events::default(),
            since: Events::default(),
            versions: versions.iter().map(version).collect(),
        };
        self.history.burns.push((Name::new("slo", &from.to_string()), burn));
        self
    }

    fn seen(mut self, revision: &str, version: &str, hours: i64) -> Self {
        let sighting = Sighting {
            service: Service::new("shop"),
            environment: Environment::new("production"),
            version: version.to_owned(),
            revision: (!revision.is_empty()).then(|| sha(revision)),
            first_ms: hours * HOUR,
            last_ms: hours * HOUR,
        };
        self.history.sightings.push((Name::new("telemetry", version), sighting));
        self
    }

    fn says(mut self, claim: Claim, subject: &str, object: &str, holds: bool) -> Self {
        let (subject, object) = (subject.to_owned(), object.to_owned());
        self.history.links.push(Link { claim, subject, object, rule: "manual".into(), holds });
        self
    }

    fn linked(&self) -> Linked {
        link(&self.history, &self.rules)
    }

    /// A report of the first thousand hours, asked for long after.
    fn report(&self) -> Report {
        self.report_at(10_000)
    }

    fn report_at(&self, hours: i64) -> Report {
        let query = Query {
            from_ms: 0,
            to_ms: 1_000 * HOUR,
            now_ms: hours * HOUR,
            attribution_ms: self.rules.attribution_ms,
            zone: TimeZone::UTC,
        };
        report(&self.linked(), &query)
    }

    /// The changes of each arrival, by name.
    fn changes(&self) -> Vec<Vec<String>> {
        let name = |change: &Change| change.id.trim_start_matches('0').to_owned();
        let names = |arrival: &Arrival| {
            let mut names: Vec<_> = arrival.changes.iter().map(name).collect();
            names.sort();
            names
        };
        self.linked().arrivals.iter().map(names).collect()
    }

    fn steps(&self) -> Vec<Step> {
        self.linked().arrivals.iter().map(|arrival| arrival.step).collect()
    }
}

fn ids(arrival: &Arrival) -> Vec<&str> {
    arrival.names.iter().map(|name| name.id.as_str()).collect()
}

fn lead_hours(report: &Report, start: &str, end: &str) -> Option<f64> {
    let of = |lead: &&LeadTime| lead.start == start && lead.end == end;
    report.lead_time.iter().find(of).unwrap().spread.p50_s.map(|seconds| seconds / 3600.0)
}

/// Two deployments, the second of which brings the commit `b`, written at hour 5, at hour 20.
fn two() -> Place {
    Place::new().line(&[("a", 0), ("b", 5)]).deploy("1", "a", 10).deploy("2", "b", 20)
}

#[test]
fn finish_of_a_deployment_is_its_first_success() {
    let ends = [
        (State::Inactive, 90),
        (State::Success, 40),
        (State::Queued, 11),
        (State::Success, 30),
        (State::InProgress, 12),
    ];
    let place = Place::new().line(&[("a", 0)]).deployment("1", "a", 10, &ends);
    assert_eq!(place.linked().arrivals[0].finished_ms, 30 * HOUR);
    let over = Place::new().deployment("1", "a", 10, &[(State::Inactive, 90)]);
    assert!(over.linked().failed.is_empty(), "inactive is no failure");
}

#[test]
fn what_is_not_final_waits() {
    let place = two().deployment("3", "b", 30, &[(State::Queued, 30), (State::InProgress, 31)]);
    assert_eq!(
        (place.linked().open, place.report().frequency.n),
        (vec![Name::new(GITHUB, "3")], 2)
    );
}

#[test]
fn several_attempts_are_one_deployment() {
    let place = Place::new()
        .line(&[("a", 0)])
        .deployment("1", "a", 10, &[(State::Failure, 11)])
        .deployment("2", "a", 11, &[(State::Success, 14)])
        .deployment("3", "a", 12, &[(State::Success, 15)]);
    let linked = place.linked();
    assert_eq!(linked.arrivals.len(), 1);
    assert_eq!(ids(&linked.arrivals[0]), ["2", "3"]);
    assert!(linked.redeployments.is_empty());
}

#[test]
fn the_same_revision_again_is_a_redeployment() {
    let report = two().deploy("3", "b", 30).report();
    assert_eq!((report.frequency.n, report.frequency.redeployments), (2, 1));
}

#[test]
fn an_earlier_revision_again_is_a_rollback_of_the_first_deployment_after_it() {
    let place = Place::new()
        .line(&[("a", 0), ("b", 5), ("c", 6)])
        .deploy("1", "a", 10)
        .deploy("2", "b", 20)
        .deploy("3", "c", 30)
        .deploy("4", "a", 33);
    let linked = place.linked();
    assert_eq!(linked.arrivals[3].step, Step::Rollback);
    assert_eq!(linked.arrivals[1].failures, [Failure::Rollback(3)]);
    assert!(linked.arrivals[2].failures.is_empty() && linked.arrivals[3].changes.is_empty());
    let report = place.report();
    assert_eq!((report.failure.n, report.failure.confirmed), (3, 1), "not in the denominator");
    assert_eq!((report.rework.n, report.rework.repairs), (4, 1));
    assert_eq!(report.recovery.p50_s, Some(13.0 * 3600.0), "until the rollback was live");
}

#[test]
fn what_was_rolled_back_and_comes_again_is_no_rollback() {
    let place = two().deploy("3", "a", 30).deploy("4", "b", 40);
    assert_eq!(place.steps(), [Step::First, Step::Forward, Step::Rollback, Step::Forward]);
    assert_eq!(place.changes()[3], Vec::<String>::new(), "its change arrived at first");
}

#[test]
fn reverts_and_hotfixes_are_repairs_by_rules_that_can_be_overruled() {
    let repair = |place: &Place| place.linked().arrivals[1].repair;
    let with = |change: fn(&mut PullRequest)| {
        two().pull(7, |pull| {
            pull.commits = vec![sha("b")];
            change(pull);
        })
    };
    assert_eq!(repair(&two()), None);
    assert_eq!(repair(&with(|pull| pull.title = "Prefix the hotfixes page".into())), None);
    assert_eq!(repair(&with(|pull| pull.title = "Hot-fix: stop the leak".into())), Some("hotfix"));
    assert_eq!(repair(&with(|pull| pull.branch = "hotfix/leak".into())), Some("hotfix"));
    assert_eq!(repair(&with(|pull| pull.labels = vec!["HOTFIX".into()])), Some("hotfix"));
    let revert = with(|pull| pull.reverts = Some(3));
    assert_eq!(repair(&revert), Some("revert"));
    let says = |reference: &str| revert.clone().says(Claim::Repair, reference, "", false);
    let overruled = says("pull_request:github:o/shop:7");
    assert_eq!(repair(&overruled), None);
    let of_another = says("pull_request:github:o/till:7");
    assert_eq!(repair(&of_another), Some("revert"), "another repository's of that number");
    let deployment =
        |place: Place, holds| place.says(Claim::Repair, "deployment:github:o/shop:2", "", holds);
    assert_eq!(repair(&deployment(two(), true)), Some("manual"));
    let hotfix = || with(|pull| pull.branch = "hotfix/leak".into());
    assert_eq!(repair(&deployment(hotfix(), false)), None);
    let commit = Place::new()
        .line(&[("a", 0), ("b", 5)])
        .last_commit(|commit| commit.reverts = vec![sha("a")])
        .deploy("1", "a", 10)
        .deploy("2", "b", 20);
    assert_eq!(repair(&commit), Some("revert"));
}

#[test]
fn a_failed_deployment_keeps_its_changes_for_the_next_success() {
    let place = Place::new()
        .line(&[("a", 0), ("b", 5), ("c", 6)])
        .deploy("1", "a", 10)
        .deployment("2", "b", 20, &[(State::Failure, 21)])
        .deploy("3", "c", 30);
    assert_eq!(place.changes(), [vec![], vec!["b".to_owned(), "c".into()]]);
    let report = place.report();
    assert_eq!((report.frequency.failed, report.failure.confirmed), (1, 0), "a pipeline failed");
}

#[test]
fn changes_are_what_the_new_one_contains_and_the_old_one_did_not() {
    let place = Place::new()
        .line(&[("a", 0), ("b", 5)])
        .commit("x", &["a"], 6)
        .commit("m", &["b", "x"], 7)
        .deploy("1", "a", 10)
        .deploy("2", "b", 20)
        .deploy("3", "m", 30);
    assert_eq!(place.changes(), [vec![], vec!["b".to_owned()], vec!["x".into()]]);
}

#[test]
fn paths_decide_whose_change_a_commit_is() {
    let touching = |service: &str| {
        Place::new()
            .line(&[("a", 0), ("b", 5)])
            .last_commit(|commit| commit.services = Some(vec![Service::new(service)]))
            .deploy("1", "a", 10)
            .deploy("2", "b", 20)
    };
    assert_eq!(touching("shop").changes()[1], ["b"]);
    assert_eq!(touching("basket").changes()[1], Vec::<String>::new());
}

#[test]
fn the_first_deployment_gives_no_lead_time() {
    let place = Place::new().line(&[("a", 0)]).deploy("1", "a", 10);
    assert_eq!(lead_hours(&place.report(), "commit", "deployed"), None);
    assert_eq!(place.linked().arrivals[0].gap, None);
    assert_eq!(lead_hours(&two().report(), "commit", "deployed"), Some(15.0));
}

#[test]
fn a_squashed_or_rebased_pull_request_is_one_change_from_its_first_commit_on() {
    let squash = two().pull(7, |pull| {
        pull.commits = vec![sha("p1"), sha("p2")];
        pull.first_authored_ms = Some(HOUR);
        pull.merge = Some(sha("b"));
    });
    assert_eq!(squash.changes()[1], ["o/shop#7"]);
    assert_eq!(lead_hours(&squash.report(), "commit", "deployed"), Some(19.0));
    let rebase = Place::new()
        .line(&[("a", 0), ("r1", 2), ("r2", 3), ("d", 4)])
        .pull(8, |pull| {
            pull.commits = vec![sha("p1"), sha("p2")];
            pull.first_authored_ms = Some(2 * HOUR);
            pull.merge = Some(sha("r2"));
        })
        .deploy("1", "a", 10)
        .deploy("2", "d", 20);
    assert_eq!(rebase.changes()[1], ["d", "o/shop#8"]);
}

#[test]
fn a_direct_commit_has_no_stages_that_it_did_not_go_through() {
    let report = two().report();
    assert!(report.stages.iter().all(|stage| stage.spread.n == 0 && stage.spread.p50_s.is_none()));
    let pulled = two().pull(7, |pull| {
        pull.commits = vec![sha("b")];
        pull.created_ms = 7 * HOUR;
        pull.first_review_ms = Some(8 * HOUR);
        pull.merged_ms = Some(11 * HOUR);
    });
    let report = pulled.seen("b", "", 22).report();
    let hours: Vec<_> =
        report.stages.iter().map(|stage| stage.spread.p50_s.unwrap() / 3600.0).collect();
    assert_eq!(hours, [2.0, 1.0, 3.0, 9.0, 2.0]);
    assert_eq!(lead_hours(&report, "pull_request", "deployed"), Some(13.0));
    assert_eq!(lead_hours(&report, "merge", "first_request"), Some(11.0));
}

#[test]
fn a_change_that_is_deployed_twice_arrived_the_first_time() {
    let place = Place::new()
        .line(&[("a", 0), ("b", 5)])
        .commit("c", &["a"], 6)
        .commit("m", &["c", "b"], 7)
        .deploy("1", "a", 10)
        .deploy("2", "b", 20)
        .deploy("3", "c", 30)
        .deploy("4", "m", 40);
    let expected = [vec![], vec!["b".to_owned()], vec!["c".into()], vec![]];
    assert_eq!(place.changes(), expected);
}

#[test]
fn a_cherry_pick_arrives_with_the_first_of_its_patch() {
    let patch = |commit: &mut Commit| commit.patch = Some("p".into());
    let place = Place::new()
        .line(&[("a", 0)])
        .commit("b", &["a"], 5)
        .last_commit(patch)
        .commit("pick", &["a"], 6)
        .last_commit(patch)
        .deploy("1", "a", 10)
        .deploy("2", "b", 20)
        .deploy("3", "pick", 30);
    assert_eq!(place.changes(), [vec![], vec!["b".to_owned()], vec![]]);
}

#[test]
fn there_is_no_lead_time_across_a_gap_and_the_gap_is_shown() {
    let place = Place::new()
        .line(&[("a", 0), ("b", 5), ("c", 6), ("d", 7)])
        .deploy("1", "a", 10)
        .deploy("2", "", 20)
        .deploy("3", "c", 30)
        .deploy("4", "d", 40);
    assert_eq!(place.changes(), [vec![], vec![], vec![], vec!["d".to_owned()]]);
    let gaps: Vec<_> = place.linked().arrivals.iter().map(|arrival| arrival.gap).collect();
    assert_eq!(gaps, [None, Some(Gap::Revision), Some(Gap::Previous), None]);
    let report = place.report();
    let shown: Vec<_> = report.gaps.iter().map(|gap| (gap.id.as_str(), gap.reason)).collect();
    assert_eq!(shown, [("github:o/shop:2", "revision"), ("github:o/shop:3", "previous")]);
    let shallow = Place::new()
        .commit("a", &[], 0)
        .commit("c", &["b"], 5)
        .deploy("1", "a", 10)
        .deploy("2", "c", 20);
    assert_eq!(shallow.linked().arrivals[1].gap, Some(Gap::History));
    assert_eq!(shallow.report().frequency.n, 2, "it counts all the same");
}

#[test]
fn a_negative_span_is_counted_and_left_out() {
    let place = Place::new()
        .line(&[("a", 0), ("b", 25), ("c", 5)])
        .deploy("1", "a", 10)
        .deploy("2", "c", 20);
    let report = place.report();
    let spread = &report.lead_time[0].spread;
    assert_eq!((spread.n, spread.rejected, spread.p50_s), (1, 1, Some(15.0 * 3600.0)));
}

#[test]
fn an_incident_belongs_to_the_deployment_that_served_within_the_window_before_it() {
    let cause = |place: Place| place.linked().incidents[0].cause;
    assert_eq!(cause(two().incident("i", 21, None)), Some(1));
    assert_eq!(cause(two().incident("i", 19, None)), Some(0), "before the second one");
    assert_eq!(cause(two().incident("i", 44, None)), Some(1), "the window's end is in it");
    assert_eq!(cause(two().incident("i", 45, None)), None, "after the window");
    assert_eq!(cause(two().incident("i", 9, None)), None, "before any");
    assert_eq!(cause(two().seen("b", "", 23).incident("i", 21, None)), Some(0), "not live yet");
    let nowhere = two().incident("i", 21, None).last_incident(|incident| incident.service = None);
    assert_eq!(cause(nowhere), None, "unattributed, and shown");
    let named = two().incident("i", 500, None);
    let named = named.last_incident(|incident| incident.deployment = Some("1".into()));
    assert_eq!(cause(named), Some(0));
    let said = two().incident("i", 500, None);
    let said = said.says(Claim::CausedBy, "incident:jsonl:i", "deployment:github:o/shop:2", true);
    assert_eq!(cause(said), Some(1));
    let overruled = two().incident("i", 21, None);
    let overruled =
        overruled.says(Claim::CausedBy, "incident:jsonl:i", "deployment:github:o/shop:2", false);
    assert_eq!(cause(overruled), Some(0), "the next one in the window");
    let report = two().incident("i", 500, None).report();
    assert_eq!((report.incidents.unattributed, report.failure.confirmed), (1, 0));
}

#[test]
fn two_incidents_of_one_deployment_are_one_failure() {
    let report = two().incident("i", 21, Some(22)).incident("j", 23, Some(26)).report();
    assert_eq!((report.failure.n, report.failure.confirmed), (2, 1));
    assert_eq!(report.failure.confirmed_ratio, Some(0.5));
}

#[test]
fn overlapping_incidents_recover_each_and_are_down_once() {
    let report = two().incident("i", 21, Some(25)).incident("j", 23, Some(29)).report();
    assert_eq!((report.recovery.n, report.recovery.p50_s), (2, Some(5.0 * 3600.0)));
    assert_eq!(report.incidents.downtime_s, 8.0 * 3600.0);
}

#[test]
fn an_open_incident_is_shown_with_its_age_and_not_in_the_median() {
    let report = two().incident("i", 21, Some(22)).incident("j", 23, None).report_at(33);
    assert_eq!((report.recovery.n, report.incidents.duration.n), (1, 1));
    assert_eq!(report.incidents.open, [("jsonl:j".to_owned(), 10.0 * 3600.0)]);
    let turn = |hours: i64, resolved| Turn { at_ms: hours * HOUR, resolved };
    let reopened = two().incident("i", 21, Some(22)).last_incident(|incident| {
        incident.changes = vec![turn(30, true), turn(22, true), turn(25, false), turn(31, true)];
    });
    assert_eq!(reopened.linked().incidents[0].resolved_ms, Some(30 * HOUR));
    let open = two().incident("i", 21, Some(22)).last_incident(|incident| {
        incident.changes.push(turn(25, false));
    });
    assert_eq!(open.linked().incidents[0].resolved_ms, None);
}

#[test]
fn the_verdict_on_a_fresh_deployment_is_pending_until_its_window_ends() {
    let at = |hours| two().report_at(hours).failure;
    assert_eq!((at(30).pending, at(30).possible_ratio), (2, Some(1.0)));
    assert_eq!((at(40).pending, at(40).confirmed_ratio), (1, Some(0.0)));
    assert_eq!(at(45).pending, 0);
    let failed = two().incident("i", 21, None).report_at(30).failure;
    assert_eq!((failed.confirmed, failed.pending), (1, 1));
}

#[test]
fn a_green_pipeline_whose_version_nobody_saw_is_not_live() {
    assert_eq!(two().report().frequency.not_live, 0, "nothing is seen here at all");
    assert_eq!(two().seen("a", "", 11).report().frequency.not_live, 1);
}

#[test]
fn a_version_that_no_pipeline_reported_is_a_deployment_of_its_own() {
    let place = two().seen("a", "", 10).seen("b", "", 20).seen("", "v9", 30);
    assert_eq!(place.steps(), [Step::First, Step::Forward, Step::Unmapped]);
    let report = place.report();
    assert_eq!((report.frequency.n, report.frequency.unmapped), (3, 1));
    assert_eq!(report.gaps.len(), 1, "until a revision is known");
    let mapped = Place::new()
        .line(&[("a", 0), ("b", 5), ("c", 6)])
        .deploy("1", "a", 10)
        .deploy("2", "b", 20)
        .seen("c", "v9", 30);
    assert_eq!(mapped.changes()[2], ["c"]);
    assert_eq!(lead_hours(&mapped.report(), "commit", "first_request"), Some(24.5));
}

#[test]
fn several_regions_are_deployed_with_the_last_required_one() {
    let mut place = Place::new().line(&[("a", 0), ("b", 5)]);
    for (id, revision, region, hours) in
        [("1", "a", "eu", 8), ("2", "a", "us", 9), ("3", "b", "eu", 20), ("4", "b", "us", 26)]
    {
        place = place.deploy(id, revision, hours);
        place = place.last_deployment(|deployment| deployment.region = region.into());
    }
    place.rules.regions = vec!["eu".into(), "us".into()];
    let linked = place.linked();
    assert_eq!(linked.arrivals.len(), 2);
    assert_eq!(linked.arrivals[1].finished_ms, 26 * HOUR);
    assert_eq!(ids(&linked.arrivals[1]), ["3", "4"], "the first is kept, too");
    assert_eq!(lead_hours(&place.report(), "commit", "deployed"), Some(21.0));
}

#[test]
fn maintenance_drills_and_declined_incidents_are_no_failures() {
    for nature in [Nature::Maintenance, Nature::Drill, Nature::Declined] {
        let place = two().incident("i", 21, Some(22));
        let report = place.last_incident(|incident| incident.nature = nature).report();
        assert_eq!((report.failure.confirmed, report.incidents.n), (0, 0), "{nature:?}");
    }
}

#[test]
fn at_an_earlier_moment_only_what_had_happened_is_known() {
    let mut place = two()
        .deploy("3", "a", 30)
        .incident("i", 21, Some(40))
        .incident("j", 35, None)
        .deployment("4", "b", 24, &[(State::Queued, 24), (State::Success, 50)])
        .seen("b", "", 28)
        .pull(7, |pull| {
            pull.commits = vec![sha("b")];
            pull.merged_ms = Some(26 * HOUR);
        });
    let today = place.report_at(25);
    place.history.forget_after(25 * HOUR);
    assert_eq!(place.history.forget_pull_requests_after(25 * HOUR), Some(26 * HOUR));
    let then = place.linked();
    assert_eq!((then.arrivals.len(), &then.open[..]), (2, &[Name::new(GITHUB, "4")][..]));
    assert_eq!((then.incidents.len(), then.incidents[0].resolved_ms), (1, None));
    assert_eq!(then.arrivals[1].failures, [Failure::Incident(0)], "and no rollback yet");
    assert_eq!(then.arrivals[1].first_request_ms, None);
    assert_eq!(then.arrivals[1].changes[0].merged_ms, None);
    assert_eq!((today.frequency.n, place.report_at(25).frequency.n), (2, 2));
}

#[test]
fn the_order_in_which_facts_come_decides_nothing() {
    let place = |turn: usize| {
        let mut place = two()
            .deploy("3", "a", 20)
            .deploy("4", "b", 20)
            .deployment("5", "b", 15, &[(State::Error, 16)])
            .incident("i", 21, Some(22))
            .incident("j", 21, None)
            .seen("b", "", 21)
            .seen("", "v", 33);
        place.history.deployments.rotate_left(turn % 5);
        place.history.incidents.rotate_left(turn % 2);
        place.history.sightings.rotate_left(turn % 2);
        place.history.commits.rotate_left(turn % 2);
        place.report()
    };
    let expected = place(0);
    for turn in 1..10 {
        assert_eq!(place(turn), expected, "turn {turn}");
    }
}

#[test]
fn a_burn_after_an_arrival_fails_the_version_whose_requests_were_bad() {
    let cause = |place: Place| place.linked().burns[0].cause;
    assert_eq!(cause(two().burn(21, None, &[])), Some(1));
    assert_eq!(cause(two().burn(44, None, &[])), Some(1), "the window's end is in it");
    assert_eq!(cause(two().burn(45, None, &[])), None, "after the window");
    assert_eq!(cause(two().seen("b", "", 23).burn(21, None, &[])), Some(0), "not live yet");
    let beside = || two().seen("a", "v1", 11).seen("b", "v2", 20);
    assert_eq!(cause(beside().burn(21, None, &[("v1", false), ("v2", true)])), Some(1));
    assert_eq!(cause(beside().burn(21, None, &[("v1", true), ("v2", false)])), Some(0));
    assert_eq!(cause(beside().burn(21, None, &[("v1", true), ("v2", true)])), Some(1));
    assert_eq!(cause(beside().burn(21, None, &[("v1", false), ("v2", false)])), Some(1));
    assert_eq!(cause(beside().burn(21, None, &[("v3", true)])), None, "of neither");
    let said = two().burn(500, None, &[]);
    let reference = "deployment:github:o/shop:2";
    let said = said.says(Claim::CausedBy, "burn:slo:500", reference, true);
    assert_eq!(cause(said), Some(1));
    let overruled = two().burn(21, None, &[]).says(Claim::CausedBy, "burn:slo:21", "", false);
    assert_eq!(cause(overruled), None);

    let report = two().burn(21, Some(24), &[]).report();
    assert_eq!((report.failure.confirmed, report.failure.by_burn), (1, 1));
    assert_eq!((report.recovery.n, report.recovery.p50_s), (1, Some(3.0 * 3600.0)));
    assert_eq!(report.incidents.n, 0, "nobody opened one");
    assert_eq!(two().burn(21, None, &[]).report().recovery.n, 0, "it still burns");
}

#[test]
fn a_failure_that_is_told_several_ways_is_one_and_is_told_by_the_best() {
    let place = two().burn(21, Some(24), &[]).incident("i", 22, Some(23)).deploy("3", "a", 30);
    let linked = place.linked();
    let failures = [Failure::Incident(0), Failure::Burn(0), Failure::Rollback(2)];
    assert_eq!(linked.arrivals[1].failures, failures);
    let report = place.report();
    let failure = &report.failure;
    assert_eq!((failure.confirmed, failure.by_incident, failure.by_burn), (1, 1, 0));
    assert_eq!((report.recovery.n, report.recovery.p50_s), (1, Some(3600.0)));
    let report = two().burn(21, Some(24), &[]).deploy("3", "a", 30).report();
    assert_eq!((report.failure.by_burn, report.recovery.p50_s), (1, Some(3.0 * 3600.0)));
}
