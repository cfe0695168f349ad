//! A year of a repository that deploys by releases and tags, collected day by day while they are
//! drafted, published, edited and moved, and in one go at its end: both must know the same.

use super::replay::{BEGIN_MS, DAY_MS, Dice, HOUR_MS, essence};
use super::world::{GitHub, Kept, World, date, sha};
use super::*;

const DAYS: i64 = 366;
const STREAMS: [Stream; 2] = [Stream::Releases, Stream::Tags];

/// A commit of the day and, now and then, a tag of it or of one before, a release of that, a later
/// change of either.
fn history(seed: u64) -> World {
    let (mut world, mut dice) = (World::at(BEGIN_MS), Dice(seed));
    let mut commits: Vec<String> = Vec::new();
    for day in 0..DAYS - 70 {
        let key = day as u64;
        let at_ms = dice.within(BEGIN_MS + day * DAY_MS, 12);
        let parent = commits.last().cloned();
        let parents: Vec<&str> = parent.iter().map(String::as_str).collect();
        commits.push(world.commit(key, &parents, (at_ms - HOUR_MS, at_ms)));
        if dice.roll(3) > 0 {
            continue;
        }
        let back = dice.roll(commits.len().min(40) as u64) as usize;
        let commit = commits[commits.len() - 1 - back].clone();
        let (name, tagged_ms) = (format!("v1.{day}"), dice.within(at_ms, 12));
        if dice.roll(2) == 0 {
            world.tag(key, &name, tagged_ms, ("commit", &commit));
        } else {
            let object = sha(10_000 + key);
            let named = json!({
                "sha": object, "tagger": {"date": date(tagged_ms)},
                "object": {"type": "commit", "sha": commit},
            });
            world.put("git/tags", key, tagged_ms, named);
            world.tag(key, &name, tagged_ms, ("tag", &object));
        }
        world.put("tags", key, tagged_ms, json!({"name": name, "sha": commit}));
        if dice.roll(6) == 0 {
            // Only moved further on: what a release was made of would move with it.
            let moved_ms = tagged_ms + DAY_MS * (1 + dice.roll(50) as i64);
            world.tag(key, &name, moved_ms, ("commit", &commits[0]));
            continue;
        }
        release(&mut world, &mut dice, key, &name, tagged_ms);
    }
    world
}

/// Drafted, published some days later, and perhaps edited to the tag of another one.
fn release(world: &mut World, dice: &mut Dice, key: u64, tag: &str, drafted_ms: i64) {
    let release = |tag: &str, published_ms: Option<i64>, updated_ms: i64, is_pre: bool| {
        json!({
            "id": key, "tag_name": tag, "created_at": date(drafted_ms), "prerelease": is_pre,
            "published_at": published_ms.map(date), "draft": published_ms.is_none(),
            "updated_at": date(updated_ms), "html_url": format!("https://github.com/{key}"),
        })
    };
    world.put("releases", key, drafted_ms, release(tag, None, drafted_ms, false));
    if dice.roll(10) == 0 {
        return; // It stays a draft.
    }
    let out_ms = drafted_ms + DAY_MS * dice.roll(60) as i64 + 60_000;
    let is_pre = dice.roll(4) == 0;
    world.put("releases", key, out_ms, release(tag, Some(out_ms), out_ms, is_pre));
    let edited_ms = out_ms + DAY_MS * (1 + dice.roll(8) as i64);
    match dice.roll(5) {
        0 => {
            let other = format!("v2.{key}");
            world.put("tags", 1_000 + key, edited_ms, json!({"name": other, "sha": sha(0)}));
            let edited = release(&other, Some(out_ms), edited_ms, is_pre);
            world.put("releases", key, edited_ms, edited);
        }
        1 if is_pre => {
            let promoted = release(tag, Some(out_ms), edited_ms, false);
            world.put("releases", key, edited_ms, promoted);
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_year_of_releases_and_tags_day_by_day_ends_in_the_facts_of_one_backfill() {
    let github = GitHub::start(history(42)).await;
    let collector = github.collector(&STREAMS, BEGIN_MS);
    github.world().now_ms = BEGIN_MS + DAYS * DAY_MS;
    let mut backfill = Kept::default();
    backfill.round(&github, &collector).await;
    let whole = std::mem::take(&mut github.world().requests).len();

    *github.world() = history(42);
    github.world().seed = 0x9E37_79B9_7F4A_7C15;
    let mut daily = Kept::default();
    for day in 1..=DAYS {
        {
            let mut world = github.world();
            world.now_ms = world.now_ms.max(BEGIN_MS + day * DAY_MS);
        }
        daily.round(&github, &collector).await;
    }
    let (daily_facts, expected) = (essence(&daily), essence(&backfill));
    for (key, fact) in &expected {
        assert_eq!(daily_facts.get(key), Some(fact), "{key:?}");
    }
    assert_eq!(daily_facts.len(), expected.len());
    let count =
        |kind: &str| backfill.ids("deployment").iter().filter(|id| id.starts_with(kind)).count();
    assert!(count("tag/") > 80 && count("release/") > 40, "{} {whole}", expected.len());
    let world = github.world();
    assert!(world.faults > 200, "{}", world.faults);
    // Three lists a day, what is new, and all that once more where a fault is in it.
    assert!(world.requests.len() < whole + 7 * DAYS as usize, "{}", world.requests.len());
    let reasons = daily.rejects.iter().chain(&backfill.rejects).map(|reject| &reject.reason);
    assert_eq!(reasons.collect::<Vec<_>>(), Vec::<&String>::new());
}
