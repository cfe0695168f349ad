//! Deployments that nobody told GitHub of: runs of a workflow and releases.

use super::world::{GitHub, Kept, World, date, sha};
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

fn states(kept: &Kept, id: &str) -> Vec<State> {
    let Some(Fact { what: What::Deployment(made), .. }) =
        kept.facts.get(&("deployment", id.to_owned()))
    else {
        panic!("{id}")
    };
    assert_eq!(made.environment.as_str(), "production");
    made.statuses.iter().map(|status| status.state).collect()
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

#[tokio::test]
async fn a_published_release_is_a_deployment_of_its_tags_commit() {
    let mut world = World::at(NOW_MS);
    world.put("tags", 1, AT_MS, json!({"name": "shop/v1", "sha": sha(1)}));
    let release = |id: u64, tag: &str, published: Option<i64>, pre: bool| {
        json!({
            "id": id, "tag_name": tag, "created_at": date(AT_MS - 20 * 24 * HOUR_MS),
            "published_at": published.map(date), "draft": published.is_none(), "prerelease": pre,
        })
    };
    world.put("releases", 1, AT_MS, release(1, "shop/v1", Some(AT_MS), false));
    world.put("releases", 2, AT_MS, release(2, "v2", None, false));
    world.put("releases", 3, AT_MS, release(3, "v3-rc1", Some(AT_MS), true));
    let github = GitHub::start(world).await;
    let collector = github.collector(&[Stream::Releases], SINCE_MS);
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    assert_eq!(kept.ids("deployment"), ["release/1"]);
    let Fact { what: What::Deployment(made), .. } =
        &kept.facts[&("deployment", "release/1".to_owned())]
    else {
        panic!("a deployment")
    };
    assert_eq!(made.revision.as_ref().map(|sha| sha.as_str().to_owned()), Some(sha(1)));
    assert_eq!((made.version.as_str(), made.created_ms), ("shop/v1", AT_MS));
    // Published long after it was drafted, it stands deep in the list.
    let late_ms = NOW_MS + HOUR_MS;
    github.world().put("releases", 2, late_ms, release(2, "v2", Some(late_ms), false));
    github.world().now_ms = late_ms + HOUR_MS / 2;
    kept.round(&github, &collector).await;
    assert_eq!(states(&kept, "release/2"), [State::Success]);
    assert_eq!(kept.rejects[0].reason, "2: there is no tag v2");
}
