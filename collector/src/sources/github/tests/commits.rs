//! The stream of commits, and what it must not miss: branches that are older than their merge,
//! release branches, rewritten branches.

use super::world::{GitHub, Kept, World, sha};
use super::*;

const DAY_MS: i64 = 86_400_000;

/// A branch of `length` commits, one an hour until `NOW_MS`.
fn branch(length: u64) -> World {
    let mut world = World::at(NOW_MS);
    let mut tip: Option<String> = None;
    for at in 0..length {
        let at_ms = NOW_MS - (length - at) as i64 * 3_600_000;
        let parents: Vec<&str> = tip.iter().map(String::as_str).collect();
        tip = Some(world.commit(at, &parents, (at_ms - 60_000, at_ms)));
        world.tips.push((at_ms, tip.clone().unwrap()));
    }
    world
}

fn deploy(world: &mut World, id: u64, sha: &str, at_ms: i64) {
    let at = world::date(at_ms);
    let state = json!({"id": id, "sha": sha, "environment": "production", "created_at": at});
    world.put("deployments", id, at_ms, state);
    let status = json!({"state": "success", "created_at": at});
    world.put(&format!("deployments/{id}/statuses"), id, at_ms, status);
}

#[tokio::test]
async fn a_merge_brings_commits_that_are_older_than_the_last_round() {
    let github = GitHub::start(branch(70)).await;
    let collector = github.collector(&[Stream::Commits], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    assert_eq!(kept.ids("commit").len(), 70);
    let (old, tip) = (sha(10), sha(69));
    {
        let mut world = github.world();
        let week_old = NOW_MS - 7 * DAY_MS;
        let side = world.commit(100, &[&old], (week_old, week_old));
        let merge = world.commit(101, &[&tip, &side], (NOW_MS + 1_000, NOW_MS + 1_000));
        world.say(&merge, &format!("Revert\n\nThis reverts commit {old}."));
        world.tips.push((NOW_MS + 1_000, merge));
        world.now_ms += DAY_MS;
        world.requests.clear();
    }
    kept.round(&github, &collector).await;
    assert_eq!(kept.ids("commit").len(), 72);
    assert_eq!(github.world().requests.len(), 2, "{:?}", github.world().requests);
    let Some(Fact { as_of_ms, what: What::Commit(merge), .. }) =
        kept.facts.get(&("commit", sha(101)))
    else {
        panic!("a commit")
    };
    assert_eq!((*as_of_ms, merge.committed_ms), (NOW_MS + 1_000, NOW_MS + 1_000));
    let parents: Vec<&str> = merge.parents.iter().map(|parent| parent.as_str()).collect();
    assert_eq!(parents, [tip, sha(100)]);
    assert_eq!(merge.reverts[0].as_str(), old);
    assert!(kept.rejects.is_empty(), "{:?}", kept.rejects);
}

#[tokio::test]
async fn a_round_without_a_push_costs_one_request() {
    let github = GitHub::start(branch(3)).await;
    let collector = github.collector(&[Stream::Commits], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    github.world().requests.clear();
    github.world().now_ms += DAY_MS;
    kept.round(&github, &collector).await;
    assert_eq!(github.world().requests.len(), 1);
    assert_eq!(kept.cursor.complete_until_ms(Stream::Commits), Some(NOW_MS + DAY_MS));
}

#[tokio::test]
async fn what_is_deployed_beside_the_branch_is_read_with_its_history() {
    let mut world = branch(40);
    let fix = world.commit(200, &[&sha(5)], (NOW_MS - DAY_MS, NOW_MS - DAY_MS));
    let fix = world.commit(201, &[&fix], (NOW_MS - DAY_MS, NOW_MS - DAY_MS));
    let orphan = world.commit(300, &[], (NOW_MS - DAY_MS, NOW_MS - DAY_MS));
    for (id, sha) in [(1, &sha(39)), (2, &fix), (3, &orphan), (4, &sha(999))] {
        deploy(&mut world, id, sha, NOW_MS - DAY_MS / 2);
    }
    let github = GitHub::start(world).await;
    let collector = github.collector(&[Stream::Deployments, Stream::Commits], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    let ids = kept.ids("commit");
    assert_eq!(ids.len(), 43);
    for sha in [sha(200), sha(201), sha(300)] {
        assert!(ids.contains(&sha.as_str()), "{sha}");
    }
    let reasons: Vec<&str> = kept.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, [format!("{} is deployed and no commit", sha(999))]);
    let requests = github.world().requests.clone();
    let compared = requests.iter().filter(|path| path.contains("/compare/")).count();
    assert_eq!(compared, 3, "{requests:?}");
    github.world().requests.clear();
    kept.round(&github, &collector).await;
    let requests = github.world().requests.clone();
    assert!(!requests.iter().any(|path| path.contains("/compare/")), "{requests:?}");
}

#[tokio::test]
async fn a_rewritten_branch_is_read_from_where_it_left() {
    let github = GitHub::start(branch(40)).await;
    let collector = github.collector(&[Stream::Commits], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    for (number, parents) in [(400, vec![sha(30)]), (500, vec![])] {
        {
            let mut world = github.world();
            world.now_ms += DAY_MS;
            let now_ms = world.now_ms;
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            let tip = world.commit(number, &parents, (now_ms, now_ms));
            world.tips.push((now_ms, tip));
        }
        kept.round(&github, &collector).await;
        assert!(kept.ids("commit").contains(&sha(number).as_str()), "{number}");
    }
    assert!(kept.rejects.is_empty(), "{:?}", kept.rejects);
}

#[tokio::test]
async fn a_repository_without_commits_is_read_at_once() {
    let server = Server::start(Mood { always: Some((409, "", "{}")), ..Mood::default() }).await;
    let config = Config { api: server.door.address.clone(), ..Config::new("token") };
    let plan = world::plan(&[Stream::Commits], SINCE_MS);
    let collector = Collector::new(Client::new(&config).unwrap(), plan).unwrap();
    let batch = collector.step(Cursor::default(), NOW_MS, 0).await;
    assert_eq!(batch.cursor.complete_until_ms(Stream::Commits), Some(NOW_MS));
}
