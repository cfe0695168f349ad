//! Apache DevLake's own cases: the tables that its tests start from become facts, and its rules
//! must give the tables that its tests end with. Its source alone would not tell whether it was
//! understood.

#![expect(clippy::unwrap_used, reason = "what fails to be set up here is the failure to be shown")]

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use redora_collector::keys::Query;
use redora_collector::keys::devlake::{Cycle, DevLake, cycles, devlake};
use redora_collector::link::{History, Name};
use redora_model::fact::{Commit, Deployment, Incident, Nature, PullRequest, State, Status};
use redora_model::identity::{Environment, Repository, Revision, Service};

/// A table's rows, each a cell by its column; none of these tables has a quoted cell.
fn table(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|line| columns.iter().copied().zip(line.split(',')).collect()).collect()
}

/// `2023-4-10 4:51:47` or RFC 3339.
fn ms(text: &str) -> i64 {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return moment.as_millisecond();
    }
    let moment = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).unwrap();
    moment.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond()
}

fn optional<T>(text: &str, of: impl Fn(&str) -> T) -> Option<T> {
    (!text.is_empty()).then(|| of(text))
}

fn commit(sha: &str, parents: &[&str]) -> (Revision, Commit) {
    let commit = Commit {
        repository: Repository::new("repo"),
        parents: parents.iter().map(|parent| Revision::new(parent)).collect(),
        authored_ms: 0,
        committed_ms: 0,
        patch: None,
        reverts: Vec::new(),
        services: None,
    };
    (Revision::new(sha), commit)
}

/// The production deployments of a project; a scope and its repository are one repository here.
fn deployments(text: &str, scopes: &[&str]) -> Vec<(Name, Deployment)> {
    let rows = table(text)
        .into_iter()
        .filter(|row| row["environment"] == "PRODUCTION" && scopes.contains(&row["cicd_scope_id"]));
    let deployment = |row: BTreeMap<&str, &str>| {
        let state = if row["result"] == "SUCCESS" { State::Success } else { State::Failure };
        // Where the table has no finish, it has no need of one.
        let finished = row.get("finished_date").unwrap_or(&row["started_date"]);
        let deployment = Deployment {
            repository: Repository::new(&format!("{}/{}", row["cicd_scope_id"], row["repo_url"])),
            service: Service::new("project"),
            environment: Environment::new("production"),
            created_ms: ms(row["started_date"]),
            revision: Some(Revision::new(row["commit_sha"])),
            version: String::new(),
            statuses: vec![Status { at_ms: ms(finished), state }],
            attempt: 1,
            region: String::new(),
            url: String::new(),
        };
        (Name::new(SOURCE, row["id"]), deployment)
    };
    rows.map(deployment).collect()
}

/// What DevLake calls it.
fn bare(name: &str) -> &str {
    name.strip_prefix(SOURCE).unwrap().strip_prefix(':').unwrap()
}

/// Who tells of all facts here.
const SOURCE: &str = "devlake";

/// DevLake's numbers of all times.
fn all(history: &History) -> DevLake {
    let (from_ms, to_ms) = (0, ms("2030-01-01T00:00:00Z"));
    let query = Query { from_ms, to_ms, now_ms: to_ms, attribution_ms: 0, zone: TimeZone::UTC };
    devlake(history, &query)
}

#[test]
fn the_cycle_of_every_pull_request_is_the_one_that_devlake_computes() {
    let mut history = History { service: "project".into(), ..History::default() };
    let data = include_str!("data/devlake/lead_time/cicd_deployment_commits.csv");
    history.deployments = deployments(data, &["cicd1", "cicd2"]);

    // The table says which commits lie between two; a line of them has that difference.
    let diffs = table(include_str!("data/devlake/lead_time/commits_diffs.csv"));
    let mut between: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in &diffs {
        let pair = (row["old_commit_sha"], row["new_commit_sha"]);
        between.entry(pair).or_default().push(row["commit_sha"]);
    }
    for ((old, new), inner) in between {
        let mut parent = Some(old).filter(|old| !old.is_empty());
        for sha in inner.into_iter().chain([new]) {
            history.commits.push(commit(sha, &Vec::from_iter(parent)));
            parent = Some(sha);
        }
    }

    let commits = table(include_str!("data/devlake/lead_time/pull_request_commits.csv"));
    let comments = table(include_str!("data/devlake/lead_time/pull_request_comments.csv"));
    let pulls = table(include_str!("data/devlake/lead_time/pull_requests.csv"));
    for row in &pulls {
        let of = |other: &&BTreeMap<&str, &str>| other["pull_request_id"] == row["id"];
        let authored = commits.iter().filter(of).map(|commit| ms(commit["commit_authored_date"]));
        let by_another = comments.iter().filter(of).filter(|comment| {
            row["author_id"].is_empty() || comment["account_id"] != row["author_id"]
        });
        let pull = PullRequest {
            repository: Repository::new("pr"),
            title: String::new(),
            branch: String::new(),
            labels: Vec::new(),
            commits: Vec::new(),
            first_authored_ms: authored.min(),
            created_ms: ms(row["created_date"]),
            first_review_ms: by_another.map(|comment| ms(comment["created_date"])).min(),
            approved_ms: None,
            merged_ms: optional(row["merged_date"], ms),
            merge: Some(Revision::new(row["merge_commit_sha"])),
            reverts: None,
        };
        let number = row["id"].strip_prefix("pr").unwrap();
        history.pull_requests.push((Name::new(SOURCE, number), pull));
    }

    let expected = table(include_str!("data/devlake/lead_time/project_pr_metrics.csv"));
    let minutes = |text: &str| optional(text, |text| text.parse::<i64>().unwrap());
    let expected: Vec<Cycle> = expected
        .iter()
        .map(|row| Cycle {
            id: format!("pr#{}", row["id"].strip_prefix("pr").unwrap()),
            coding_min: minutes(row["pr_coding_time"]),
            pickup_min: minutes(row["pr_pickup_time"]),
            review_min: minutes(row["pr_review_time"]),
            deploy_min: minutes(row["pr_deploy_time"]),
            cycle_min: minutes(row["pr_cycle_time"]).unwrap(),
            deployment: optional(row["deployment_commit_id"], |id| format!("{SOURCE}:{id}")),
            deployed_ms: optional(row["pr_deployed_date"], ms),
        })
        .collect();
    assert_eq!(expected.len(), 6);
    assert_eq!(cycles(&history), expected);
    // Of 1598, 4478 and 10203 minutes.
    let lead_time = all(&history).lead_time;
    assert_eq!((lead_time.n, lead_time.p50_min), (3, Some(4478)));
}

#[test]
fn every_deployment_follows_the_one_and_every_incident_is_put_down_to_the_one_of_devlake() {
    let data = include_str!("data/devlake/incidents/cicd_deployment_commits_after.csv");
    let deployed = table(data);
    let mapped = table(include_str!("data/devlake/incidents/project_mapping.csv"));
    let mut history = History { service: "project".into(), ..History::default() };
    history.deployments = deployments(data, &["cicd1", "cicd2"]);
    for row in table(include_str!("data/devlake/incidents/incidents.csv")) {
        let of = |pair: &&BTreeMap<&str, &str>| {
            (pair["project_name"], pair["table"], pair["row_id"])
                == ("project1", row["table"], row["scope_id"])
        };
        if mapped.iter().find(of).is_none() {
            continue;
        }
        let incident = Incident {
            service: Some(Service::new("project")),
            environment: Some(Environment::new("production")),
            title: String::new(),
            severity: String::new(),
            nature: Nature::Disruption,
            started_ms: ms(row["created_date"]),
            changes: Vec::new(),
            deployment: None,
            url: String::new(),
        };
        history.incidents.push((Name::new(SOURCE, row["id"]), incident));
    }
    let found = all(&history);

    let previous: BTreeMap<&str, Option<&str>> =
        found.deployments.iter().map(|d| (bare(&d.id), d.previous.as_deref().map(bare))).collect();
    let expected = deployed.iter().filter(|row| {
        (row["environment"], row["result"]) == ("PRODUCTION", "SUCCESS")
            && row["cicd_scope_id"] != "cicd3"
    });
    let id = |row: &BTreeMap<&'static str, &'static str>| {
        (
            row["id"],
            optional(
                row["prev_success_deployment_commit_id"],
                |_| row["prev_success_deployment_commit_id"],
            ),
        )
    };
    let expected: BTreeMap<&str, Option<&str>> = expected.map(id).collect();
    assert_eq!((previous.len(), previous), (10, expected));

    let pipelines: HashMap<&str, &str> =
        deployed.iter().map(|row| (row["id"], row["cicd_deployment_id"])).collect();
    let connected = found.deployments.iter().flat_map(|deployed| {
        let pipeline = pipelines[bare(&deployed.id)];
        deployed.incidents.iter().map(move |incident| (bare(incident), pipeline))
    });
    let connected: BTreeMap<&str, &str> = connected.collect();
    let expected =
        table(include_str!("data/devlake/incidents/project_incident_deployment_relationships.csv"));
    let expected: BTreeMap<&str, &str> =
        expected.iter().map(|row| (row["id"], row["deployment_id"])).collect();
    assert_eq!((connected.len(), connected), (6, expected));
}

#[test]
fn a_deployment_brings_as_many_commits_as_devlake_finds() {
    let mut history = History { service: "project".into(), ..History::default() };
    let data = include_str!("data/devlake/diffs/cicd_deployment_commits.csv");
    history.deployments = deployments(data, &["github:GithubRepo:1:484251804"]);
    for row in table(include_str!("data/devlake/diffs/commit_parents.csv")) {
        history.commits.push(commit(row["commit_sha"], &[row["parent_commit_sha"]]));
    }
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for row in table(include_str!("data/devlake/diffs/commits_diffs.csv")) {
        *expected.entry(row["new_commit_sha"]).or_default() += 1;
    }
    let found = all(&history).deployments;
    let sha = |id: &str| {
        let is = |(name, _): &&(Name, Deployment)| name.is_called(id);
        let (_, deployment) = history.deployments.iter().find(is).unwrap();
        deployment.revision.as_ref().unwrap().as_str()
    };
    let found: BTreeMap<&str, usize> =
        found.iter().map(|deployed| (sha(&deployed.id), deployed.commits)).collect();
    assert_eq!((found.len(), found), (3, expected));
}
