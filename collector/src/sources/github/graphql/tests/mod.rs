//! The backfill against a server on loopback that executes the queries as they are sent, prices
//! them, and serves the same history to the collector.

mod forecast;
mod history;
mod language;
mod server;
mod signs;

use std::collections::BTreeMap;

use redora_model::identity::{Environment, Repository, Service};

use self::history::{Dice, History};
use self::server::{Mood, Server};
use crate::sources::github::{
    Backfill, BackfillCursor, Batch, Client, Collector, Config, Cursor, Next, Plan, Refusal,
    Reject, Stream,
};

const NOW_MS: i64 = 1_700_000_000_000;
const DAY_MS: i64 = 86_400_000;
const SINCE_MS: i64 = NOW_MS - 30 * DAY_MS;
const ALL: [Stream; 4] =
    [Stream::Deployments, Stream::PullRequests, Stream::Incidents, Stream::Commits];

impl Server {
    fn client(&self, path: &str) -> Client {
        let mut config = Config::new("token");
        config.api = format!("{}{path}", self.address);
        Client::new(&config).unwrap()
    }

    fn backfill(&self) -> Backfill {
        Backfill::new(self.client("/api/v3"), plan("acme/shop")).unwrap()
    }

    fn collector(&self) -> Collector {
        Collector::new(self.client("/api/v3"), plan("acme/shop")).unwrap()
    }
}

fn plan(repository: &str) -> Plan {
    Plan {
        repository: Repository::new(repository),
        service: Service::new("shop"),
        streams: ALL.to_vec(),
        incident_label: "incident: p1".into(),
        workflow: String::new(),
        jobs: false,
        prereleases: false,
        tags: Vec::new(),
        environment: Environment::new("production"),
        since_ms: SINCE_MS,
    }
}

/// Each fact's latest line.
type Lines = BTreeMap<(String, String), String>;

struct Read<C> {
    lines: Lines,
    rejects: Vec<Reject>,
    forgotten: u64,
    requests: u64,
    cursor: C,
}

/// Rounds of steps until one ends with no stream refused, through a cursor that is written down and
/// read between any two.
async fn read<C, F>(mut cursor: C, mut now_ms: i64, step: impl Fn(C, i64, u64) -> F) -> Read<C>
where
    C: serde::Serialize + serde::de::DeserializeOwned,
    F: Future<Output = Batch<C>>,
{
    let (mut lines, mut rejects) = (Lines::new(), Vec::new());
    let (mut forgotten, mut requests, mut is_whole) = (0, 0, true);
    for at in 0..5_000 {
        let stored = serde_json::to_string(&cursor).unwrap();
        let batch = step(serde_json::from_str(&stored).unwrap(), now_ms, at).await;
        for fact in batch.facts {
            let line = serde_json::to_string(&fact).unwrap();
            lines.insert((fact.what.kind().to_owned(), fact.id), line);
        }
        rejects.extend(batch.rejects);
        forgotten += batch.forgotten;
        requests += batch.requests;
        cursor = batch.cursor;
        match batch.next {
            Next::Now => {}
            Next::Later(wait) => {
                assert!(wait.until_ms > now_ms, "{wait:?}");
                now_ms = wait.until_ms;
            }
            Next::Refused(_, refusal) => {
                assert_eq!(refusal, Refusal::Token);
                is_whole = false;
            }
            Next::Complete { .. } if is_whole => {
                return Read { lines, rejects, forgotten, requests, cursor };
            }
            Next::Complete { .. } => is_whole = true,
        }
    }
    panic!("no end");
}

async fn backfilled(server: &Server) -> Read<BackfillCursor> {
    let backfill = server.backfill();
    read(BackfillCursor::default(), NOW_MS, |cursor, now_ms, at| backfill.step(cursor, now_ms, at))
        .await
}

async fn collected(server: &Server, cursor: Cursor, now_ms: i64) -> Read<Cursor> {
    let collector = server.collector();
    read(cursor, now_ms, |cursor, now_ms, at| collector.step(cursor, now_ms, at)).await
}

async fn start(history: History) -> Server {
    Server::start(Mood { history, ..Mood::default() }).await
}

#[tokio::test]
async fn the_same_object_is_the_same_fact_by_either_way() {
    for seed in 1..=6 {
        let server = start(History::generate(seed, 230, 60, 20, 40)).await;
        let by_rest = collected(&server, Cursor::default(), NOW_MS).await;
        let by_graphql = backfilled(&server).await;
        assert_eq!(by_graphql.lines, by_rest.lines, "seed {seed}");
        assert!(by_graphql.lines.len() > 200, "{}", by_graphql.lines.len());
        assert_eq!((by_graphql.rejects, by_rest.rejects), (vec![], vec![]));
        assert_eq!(by_graphql.forgotten, by_rest.forgotten);
        assert!(by_graphql.requests * 10 < by_rest.requests, "{}", by_graphql.requests);
        let mood = server.mood.lock().unwrap();
        assert_eq!(by_graphql.cursor.points(), mood.points);
        for list in ["Statuses", "Commits", "Reviews", "Comments", "Events", "Parents"] {
            assert!(seed > 1 || mood.operations.contains_key(list), "{list} were never continued");
        }
    }
}

#[tokio::test]
async fn a_month_of_a_busy_repository_costs_at_most_sixty_points() {
    // A young repository with all it has, and an older one, in which the walk has to find where the
    // month begins; its commits are read from a season before on, at a point a hundred.
    for (history, streams) in [
        (History::generate(1, 900, 1_000, 15, 30), &ALL[..]),
        (History::generate(1, 1_800, 2_000, 30, 60), &ALL[..3]),
    ] {
        let server = start(history).await;
        let plan = Plan { streams: streams.to_vec(), ..plan("acme/shop") };
        let backfill = Backfill::new(server.client("/api/v3"), plan).unwrap();
        let read =
            read(BackfillCursor::default(), NOW_MS, |c, now_ms, at| backfill.step(c, now_ms, at));
        let read = read.await;
        let count = |kind: &str| read.lines.keys().filter(|(of, _)| of == kind).count();
        assert!(count("deployment") >= 900, "{}", count("deployment"));
        assert!(count("pull_request") >= 1_000, "{}", count("pull_request"));
        let mood = server.mood.lock().unwrap();
        assert_eq!(read.cursor.points(), mood.points);
        assert!(mood.points <= 60, "{} points: {:?}", mood.points, mood.operations);
    }
}

#[tokio::test]
async fn a_step_tells_what_is_left_of_the_points() {
    let server = start(History::generate(1, 3, 1, 1, 1)).await;
    let batch = server.backfill().step(BackfillCursor::default(), NOW_MS, 0).await;
    assert_eq!(batch.remaining, Some(4_000));
}

#[tokio::test]
async fn every_schedule_of_faults_ends_in_the_same_facts() {
    let history = History::generate(3, 120, 50, 10, 40);
    let calm = start(history.clone()).await;
    let expected = backfilled(&calm).await.lines;
    let mut faults = 0;
    for seed in 1..=40_u64 {
        let seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let server =
            Server::start(Mood { history: history.clone(), seed, ..Mood::default() }).await;
        let read = backfilled(&server).await;
        let mut lines = read.lines;
        let left = read.cursor.into_cursor();
        lines.extend(collected(&server, left, NOW_MS + 1).await.lines);
        assert_eq!(lines, expected, "seed {seed}: {:?}", read.rejects);
        faults += server.mood.lock().unwrap().faults;
    }
    assert!(faults > 300, "{faults} faults");
}

#[tokio::test]
async fn the_collector_goes_on_where_the_backfill_ended() {
    let mut history = History::generate(5, 200, 60, 12, 40);
    let server = start(history.clone()).await;
    let read = backfilled(&server).await;
    let cursor = read.cursor.into_cursor();
    assert!(ALL.iter().all(|stream| cursor.complete_until_ms(*stream) == Some(NOW_MS)));
    let open = cursor.open();
    assert!(open > 5, "{open} are not over");

    let later_ms = NOW_MS + DAY_MS;
    let mut dice = Dice(77);
    for (object, statuses) in &mut history.deployments {
        if statuses
            .iter()
            .all(|s| ["queued", "waiting", "in_progress"].contains(&s["state"].as_str().unwrap()))
        {
            statuses.insert(0, history::status("success", NOW_MS + 5_000));
            object["updated_at"] = statuses[0]["created_at"].clone();
        }
    }
    history.deployments.push(history::deployment(&mut dice, 900, NOW_MS + DAY_MS / 2));
    history.commits.push(history::commit(&mut dice, 900, NOW_MS + DAY_MS / 2));
    history.pulls.push(history::pull(&mut dice, 900, NOW_MS + DAY_MS / 2));
    let reopened = &mut history.pulls[3].object;
    reopened["title"] = "Another title".into();
    reopened["updated_at"] = "2023-11-15T08:00:00Z".into();
    let mood = Mood { history, ..Mood::default() };
    *server.mood.lock().unwrap() = mood;

    let after = collected(&server, cursor, later_ms).await;
    let requests = server.mood.lock().unwrap().requests.clone();
    let mut lines = read.lines;
    lines.extend(after.lines);
    let whole = collected(&server, Cursor::default(), later_ms).await.lines;
    let missed: Vec<_> = whole.iter().filter(|(key, line)| lines.get(key) != Some(line)).collect();
    assert!(missed.is_empty(), "{missed:?}");
    let read_again = |part: &str| requests.iter().filter(|path| path.contains(part)).count();
    assert_eq!(read_again("/statuses"), open + 1, "what was open, and the new one");
    assert_eq!(read_again("/reviews"), 2, "the changed one, and the new one");
}

#[tokio::test]
async fn a_page_that_times_out_is_asked_for_in_smaller_ones() {
    let history = History::generate(4, 150, 80, 5, 30);
    let expected = backfilled(&start(history.clone()).await).await.lines;
    let mood = Mood { history, first_max: Some(7), ..Mood::default() };
    let server = Server::start(mood).await;
    assert_eq!(backfilled(&server).await.lines, expected);
    let firsts = server.mood.lock().unwrap().firsts.clone();
    assert_eq!(firsts[..6], [100, 50, 25, 12, 6, 6]);
    assert!(firsts.iter().filter(|first| **first > 7).count() * 3 < firsts.len(), "{firsts:?}");
}

#[tokio::test]
async fn an_element_that_is_withheld_costs_itself_alone() {
    let history = History::generate(6, 20, 20, 0, 20);
    let whole = backfilled(&start(history.clone()).await).await.lines;
    let mood = Mood { history, withheld: Some("deployments"), ..Mood::default() };
    let read = backfilled(&Server::start(mood).await).await;
    assert_eq!(read.lines.len(), whole.len() - 1);
    let reasons: Vec<_> = read.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, ["repository.deployments.nodes.2: protected by SAML"]);
}

#[tokio::test]
async fn what_graphql_cannot_give_whole_is_left_to_rest() {
    let history = History::generate(7, 0, 20, 0, 20);
    let expected = backfilled(&start(history.clone()).await).await.lines;
    let server = Server::start(Mood { history, costly: Some(15), ..Mood::default() }).await;
    let read = backfilled(&server).await;
    let key = ("pull_request".to_owned(), "15".to_owned());
    assert!(!read.lines.contains_key(&key), "a fact without its commits is another fact");
    let after = collected(&server, read.cursor.into_cursor(), NOW_MS + 1).await;
    assert_eq!(after.lines[&key], expected[&key]);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_walk_without_a_watermark() {
    let history = History::generate(8, 250, 0, 0, 20);
    let server = Server::start(Mood { history, is_stuck: true, ..Mood::default() }).await;
    let read = backfilled(&server).await;
    assert!(read.rejects.iter().any(|reject| reject.reason.contains("a page came again")));
    assert_eq!(read.cursor.complete_until_ms(Stream::Deployments), None);
    let left = read.cursor.into_cursor();
    assert_eq!(left.complete_until_ms(Stream::Deployments), None);
    assert_eq!(left.complete_until_ms(Stream::Incidents), Some(NOW_MS));
}

#[tokio::test]
async fn a_page_of_one_that_never_comes_leaves_the_stream_to_the_collector() {
    let history = History::generate(2, 30, 0, 0, 20);
    let server = Server::start(Mood { history, first_max: Some(0), ..Mood::default() }).await;
    let read = backfilled(&server).await;
    assert!(ALL.iter().all(|stream| read.cursor.complete_until_ms(*stream).is_none()));
    assert_eq!(read.rejects.len(), ALL.len(), "{:?}", read.rejects);
    let left = read.cursor.into_cursor();
    assert_eq!(collected(&server, left, NOW_MS).await.lines.len(), 60);
}

async fn refused(server: &Server, path: &str, repository: &str) -> String {
    let backfill = Backfill::new(server.client(path), plan(repository)).unwrap();
    let batch = backfill.step(BackfillCursor::default(), NOW_MS, 0).await;
    let Next::Refused(Stream::Deployments, refusal) = batch.next else { panic!("{batch:?}") };
    refusal.to_string()
}

#[tokio::test]
async fn a_refusal_sets_a_stream_aside_and_names_its_cure() {
    let server = start(History::default()).await;
    // Enterprise Server or not: the server asserts the endpoint.
    for path in ["/api/v3", "/api/v3/", ""] {
        let unknown = refused(&server, path, "acme/shpo").await;
        assert!(unknown.contains("/repos/acme/shpo (404): check the spelling"), "{unknown}");
    }
    let scopes = r#"{"errors":[{"type":"INSUFFICIENT_SCOPES","message":"The 'deployments' field requires one of the following scopes: ['repo_deployment'], but your token has only been granted the: [] scopes."}]}"#;
    server.mood.lock().unwrap().always = Some((200, scopes));
    let needs = refused(&server, "/api/v3", "acme/shop").await;
    assert!(needs.contains("give the token the scope 'repo_deployment'"), "{needs}");
    assert!(Backfill::new(server.client(""), plan("acme/../shop")).is_none());
}

#[tokio::test]
async fn streams_that_graphql_does_not_show_are_the_collectors() {
    let server = start(History::generate(9, 3, 0, 0, 3)).await;
    let mut plan = plan("acme/shop");
    plan.streams = vec![Stream::Runs, Stream::Deployments];
    let backfill = Backfill::new(server.client("/api/v3"), plan).unwrap();
    let read =
        read(BackfillCursor::default(), NOW_MS, |c, now_ms, at| backfill.step(c, now_ms, at));
    let cursor = read.await.cursor.into_cursor();
    assert_eq!(cursor.complete_until_ms(Stream::Runs), None);
    assert_eq!(cursor.complete_until_ms(Stream::Deployments), Some(NOW_MS));
}
