//! Releases and tags by both ways, and what a plan announces of them.

use serde_json::{Value, json};

use super::super::super::query::date;
use super::history::sha;
use super::*;
use crate::sources::ahead::Ahead;
use crate::sources::github::{Read as Reading, Surveyor};
use crate::sources::glob::Glob;

const SIGNS: [Stream; 2] = [Stream::Releases, Stream::Tags];

fn signs(prereleases: bool) -> Plan {
    let tags = ["v*", "shop/*"].map(|pattern| Glob::new(pattern).unwrap()).to_vec();
    Plan { streams: SIGNS.to_vec(), prereleases, tags, ..plan("acme/shop") }
}

/// A commit an eighth of a day; of most a tag of some kind, of half a release that came out later.
fn history(seed: u64, commits: u64) -> History {
    let mut history = History::generate(seed, commits, 0, 0, commits / 8);
    let mut dice = Dice(seed | 1);
    for id in 0..commits {
        let at_ms = NOW_MS - i64::try_from((commits - id) * 3 * 3_600_000).unwrap();
        let name = if dice.roll(9) == 0 { format!("shop/{id}") } else { format!("v{id}") };
        let named = |sha: String, kind: &str| json!({ "sha": sha, "type": kind });
        let annotated = |sha: String, tagger: bool, object: Value| {
            let tagger = tagger.then(|| json!({ "date": date(at_ms + 60_000) }));
            json!({ "sha": sha, "tagger": tagger, "object": object })
        };
        let (outer, inner) = (sha(100_000 + id), sha(200_000 + id));
        let object = match dice.roll(5) {
            0 => continue,
            1 => {
                let is_signed = dice.roll(2) == 0;
                let commit = named(sha(id / 2), "commit");
                history.annotated.push(annotated(outer.clone(), is_signed, commit));
                named(outer, "tag")
            }
            2 => {
                let commit = named(sha(id), "commit");
                history.annotated.push(annotated(outer.clone(), true, commit));
                let tag = named(outer, "tag");
                history.annotated.push(annotated(inner.clone(), false, tag));
                named(inner, "tag")
            }
            _ => named(sha(id), "commit"),
        };
        let prefix = if dice.roll(6) == 0 { "nightly/" } else { "" };
        let tag = json!({ "ref": format!("refs/tags/{prefix}{name}"), "object": object });
        history.tags.push(tag);
        if dice.roll(2) == 0 {
            let out = (dice.roll(8) > 0).then(|| date(at_ms + 3_600_000));
            let is_known = dice.roll(9) > 0;
            history.releases.push((
                json!({
                    "id": 500 + id, "tag_name": name, "created_at": date(at_ms),
                    "published_at": out, "updated_at": date(at_ms + 5_000_000),
                    "draft": out.is_none(), "prerelease": dice.roll(4) == 0,
                    "html_url": format!("https://github.com/acme/shop/releases/tag/{name}"),
                }),
                is_known.then(|| sha(id)),
            ));
        }
    }
    history
}

async fn backfilled(server: &Server, plan: Plan) -> Read<BackfillCursor> {
    let backfill = Backfill::new(server.client("/api/v3"), plan).unwrap();
    let cursor = BackfillCursor::default();
    read(cursor, NOW_MS, |c, now_ms, at| backfill.step(c, now_ms, at)).await
}

async fn collected(server: &Server, plan: Plan, cursor: Cursor) -> Read<Cursor> {
    let collector = Collector::new(server.client("/api/v3"), plan).unwrap();
    read(cursor, NOW_MS, |c, now_ms, at| collector.step(c, now_ms, at)).await
}

#[tokio::test]
async fn a_release_or_tag_is_the_same_fact_by_either_way() {
    for (seed, commits, prereleases) in [(1, 500, false), (2, 120, true), (3, 40, false)] {
        let server = start(history(seed, commits)).await;
        let by_rest = collected(&server, signs(prereleases), Cursor::default()).await;
        let by_graphql = backfilled(&server, signs(prereleases)).await;
        assert_eq!(by_graphql.lines, by_rest.lines, "seed {seed}");
        let count =
            |kind: &str| by_rest.lines.keys().filter(|(_, id)| id.starts_with(kind)).count();
        assert!(count("tag/") > 15 && count("release/") > 5, "{}", by_rest.lines.len());
        assert!(by_graphql.requests * 10 < by_rest.requests, "{}", by_graphql.requests);
        let of = |rejects: &[Reject]| {
            let mut reasons: Vec<_> = rejects.iter().map(|reject| reject.reason.clone()).collect();
            reasons.sort();
            reasons
        };
        assert_eq!(of(&by_graphql.rejects), of(&by_rest.rejects));
        assert_eq!(by_graphql.cursor.points(), server.mood.lock().unwrap().points);

        // All of them are known, so that the present takes the lists alone.
        server.mood.lock().unwrap().requests.clear();
        let cursor = by_graphql.cursor.into_cursor();
        let after = collected(&server, signs(prereleases), cursor).await;
        let pages = server.mood.lock().unwrap().history.releases.len().div_ceil(100);
        assert_eq!((after.lines.len(), after.requests), (0, 2 + pages as u64));
    }
}

#[tokio::test]
async fn a_tag_that_names_nothing_to_deploy_or_many_tags_is_left_to_the_collector() {
    let mut history = History::generate(1, 1, 0, 0, 1);
    for depth in 1..=5 {
        let (object, kind) = if depth == 1 { (0, "commit") } else { (depth - 1, "tag") };
        history.annotated.push(json!({
            "sha": sha(depth), "object": { "sha": sha(object), "type": kind },
            "tagger": { "date": date(NOW_MS - 60_000 + i64::try_from(depth).unwrap() * 1_000) },
        }));
        let named = json!({ "sha": sha(depth), "type": "tag" });
        history.tags.push(json!({ "ref": format!("refs/tags/v{depth}"), "object": named }));
    }
    let tree = json!({ "sha": sha(77), "type": "tree" });
    history.tags.push(json!({ "ref": "refs/tags/v-tree", "object": tree }));
    let server = start(history).await;
    let by_rest = collected(&server, signs(false), Cursor::default()).await;
    let by_graphql = backfilled(&server, signs(false)).await;
    let ids = |lines: &Lines| lines.keys().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&by_rest.lines), ["tag/v1", "tag/v2", "tag/v3", "tag/v4", "tag/v5"]);
    assert_eq!(ids(&by_graphql.lines), ["tag/v1", "tag/v2", "tag/v3"]);
    assert_eq!(by_graphql.rejects.len(), 3);
    let after = collected(&server, signs(false), by_graphql.cursor.into_cursor()).await;
    assert_eq!(ids(&after.lines), ["tag/v4", "tag/v5"]);
    assert_eq!(after.rejects.len(), 1, "{:?}", after.rejects);
}

fn sum(ahead: &[Ahead], of: impl Fn(&Ahead) -> u64) -> u64 {
    ahead.iter().map(of).sum()
}

#[tokio::test]
async fn a_plan_announces_what_releases_and_tags_then_cost() {
    for (seed, commits) in [(1, 2_000), (2, 100), (3, 0)] {
        let server = start(history(seed, commits)).await;
        let surveyor = Surveyor::new(server.client("/api/v3"), signs(true));
        let cursor = BackfillCursor::default();
        let survey = surveyor.survey(Reading::Past(&cursor), NOW_MS, 1).await.unwrap();
        assert_eq!(std::mem::take(&mut server.mood.lock().unwrap().points), 1);
        let ahead = surveyor.ahead(&survey, Reading::Past(&cursor));
        assert_eq!(ahead.iter().map(|a| a.stream).collect::<Vec<_>>(), ["releases", "tags"]);
        let past = backfilled(&server, signs(true)).await;
        let cursor = past.cursor.into_cursor();
        let again = surveyor.ahead(&survey, Reading::Present(&cursor));
        let present = collected(&server, signs(true), cursor).await;
        let announced = [
            sum(&ahead, |a| a.graphql_requests),
            sum(&ahead, |a| a.graphql_points),
            // The second pattern has a list of its own.
            sum(&again, |a| a.rest_requests) + 1,
            sum(&ahead, |a| a.rest_requests) + 1,
        ];
        let points = server.mood.lock().unwrap().points;
        let then = [past.requests, points, present.requests, present.requests];
        if ahead[0].at_most {
            // More releases than the count shows, of which it does not tell how old they are.
            assert!(announced.iter().zip(then).all(|(a, b)| *a >= b), "{announced:?} {then:?}");
        } else {
            assert_eq!(announced, then, "{ahead:?}");
        }
    }
}

#[tokio::test]
async fn every_schedule_of_faults_ends_in_the_same_releases_and_tags() {
    let history = history(4, 300);
    let expected = backfilled(&start(history.clone()).await, signs(true)).await.lines;
    let mut faults = 0;
    for seed in 1..=20_u64 {
        let seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let server =
            Server::start(Mood { history: history.clone(), seed, ..Mood::default() }).await;
        let read = backfilled(&server, signs(true)).await;
        let mut lines = read.lines;
        let left = read.cursor.into_cursor();
        lines.extend(collected(&server, signs(true), left).await.lines);
        assert_eq!(lines, expected, "seed {seed}: {:?}", read.rejects);
        faults += server.mood.lock().unwrap().faults;
    }
    assert!(faults > 50, "{faults} faults");
}
