//! A test for each of DevLake's rules, failing when the rule is removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use proptest::prelude::*;
use redora_model::fact::{Commit, Deployment, Incident, Nature, PullRequest, State, Status, Turn};
use redora_model::identity::{Environment, Repository, Revision, Service};

use super::*;
use crate::link::Name;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Monday, 6 January 2025, midnight UTC.
const MONDAY: i64 = 1_736_121_600_000;

/// A place whose facts are added one by one; times are milliseconds after [`MONDAY`].
#[derive(Default)]
struct Place(History);

impl Place {
    fn commit(mut self, sha: &str, parents: &[&str]) -> Self {
        let commit = Commit {
            repository: Repository::new("o/shop"),
            parents: parents.iter().map(|parent| Revision::new(parent)).collect(),
            authored_ms: MONDAY,
            committed_ms: MONDAY,
            patch: None,
            reverts: Vec::new(),
            services: None,
        };
        self.0.commits.push((Revision::new(sha), commit));
        self
    }

    fn line(mut self, shas: &[&str]) -> Self {
        let mut parent = None;
        for sha in shas {
            self = self.commit(sha, &Vec::from_iter(parent));
            parent = Some(*sha);
        }
        self
    }

    fn deploy(self, id: &str, sha: &str, ms: i64) -> Self {
        self.deployment(id, "o/shop", sha, ms, &[(State::Success, ms)])
    }

    fn deployment(
        mut self,
        id: &str,
        repository: &str,
        sha: &str,
        ms: i64,
        states: &[(State, i64)],
    ) -> Self {
        let status = |(state, ms): &(State, i64)| Status { at_ms: MONDAY + ms, state: *state };
        let deployment = Deployment {
            repository: Repository::new(repository),
            service: Service::new("shop"),
            environment: Environment::new("production"),
            created_ms: MONDAY + ms,
            revision: (!sha.is_empty()).then(|| Revision::new(sha)),
            version: String::new(),
            statuses: states.iter().map(status).collect(),
            attempt: 1,
            region: String::new(),
            url: String::new(),
        };
        self.0.deployments.push((Name::new("t", id), deployment));
        self
    }

    /// A pull request from its first commit, opening, first remark and merge.
    fn pull(mut self, number: u64, merge: &str, times: [Option<i64>; 4]) -> Self {
        let [authored, opened, reviewed, merged] = times.map(|ms| ms.map(|ms| MONDAY + ms));
        let pull = PullRequest {
            repository: Repository::new("o/shop"),
            title: String::new(),
            branch: String::new(),
            labels: Vec::new(),
            commits: vec![Revision::new("b")],
            first_authored_ms: authored,
            created_ms: opened.unwrap(),
            first_review_ms: reviewed,
            approved_ms: None,
            merged_ms: merged,
            merge: Some(Revision::new(merge)),
            reverts: None,
        };
        self.0.pull_requests.push((Name::new("t", &number.to_string()), pull));
        self
    }

    fn incident(mut self, id: &str, ms: i64, turns: &[(i64, bool)]) -> Self {
        let turn = |(ms, resolved): &(i64, bool)| Turn { at_ms: MONDAY + ms, resolved: *resolved };
        let incident = Incident {
            service: Some(Service::new("shop")),
            environment: Some(Environment::new("production")),
            title: String::new(),
            severity: String::new(),
            nature: Nature::Disruption,
            started_ms: MONDAY + ms,
            changes: turns.iter().map(turn).collect(),
            deployment: None,
            url: String::new(),
        };
        self.0.incidents.push((Name::new("t", id), incident));
        self
    }

    fn of(&self, from: i64, to: i64) -> DevLake {
        let (from_ms, to_ms) = (MONDAY + from, MONDAY + to);
        let zone = TimeZone::UTC;
        devlake(&self.0, &Query { from_ms, to_ms, now_ms: to_ms, attribution_ms: 0, zone })
    }

    fn all(&self) -> DevLake {
        self.of(-DAY, 28 * DAY)
    }
}

/// What the one source of these tests calls it.
fn bare(name: &str) -> &str {
    name.strip_prefix("t:").unwrap()
}

/// Each deployment's id, the one before it and the number of its commits.
fn chain(found: &DevLake) -> Vec<(&str, Option<&str>, usize)> {
    let deployments = found.deployments.iter();
    deployments.map(|d| (bare(&d.id), d.previous.as_deref().map(bare), d.commits)).collect()
}

#[test]
fn a_stage_is_rounded_up_and_one_that_is_missing_or_negative_counts_as_0() {
    let times = [Some(0), Some(MINUTE + 1), Some(2 * MINUTE), Some(HOUR)];
    let place = Place::default()
        .line(&["a", "m1", "m2", "m3"])
        .pull(1, "m1", times)
        .pull(2, "m2", [Some(HOUR), Some(0), None, Some(10 * MINUTE)])
        .pull(3, "m3", [None, Some(0), Some(-30_000), Some(3 * HOUR)])
        .deploy("1", "a", 0)
        .deploy("2", "m3", 2 * HOUR);
    let found = place.all();
    let stages = |cycle: &Cycle| {
        (cycle.coding_min, cycle.pickup_min, cycle.review_min, cycle.deploy_min, cycle.cycle_min)
    };
    let stages: Vec<_> = found.pull_requests.iter().map(stages).collect();
    let expected = [
        // 2 and 59 minutes of 60: the parts are rounded each.
        (Some(2), Some(1), Some(58), Some(60), 2 + 59 + 60),
        (None, None, None, Some(110), 10 + 110),
        // A remark half a minute too early rounds up to no minute.
        (None, Some(0), Some(181), None, 180),
    ];
    assert_eq!(stages, expected);
    let means: Vec<_> = found.stages.iter().map(|stage| (stage.stage, stage.mean_min)).collect();
    let mean = |sum: f64| Some(sum / 3.0);
    let expected = [
        ("coding", mean(2.0)),
        ("pickup", mean(1.0)),
        ("review", mean(239.0)),
        ("deploy", mean(170.0)),
    ];
    assert_eq!(means, expected);
    assert_eq!(found.lead_time, Median { n: 3, p50_min: Some(121) });
}

#[test]
fn a_first_commit_is_that_of_the_source_or_else_of_the_commits_that_are_known() {
    let times = [None, Some(HOUR), None, Some(2 * HOUR)];
    let place = Place::default().line(&["a", "b", "m"]).pull(1, "m", times);
    assert_eq!(cycles(&place.0)[0].coding_min, Some(60));
    let place = Place::default().line(&["a", "m"]).pull(1, "m", times);
    assert_eq!(cycles(&place.0)[0].coding_min, None);
}

#[test]
fn a_pull_request_counts_with_the_first_deployment_that_brought_its_merge() {
    let merged = [None, Some(0), None, Some(MINUTE)];
    let place = Place::default()
        .line(&["a", "m1", "m2", "c"])
        .pull(1, "m1", merged)
        .pull(2, "m2", merged)
        .pull(3, "a", merged)
        .pull(4, "c", [None, Some(0), None, None])
        .pull(5, "unknown", merged)
        .deploy("1", "a", HOUR)
        .deploy("2", "m1", 2 * HOUR)
        .deploy("3", "a", 3 * HOUR)
        .deploy("4", "c", 4 * HOUR);
    let deployment = |cycle: &Cycle| (cycle.id.clone(), cycle.deployment.clone());
    let found: Vec<_> = cycles(&place.0).iter().map(deployment).collect();
    let expected = [("o/shop#1", Some("t:2")), ("o/shop#2", Some("t:4")), ("o/shop#3", None)];
    let expected = expected.into_iter().chain([("o/shop#5", None)]);
    let owned =
        |(id, deployment): (&str, Option<&str>)| (id.to_owned(), deployment.map(str::to_owned));
    assert_eq!(found, expected.map(owned).collect::<Vec<_>>());
    // The rollback in between brought nothing, and what it took back comes again.
    let expected = [("1", None, 1), ("2", Some("1"), 1), ("3", Some("2"), 0), ("4", Some("3"), 3)];
    assert_eq!(chain(&place.all()), expected);
}

#[test]
fn a_commit_that_is_only_a_parent_or_only_deployed_is_one_and_repositories_are_apart() {
    let place = Place::default()
        .commit("b", &["a"])
        .commit("c", &["x"])
        .deploy("1", "b", HOUR)
        .deploy("2", "c", 2 * HOUR)
        .deploy("3", "nowhere", 3 * HOUR)
        .deployment("4", "o/till", "b", 4 * HOUR, &[(State::Success, 4 * HOUR)]);
    let expected = [("1", None, 2), ("2", Some("1"), 2), ("3", Some("2"), 1), ("4", None, 2)];
    assert_eq!(chain(&place.all()), expected);
}

#[test]
fn the_last_state_decides_and_the_last_success_is_the_finish() {
    use State::{Failure, InProgress, Inactive, Success};
    let place = |states: &[(State, i64)]| Place::default().deployment("1", "r", "a", 0, states);
    let finish = |states: &[(State, i64)]| {
        let found = place(states).all();
        found.deployments.first().map(|deployed| deployed.finished_ms - MONDAY)
    };
    assert_eq!(finish(&[(Success, 5), (Success, 7), (Inactive, 9)]), Some(7));
    assert_eq!(finish(&[(InProgress, 2), (Inactive, 9)]), Some(9));
    assert_eq!(finish(&[(Success, 5), (Failure, 9)]), None);
    assert_eq!(finish(&[(Success, 5), (InProgress, 9)]), None);
    assert_eq!(finish(&[]), None);
    let nameless = Place::default().deployment("1", "r", "", 0, &[(Success, 5)]).all();
    assert_eq!((nameless.deployments.len(), nameless.without_commit), (0, 1));
}

#[test]
fn an_incident_is_put_down_to_the_last_deployment_before_it_however_long_ago() {
    let place = Place::default()
        .deploy("1", "a", 0)
        .deploy("2", "b", DAY)
        .incident("early", -HOUR, &[])
        .incident("same", DAY, &[])
        .incident("late", 20 * DAY, &[])
        .incident("later", 21 * DAY, &[]);
    let found = place.all();
    let incidents: Vec<_> =
        found.deployments.iter().map(|deployed| deployed.incidents.join(" ")).collect();
    // Strictly before: one that begins with a deployment is that of the one before.
    assert_eq!(incidents, ["t:same", "t:late t:later"]);
    assert_eq!(found.failures, Failures { n: 2, failed: 2, ratio: Some(1.0) });
    // The incident may lie outside of the window, its deployment may not.
    assert_eq!(place.of(0, HOUR).failures, Failures { n: 1, failed: 1, ratio: Some(1.0) });
    assert_eq!(place.of(2 * DAY, 3 * DAY).failures, Failures::default());
}

#[test]
fn recovery_runs_from_the_deployment_and_restoring_from_the_incident() {
    let place = Place::default()
        .deploy("1", "a", 0)
        .deploy("2", "b", DAY)
        .incident("i", HOUR, &[(90 * MINUTE, true), (2 * HOUR, false), (3 * HOUR - 1, true)])
        .incident("j", DAY + HOUR, &[(DAY + 5 * HOUR, true)])
        .incident("open", DAY + 2 * HOUR, &[(DAY + 3 * HOUR, true), (DAY + 4 * HOUR, false)]);
    let found = place.all();
    // 179 and 300 minutes, begun ones cut off; of two the lower.
    assert_eq!(found.recovery, Median { n: 2, p50_min: Some(179) });
    assert_eq!(found.restore, Median { n: 2, p50_min: Some(119) });
    // Both the end of the incident and its deployment lie in the window.
    let second = place.of(HOUR, 2 * DAY);
    assert_eq!(second.recovery, Median { n: 1, p50_min: Some(300) });
    assert_eq!(second.restore, Median { n: 2, p50_min: Some(119) });
    assert_eq!(place.of(0, HOUR).recovery, Median::default());
}

#[test]
fn deployment_days_are_counted_by_the_weeks_and_months_that_the_window_touches() {
    let days = |days: &[i64]| {
        let numbered = days.iter().enumerate();
        numbered.fold(Place::default(), |place, (id, day)| {
            place.deploy(&id.to_string(), "a", day * DAY + HOUR)
        })
    };
    // Weeks of 2, 0 and 1 days; two deployments of a day are one day.
    let place = days(&[0, 1, 1, 20]);
    let found = place.of(-1, 21 * DAY - 1);
    assert_eq!((found.days_per_week, found.days_per_month), (Some(1), Some(3)));
    // Weeks of 2 and 0 days: the lower of the two in the middle.
    assert_eq!(place.of(-1, 14 * DAY - 1).days_per_week, Some(0));
    // A window that begins at noon misses its first day, and has all of its last.
    let place = days(&[0]);
    let noon = 12 * HOUR;
    assert_eq!(place.of(noon, noon + 3 * DAY).days_per_week, Some(0));
    assert_eq!(days(&[3]).of(0, 3 * DAY).days_per_week, Some(1));
    assert_eq!(place.of(0, 0).days_per_week, None);
}

#[test]
fn the_ends_of_a_window_are_inside_and_an_empty_one_has_no_numbers() {
    let place = Place::default().deploy("1", "a", 0).deploy("2", "b", HOUR);
    assert_eq!(place.of(0, HOUR).deployments.len(), 2);
    assert_eq!(place.of(1, HOUR - 1).deployments.len(), 0);
    let nothing = Place::default().of(0, HOUR);
    assert_eq!(nothing.failures.ratio, None);
    assert_eq!(nothing.lead_time, Median::default());
    assert!(nothing.stages.iter().all(|stage| stage.mean_min.is_none()));
}

#[test]
fn times_that_no_calendar_has_panic_nowhere() {
    let far = i64::MAX - MONDAY;
    let place = Place::default()
        .line(&["a", "b"])
        .pull(1, "b", [Some(i64::MIN), Some(0), Some(far), Some(far)])
        .deploy("1", "a", far)
        .deploy("2", "b", far)
        .incident("i", i64::MIN + DAY, &[(far, true)]);
    let zone = TimeZone::UTC;
    let (from_ms, to_ms) = (i64::MIN, i64::MAX);
    let query = Query { from_ms, to_ms, now_ms: to_ms, attribution_ms: 0, zone };
    let found = devlake(&place.0, &query);
    assert_eq!((found.deployments.len(), found.days_per_week), (2, None));
}

/// What a commit contains, found without any of what is kept between deployments.
fn contained(parents: &BTreeMap<String, Vec<String>>, sha: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![sha.to_owned()]);
    while let Some(sha) = open.pop() {
        if found.insert(sha.clone()) {
            open.extend(parents.get(&sha).into_iter().flatten().cloned());
        }
    }
    found
}

proptest! {
    /// In any history, even one that bites its own tail, and however deployments go back and forth.
    #[test]
    fn a_deployment_brings_what_it_contains_and_the_one_before_it_did_not(
        parents in proptest::collection::vec(proptest::collection::vec(0_usize..12, 0..3), 10),
        deployed in proptest::collection::vec(0_usize..12, 1..8),
        merge in 0_usize..12,
    ) {
        let name = |at: usize| format!("c{at}");
        let numbered = parents.iter().enumerate();
        let parents: BTreeMap<String, Vec<String>> =
            numbered.map(|(at, of)| (name(at), of.iter().map(|at| name(*at)).collect())).collect();
        let mut place = Place::default();
        for (sha, of) in &parents {
            place = place.commit(sha, &of.iter().map(String::as_str).collect::<Vec<_>>());
        }
        place = place.pull(1, &name(merge), [None, Some(0), None, Some(0)]);
        for (hour, at) in (1..).zip(&deployed) {
            place = place.deploy(&hour.to_string(), &name(*at), hour * HOUR);
        }
        let mut before: Option<BTreeSet<String>> = None;
        let (mut commits, mut brought) = (Vec::new(), None);
        for (hour, at) in (1..).zip(&deployed) {
            let contained = contained(&parents, &name(*at));
            let nothing = BTreeSet::new();
            let fresh = contained.difference(before.as_ref().unwrap_or(&nothing));
            let fresh: BTreeSet<&String> = fresh.collect();
            commits.push(fresh.len());
            if before.is_some() && brought.is_none() && fresh.contains(&name(merge)) {
                brought = Some(format!("t:{hour}"));
            }
            before = Some(contained);
        }
        let found = place.all();
        let counted: Vec<_> = found.deployments.iter().map(|deployed| deployed.commits).collect();
        prop_assert_eq!(counted, commits);
        prop_assert_eq!(&cycles(&place.0)[0].deployment, &brought);
    }
}
