//! One query for the sizes of all streams of a repository, at the price of a point. It is no part
//! of the walks, which learn the size of a list only at its end.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::count::{Count, OBJECTS_MAX};
use super::super::cursor::Stream;
use super::super::plan::Plan;
use super::super::query::date;
use super::super::reply::{Moment, Trouble, Verdict, parse_ms};
use super::verdict;

/// The sizes of streams, and the commit that the branch leads to.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) of: BTreeMap<Stream, Count>,
    pub(crate) head: Option<String>,
}

/// From when on streams are counted that can be counted so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    /// Absent is all of them.
    pub(crate) commits_ms: Option<i64>,
    pub(crate) incidents_ms: i64,
}

/// Counts the streams of a plan that GraphQL shows.
pub(crate) async fn counts(
    client: &Client,
    plan: &Plan,
    since: Since,
    moment: Moment,
) -> Result<Counts, Verdict> {
    let Some(variables) = variables(plan, since) else { return Ok(Counts::default()) };
    let request = json!({
        "query": include_str!("queries/counts.graphql"),
        "operationName": "Counts",
        "variables": variables,
    });
    let (headers, body) = client.post(plan.repository.as_str(), &request, moment).await?;
    let subject = format!("/repos/{}", plan.repository);
    let reply = verdict::judge(&subject, &headers, &body, moment)?;
    let broken = || Verdict::Later(moment.retry(Trouble::Body));
    let told: Told = serde_json::from_str(reply.data.get()).map_err(|_| broken())?;
    Ok(told.repository.ok_or_else(broken)?.counts(since))
}

/// `None` where nothing is to be counted.
fn variables(plan: &Plan, since: Since) -> Option<Value> {
    let (owner, name) = plan.repository.as_str().split_once('/').unwrap_or_default();
    let has = |stream| plan.streams.contains(&stream);
    let wanted = json!({
        "deployments": has(Stream::Deployments),
        "releases": has(Stream::Releases),
        "tags": has(Stream::Tags),
        "pullRequests": has(Stream::PullRequests),
        "incidents": has(Stream::Incidents),
        "commits": has(Stream::Commits),
    });
    let is_wanted = |wanted: &Value| *wanted == Value::Bool(true);
    if !wanted.as_object()?.values().any(is_wanted) {
        return None;
    }
    let mut variables = json!({
        "owner": owner,
        "name": name,
        "head": "HEAD",
        "label": plan.incident_label,
        "commitsSince": since.commits_ms.map(date),
        "incidentsSince": date(since.incidents_ms),
    });
    variables.as_object_mut()?.extend(wanted.as_object()?.clone());
    Some(variables)
}

#[derive(Deserialize)]
struct Told {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    deployments: Option<List>,
    first_deployment: Option<List>,
    releases: Option<List>,
    first_release: Option<List>,
    refs: Option<List>,
    pull_requests: Option<List>,
    first_pull_request: Option<List>,
    issues: Option<List>,
    open_issues: Option<List>,
    object: Option<Head>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default)]
    total_count: u64,
    #[serde(default)]
    nodes: Vec<Option<Dated>>,
}

#[derive(Deserialize)]
struct Dated {
    at: String,
}

#[derive(Deserialize)]
struct Head {
    oid: Option<String>,
    history: Option<List>,
}

impl Repository {
    fn counts(self, since: Since) -> Counts {
        let mut counts = Counts::default();
        for (stream, list, first) in [
            (Stream::Deployments, self.deployments, self.first_deployment),
            (Stream::Releases, self.releases, self.first_release),
            (Stream::PullRequests, self.pull_requests, self.first_pull_request),
            // Of which dates are not told: their total is a bound.
            (Stream::Tags, self.refs, None),
        ] {
            let Some(list) = list else { continue };
            let oldest_ms = first.and_then(|first| first.at_ms().first().copied());
            let (total, newest_ms) = (list.total(), list.at_ms());
            counts.of.insert(stream, Count { total, newest_ms, oldest_ms, ..Count::default() });
        }
        if let Some(issues) = self.issues {
            let (total, from_ms) = (issues.total(), Some(since.incidents_ms));
            let open = self.open_issues.map_or(0, |open| open.total());
            counts.of.insert(Stream::Incidents, Count { total, from_ms, open, ..Count::default() });
        }
        // A repository without commits has no head.
        let head = self.object.unwrap_or(Head { oid: None, history: None });
        counts.head = head.oid.map(|oid| oid.to_ascii_lowercase());
        let total = head.history.map_or(0, |history| history.total());
        let from_ms = Some(since.commits_ms.unwrap_or(i64::MIN));
        counts.of.insert(Stream::Commits, Count { total, from_ms, ..Count::default() });
        counts
    }
}

impl List {
    fn total(&self) -> u64 {
        self.total_count.min(OBJECTS_MAX)
    }

    fn at_ms(&self) -> Vec<i64> {
        self.nodes.iter().flatten().filter_map(|dated| parse_ms(&dated.at)).collect()
    }
}
