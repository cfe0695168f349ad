//! What a plan announces against what the same server then counts.

use super::*;
use crate::sources::ahead::{Ahead, Standing};
use crate::sources::github::{Allowance, Allowances, Read as Reading, Survey, Surveyor, Unseen};

const STREAMS: [Stream; 5] =
    [Stream::Deployments, Stream::Commits, Stream::PullRequests, Stream::Incidents, Stream::Runs];

fn whole() -> Plan {
    Plan { streams: STREAMS.to_vec(), ..plan("acme/shop") }
}

fn surveyor(server: &Server, plan: Plan) -> Surveyor {
    Surveyor::new(server.client("/api/v3"), plan)
}

async fn surveyed(server: &Server, surveyor: &Surveyor, reading: Reading<'_>) -> Survey {
    let survey = surveyor.survey(reading, NOW_MS, 1).await.unwrap();
    let mut mood = server.mood.lock().unwrap();
    assert_eq!(mood.points, 1, "a survey costs a point");
    assert!(mood.requests.len() <= 1, "{:?}", mood.requests);
    mood.points = 0;
    mood.requests.clear();
    mood.operations.clear();
    survey
}

/// Of one stream, or of all.
fn sum(ahead: &[Ahead], of: impl Fn(&Ahead) -> u64) -> u64 {
    ahead.iter().map(of).sum()
}

#[tokio::test]
async fn a_plan_announces_what_the_reading_then_costs() {
    // The horizon is within the history of the second and before that of the first.
    for (seed, deployments, pulls, issues, days) in
        [(1, 230, 60, 20, 20), (2, 900, 90, 10, 60), (3, 0, 0, 0, 1), (4, 40, 80, 130, 29)]
    {
        let history = History::generate(seed, deployments, pulls, issues, days);
        let server = start(history).await;
        let surveyor = surveyor(&server, whole());
        let cursor = BackfillCursor::default();
        let survey = surveyed(&server, &surveyor, Reading::Past(&cursor)).await;
        let ahead = surveyor.ahead(&survey, Reading::Past(&cursor));
        assert!(ahead.iter().all(|ahead| ahead.place == Standing::New), "{ahead:?}");

        let backfill = Backfill::new(server.client("/api/v3"), whole()).unwrap();
        let past = read(cursor, NOW_MS, |c, now_ms, at| backfill.step(c, now_ms, at)).await;
        let (queries, points) = {
            let mut mood = server.mood.lock().unwrap();
            let longer =
                ["Statuses", "Labels", "Commits", "Reviews", "Comments", "Events", "Parents"];
            // Lists that are longer than a page of them are no part of a plan.
            let longer: u64 = longer.iter().filter_map(|list| mood.operations.get(*list)).sum();
            mood.requests.clear();
            (past.requests - longer, mood.points - longer)
        };
        let announced = (sum(&ahead, |a| a.graphql_requests), sum(&ahead, |a| a.graphql_points));
        if ahead.iter().any(|ahead| ahead.at_most) {
            assert!(announced.0 > queries && announced.1 > points, "seed {seed}: {ahead:?}");
        } else {
            assert_eq!(announced, (queries, points), "seed {seed}: {ahead:?}");
        }

        let cursor = past.cursor.into_cursor();
        let again = surveyor.ahead(&survey, Reading::Present(&cursor));
        let collector = Collector::new(server.client("/api/v3"), whole()).unwrap();
        let present = read(cursor, NOW_MS, |c, now_ms, at| collector.step(c, now_ms, at)).await;
        // Nor are those, or what was deployed so long ago that its commit is looked for again.
        let is_unplanned =
            |asked: &&String| asked.contains("&page=") || asked.contains("/compare/");
        let unplanned = server.mood.lock().unwrap().requests.iter().filter(is_unplanned).count();
        let planned = present.requests - unplanned as u64;
        assert_eq!(sum(&again, |a| a.rest_requests), planned, "seed {seed}: {again:?}");
        assert_eq!(sum(&again, |a| a.graphql_requests), 0);
        // What is open is known once it is read, but for incidents.
        let open = sum(&again[..1], |a| a.rest_requests) - 1;
        let guessed = sum(&ahead, |a| a.rest_requests);
        assert_eq!(guessed, planned - open, "seed {seed}: {ahead:?}");
    }
}

#[tokio::test]
async fn an_interrupted_reading_announces_what_is_left_of_it() {
    let server = start(History::generate(5, 450, 120, 20, 25)).await;
    let surveyor = surveyor(&server, whole());
    let backfill = Backfill::new(server.client("/api/v3"), whole()).unwrap();
    let mut cursor = BackfillCursor::default();
    let survey = surveyed(&server, &surveyor, Reading::Past(&cursor)).await;
    let mut before = u64::MAX;
    loop {
        let ahead = surveyor.ahead(&survey, Reading::Past(&cursor));
        let left = sum(&ahead, |a| a.graphql_requests);
        assert!(left <= before, "{left} after {before}");
        before = left;
        let batch = backfill.step(cursor, NOW_MS, 1).await;
        let is_over = batch.next != Next::Now;
        cursor = batch.cursor;
        if is_over {
            break;
        }
        let place = surveyor.ahead(&survey, Reading::Past(&cursor))[0].place;
        let is_over = cursor.complete_until_ms(Stream::Deployments).is_some();
        assert_eq!(place, if is_over { Standing::Present } else { Standing::Past });
    }
    let ahead = surveyor.ahead(&survey, Reading::Past(&cursor));
    assert_eq!(sum(&ahead, |a| a.graphql_requests), 0, "{ahead:?}");
}

#[tokio::test]
async fn what_a_reading_would_meet_a_survey_meets_first() {
    let server = start(History::default()).await;
    let cursor = BackfillCursor::default();
    let elsewhere = surveyor(&server, Plan { streams: STREAMS.to_vec(), ..plan("acme/nothing") });
    let unseen = elsewhere.survey(Reading::Past(&cursor), NOW_MS, 1).await.unwrap_err();
    let Unseen::Refused(refusal) = unseen else { panic!("{unseen:?}") };
    assert_eq!(refusal, Refusal::Unknown { path: "/repos/acme/nothing".into() });
    server.mood.lock().unwrap().always = Some((401, r#"{"message":"Bad credentials"}"#));
    let refused = surveyor(&server, whole()).survey(Reading::Past(&cursor), NOW_MS, 1).await;
    assert_eq!(refused.unwrap_err(), Unseen::Refused(Refusal::Token));
}

#[tokio::test]
async fn limits_are_told_for_free() {
    let server = start(History::default()).await;
    let told = surveyor(&server, whole()).allowances(NOW_MS, 1).await.unwrap();
    let hour = Some(Allowance { limit: 5_000, remaining: 4_000, resets_ms: 1_700_003_600_000 });
    assert_eq!(told, Allowances { graphql: hour, rest: hour });
}

#[tokio::test]
async fn numbers_that_no_repository_has_are_no_harm() {
    let server = start(History::default()).await;
    let most = r#"{"totalCount":18446744073709551615,"nodes":[{"at":"now"},null]}"#;
    let body = format!(
        r#"{{"data":{{"repository":{{"deployments":{most},"firstDeployment":{most},
        "pullRequests":{most},"issues":{most},"openIssues":{most},
        "object":{{"oid":"A","history":{most}}}}}}}}}"#
    );
    server.mood.lock().unwrap().always = Some((200, body.leak()));
    let surveyor = surveyor(&server, Plan { since_ms: i64::MIN, ..whole() });
    let (past, mut present) = (BackfillCursor::default(), Cursor::default());
    let survey = surveyor.survey(Reading::Past(&past), i64::MAX, 1).await.unwrap();
    for reading in [Reading::Past(&past), Reading::Present(&present)] {
        let ahead = surveyor.ahead(&survey, reading);
        assert!(sum(&ahead, |a| a.usual_ms) > 1_000_000, "{ahead:?}");
    }
    for stream in STREAMS {
        present.places.entry(stream).or_default().watermark_ms = Some(i64::MIN);
    }
    assert_eq!(surveyor.ahead(&survey, Reading::Present(&present)).len(), STREAMS.len());
    server.mood.lock().unwrap().always = Some((200, r#"{"data":{"repository":{"issues":7}}}"#));
    let unseen = surveyor.survey(Reading::Past(&past), NOW_MS, 1).await.unwrap_err();
    assert!(matches!(unseen, Unseen::Later(_)), "{unseen:?}");
}
