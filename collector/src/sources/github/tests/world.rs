//! A GitHub of one repository with a clock of its own: at any time it shows what existed then, in
//! the state it had then. Recorded answers would show one moment only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use redora_model::identity::{Environment, Repository, Service};
use serde_json::{Value, json};

use super::loopback::{self, Answer, Fault, Loopback};
use super::*;
use crate::sources::glob::Glob;

#[derive(Default)]
pub(super) struct World {
    pub(super) now_ms: i64,
    /// Lists and what belongs to an object, by path: elements by key, each with its versions.
    elements: BTreeMap<String, BTreeMap<u64, Vec<(i64, Value)>>>,
    /// By SHA, with the time of the push.
    commits: BTreeMap<String, (i64, Value)>,
    /// Where the branch stood from when on.
    pub(super) tips: Vec<(i64, String)>,
    /// From then on the repository has another name.
    pub(super) renamed_ms: Option<i64>,
    /// Faults come from this seed; 0 is a server without any.
    pub(super) seed: u64,
    pub(super) faults: u64,
    pub(super) requests: Vec<String>,
}

impl World {
    pub(super) fn at(now_ms: i64) -> Self {
        Self { now_ms, ..Self::default() }
    }

    /// An element of a list has this state from a time on.
    pub(super) fn put(&mut self, list: &str, key: u64, at_ms: i64, state: Value) {
        let versions = self.elements.entry(list.to_owned()).or_default().entry(key).or_default();
        versions.push((at_ms, state));
        versions.sort_by_key(|(at_ms, _)| *at_ms);
    }

    /// A tag names an object from a time on.
    pub(super) fn tag(&mut self, key: u64, name: &str, at_ms: i64, (kind, sha): (&str, &str)) {
        let named =
            json!({"ref": format!("refs/tags/{name}"), "object": {"type": kind, "sha": sha}});
        self.put("refs", key, at_ms, named);
    }

    /// A commit with its parents, its author's and its committer's time, pushed at the latter.
    pub(super) fn commit(&mut self, seed: u64, parents: &[&str], times: (i64, i64)) -> String {
        let sha = sha(seed);
        self.commits.insert(sha.clone(), (times.1, commit(&sha, parents, times, "x")));
        sha
    }

    pub(super) fn say(&mut self, sha: &str, message: &str) {
        self.commits.get_mut(sha).unwrap().1["commit"]["message"] = json!(message);
    }

    fn list(&self, path: &str) -> Vec<&Value> {
        let elements = self.elements.get(path).into_iter().flat_map(BTreeMap::values);
        let now = |versions: &'_ Vec<(i64, Value)>| {
            versions.iter().rposition(|(at_ms, _)| *at_ms <= self.now_ms)
        };
        let shown = elements.filter_map(|versions| Some(&versions[now(versions)?].1));
        // What was deleted is null from then on.
        shown.filter(|element| !element.is_null()).collect()
    }

    fn one(&self, list: &str, key: &str) -> Option<&Value> {
        let versions = self.elements.get(list)?.get(&key.parse().ok()?)?;
        let now = versions.iter().rposition(|(at_ms, _)| *at_ms <= self.now_ms)?;
        Some(&versions[now].1).filter(|element| !element.is_null())
    }

    fn tip(&self) -> Option<&str> {
        let (_, tip) = self.tips.iter().rev().find(|(at_ms, _)| *at_ms <= self.now_ms)?;
        Some(tip)
    }

    /// What is reachable from a commit that was pushed.
    fn ancestors(&self, from: &str) -> Option<BTreeSet<&str>> {
        let (pushed_ms, _) = self.commits.get(from)?;
        let (mut found, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(sha) = open.pop() {
            let (key, (_, commit)) = self.commits.get_key_value(sha)?;
            if found.insert(key.as_str()) {
                let parents = commit["parents"].as_array().unwrap();
                open.extend(parents.iter().map(|parent| parent["sha"].as_str().unwrap()));
            }
        }
        (*pushed_ms <= self.now_ms).then_some(found)
    }

    fn answer(&self, host: &str, target: &str) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let numbered = path.strip_prefix("/api/v3/repositories/7");
        if numbered.is_none() && self.renamed_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            let to = target.replace("/repos/acme/shop", "/repositories/7");
            return (301, format!("location: {host}{to}\r\n"), "{}".into(), false);
        }
        let path = numbered.or_else(|| path.strip_prefix("/api/v3/repos/acme/shop"));
        let value = |key: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next_back()
        };
        let absent = (404, String::new(), r#"{"message":"Not Found"}"#.to_owned(), false);
        let Some(path) = path else { return absent };
        if path.is_empty() {
            return (200, String::new(), "{}".into(), false);
        }
        let path = path.trim_start_matches('/').replace("%2F", "/");
        let Some((shown, wrap)) = self.select(&path, &value) else {
            return absent;
        };
        let number = |key| value(key).and_then(|text| text.parse::<usize>().ok());
        if wrap == Wrap::One {
            return (200, String::new(), shown[0].to_string(), false);
        }
        let size = number("per_page").unwrap_or(30).min(PAGE_MAX);
        let (at, total) = (number("page").unwrap_or(1), shown.len());
        let bare = query.split("&page=").next().unwrap();
        let link = format!("{host}{}?{bare}&page=", target.split('?').next().unwrap());
        let (next, last) = (at + 1, total.div_ceil(size).max(1));
        let mut headers = "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4321\r\n".to_owned();
        if at < last {
            headers +=
                &format!("link: <{link}{next}>; rel=\"next\", <{link}{last}>; rel=\"last\"\r\n");
        }
        let page: Vec<&Value> = shown.into_iter().skip((at - 1) * size).take(size).collect();
        let body = match wrap {
            Wrap::Runs => json!({"total_count": total, "workflow_runs": page}),
            Wrap::Comparison => json!({"total_commits": total, "commits": page}),
            Wrap::One | Wrap::List => json!(page),
        };
        (200, headers, body.to_string(), false)
    }

    fn select<'a, 'b>(
        &'a self,
        path: &str,
        value: &dyn Fn(&str) -> Option<&'b str>,
    ) -> Option<(Vec<&'a Value>, Wrap)> {
        let newest_by = |mut values: Vec<&'a Value>, key: &str| {
            values.sort_by(|a, b| b[key].as_str().cmp(&a[key].as_str()));
            values
        };
        let parts: Vec<&str> = path.split('/').collect();
        let since = value("since").unwrap_or("");
        Some(match parts.as_slice() {
            ["commits"] => {
                let reachable = self.ancestors(value("sha").or(self.tip())?)?;
                (self.history(&reachable, since, true), Wrap::List)
            }
            ["compare", range] => {
                let (base, head) = range.split_once("...")?;
                let base = self.ancestors(base)?;
                let mut reachable = self.ancestors(head)?;
                reachable.iter().find(|sha| base.contains(*sha))?;
                reachable.retain(|sha| !base.contains(sha));
                (self.history(&reachable, "", false), Wrap::Comparison)
            }
            ["deployments" | "releases"] => (newest_by(self.list(path), "created_at"), Wrap::List),
            ["pulls"] => (newest_by(self.list(path), "updated_at"), Wrap::List),
            ["issues"] => {
                let label = value("labels")?.replace("%3A", ":").replace("%20", " ");
                let mut issues = newest_by(self.list(path), "updated_at");
                let has_label = |issue: &Value| {
                    let labels = issue["labels"].as_array().unwrap();
                    labels.iter().any(|has| has["name"] == label.as_str())
                };
                issues.retain(|issue| {
                    has_label(issue) && issue["updated_at"].as_str() >= Some(since)
                });
                (issues, Wrap::List)
            }
            ["actions", "runs"] | ["actions", "workflows", "deploy.yml", "runs"] => {
                let (from, to) = value("created")?.split_once("..")?;
                let mut runs = newest_by(self.list("actions/runs"), "created_at");
                if let ["actions", "workflows", file, _] = parts.as_slice() {
                    runs.retain(|run| run["path"].as_str().is_some_and(|path| path.contains(file)));
                }
                runs.retain(|run| (from..=to).contains(&run["created_at"].as_str().unwrap()));
                (runs, Wrap::Runs)
            }
            ["commits", "tags", name @ ..] => {
                let tags = self.list("tags");
                let tag = tags.into_iter().find(|tag| tag["name"] == name.join("/").as_str())?;
                (vec![tag], Wrap::One)
            }
            ["git", "matching-refs", rest @ ..] => {
                let prefix = format!("refs/{}", rest.join("/"));
                let begins = |named: &&Value| named["ref"].as_str().unwrap().starts_with(&prefix);
                (self.list("refs").into_iter().filter(begins).collect(), Wrap::List)
            }
            ["git", "tags", sha] => {
                let mut tags = self.list("git/tags").into_iter();
                (vec![tags.find(|tag| tag["sha"] == *sha)?], Wrap::One)
            }
            ["git", "commits", sha] => {
                let (pushed_ms, commit) = self.commits.get(*sha)?;
                (*pushed_ms <= self.now_ms).then_some((vec![&commit["commit"]], Wrap::One))?
            }
            [.., id] if id.parse::<u64>().is_ok() => {
                let list = path.rsplit_once('/')?.0;
                (vec![self.one(list, id)?], Wrap::One)
            }
            _ => (self.list(path), Wrap::List),
        })
    }

    fn history(&self, shas: &BTreeSet<&str>, since: &str, newest_first: bool) -> Vec<&Value> {
        let mut commits: Vec<&Value> = shas.iter().map(|sha| &self.commits[*sha].1).collect();
        let date =
            |commit: &Value| commit["commit"]["committer"]["date"].as_str().map(str::to_owned);
        commits.retain(|commit| date(commit).as_deref() >= Some(since));
        commits.sort_by_cached_key(|commit| (date(commit), commit["sha"].to_string()));
        if newest_first {
            commits.reverse();
        }
        commits
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrap {
    One,
    List,
    Runs,
    Comparison,
}

/// A world behind a socket.
pub(super) struct GitHub {
    door: Loopback,
    world: Arc<Mutex<World>>,
}

impl GitHub {
    pub(super) async fn start(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let shared = Arc::clone(&world);
        let door = Loopback::start(move |host, target, token| {
            let mut world = shared.lock().unwrap();
            assert!(token.is_some(), "a request without a token");
            world.requests.push(target.to_owned());
            let (mut fault, now_ms) = (None, world.now_ms);
            // A fault now and then: years of them would wait for years.
            if world.seed != 0 && world.requests.len().is_multiple_of(4) {
                (fault, world.seed) = loopback::fault(world.seed, now_ms);
            }
            world.faults += u64::from(fault.is_some());
            match fault {
                Some(Fault::Answer(answer)) => answer,
                Some(Fault::Cut) => {
                    let (status, headers, body, _) = world.answer(host, target);
                    (status, headers, body, true)
                }
                None => world.answer(host, target),
            }
        });
        Self { door: door.await, world }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(super) fn collector(&self, streams: &[Stream], since_ms: i64) -> Collector {
        self.collector_of(plan(streams, since_ms))
    }

    pub(super) fn collector_of(&self, plan: Plan) -> Collector {
        let mut config = Config::new("token");
        config.api = format!("{}/api/v3", self.door.address);
        Collector::new(Client::new(&config).unwrap(), plan).unwrap()
    }
}

/// A plan whose tags are versions.
pub(super) fn plan(streams: &[Stream], since_ms: i64) -> Plan {
    Plan {
        repository: Repository::new("acme/shop"),
        service: Service::new("shop"),
        streams: streams.to_vec(),
        incident_label: "incident".into(),
        workflow: "deploy.yml".into(),
        jobs: false,
        prereleases: false,
        tags: ["v*", "shop/v*"].map(|pattern| Glob::new(pattern).unwrap()).to_vec(),
        environment: Environment::new("production"),
        since_ms,
    }
}

/// Facts as a ledger keeps them: of the versions of one the latest.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) facts: BTreeMap<(&'static str, String), Fact>,
    pub(super) rejects: Vec<Reject>,
    pub(super) cursor: Cursor,
}

impl Kept {
    fn keep(&mut self, facts: Vec<Fact>) {
        let rank = |fact: &Fact| (fact.as_of_ms, serde_json::to_string(fact).unwrap());
        for fact in facts {
            let key = (fact.what.kind(), fact.id.clone());
            match self.facts.get_mut(&key) {
                Some(kept) if rank(kept) >= rank(&fact) => {}
                Some(kept) => *kept = fact,
                None => drop(self.facts.insert(key, fact)),
            }
        }
    }

    pub(super) fn take(&mut self, batch: Batch) -> Next {
        self.keep(batch.facts);
        self.rejects.extend(batch.rejects);
        let stored = serde_json::to_string(&batch.cursor).unwrap();
        self.cursor = serde_json::from_str(&stored).unwrap();
        batch.next
    }

    /// One round, and another while a stream was refused. Waits move the world's clock.
    pub(super) async fn round(&mut self, github: &GitHub, collector: &Collector) {
        let mut is_whole = true;
        for at in 0..20_000 {
            let now_ms = github.world().now_ms;
            let batch = collector.step(std::mem::take(&mut self.cursor), now_ms, at).await;
            match self.take(batch) {
                Next::Now => {}
                Next::Later(wait) => github.world().now_ms = wait.until_ms,
                Next::Refused(_, refusal) => {
                    assert_eq!(refusal, Refusal::Token);
                    is_whole = false;
                }
                Next::Complete { .. } if is_whole => return,
                Next::Complete { .. } => is_whole = true,
            }
        }
        panic!("no end: {:?}", self.cursor);
    }

    pub(super) fn ids(&self, kind: &str) -> Vec<&str> {
        let of_kind = self.facts.keys().filter(|(of, _)| *of == kind);
        of_kind.map(|(_, id)| id.as_str()).collect()
    }
}

pub(super) fn sha(seed: u64) -> String {
    format!("{:016x}{seed:024x}", seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn commit(sha: &str, parents: &[&str], times: (i64, i64), message: &str) -> Value {
    let parents: Vec<Value> = parents.iter().map(|sha| json!({"sha": sha})).collect();
    json!({
        "sha": sha,
        "parents": parents,
        "commit": {
            "author": {"date": date(times.0)},
            "committer": {"date": date(times.1)},
            "message": message,
        },
    })
}

pub(super) fn date(at_ms: i64) -> String {
    jiff::Timestamp::from_second(at_ms / 1_000).unwrap().to_string()
}

/// Small pages, so that lists have several.
const PAGE_MAX: usize = 30;
