//! One history, served on loopback as REST and as GraphQL, with the faults of both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::history::{Dice, History, changed_since};
use super::language::Query;
use crate::sources::github::reply::parse_ms;

/// What the server has, and what it does beside answering.
#[derive(Default)]
pub(super) struct Mood {
    pub(super) history: History,
    /// The history as GraphQL shows it, made at the first query.
    pub(super) graph: Option<Value>,
    /// Faults come from this seed; 0 is a server without any.
    pub(super) seed: u64,
    /// Pages of more objects than this time out.
    pub(super) first_max: Option<u64>,
    /// Every page is the first one.
    pub(super) is_stuck: bool,
    /// An answer to everything.
    pub(super) always: Option<(u16, &'static str)>,
    /// The third element of every page of this field is withheld.
    pub(super) withheld: Option<&'static str>,
    /// The commits of this pull request never come.
    pub(super) costly: Option<u64>,
    pub(super) faults: u64,
    pub(super) points: u64,
    pub(super) operations: BTreeMap<String, u64>,
    /// Sizes of the pages that were asked for.
    pub(super) firsts: Vec<u64>,
    pub(super) requests: Vec<String>,
}

pub(super) struct Server {
    pub(super) address: String,
    pub(super) mood: Arc<Mutex<Mood>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mood = Arc::new(Mutex::new(mood));
        let (shared, host) = (Arc::clone(&mood), address.clone());
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, Arc::clone(&shared), host.clone()));
            }
        });
        Self { address, mood, task }
    }
}

struct Answer {
    status: u16,
    headers: String,
    body: String,
    is_cut: bool,
}

fn plain(status: u16, headers: &str, body: &str) -> Answer {
    Answer { status, headers: headers.into(), body: body.into(), is_cut: false }
}

async fn serve(mut socket: TcpStream, mood: Arc<Mutex<Mood>>, host: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("authorization: bearer "), "a request without a token");
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut request = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    socket.read_exact(&mut request).await.unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let Answer { status, headers, body, is_cut } = if head.starts_with("POST ") {
        assert!(lower.contains("content-type: application/json"), "{head}");
        graphql(&mut mood.lock().unwrap(), target, &request)
    } else {
        rest(&mut mood.lock().unwrap(), &host, target)
    };
    let length = body.len();
    let body = &body.as_bytes()[..if is_cut { length / 2 } else { length }];
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n");
    let _ = socket.write_all(format!("{head}{headers}\r\n").as_bytes()).await;
    let _ = socket.write_all(body).await;
    let _ = socket.shutdown().await;
}

fn graphql(mood: &mut Mood, target: &str, request: &[u8]) -> Answer {
    assert!(["/graphql", "/api/graphql"].contains(&target), "{target}");
    let request: Value = serde_json::from_slice(request).unwrap();
    let operation = request["operationName"].as_str().unwrap();
    let variables = &request["variables"];
    *mood.operations.entry(operation.to_owned()).or_default() += 1;
    mood.firsts.extend(variables["first"].as_u64());
    if let Some((status, body)) = mood.always {
        return plain(status, "", body);
    }
    let fault = if mood.seed == 0 {
        u64::MAX
    } else {
        let mut dice = Dice(mood.seed);
        let fault = dice.roll(24);
        mood.seed = dice.0;
        fault
    };
    mood.faults += u64::from(fault < FAULTS);
    if let Some(answer) = failed(fault) {
        return answer;
    }
    if mood.first_max.is_some_and(|first_max| variables["first"].as_u64() > Some(first_max)) {
        return plain(504, "content-type: text/html\r\n", "<html>Gateway timeout");
    }
    let query = Query::read(request["query"].as_str().unwrap(), operation, variables);
    mood.points += query.points();
    if variables["name"].as_str().is_some_and(|name| name != "shop") {
        let body = r#"{"data":{"repository":null},"errors":[{"type":"NOT_FOUND",
            "path":["repository"],"message":"Could not resolve to a Repository"}]}"#;
        return plain(200, "", body);
    }
    let mut variables = variables.clone();
    if mood.is_stuck {
        variables["after"] = Value::Null;
    }
    let query = Query::read(request["query"].as_str().unwrap(), operation, &variables);
    let mut data = query.show(root(mood, &query, &variables));
    let mut errors = withhold(mood, &mut data);
    if fault == HOLE {
        errors.extend(hole(&mut data));
    }
    let mut body = json!({ "data": data });
    if !errors.is_empty() {
        body["errors"] = json!(errors);
    }
    Answer { is_cut: fault == CUT, ..plain(200, "", &body.to_string()) }
}

fn root<'a>(mood: &'a mut Mood, query: &Query, variables: &Value) -> &'a Value {
    let root = mood.graph.get_or_insert_with(|| json!({ "repository": mood.history.graph() }));
    let node = variables["id"].as_str().map(|id| {
        let lists = ["deployments", "pullRequests", "issues", "commits"];
        let mut all = lists.iter().flat_map(|list| root["repository"][list].as_array()).flatten();
        all.find(|object| object["id"] == id).cloned().unwrap_or(Value::Null)
    });
    root["node"] = json!(node);
    root["rateLimit"] = json!({ "__typename": "RateLimit", "cost": query.points(),
                                "remaining": 4_000, "resetAt": "2023-11-14T23:13:20Z" });
    root
}

const FAULTS: u64 = 11;
const HOLE: u64 = 9;
const CUT: u64 = 10;

fn failed(fault: u64) -> Option<Answer> {
    let limits = "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 0\r\n\
                  x-ratelimit-reset: 1700000900\r\n";
    Some(match fault {
        0 => plain(502, "content-type: text/html\r\n", "<html>"),
        1 => plain(200, "content-type: text/html\r\n", "<html>"),
        2 => plain(403, limits, "{}"),
        3 => plain(429, "retry-after: 7\r\n", "{}"),
        4 => plain(401, "", r#"{"message":"Bad credentials"}"#),
        5 => plain(200, "", r#"{"data":{"repository":{"deploy"#),
        6 => plain(
            200,
            limits,
            r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#,
        ),
        7 => plain(
            200,
            "",
            r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query"}]}"#,
        ),
        8 => plain(
            200,
            "retry-after: 9\r\n",
            r#"{"errors":[{"message":"You have exceeded a secondary rate limit"}]}"#,
        ),
        _ => return None,
    })
}

/// Takes the first element of a page away, or the object that was asked for.
fn hole(data: &mut Value) -> Option<Value> {
    let message = "Something went wrong while executing your query";
    if data.get("node").is_some() {
        data["node"] = Value::Null;
        return Some(json!({ "message": message, "path": ["node"] }));
    }
    for (path, nodes) in lists(data) {
        if let Some(first) = nodes.first_mut() {
            *first = Value::Null;
            let path: Vec<Value> = path.iter().map(|part| json!(part)).chain([json!(0)]).collect();
            return Some(json!({ "message": message, "path": path }));
        }
    }
    None
}

/// The pages below `repository`, with their paths.
fn lists(data: &mut Value) -> Vec<(Vec<String>, &mut Vec<Value>)> {
    let repository = data.get_mut("repository").and_then(Value::as_object_mut);
    let fields = repository.into_iter().flatten().filter_map(|(field, list)| {
        let mut path = vec!["repository".to_owned(), field.clone()];
        let list = if field == "object" {
            path.push("history".into());
            list.get_mut("history")?
        } else {
            list
        };
        path.push("nodes".into());
        Some((path, list.get_mut("nodes")?.as_array_mut()?))
    });
    fields.collect()
}

fn withhold(mood: &Mood, data: &mut Value) -> Vec<Value> {
    let mut errors = Vec::new();
    for (path, nodes) in lists(data) {
        for (at, node) in nodes.iter_mut().enumerate() {
            let mut path: Vec<Value> = path.iter().map(|part| json!(part)).collect();
            path.push(json!(at));
            if mood.withheld.is_some_and(|field| path[1] == field) && at == 2 {
                *node = Value::Null;
                errors.push(
                    json!({ "type": "FORBIDDEN", "message": "protected by SAML", "path": path }),
                );
            } else if mood.costly.is_some() && node["number"].as_u64() == mood.costly {
                node["commits"] = Value::Null;
                path.push(json!("commits"));
                errors.push(json!({ "message": "Something went wrong", "path": path }));
            }
        }
    }
    errors
}

fn rest(mood: &mut Mood, host: &str, target: &str) -> Answer {
    mood.requests.push(target.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == "/api/v3/rate_limit" {
        let hour = json!({ "limit": 5_000, "remaining": 4_000, "reset": 1_700_003_600 });
        let body = json!({ "resources": { "core": hour, "graphql": hour } });
        return plain(200, "", &body.to_string());
    }
    if path == "/api/v3/repos/acme/shop" {
        return plain(200, "", "{}");
    }
    let path = path.strip_prefix("/api/v3/repos/acme/shop/").unwrap();
    let parameter =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let history = &mood.history;
    let parts: Vec<&str> = path.split('/').collect();
    let number = |at: usize| parts[at].parse::<u64>().unwrap();
    let deployment =
        |id| history.deployments.iter().find(|(object, _)| object["id"] == id).unwrap();
    let pull = |id| history.pulls.iter().find(|pull| pull.object["number"] == id).unwrap();
    let issue = |id| history.issues.iter().find(|(issue, _)| issue["number"] == id).unwrap();
    let mut list: Vec<Value> = match parts.as_slice() {
        ["deployments"] => history.deployments.iter().rev().map(|(d, _)| d.clone()).collect(),
        ["deployments", _] => return plain(200, "", &deployment(number(1)).0.to_string()),
        ["deployments", _, "statuses"] => deployment(number(1)).1.clone(),
        ["pulls"] => history.pulls.iter().map(|pull| pull.object.clone()).collect(),
        ["pulls", _] => return plain(200, "", &pull(number(1)).object.to_string()),
        ["pulls", _, "commits"] => pull(number(1)).commits.iter().take(250).cloned().collect(),
        ["pulls", _, "reviews"] => pull(number(1)).reviews.clone(),
        ["issues", _, "comments"] => pull(number(1)).comments.clone(),
        ["issues"] => {
            let since = parse_ms(parameter("since").unwrap()).unwrap();
            let is_incident = |issue: &&Value| issue["labels"][0]["name"] == "incident: p1";
            let issues = history.issues.iter().map(|(issue, _)| issue);
            let issues = issues.filter(is_incident).cloned();
            issues.filter(|issue| changed_since(issue, "updated_at", since)).collect()
        }
        ["issues", _] => return plain(200, "", &issue(number(1)).0.to_string()),
        ["issues", _, "timeline"] => issue(number(1)).1.clone(),
        ["commits"] => {
            let since = parameter("since").map_or(0, |since| parse_ms(since).unwrap());
            let is_recent =
                |commit: &&Value| changed_since(&commit["commit"]["committer"], "date", since);
            history.commits.iter().rev().filter(is_recent).cloned().collect()
        }
        ["compare", ends] => {
            let (base, head) = ends.split_once("...").unwrap();
            let at = |sha: &str| history.commits.iter().position(|c| c["sha"] == sha).unwrap();
            let commits = history.commits.get(at(base) + 1..=at(head)).unwrap_or_default();
            let body = json!({ "total_commits": commits.len(), "commits": commits });
            return plain(200, "", &body.to_string());
        }
        ["releases"] => history.releases.iter().rev().map(|(r, _)| r.clone()).collect(),
        ["commits", tag] => {
            let name = tag.strip_prefix("tags%2F").unwrap().replace("%2F", "/");
            let found = history.releases.iter().find(|(release, _)| release["tag_name"] == *name);
            let Some(Some(sha)) = found.map(|(_, sha)| sha) else {
                return plain(422, "", r#"{"message":"No commit found"}"#);
            };
            return plain(200, "", &json!({ "sha": sha }).to_string());
        }
        ["git", "matching-refs", begin] => {
            let begin = format!("refs/{}", begin.replace("%2F", "/"));
            let begins = |tag: &&Value| tag["ref"].as_str().unwrap().starts_with(&begin);
            let tags: Vec<&Value> = history.tags.iter().filter(begins).collect();
            return plain(200, "", &json!(tags).to_string());
        }
        ["git", "tags", sha] => {
            let tag = history.annotated.iter().find(|tag| tag["sha"] == *sha).unwrap();
            return plain(200, "", &tag.to_string());
        }
        ["git", "commits", sha] => {
            let commit = history.commits.iter().find(|commit| commit["sha"] == *sha).unwrap();
            return plain(200, "", &commit["commit"].to_string());
        }
        ["actions", "runs"] => {
            return plain(200, "", r#"{"total_count":0,"workflow_runs":[]}"#);
        }
        _ => panic!("{path}"),
    };
    if parameter("sort") == Some("updated") {
        list.sort_by(|a, b| b["updated_at"].as_str().cmp(&a["updated_at"].as_str()));
    }
    let at: usize = parameter("page").map_or(1, |page| page.parse().unwrap());
    let shown: Vec<&Value> = list.iter().skip((at - 1) * 100).take(100).collect();
    let bare = target.split("&page=").next().unwrap();
    let next = format!("link: <{host}{bare}&page={}>; rel=\"next\"\r\n", at + 1);
    plain(200, if at * 100 < list.len() { &next } else { "" }, &json!(shown).to_string())
}
