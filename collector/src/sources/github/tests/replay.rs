//! Four years of a repository, collected day by day while they happen and in one go at their end.
//! Both must know the same, whatever fails on the way: a page that shifts, a limit in the middle
//! of a list, a status that changes after its deployment was read.

use redora_model::fact::{Deployment, Incident};

use super::world::{GitHub, Kept, World, date, sha};
use super::*;
use crate::sources::hooks::Object;

pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
const DAYS: i64 = 4 * 365 + 1;
pub(super) const BEGIN_MS: i64 = NOW_MS - NOW_MS % DAY_MS - DAYS * DAY_MS;
const STREAMS: [Stream; 5] =
    [Stream::Deployments, Stream::PullRequests, Stream::Runs, Stream::Incidents, Stream::Commits];

/// Numbers from a seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// A time within so many hours after another.
    pub(super) fn within(&mut self, at_ms: i64, hours: u64) -> i64 {
        at_ms + 1_000 * (1 + self.roll(hours * 3_600 - 1) as i64)
    }
}

/// A history on its way: what is needed to go on with it.
struct Author {
    world: World,
    dice: Dice,
    tip: String,
    next: u64,
}

impl Author {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn merge(&mut self, commit: String, at_ms: i64) {
        self.tip.clone_from(&commit);
        self.world.tips.push((at_ms, commit));
    }

    /// A pull request: opened, reviewed, merged as a merge or a squash, commented long after.
    fn pull_request(&mut self, day_ms: i64) {
        let number = self.number();
        let opened_ms = self.dice.within(day_ms - 3 * DAY_MS, 48).max(BEGIN_MS + 1_000);
        let merged_ms = self.dice.within(day_ms, 20);
        let seed = self.number();
        let tip = self.tip.clone();
        let branch = self.world.commit(seed, &[&tip], (opened_ms - HOUR_MS, opened_ms));
        let list = format!("pulls/{number}/commits");
        self.world.put(
            &list,
            1,
            opened_ms,
            json!({
                "sha": branch, "commit": {"author": {"date": date(opened_ms - HOUR_MS)}},
            }),
        );
        let pull = |updated_ms: i64, merge: Option<&str>| {
            json!({
                "id": number, "number": number, "title": format!("change {number}"),
                "created_at": date(opened_ms), "updated_at": date(updated_ms),
                "merged_at": merge.map(|_| date(merged_ms)), "merge_commit_sha": merge,
                "user": {"login": "author", "type": "User"}, "head": {"ref": "topic"},
            })
        };
        self.world.put("pulls", number, opened_ms, pull(opened_ms, None));
        let reviewed_ms = opened_ms + HOUR_MS;
        self.world.put("pulls", number, reviewed_ms, pull(reviewed_ms, None));
        self.world.put(
            &format!("pulls/{number}/reviews"),
            1,
            reviewed_ms,
            json!({
                "user": {"login": "reviewer", "type": "User"}, "state": "APPROVED",
                "submitted_at": date(reviewed_ms),
            }),
        );
        if self.dice.roll(8) == 0 {
            return; // It stays open.
        }
        let seed = self.number();
        let parents = if self.dice.roll(2) == 0 { vec![&*tip, &*branch] } else { vec![&*tip] };
        let merge = self.world.commit(seed, &parents, (merged_ms, merged_ms));
        self.world.put("pulls", number, merged_ms, pull(merged_ms, Some(&merge)));
        self.merge(merge.clone(), merged_ms);
        if self.dice.roll(5) == 0 {
            let said_ms = merged_ms + 60 * DAY_MS;
            self.world.put("pulls", number, said_ms, pull(said_ms, Some(&merge)));
            self.world.put(
                &format!("issues/{number}/comments"),
                1,
                said_ms,
                json!({
                    "user": {"login": "late", "type": "User"}, "created_at": date(said_ms),
                }),
            );
        }
    }

    /// A deployment that may wait for days, fail and be tried again, or be of a hotfix branch.
    fn deployment(&mut self, day_ms: i64) {
        let id = self.number();
        let created_ms = self.dice.within(day_ms + 20 * HOUR_MS, 2);
        let mut revision = self.tip.clone();
        if self.dice.roll(10) == 0 {
            let seed = self.number();
            let parent = self.tip.clone();
            revision = self.world.commit(seed, &[&parent], (created_ms - HOUR_MS, created_ms));
        }
        let environment = if self.dice.roll(3) == 0 { "staging" } else { "production" };
        let deployment = |updated_ms: i64| {
            json!({
                "id": id, "sha": revision, "ref": "main", "environment": environment,
                "created_at": date(created_ms), "updated_at": date(updated_ms),
            })
        };
        self.world.put("deployments", id, created_ms, deployment(created_ms));
        let mut at_ms = created_ms;
        let mut states = vec!["queued", "in_progress"];
        if self.dice.roll(6) == 0 {
            at_ms += DAY_MS * (1 + self.dice.roll(25) as i64); // An approval is waited for.
        }
        match self.dice.roll(6) {
            0 => states.push("failure"),
            1 => states.extend(["failure", "in_progress", "success"]),
            2 => states.extend(["success", "inactive"]),
            _ => states.push("success"),
        }
        for (key, state) in states.into_iter().enumerate() {
            at_ms += match state {
                "in_progress" if key > 1 => HOUR_MS * (1 + self.dice.roll(18) as i64),
                "inactive" => 3 * DAY_MS,
                _ => 60_000,
            };
            let status = json!({"state": state, "created_at": date(at_ms)});
            self.world.put(&format!("deployments/{id}/statuses"), key as u64, at_ms, status);
            self.world.put("deployments", id, at_ms, deployment(at_ms));
        }
    }

    /// A run of a workflow; one that fails may be run again.
    fn run(&mut self, day_ms: i64) {
        let id = self.number();
        let created_ms = self.dice.within(day_ms, 23);
        let fails = self.dice.roll(3) == 0;
        let run = |attempt: u64, began_ms: i64, ended_ms: Option<i64>, good: bool| {
            json!({
                "id": id, "name": "ci", "head_branch": "main", "head_sha": sha(id),
                "run_attempt": attempt, "created_at": date(created_ms),
                "run_started_at": date(began_ms), "updated_at": date(ended_ms.unwrap_or(began_ms)),
                "status": ended_ms.map_or("in_progress", |_| "completed"),
                "conclusion": ended_ms.map(|_| if good { "success" } else { "failure" }),
            })
        };
        let ended_ms = self.dice.within(created_ms, 2);
        let first = run(1, created_ms, Some(ended_ms), !fails);
        self.world.put("actions/runs", id, created_ms, run(1, created_ms, None, false));
        self.world.put("actions/runs", id, ended_ms, first.clone());
        if fails && self.dice.roll(2) == 0 {
            let again_ms = self.dice.within(ended_ms, 18);
            self.world.put(&format!("actions/runs/{id}/attempts"), 1, again_ms, first);
            self.world.put("actions/runs", id, again_ms, run(2, again_ms, None, false));
            let ended_ms = again_ms + HOUR_MS;
            self.world.put("actions/runs", id, ended_ms, run(2, again_ms, Some(ended_ms), true));
        }
    }

    /// An issue that gets the label, and is closed, reopened or told to be none.
    fn issue(&mut self, day_ms: i64) {
        let number = self.number();
        let mut at_ms = self.dice.within(day_ms, 20);
        let created_ms = at_ms;
        let issue = |at_ms: i64, has_label: bool, closed: bool| {
            let labels = if has_label { vec![json!({"name": "incident"})] } else { vec![] };
            json!({
                "id": number, "number": number, "title": "down", "labels": labels,
                "created_at": date(created_ms), "updated_at": date(at_ms),
                "closed_at": closed.then(|| date(at_ms)), "state_reason": null,
            })
        };
        self.world.put("issues", number, at_ms, issue(at_ms, false, false));
        let events: &[&str] = match self.dice.roll(4) {
            0 => &["labeled"],
            1 => &["labeled", "unlabeled"],
            2 => &["labeled", "closed", "reopened", "closed"],
            _ => &["labeled", "closed"],
        };
        for (key, event) in events.iter().enumerate() {
            at_ms = self.dice.within(at_ms, 72);
            let timeline = format!("issues/{number}/timeline");
            self.world.put(
                &timeline,
                key as u64,
                at_ms,
                json!({
                    "event": event, "created_at": date(at_ms), "label": {"name": "incident"},
                }),
            );
            let has_label = *event != "unlabeled";
            self.world.put("issues", number, at_ms, issue(at_ms, has_label, *event == "closed"));
        }
    }
}

fn history(seed: u64) -> World {
    let mut world = World::at(BEGIN_MS);
    let root = world.commit(0, &[], (BEGIN_MS, BEGIN_MS));
    world.tips.push((BEGIN_MS, root.clone()));
    world.renamed_ms = Some(BEGIN_MS + 700 * DAY_MS);
    let mut author = Author { world, dice: Dice(seed), tip: root, next: 0 };
    for day in 0..DAYS - 60 {
        let day_ms = BEGIN_MS + day * DAY_MS;
        if author.dice.roll(4) == 0 {
            author.pull_request(day_ms);
        }
        if author.dice.roll(3) == 0 {
            author.deployment(day_ms);
        }
        if author.dice.roll(3) == 0 {
            author.run(day_ms);
        }
        if author.dice.roll(40) == 0 {
            author.issue(day_ms);
        }
    }
    author.world
}

/// What both ways must agree on. A deployment that was inactive after it was live is the same as
/// one that nobody asked about again, and no list shows an issue that lost its label.
pub(super) fn essence(kept: &Kept) -> BTreeMap<(&'static str, String), String> {
    let mut essence = BTreeMap::new();
    for (key, fact) in &kept.facts {
        let mut fact = fact.clone();
        match &mut fact.what {
            What::Deployment(Deployment { statuses, .. }) => {
                statuses.retain(|status| status.state != State::Inactive);
                fact.as_of_ms = statuses.last().unwrap().at_ms;
            }
            What::Incident(Incident { nature: Nature::Declined, .. }) => continue,
            _ => {}
        }
        essence.insert(key.clone(), serde_json::to_string(&fact).unwrap());
    }
    essence
}

#[tokio::test]
async fn four_years_day_by_day_end_in_the_facts_of_one_backfill() {
    let github = GitHub::start(history(42)).await;
    let collector = github.collector(&STREAMS, BEGIN_MS);
    github.world().now_ms = NOW_MS;
    let mut backfill = Kept::default();
    backfill.round(&github, &collector).await;

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
    let faults = github.world().faults;
    let (daily_facts, expected) = (essence(&daily), essence(&backfill));
    for (key, fact) in &expected {
        assert_eq!(daily_facts.get(key), Some(fact), "{key:?}");
    }
    assert_eq!(daily_facts.len(), expected.len());
    assert!(daily_facts.len() > 1_500 && faults > 2_000, "{} {faults}", daily_facts.len());
    let reasons = daily.rejects.iter().chain(&backfill.rejects).map(|reject| &reject.reason);
    assert_eq!(reasons.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn a_push_that_a_hook_tells_of_is_read_at_once() {
    let mut world = history(7);
    world.now_ms = BEGIN_MS + 100 * DAY_MS;
    let github = GitHub::start(world).await;
    let collector = github.collector(&STREAMS, BEGIN_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    github.world().now_ms += 30 * DAY_MS;
    let now_ms = github.world().now_ms;
    let tip = github.world().tips.iter().rev().find(|tip| tip.0 <= now_ms).unwrap().1.clone();
    assert!(!kept.ids("commit").contains(&tip.as_str()));
    let object = Object::Ref { name: "refs/heads/main".into(), after: Some(tip.clone()) };
    let cursor = std::mem::take(&mut kept.cursor);
    let batch = collector.read_object(cursor, &object, now_ms, 0).await;
    assert_eq!(kept.take(batch), Next::Now);
    kept.round(&github, &collector).await;
    assert!(kept.ids("commit").contains(&tip.as_str()));
}
