//! Webhooks as hints: the object that one names is read at once, as its stream would read it.

use super::*;
use crate::sources::hooks::Object;

/// Reads an object as often as it takes.
async fn read(collector: &Collector, mut cursor: Cursor, object: &Object) -> (Vec<Fact>, Cursor) {
    let mut facts = Vec::new();
    for at in 0..100 {
        let batch = collector.read_object(cursor, object, NOW_MS, at).await;
        facts.extend(batch.facts);
        cursor = batch.cursor;
        match batch.next {
            Next::Now => return (facts, cursor),
            Next::Later(_) | Next::Refused(..) => {}
            Next::Complete { .. } => panic!("a hint completes nothing"),
        }
    }
    panic!("no end: {cursor:?}");
}

#[tokio::test]
async fn a_hint_gives_the_facts_of_its_stream_under_every_schedule_of_faults() {
    let calm = Server::start(Mood::default()).await;
    let (expected, ..) = collected(&calm).await;
    let hints = [
        (Object::Deployment(1), vec!["deployment 1"]),
        (Object::Deployment(4), vec!["deployment 4"]),
        (Object::Run(71), vec!["run 71/1", "run 71/2"]),
        (Object::PullRequest(11), vec!["pull_request 11"]),
        (Object::Issue(31), vec!["incident 31"]),
        (Object::Issue(12), vec![]),
        (Object::Release(7), vec![]),
        (Object::Ref { name: "refs/heads/main".into(), after: None }, vec![]),
    ];
    for seed in [0, 3, 5, 8, 13] {
        let mood = Mood { seed: u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15), ..Mood::default() };
        let server = Server::start(mood).await;
        let collector = server.collector("first", "acme/shop");
        for (object, ids) in &hints {
            let (facts, cursor) = read(&collector, Cursor::default(), object).await;
            let mut read: Vec<(String, &Fact)> = facts
                .iter()
                .map(|fact| (format!("{} {}", fact.what.kind(), fact.id), fact))
                .collect();
            read.sort_by(|a, b| a.0.cmp(&b.0));
            read.dedup();
            let read_ids: Vec<&str> = read.iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(read_ids, *ids, "{object:?}");
            for (_, fact) in &read {
                assert_eq!(expected[&(fact.what.kind().to_owned(), fact.id.clone())], **fact);
            }
            let is_open = matches!(object, Object::Deployment(4));
            assert_eq!(cursor.open(), usize::from(is_open), "{object:?}");
        }
    }
}

#[tokio::test]
async fn a_hint_that_met_a_trouble_is_read_by_the_next_step() {
    let server = Server::start(Mood::default()).await;
    let (.., cursor) = collected(&server).await;
    let collector = server.collector("first", "acme/shop");
    server.mood.lock().unwrap().always = Some((502, "", ""));
    let batch = collector.read_object(cursor, &Object::Deployment(2), NOW_MS, 0).await;
    assert!(matches!(batch.next, Next::Later(_)), "{batch:?}");
    server.mood.lock().unwrap().always = None;
    let stored = serde_json::to_string(&batch.cursor).unwrap();
    let batch = collector.step(serde_json::from_str(&stored).unwrap(), NOW_MS, 0).await;
    let ids: Vec<&str> = batch.facts.iter().map(|fact| fact.id.as_str()).collect();
    assert_eq!(ids, ["2", "4"]);
}

#[tokio::test]
async fn a_hint_about_what_is_gone_is_a_reject() {
    let server = Server::start(Mood::default()).await;
    let (.., cursor) = collected(&server).await;
    let collector = server.collector("first", "acme/shop");
    let batch = collector.read_object(cursor, &Object::Deployment(77), NOW_MS, 0).await;
    assert_eq!(batch.next, Next::Now);
    assert_eq!(batch.rejects[0].reason, "77 was deleted");
}
