//! What is told of a number adds up to the number of the report, whatever the history is.

use jiff::tz::TimeZone;
use redora_collector::keys::explain::{Explanation, Metric, explain};
use redora_collector::keys::{Query, Report, report};
use redora_collector::link::{History, Linked, Name, Rules, link};
use redora_model::fact::{
    Burn, Commit, Deployment, Incident, Nature, Sighting, State, Status, Turn,
};
use redora_model::identity::{Environment, Repository, Revision, Service};

const HOUR: i64 = 3_600_000;
const METRICS: [Metric; 5] = [
    Metric::Deployments,
    Metric::LeadTime,
    Metric::ChangeFailureRatio,
    Metric::RecoveryTime,
    Metric::ReworkRatio,
];

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn hours(&mut self, bound: u64) -> i64 {
        self.below(bound) as i64 * HOUR
    }
}

fn sha(number: u64) -> Revision {
    Revision::new(&format!("{number:08}"))
}

fn commit(dice: &mut Dice, number: u64) -> (Revision, Commit) {
    let mut parents: Vec<_> = number.checked_sub(1).map(sha).into_iter().collect();
    match dice.below(80) {
        // A parent that nobody knows: the history is cut off.
        0 => parents.push(sha(999)),
        1..8 if number > 2 => parents.push(sha(number - 2)),
        _ => {}
    }
    let authored_ms = number as i64 * 5 * HOUR + dice.hours(30);
    let reverts = if dice.below(8) == 0 { vec![sha(0)] } else { Vec::new() };
    let repository = Repository::new("o/shop");
    let (committed_ms, patch, services) = (authored_ms, None, None);
    let commit =
        Commit { repository, parents, authored_ms, committed_ms, patch, reverts, services };
    (sha(number), commit)
}

fn deployment(dice: &mut Dice, id: u64) -> (Name, Deployment) {
    let created_ms = dice.hours(120);
    let states = [State::Success, State::Success, State::Success, State::Failure, State::Queued];
    let state = states[dice.below(5) as usize];
    let deployment = Deployment {
        repository: Repository::new("o/shop"),
        service: Service::new("shop"),
        environment: Environment::new("production"),
        created_ms,
        // The last ones are in no history.
        revision: Some(sha(dice.below(22))),
        version: String::new(),
        statuses: vec![Status { at_ms: created_ms + dice.hours(3), state }],
        attempt: 1,
        region: String::new(),
        url: String::new(),
    };
    (Name::new("t", &id.to_string()), deployment)
}

fn incident(dice: &mut Dice, id: u64) -> (Name, Incident) {
    let started_ms = dice.hours(130);
    let turn = Turn { at_ms: started_ms + dice.hours(9) - HOUR, resolved: true };
    let incident = Incident {
        service: Some(Service::new("shop")),
        environment: Some(Environment::new("production")),
        title: String::new(),
        severity: String::new(),
        nature: Nature::Disruption,
        started_ms,
        changes: (dice.below(4) > 0).then_some(turn).into_iter().collect(),
        deployment: (dice.below(4) == 0).then(|| dice.below(20).to_string()),
        url: String::new(),
    };
    (Name::new("t", &format!("i{id}")), incident)
}

fn burn(dice: &mut Dice, id: u64) -> (Name, Burn) {
    let started_ms = dice.hours(130);
    let ended_ms = (dice.below(4) > 0).then(|| started_ms + dice.hours(9) - HOUR);
    let burn = Burn {
        service: Service::new("shop"),
        environment: Environment::new("production"),
        slo: "availability".into(),
        tier: "1h".into(),
        started_ms,
        ended_ms,
        before: Default::default(),
        since: Default::default(),
        versions: Vec::new(),
    };
    (Name::new("slo", &id.to_string()), burn)
}

fn sighting(dice: &mut Dice) -> Sighting {
    let first_ms = dice.hours(120);
    Sighting {
        service: Service::new("shop"),
        environment: Environment::new("production"),
        version: format!("v{}", dice.below(3)),
        revision: (dice.below(3) > 0).then(|| sha(dice.below(24))),
        first_ms,
        last_ms: first_ms,
    }
}

fn history(dice: &mut Dice) -> History {
    let (deployments, incidents, sightings) = (dice.below(25), dice.below(6), dice.below(4));
    History {
        service: "shop".into(),
        commits: (0..20).map(|number| commit(dice, number)).collect(),
        deployments: (0..deployments).map(|id| deployment(dice, id)).collect(),
        incidents: (0..incidents).map(|id| incident(dice, id)).collect(),
        burns: (0..dice.below(4)).map(|id| burn(dice, id)).collect(),
        sightings: (0..sightings)
            .map(|id| (Name::new("t", &id.to_string()), sighting(dice)))
            .collect(),
        ..History::default()
    }
}

fn query(from: i64, to: i64) -> Query {
    Query {
        from_ms: from * HOUR,
        to_ms: to * HOUR,
        now_ms: to * HOUR,
        attribution_ms: 24 * HOUR,
        zone: TimeZone::UTC,
    }
}

/// What the report says of a metric.
fn reported(report: &Report, metric: Metric) -> (Option<f64>, usize) {
    match metric {
        Metric::Deployments => (Some(report.frequency.n as f64), report.frequency.n),
        Metric::LeadTime => (report.lead_time[0].spread.p50_s, report.lead_time[0].spread.n),
        Metric::ChangeFailureRatio => (report.failure.confirmed_ratio, report.failure.n),
        Metric::RecoveryTime => (report.recovery.p50_s, report.recovery.n),
        Metric::ReworkRatio => (report.rework.ratio, report.rework.n),
    }
}

fn count(explanation: &Explanation, rule: &str) -> usize {
    explanation.told.iter().filter(|told| told.rule == rule).count()
}

/// What a report counts beside its numbers is told as well, thing by thing.
fn told_beside(linked: &Linked, query: &Query, report: &Report) {
    let of = |metric| explain(linked, query, metric);
    let (deployments, lead) = (of(Metric::Deployments), of(Metric::LeadTime));
    let (failure, recovery) = (of(Metric::ChangeFailureRatio), of(Metric::RecoveryTime));
    let frequency = &report.frequency;
    assert_eq!(count(&deployments, "redeployment"), frequency.redeployments);
    assert_eq!(count(&deployments, "rollback"), frequency.rollbacks);
    assert_eq!(count(&deployments, "unmapped"), frequency.unmapped);
    assert_eq!(count(&deployments, "failed"), frequency.failed);
    assert_eq!(count(&deployments, "not final"), frequency.open);
    let gaps = lead.told.iter().filter(|told| told.rule.starts_with("gap")).count();
    assert_eq!(gaps, report.gaps.len());
    assert_eq!(count(&lead, "negative span") as u64, report.lead_time[0].spread.rejected);
    assert_eq!(count(&failure, "failed"), report.failure.confirmed);
    assert_eq!(count(&failure, "pending"), report.failure.pending);
    assert_eq!(count(&recovery, "negative span") as u64, report.recovery.rejected);
}

#[test]
fn what_is_told_adds_up_to_the_report() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut told, mut absent) = ([0; 5], 0);
    for _ in 0..600 {
        let linked = link(&history(&mut dice), &Rules::default());
        let from = dice.hours(60) / HOUR;
        for query in [query(-100, 500), query(from, from + 50)] {
            let report = report(&linked, &query);
            for (at, metric) in METRICS.into_iter().enumerate() {
                let explanation = explain(&linked, &query, metric);
                let value = (explanation.value, explanation.n);
                assert_eq!(value, reported(&report, metric), "{metric:?}: {explanation:#?}");
                told[at] += explanation.n;
                absent += usize::from(explanation.value.is_none());
            }
            told_beside(&linked, &query, &report);
        }
    }
    assert!(told.iter().all(|n| *n > 500) && absent > 100, "{told:?} {absent}: too tame");
}
