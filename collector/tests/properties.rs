//! Properties of the whole walk, from facts through a real ledger to the numbers: the order and
//! the batches in which they come, repetition, and restarts in between change no winner and no
//! number. Parts that each keep their order could still lose it between them.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use redora_collector::api::devlake::{Compared, compared};
use redora_collector::api::warm::Warm;
use redora_collector::api::{self, Answer, Ask, Zone};
use redora_collector::ledger::{Batch, Ledger, Reader, Scope};
use redora_collector::link::Rules;
use redora_model::fact::{
    Claim, Commit, Deployment, Fact, Incident, Link, Nature, PullRequest, Run, Sighting, State,
    Status, Turn, What,
};
use redora_model::identity::{Environment, Repository, Revision, Service};

const KINDS: [&str; 7] =
    ["commit", "pull_request", "deployment", "incident", "run", "link", "sighting"];

const START_MS: i64 = 1_704_067_200_000;

/// Few enough to meet.
fn time() -> impl Strategy<Value = i64> {
    (0_i64..40).prop_map(|hour| START_MS + hour * 3_600_000)
}

fn sha() -> impl Strategy<Value = Revision> {
    (0_u8..12).prop_map(|at| Revision::new(&format!("{at:02x}")))
}

fn some<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(of, 0..3)
}

fn maybe<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(of)
}

fn repository() -> impl Strategy<Value = Repository> {
    "o/[rs]".prop_map(|name| Repository::new(&name))
}

fn service() -> impl Strategy<Value = Service> {
    "shop|till".prop_map(|name| Service::new(&name))
}

fn environment() -> impl Strategy<Value = Environment> {
    "production|staging".prop_map(|name| Environment::new(&name))
}

fn commit() -> impl Strategy<Value = What> {
    let times = (time(), time());
    (repository(), some(sha()), times, maybe("[0-3]"), some(sha()), maybe(some(service())))
        .prop_map(|(repository, parents, times, patch, reverts, services)| {
            let (authored_ms, committed_ms) = times;
            What::Commit(Commit {
                repository,
                parents,
                authored_ms,
                committed_ms,
                patch,
                reverts,
                services,
            })
        })
}

fn pull() -> impl Strategy<Value = What> {
    let times = (time(), maybe(time()), maybe(time()), maybe(time()));
    (repository(), times, "(hotfix)?", some(sha()), maybe(sha()), maybe(0_u64..6)).prop_map(
        |(repository, times, title, commits, merge, reverts)| {
            let (created_ms, first_authored_ms, first_review_ms, merged_ms) = times;
            What::PullRequest(PullRequest {
                repository,
                title,
                branch: String::new(),
                labels: Vec::new(),
                commits,
                first_authored_ms,
                created_ms,
                first_review_ms,
                approved_ms: None,
                merged_ms,
                merge,
                reverts,
            })
        },
    )
}

fn deployment() -> impl Strategy<Value = What> {
    let state = prop_oneof![
        4 => Just(State::Success),
        1 => Just(State::Failure),
        1 => Just(State::Inactive),
        1 => Just(State::InProgress),
    ];
    let status = (time(), state).prop_map(|(at_ms, state)| Status { at_ms, state });
    let place = (repository(), service(), environment());
    (place, time(), maybe(sha()), some(status), "[vw]?").prop_map(
        |((repository, service, environment), created_ms, revision, statuses, version)| {
            What::Deployment(Deployment {
                repository,
                service,
                environment,
                created_ms,
                revision,
                version,
                statuses,
                attempt: 1,
                region: String::new(),
                url: String::new(),
            })
        },
    )
}

fn incident() -> impl Strategy<Value = What> {
    let turn = (time(), any::<bool>()).prop_map(|(at_ms, resolved)| Turn { at_ms, resolved });
    let nature = prop_oneof![4 => Just(Nature::Disruption), 1 => Just(Nature::Drill)];
    (maybe(service()), maybe(environment()), nature, time(), some(turn), maybe("[0-5]")).prop_map(
        |(service, environment, nature, started_ms, changes, deployment)| {
            What::Incident(Incident {
                service,
                environment,
                title: String::new(),
                severity: String::new(),
                nature,
                started_ms,
                changes,
                deployment,
                url: String::new(),
            })
        },
    )
}

fn run() -> impl Strategy<Value = What> {
    (repository(), 1_u32..4, time(), "(success|failure)?").prop_map(
        |(repository, attempt, created_ms, conclusion)| {
            What::Run(Run {
                repository,
                workflow: "ci".to_owned(),
                branch: String::new(),
                revision: None,
                attempt,
                created_ms,
                started_ms: None,
                ended_ms: None,
                jobs: Vec::new(),
                conclusion,
            })
        },
    )
}

fn sighting() -> impl Strategy<Value = What> {
    (service(), environment(), "[v-x]?", maybe(sha()), time()).prop_map(
        |(service, environment, version, revision, first_ms)| {
            let last_ms = first_ms;
            What::Sighting(Sighting { service, environment, version, revision, first_ms, last_ms })
        },
    )
}

fn link() -> impl Strategy<Value = What> {
    let claim = prop_oneof![Just(Claim::CausedBy), Just(Claim::Repair)];
    let words = ("(incident|deployment|pull_request):[ab]:[0-5]", "(deployment:[ab]:[0-5])?");
    (claim, words, any::<bool>()).prop_map(|(claim, (subject, object), holds)| {
        What::Link(Link { claim, subject, object, rule: "rule".to_owned(), holds })
    })
}

/// Few names, so that versions repeat, correct, contradict and move each other to another place.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let what = prop_oneof![
        4 => commit(),
        4 => deployment(),
        2 => pull(),
        2 => incident(),
        1 => run(),
        1 => sighting(),
        2 => link(),
    ];
    let fact =
        (what, "[ab]", sha(), "[0-5]", 0_i64..3).prop_map(|(what, source, sha, id, as_of_ms)| {
            let id = if what.kind() == "commit" { sha.to_string() } else { id };
            Fact { source, id, as_of_ms, what }
        });
    proptest::collection::vec(fact, 1..60)
}

/// How a history comes: batches, after some of which the process starts again.
type Coming = Vec<(Vec<Fact>, bool)>;

fn comes(facts: Vec<Fact>, cuts: &[(usize, bool)]) -> Coming {
    let (mut rest, mut coming) = (facts.as_slice(), Coming::new());
    for &(size, restarts) in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, later) = rest.split_at(size.min(rest.len()));
        coming.push((batch.to_vec(), restarts));
        rest = later;
    }
    coming
}

/// The same facts in their order, and doubled and shuffled, each cut in its own way.
fn two_comings() -> impl Strategy<Value = (Coming, Coming)> {
    let cuts = || proptest::collection::vec((1_usize..12, any::<bool>()), 1..6);
    let orders = facts().prop_flat_map(|facts| {
        let twice = [facts.clone(), facts.clone()].concat();
        (Just(facts), Just(twice).prop_shuffle())
    });
    (orders, cuts(), cuts()).prop_map(|((inorder, shuffled), first, second)| {
        (comes(inorder, &first), comes(shuffled, &second))
    })
}

/// A question about all places, so many hours after the start.
fn asked(hours: i64) -> Ask {
    Ask {
        service: None,
        environment: None,
        window_ms: 30 * 3_600_000,
        at_ms: START_MS + hours * 3_600_000,
        zone: Zone::named("UTC").unwrap(),
        rules: Rules::default(),
    }
}

/// The numbers of a moment, and those of DevLake.
type Numbers = (Vec<Answer>, Vec<Compared>);

/// What holds of each kind in the order it is handed out, and the numbers of three moments. What is
/// kept warm while the facts come never tells anything else than what is read anew.
fn told(coming: &Coming) -> (Vec<Fact>, Vec<Numbers>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let mut ledger = Ledger::open(&file).unwrap();
    // One keeps all, one some, one nothing.
    let mut warm = [usize::MAX, 2_000, 0].map(Warm::new);
    for (turn, (facts, restarts)) in (0..).zip(coming) {
        ledger.append(&Batch { facts: facts.clone(), ..Batch::default() }).unwrap();
        for hours in [turn * 5, 60] {
            let ask = asked(hours);
            let anew = api::answers(&ledger, &ask).unwrap();
            for warm in &mut warm {
                let kept = warm.answers(&ledger, &ask, &[ask.window_ms]).unwrap();
                assert_eq!(kept.concat(), anew, "at {hours} h");
            }
        }
        if *restarts {
            drop(ledger);
            ledger = Ledger::open(&file).unwrap();
        }
    }
    let ledger = Reader::open(&file).unwrap();
    let mut winners = Vec::new();
    for kind in KINDS {
        ledger.winners(kind, Scope::All, |fact| winners.push(fact)).unwrap();
    }
    let numbers = [10, 25, 60]
        .map(asked)
        .map(|ask| (api::answers(&ledger, &ask).unwrap(), compared(&ledger, &ask).unwrap()));
    (winners, numbers.into())
}

proptest! {
    // Each case waits for the disk some dozen times.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn however_facts_come_the_same_ones_hold_and_give_the_same_numbers(
        (inorder, shuffled) in two_comings(),
    ) {
        let (winners, numbers) = told(&inorder);
        let mut expected: BTreeMap<_, (i64, String)> = BTreeMap::new();
        for fact in inorder.iter().flat_map(|(facts, _)| facts) {
            let name = (fact.what.kind(), fact.source.clone(), fact.id.clone());
            let version = (fact.as_of_ms, serde_json::to_string(fact).unwrap());
            let known = expected.entry(name).or_default();
            *known = known.clone().max(version);
        }
        let mut lines: Vec<String> =
            winners.iter().map(|fact| serde_json::to_string(fact).unwrap()).collect();
        lines.sort();
        let mut expected: Vec<String> = expected.into_values().map(|(_, line)| line).collect();
        expected.sort();
        prop_assert_eq!(lines, expected);
        let (same_winners, same_numbers) = told(&shuffled);
        prop_assert_eq!(winners, same_winners);
        prop_assert_eq!(numbers, same_numbers);
    }
}

/// A clone and GitHub's pages both tell of a commit, each with what it knows.
#[test]
fn a_commit_that_two_sources_know_is_one() {
    let fact = |source: &str, id: &str, what| {
        let (source, id) = (source.to_owned(), id.to_owned());
        Fact { source, id, as_of_ms: 0, what }
    };
    let commit = |source: &str, name: &str, parents: &[&str], hour: i64| {
        let at_ms = START_MS + hour * 3_600_000;
        let commit = Commit {
            repository: Repository::new("o/r"),
            parents: parents.iter().map(|name| Revision::new(name)).collect(),
            authored_ms: at_ms,
            committed_ms: at_ms,
            patch: None,
            reverts: Vec::new(),
            services: None,
        };
        fact(source, name, What::Commit(commit))
    };
    let deployment = |id: &str, revision: &str, hour: i64| {
        let at_ms = START_MS + hour * 3_600_000;
        let deployment = Deployment {
            repository: Repository::new("o/r"),
            service: Service::new("shop"),
            environment: Environment::new("production"),
            created_ms: at_ms,
            revision: Some(Revision::new(revision)),
            version: String::new(),
            statuses: vec![Status { at_ms, state: State::Success }],
            attempt: 1,
            region: String::new(),
            url: String::new(),
        };
        fact("a", id, What::Deployment(deployment))
    };
    let once = vec![
        commit("a", "00", &[], 1),
        commit("a", "01", &["00"], 2),
        commit("a", "02", &["01"], 3),
        deployment("1", "00", 4),
        deployment("2", "02", 5),
    ];
    let mut twice = once.clone();
    twice.extend([commit("b", "00", &[], 1), commit("b", "02", &["01"], 3)]);
    let [(_, one), (_, other)] = [once, twice].map(|facts| told(&vec![(facts, false)]));
    assert_eq!(one, other);
    assert_eq!(one[0].0[0].report.lead_time[0].spread.n, 2, "two changes, each once");
}
