//! Deployments that nobody told GitHub of: runs of a workflow, releases and tags.

use redora_model::fact::{Deployment, Status};

use super::world::{GitHub, Kept, World, date, plan, sha};
use super::*;
use crate::sources::hooks::Object;

const HOUR_MS: i64 = 3_600_000;
const AT_MS: i64 = NOW_MS - 40 * HOUR_MS;

fn run(id: u64, attempt: u64, file: &str, conclusion: Option<&str>) -> Value {
    let updated_ms = AT_MS + attempt as i64 * HOUR_MS + conclusion.map_or(0, |_| 60_000);
    json!({
        "id": id, "created_at": date(AT_MS), "head_sha": sha(id), "run_attempt": attempt,
        "run_started_at": date(AT_MS + attempt as i64 * HOUR_MS),
        "updated_at": date(updated_ms),
        "status": conclusion.map_or("in_progress", |_| "completed"), "conclusion": conclusion,
        "path": format!(".github/workflows/{file}@refs/heads/main"),
    })
}

fn made<'a>(kept: &'a Kept, id: &str) -> &'a Deployment {
    let Some(Fact { what: What::Deployment(made), .. }) =
        kept.facts.get(&("deployment", id.to_owned()))
    else {
        panic!("{id}")
    };
    assert_eq!(made.environment.as_str(), "production");
    made
}

fn states(kept: &Kept, id: &str) -> Vec<State> {
    made(kept, id).statuses.iter().map(|status| status.state).collect()
}

/// The commit and the time of what was deployed once.
fn deployed(kept: &Kept, id: &str) -> (Option<String>, i64) {
    let made = made(kept, id);
    assert_eq!(made.statuses, [Status { at_ms: made.created_ms, state: State::Success }]);
    (made.revision.as_ref().map(|sha| sha.as_str().to_owned()), made.created_ms)
}

#[tokio::test]
async fn a_workflows_runs_are_deployments_with_their_attempts_as_evidence() {
    let mut world = World::at(NOW_MS);
    for (id, file, conclusion) in [
        (1, "deploy.yml", Some("success")),
        (3, "deploy.yml", Some("skipped")),
        (4, "deploy.yml", Some("cancelled")),
        (5, "deploy.yml", None),
        (6, "ci.yml", Some("success")),
    ] {
        world.put("actions/runs", id, AT_MS, run(id, 1, file, conclusion));
    }
    world.put("actions/runs/2/attempts", 1, AT_MS, run(2, 1, "deploy.yml", Some("failure")));
    world.put("actions/runs", 2, AT_MS, run(2, 2, "deploy.yml", Some("success")));
    let github = GitHub::start(world).await;
    let collector = github.collector(&[Stream::Workflow], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    use State::{Failure, InProgress, Inactive, Success};
    assert_eq!(kept.ids("deployment"), ["run/1", "run/2", "run/4", "run/5"]);
    assert_eq!(states(&kept, "run/1"), [InProgress, Success]);
    assert_eq!(states(&kept, "run/2"), [InProgress, Failure, InProgress, Success]);
    assert_eq!(states(&kept, "run/4"), [InProgress, Inactive]);
    assert_eq!(states(&kept, "run/5"), [InProgress]);
    assert_eq!(kept.cursor.open(), 1);
    let cursor = std::mem::take(&mut kept.cursor);
    let batch = collector.read_object(cursor, &Object::Run(6), NOW_MS, 0).await;
    assert!(batch.facts.is_empty(), "a run of another workflow");
    let ended = run(5, 1, "deploy.yml", Some("failure"));
    github.world().put("actions/runs", 5, NOW_MS, ended);
    let batch = collector.read_object(batch.cursor, &Object::Run(5), NOW_MS, 0).await;
    assert_eq!(kept.take(batch), Next::Now);
    assert_eq!(states(&kept, "run/5"), [InProgress, Failure]);
    assert_eq!(kept.cursor.open(), 0);
}

fn release(id: u64, tag: &str, published: Option<i64>, pre: bool) -> Value {
    json!({
        "id": id, "tag_name": tag, "created_at": date(AT_MS - 20 * 24 * HOUR_MS),
        "published_at": published.map(date), "draft": published.is_none(), "prerelease": pre,
    })
}

#[tokio::test]
async fn a_published_release_is_a_deployment_of_its_tags_commit() {
    let mut world = World::at(NOW_MS);
    world.put("tags", 1, AT_MS, json!({"name": "shop/v1", "sha": sha(1)}));
    world.put("releases", 1, AT_MS, release(1, "shop/v1", Some(AT_MS), false));
    world.put("releases", 2, AT_MS, release(2, "v2", None, false));
    world.put("releases", 3, AT_MS, release(3, "v3-rc1", Some(AT_MS), true));
    let github = GitHub::start(world).await;
    let collector = github.collector(&[Stream::Releases], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    assert_eq!(kept.ids("deployment"), ["release/1"]);
    assert_eq!(deployed(&kept, "release/1"), (Some(sha(1)), AT_MS));
    assert_eq!(made(&kept, "release/1").version, "shop/v1");
    let plan = Plan { prereleases: true, ..plan(&[Stream::Releases], SINCE_MS) };
    let mut all = Kept::default();
    all.round(&github, &github.collector_of(plan)).await;
    assert_eq!(all.ids("deployment"), ["release/1", "release/3"]);
    // Published long after it was drafted, it stands deep in the list.
    let late_ms = NOW_MS + HOUR_MS;
    github.world().put("releases", 2, late_ms, release(2, "v2", Some(late_ms), false));
    github.world().now_ms = late_ms + HOUR_MS / 2;
    kept.round(&github, &collector).await;
    assert_eq!(states(&kept, "release/2"), [State::Success]);
    assert_eq!(kept.rejects[0].reason, "2: there is no tag v2");
}

#[tokio::test]
async fn a_release_that_is_edited_is_a_correction_and_one_that_is_deleted_stays() {
    let mut world = World::at(NOW_MS);
    for key in 1..=2 {
        world.put("tags", key, AT_MS, json!({"name": format!("v{key}"), "sha": sha(key)}));
    }
    world.put("releases", 1, AT_MS, release(1, "v1", Some(AT_MS), false));
    world.put("releases", 2, AT_MS, release(2, "v9", Some(AT_MS), false));
    let github = GitHub::start(world).await;
    let collector = github.collector(&[Stream::Releases], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    assert_eq!(deployed(&kept, "release/1"), (Some(sha(1)), AT_MS));
    assert_eq!(deployed(&kept, "release/2"), (None, AT_MS));

    let edited_ms = NOW_MS + 24 * HOUR_MS;
    let mut edited = release(1, "v2", Some(AT_MS), false);
    edited["updated_at"] = json!(date(edited_ms));
    {
        let mut world = github.world();
        world.now_ms = edited_ms;
        world.put("releases", 1, edited_ms, edited);
        // Its tag comes late, and nothing says so but a hook.
        world.put("tags", 9, edited_ms, json!({"name": "v9", "sha": sha(9)}));
    }
    kept.round(&github, &collector).await;
    assert_eq!(deployed(&kept, "release/1"), (Some(sha(2)), AT_MS), "edited long after it was out");
    assert_eq!(made(&kept, "release/1").version, "v2");
    let cursor = std::mem::take(&mut kept.cursor);
    let batch = collector.read_object(cursor, &Object::Release(2), edited_ms, 0).await;
    assert_eq!(kept.take(batch), Next::Now);
    assert_eq!(deployed(&kept, "release/2"), (Some(sha(9)), AT_MS), "it knows more");

    github.world().put("releases", 1, edited_ms, Value::Null);
    let cursor = std::mem::take(&mut kept.cursor);
    let batch = collector.read_object(cursor, &Object::Release(1), edited_ms, 0).await;
    assert_eq!(batch.rejects[0].reason, "1 was deleted");
    kept.take(batch);
    assert_eq!(kept.ids("deployment"), ["release/1", "release/2"]);
}

/// Tags of every kind on two commits.
fn tagged() -> World {
    let mut world = World::at(NOW_MS);
    let old = world.commit(1, &[], (AT_MS - 900 * HOUR_MS, AT_MS - 800 * HOUR_MS));
    let new = world.commit(2, &[&old], (AT_MS, AT_MS + HOUR_MS));
    let annotated = |key: u64, at_ms: Option<i64>, (kind, to): (&str, &str)| {
        json!({
            "sha": sha(key), "object": {"type": kind, "sha": to},
            "tagger": at_ms.map(|at_ms| json!({"date": date(at_ms)})),
        })
    };
    let named_ms = AT_MS + 5 * HOUR_MS;
    world.put("git/tags", 10, AT_MS, annotated(10, Some(named_ms), ("commit", &old)));
    world.put("git/tags", 11, AT_MS, annotated(11, None, ("tag", &sha(10))));
    world.put("git/tags", 12, AT_MS, annotated(12, None, ("commit", &new)));
    world.put("git/tags", 13, AT_MS, annotated(13, Some(named_ms), ("tree", &sha(99))));
    for (key, name, named) in [
        (1, "v0", ("commit", &*old)),
        (2, "v1", ("commit", &*new)),
        (3, "v2", ("tag", &*sha(10))),
        (4, "shop/v3", ("tag", &*sha(11))),
        (5, "v4", ("tag", &*sha(12))),
        (6, "v-tree", ("tag", &*sha(13))),
        (7, "v-file", ("blob", &*sha(98))),
        (8, "v-gone", ("tag", &*sha(97))),
        (9, "other", ("commit", &*new)),
        (10, "pay/v1", ("commit", &*new)),
    ] {
        world.tag(key, name, AT_MS, named);
    }
    world
}

#[tokio::test]
async fn tags_are_deployments_of_the_commits_behind_them() {
    let github = GitHub::start(tagged()).await;
    let collector = github.collector(&[Stream::Tags], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    let ids = ["tag/shop/v3", "tag/v1", "tag/v2", "tag/v4"];
    assert_eq!(kept.ids("deployment"), ids, "v0 is older than what is read");
    assert_eq!(deployed(&kept, "tag/v1"), (Some(sha(2)), AT_MS + HOUR_MS));
    assert_eq!(deployed(&kept, "tag/v2"), (Some(sha(1)), AT_MS + 5 * HOUR_MS));
    assert_eq!(deployed(&kept, "tag/shop/v3"), (Some(sha(1)), AT_MS + 5 * HOUR_MS));
    assert_eq!(deployed(&kept, "tag/v4"), (Some(sha(2)), AT_MS + HOUR_MS), "nobody signed it");
    let reasons: Vec<&str> = kept.rejects.iter().map(|reject| &*reject.reason).collect();
    let gone = format!("v-gone: {} was deleted", sha(97));
    assert_eq!(reasons, ["v-file: leads to no commit", &gone, "v-tree: leads to no commit"]);
    // Of the patterns `shop/v*` and `v*` each has its list, and nothing is read twice.
    github.world().requests.clear();
    kept.round(&github, &collector).await;
    let lists = ["shop%2Fv", "v"]
        .map(|of| format!("/api/v3/repos/acme/shop/git/matching-refs/tags%2F{of}"));
    assert_eq!(github.world().requests, lists);
    assert_eq!(kept.rejects.len(), 3);
}

#[tokio::test]
async fn a_tag_that_is_moved_wins_wherever_it_is_moved_to_and_a_deleted_one_stays() {
    let github = GitHub::start(tagged()).await;
    let collector = github.collector(&[Stream::Tags], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    let later_ms = NOW_MS + 24 * HOUR_MS;
    {
        let mut world = github.world();
        world.now_ms = later_ms;
        // To a commit from before what is read.
        world.tag(2, "v1", later_ms, ("commit", &sha(1)));
        world.put("refs", 3, later_ms, Value::Null);
    }
    kept.round(&github, &collector).await;
    assert_eq!(deployed(&kept, "tag/v1"), (Some(sha(1)), AT_MS - 800 * HOUR_MS));
    assert_eq!(deployed(&kept, "tag/v2"), (Some(sha(1)), AT_MS + 5 * HOUR_MS));
    {
        let mut world = github.world();
        world.now_ms += 24 * HOUR_MS;
        world.tag(2, "v1", later_ms + 1, ("commit", &sha(2)));
    }
    kept.round(&github, &collector).await;
    assert_eq!(deployed(&kept, "tag/v1").0, Some(sha(2)), "and back");
}

#[tokio::test]
async fn a_tag_that_a_hook_tells_of_is_read_at_once() {
    let github = GitHub::start(tagged()).await;
    let collector = github.collector(&[Stream::Tags], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    let hint = |name: &str| Object::Ref { name: format!("refs/tags/{name}"), after: None };
    {
        let mut world = github.world();
        world.tag(20, "v20", NOW_MS, ("commit", &sha(2)));
        world.requests.clear();
    }
    for (name, requests) in [("other", 0), ("v20", 3), ("v20", 2)] {
        let cursor = std::mem::take(&mut kept.cursor);
        let batch = collector.read_object(cursor, &hint(name), NOW_MS, 0).await;
        assert_eq!(batch.requests, requests, "{name}");
        assert_eq!(kept.take(batch), Next::Now);
    }
    assert_eq!(deployed(&kept, "tag/v20").0, Some(sha(2)));
}
