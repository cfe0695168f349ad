//! The collector against a server on loopback that pages, renames and fails as GitHub does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use redora_model::fact::{Fact, Nature, State, What};
use redora_model::identity::{Environment, Repository, Service};
use serde_json::{Value, json};

use self::loopback::{Answer, Fault, Loopback};
use super::*;

mod apps;
mod commits;
mod hints;
mod jobs;
mod loopback;
mod replay;
mod replay_signs;
mod signs;
mod waits;
mod world;

const NOW_MS: i64 = 1_700_000_000_000;
const SINCE_MS: i64 = NOW_MS - 30 * 86_400_000;

/// What the server does beside answering.
#[derive(Default)]
struct Mood {
    /// Faults come from this seed; 0 is a server without any.
    seed: u64,
    /// `acme/shop` was renamed, and is found under its number.
    renamed: bool,
    /// Every page names itself as the next one.
    stuck: bool,
    /// Links lead to this host.
    link_host: Option<&'static str>,
    /// An answer to everything.
    always: Option<(u16, &'static str, &'static str)>,
    /// Runs a search claims to have found when its window is longer than a day.
    total: Option<u64>,
    faults: u64,
    requests: Vec<String>,
}

struct Server {
    door: Loopback,
    mood: Arc<Mutex<Mood>>,
}

impl Server {
    async fn start(mood: Mood) -> Self {
        let mood = Arc::new(Mutex::new(mood));
        let shared = Arc::clone(&mood);
        let door = Loopback::start(move |host, target, token| answer(&shared, host, target, token));
        Self { door: door.await, mood }
    }

    fn collector(&self, token: &str, repository: &str) -> Collector {
        let mut config = Config::new(token);
        config.api = format!("{}/api/v3", self.door.address);
        let client = Client::new(&config).unwrap();
        let plan = Plan {
            repository: Repository::new(repository),
            service: Service::new("shop"),
            streams: ALL.to_vec(),
            incident_label: "incident: p1".into(),
            workflow: "deploy.yml".into(),
            jobs: false,
            prereleases: false,
            tags: Vec::new(),
            environment: Environment::new("production"),
            since_ms: SINCE_MS,
        };
        Collector::new(client, plan).unwrap()
    }
}

const ALL: [Stream; 4] =
    [Stream::Deployments, Stream::PullRequests, Stream::Runs, Stream::Incidents];

fn answer(mood: &Mutex<Mood>, host: &str, target: &str, token: Option<&str>) -> Answer {
    let mut mood = mood.lock().unwrap();
    mood.requests.push(target.to_owned());
    if let Some((status, headers, body)) = mood.always {
        return (status, headers.into(), body.into(), false);
    }
    if mood.seed != 0 {
        let (fault, seed) = loopback::fault(mood.seed, NOW_MS);
        mood.seed = seed;
        mood.faults += u64::from(fault.is_some());
        match fault {
            Some(Fault::Answer(answer)) => return answer,
            Some(Fault::Cut) => {
                let (status, headers, body, _) = page(&mood, host, target);
                return (status, headers, body, true);
            }
            None => {}
        }
    }
    assert!(token.is_some(), "a request without a token");
    page(&mood, host, target)
}

fn page(mood: &Mood, host: &str, target: &str) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == "/api/v3/repos/acme/shop" {
        return (200, String::new(), "{}".into(), false);
    }
    let numbered = path.strip_prefix("/api/v3/repositories/7/");
    if mood.renamed && numbered.is_none() {
        let to = target.replace("/repos/acme/shop/", "/repositories/7/");
        return (301, format!("location: {host}{to}\r\n"), "{}".into(), false);
    }
    let Some(path) = numbered.or_else(|| path.strip_prefix("/api/v3/repos/acme/shop/")) else {
        return (404, String::new(), r#"{"message":"Not Found"}"#.into(), false);
    };
    let parts: Vec<&str> = path.split('/').collect();
    let one = |list: &str, key: &str, id: &str| {
        let found =
            objects(list).into_iter().find(|object| object[key] == id.parse::<u64>().unwrap());
        match found {
            Some(object) => (200, String::new(), object.to_string(), false),
            None => (404, String::new(), "{}".into(), false),
        }
    };
    let list = match parts.as_slice() {
        ["deployments"] => "deployments",
        ["deployments", "4", "statuses"] => "none",
        ["deployments", _, "statuses"] => "statuses",
        ["deployments", id] => return one("deployments", "id", id),
        ["pulls"] => "pulls",
        ["pulls", _, "commits"] => "commits",
        ["pulls", _, "reviews"] => "reviews",
        ["issues", _, "comments"] => "comments",
        ["issues", "31", "timeline"] => "timeline",
        ["issues", _, "timeline"] => "none",
        ["pulls", id] => return one("pulls", "number", id),
        ["actions", "runs"] => "runs",
        ["actions", "runs", id] => return one("runs", "id", id),
        ["actions", "runs", "71", "attempts", "1"] => {
            let mut run = objects("runs").remove(0);
            run["run_attempt"] = json!(1);
            run["conclusion"] = json!("failure");
            return (200, String::new(), run.to_string(), false);
        }
        ["issues"] => "issues",
        ["issues", id] => return one("issues", "number", id),
        _ => return (404, String::new(), "{}".into(), false),
    };
    let mut elements = objects(list);
    let mut total = elements.len() as u64;
    if list == "runs" {
        let created = query.split("created=").nth(1).unwrap().split('&').next().unwrap();
        let (from, to) = created.split_once("..").unwrap();
        elements.retain(|run| {
            let at = run["created_at"].as_str().unwrap();
            from <= at && at <= to
        });
        let is_long = reply::parse_ms(to).unwrap() - reply::parse_ms(from).unwrap() > 86_400_000;
        total = mood.total.filter(|_| is_long).unwrap_or(elements.len() as u64);
    }
    let at: usize = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("page="))
        .map_or(1, |page| page.parse().unwrap());
    let shown: Vec<&Value> = elements.iter().skip((at - 1) * 2).take(2).collect();
    let bare = query.split("&page=").next().unwrap();
    let host = mood.link_host.unwrap_or(host);
    let next = if mood.stuck { at } else { at + 1 };
    let mut headers = "x-ratelimit-limit: 0\r\nx-ratelimit-remaining: 0\r\n".to_owned();
    if at * 2 < elements.len() {
        let path = target.split('?').next().unwrap();
        headers += &format!(
            "link: <{host}{path}?{bare}&page=1>; rel=\"first\", \
             <{host}{path}?{bare}&page={next}>; rel=\"next\"\r\n"
        );
    }
    let body = match list {
        "runs" => json!({"total_count": total, "workflow_runs": shown}).to_string(),
        _ => json!(shown).to_string(),
    };
    (200, headers, body, false)
}

fn objects(list: &str) -> Vec<Value> {
    let text = match list {
        "deployments" => include_str!("../../../tests/data/github/deployments.json"),
        "statuses" => include_str!("../../../tests/data/github/statuses.json"),
        "pulls" => include_str!("../../../tests/data/github/pulls.json"),
        "commits" => include_str!("../../../tests/data/github/commits.json"),
        "reviews" => include_str!("../../../tests/data/github/reviews.json"),
        "comments" => include_str!("../../../tests/data/github/comments.json"),
        "runs" => include_str!("../../../tests/data/github/runs.json"),
        "issues" => include_str!("../../../tests/data/github/issues.json"),
        "timeline" => include_str!("../../../tests/data/github/timeline.json"),
        _ => "[]",
    };
    serde_json::from_str(text).unwrap()
}

type Facts = BTreeMap<(String, String), Fact>;

/// Rounds until one ends with no stream refused, through a cursor that is written down and read
/// between any two steps.
async fn collected(server: &Server) -> (Facts, Vec<Reject>, Cursor) {
    let mut collector = server.collector("first", "acme/shop");
    let (mut facts, mut rejects) = (Facts::new(), Vec::new());
    let (mut cursor, mut now_ms, mut is_whole) = (Cursor::default(), NOW_MS, true);
    for at in 0..2_000 {
        let stored = serde_json::to_string(&cursor).unwrap();
        let batch = collector.step(serde_json::from_str(&stored).unwrap(), now_ms, at).await;
        for fact in batch.facts {
            facts.insert((fact.what.kind().to_owned(), fact.id.clone()), fact);
        }
        rejects.extend(batch.rejects);
        cursor = batch.cursor;
        match batch.next {
            Next::Now => {}
            Next::Later(wait) => {
                assert!(wait.until_ms > now_ms, "{wait:?}");
                now_ms = wait.until_ms;
            }
            Next::Refused(_, refusal) => {
                assert_eq!(refusal, Refusal::Token);
                collector = server.collector("renewed", "acme/shop");
                is_whole = false;
            }
            Next::Complete { .. } if is_whole => return (facts, rejects, cursor),
            Next::Complete { .. } => is_whole = true,
        }
    }
    panic!("no end: {cursor:?}");
}

#[tokio::test]
async fn objects_become_facts_and_a_bad_one_spoils_no_page() {
    let server = Server::start(Mood::default()).await;
    let (facts, rejects, cursor) = collected(&server).await;
    let ids: Vec<String> = facts.keys().map(|(kind, id)| format!("{kind} {id}")).collect();
    let expected = "deployment 1,deployment 2,deployment 4,incident 31,incident 32,\
                    pull_request 11,pull_request 12,run 71/1,run 71/2,run 72/1";
    assert_eq!(ids.join(","), expected);
    let lines: Vec<String> =
        facts.values().map(|fact| serde_json::to_string(fact).unwrap()).collect();
    let golden = include_str!("../../../tests/data/github/facts.jsonl");
    assert_eq!(lines.join("\n"), golden.trim_end());
    let mut reasons: Vec<&str> = rejects.iter().map(|reject| reject.reason.as_str()).collect();
    reasons.dedup();
    assert!(reasons.iter().any(|reason| reason.contains("invalid type: string")), "{reasons:?}");
    assert!(reasons.contains(&"1: status: unknown state: dreaming"), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("missing field `sha`")), "{reasons:?}");
    assert_eq!(cursor.open(), 2, "deployment 4 and run 72 are not over");
    assert!(ALL.iter().all(|stream| cursor.complete_until_ms(*stream) == Some(NOW_MS)));
    let first = facts[&("deployment".into(), "1".into())].clone();
    let What::Deployment(first) = first.what else { panic!("a deployment") };
    let states: Vec<State> = first.statuses.iter().map(|status| status.state).collect();
    assert_eq!(states, [State::Pending, State::InProgress, State::Success, State::Inactive]);
    let declined = &facts[&("incident".into(), "32".into())].what;
    assert!(matches!(declined, What::Incident(i) if i.nature == Nature::Declined));
}

#[tokio::test]
async fn every_schedule_of_faults_ends_in_the_same_facts() {
    let calm = Server::start(Mood::default()).await;
    let (expected, ..) = collected(&calm).await;
    let mut faults = 0;
    for seed in 1..=40_u64 {
        let seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let server = Server::start(Mood { seed, ..Mood::default() }).await;
        let (facts, ..) = collected(&server).await;
        assert_eq!(facts, expected, "seed {seed}");
        faults += server.mood.lock().unwrap().faults;
    }
    assert!(faults > 400, "{faults} faults");
}

#[tokio::test]
async fn a_renamed_repository_is_followed_to_its_number() {
    let calm = Server::start(Mood::default()).await;
    let renamed = Server::start(Mood { renamed: true, ..Mood::default() }).await;
    assert_eq!(collected(&renamed).await.0, collected(&calm).await.0);
}

#[tokio::test]
async fn a_page_that_comes_again_stops_the_walk_and_keeps_the_watermark() {
    let server = Server::start(Mood { stuck: true, ..Mood::default() }).await;
    let (_, rejects, cursor) = collected(&server).await;
    assert!(rejects.iter().any(|reject| reject.reason.contains("a page came again")));
    assert_eq!(cursor.complete_until_ms(Stream::Deployments), None);
}

#[tokio::test]
async fn a_search_that_is_capped_is_split_in_time() {
    let server = Server::start(Mood { total: Some(4_000), ..Mood::default() }).await;
    let (facts, ..) = collected(&server).await;
    assert_eq!(facts.keys().filter(|(kind, _)| kind == "run").count(), 3);
    let requests = &server.mood.lock().unwrap().requests;
    assert!(requests.iter().filter(|path| path.contains("created=")).count() > 30);
}

#[tokio::test]
async fn a_second_round_reads_what_is_open_and_little_else() {
    let server = Server::start(Mood::default()).await;
    let (.., mut cursor) = collected(&server).await;
    server.mood.lock().unwrap().requests.clear();
    let collector = server.collector("first", "acme/shop");
    let later_ms = NOW_MS + 2 * 86_400_000;
    let mut ids = Vec::new();
    for at in 0..40 {
        let batch = collector.step(cursor, later_ms, at).await;
        ids.extend(batch.facts.iter().map(|fact| fact.id.clone()));
        cursor = batch.cursor;
        if batch.next == (Next::Complete { until_ms: later_ms }) {
            break;
        }
    }
    assert_eq!(ids, ["4", "72/1"]);
    assert_eq!(server.mood.lock().unwrap().requests.len(), 6);
}

#[tokio::test]
async fn a_token_that_lost_its_access_makes_nothing_deleted() {
    let server = Server::start(Mood::default()).await;
    let (.., cursor) = collected(&server).await;
    server.mood.lock().unwrap().always = Some((404, "", "{}"));
    let batch = server.collector("first", "acme/shop").step(cursor, NOW_MS + 1, 0).await;
    assert!(matches!(batch.next, Next::Refused(_, Refusal::Unknown { .. })), "{batch:?}");
    assert_eq!(batch.cursor.open(), 2);
}

#[tokio::test]
async fn a_step_tells_what_its_last_answer_left_of_the_limit() {
    let remaining = async |mood: Mood| {
        let server = Server::start(mood).await;
        let collector = server.collector("first", "acme/shop");
        collector.step(Cursor::default(), NOW_MS, 0).await.remaining
    };
    let left = "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4321\r\n";
    let answered = Mood { always: Some((200, left, "[]")), ..Mood::default() };
    assert_eq!(remaining(answered).await, Some(4_321));
    let used_up = "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 0\r\n";
    let limited = Mood { always: Some((403, used_up, "{}")), ..Mood::default() };
    assert_eq!(remaining(limited).await, Some(0));
    assert_eq!(remaining(Mood::default()).await, None, "0 of 0 is no limit");
}

async fn refused(mood: Mood, repository: &str) -> String {
    let server = Server::start(mood).await;
    let batch = server.collector("first", repository).step(Cursor::default(), NOW_MS, 0).await;
    let Next::Refused(Stream::Deployments, refusal) = batch.next else { panic!("{batch:?}") };
    refusal.to_string()
}

#[tokio::test]
async fn each_refusal_names_its_cure() {
    let unknown = refused(Mood::default(), "acme/shpo").await;
    assert!(unknown.contains("/repos/acme/shpo (404): check the spelling"), "{unknown}");
    let headers = "x-accepted-github-permissions: deployments=read\r\n";
    let always = Some((403, headers, r#"{"message":"Resource not accessible"}"#));
    let permission = refused(Mood { always, ..Mood::default() }, "acme/shop").await;
    assert!(permission.contains("give the token the permission `deployments=read`"));
    let always = Some((401, "", r#"{"message":"Bad credentials"}"#));
    let token = refused(Mood { always, ..Mood::default() }, "acme/shop").await;
    assert!(token.contains("issue a new one"), "{token}");
    let link_host = Some("http://evil.example");
    let elsewhere = refused(Mood { link_host, ..Mood::default() }, "acme/shop").await;
    assert!(elsewhere.starts_with("GitHub points to evil.example"), "{elsewhere}");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_told_before_the_first_request() {
    let told = |change: fn(&mut Config)| {
        let mut config = Config::new("t");
        change(&mut config);
        Client::new(&config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(told(|c| c.api = "github.com".into()).contains("no address of an API"));
    assert!(told(|c| c.identity = Identity::Token("a\nb".into())).contains("the token"));
    assert!(told(|c| c.proxy = Some("socks5://x".into())).contains("no address of a proxy"));
    assert!(told(|c| c.ca_file = Some("/absent.pem".into())).contains("cannot be read"));
    assert!(told(|c| c.ca_file = Some("/dev/null".into())).contains("holds no PEM certificate"));
}
