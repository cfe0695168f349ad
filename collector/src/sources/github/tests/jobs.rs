//! Jobs of workflow runs: read once for each attempt that is over, however often a run is listed.

use redora_model::fact::{Job, Run};

use super::count::Count;
use super::world::{GitHub, Kept, World, date, plan, sha};
use super::*;

const MINUTE_MS: i64 = 60_000;
const AT_MS: i64 = NOW_MS - 300 * MINUTE_MS;

fn run(id: u64, attempt: u64, updated_ms: i64, conclusion: Option<&str>) -> Value {
    json!({
        "id": id, "name": "ci", "created_at": date(AT_MS), "head_sha": sha(id),
        "run_attempt": attempt, "run_started_at": date(AT_MS), "updated_at": date(updated_ms),
        "status": conclusion.map_or("in_progress", |_| "completed"), "conclusion": conclusion,
    })
}

fn job(name: &str, waited_ms: i64, conclusion: &str) -> Value {
    json!({
        "id": 1, "name": name, "created_at": date(AT_MS), "started_at": date(AT_MS + waited_ms),
        "completed_at": date(AT_MS + 9 * MINUTE_MS), "conclusion": conclusion,
    })
}

fn world() -> World {
    let mut world = World::at(NOW_MS);
    world.put("actions/runs", 1, AT_MS, run(1, 1, AT_MS + 10 * MINUTE_MS, Some("failure")));
    world.put("actions/runs", 2, AT_MS, run(2, 2, AT_MS + 90 * MINUTE_MS, Some("success")));
    world.put("actions/runs/2/attempts", 1, AT_MS, run(2, 1, AT_MS, Some("failure")));
    world.put("actions/runs", 3, AT_MS, run(3, 1, AT_MS, None));
    for (id, attempt) in [(1, 1), (2, 1), (2, 2), (3, 1)] {
        let list = format!("actions/runs/{id}/attempts/{attempt}/jobs");
        world.put(&list, 1, AT_MS, job("test", MINUTE_MS, "failure"));
        world.put(&list, 2, AT_MS, job(&"matrix ".repeat(50), 2 * MINUTE_MS, "success"));
        world.put(&list, 3, AT_MS, json!({"name": "no time"}));
    }
    world
}

fn with_jobs() -> Plan {
    Plan { jobs: true, ..plan(&[Stream::Runs], SINCE_MS) }
}

fn jobs<'a>(kept: &'a Kept, id: &str) -> &'a [Job] {
    match &kept.facts[&("run", id.to_owned())].what {
        What::Run(Run { jobs, .. }) => jobs,
        other => panic!("{other:?}"),
    }
}

/// How often jobs were asked for since the last look.
fn asked(github: &GitHub) -> usize {
    let requests = std::mem::take(&mut github.world().requests);
    requests.iter().filter(|path| path.contains("/jobs?per_page=100")).count()
}

#[tokio::test]
async fn jobs_of_what_is_over_are_read_once_and_again_when_it_is_run_again() {
    let github = GitHub::start(world()).await;
    let collector = github.collector_of(with_jobs());
    let mut kept = Kept::default();
    kept.round(&github, &collector).await;
    assert_eq!(asked(&github), 3, "of three attempts that are over");
    let [matrix, test] = jobs(&kept, "1/1") else { panic!("two jobs") };
    let ended_ms = Some(AT_MS + 9 * MINUTE_MS);
    let expected = Job {
        name: "test".into(),
        created_ms: AT_MS,
        started_ms: Some(AT_MS + MINUTE_MS),
        ended_ms,
        conclusion: "failure".into(),
    };
    assert_eq!((test, matrix.name.len()), (&expected, 100));
    assert_eq!((jobs(&kept, "2/1").len(), jobs(&kept, "3/1").len()), (2, 0));
    assert_eq!(kept.rejects[0].reason, "1: a job: `created_at` is absent");

    github.world().now_ms += 5 * MINUTE_MS;
    kept.round(&github, &collector).await;
    assert_eq!(asked(&github), 0, "nothing ended");
    let now_ms = github.world().now_ms;
    github.world().put("actions/runs", 3, now_ms, run(3, 1, now_ms, Some("success")));
    let again = run(1, 2, now_ms, Some("success"));
    github.world().put("actions/runs", 1, now_ms, again);
    let first = run(1, 1, AT_MS + 10 * MINUTE_MS, Some("failure"));
    github.world().put("actions/runs/1/attempts", 1, now_ms, first);
    kept.round(&github, &collector).await;
    assert_eq!(asked(&github), 3, "of one that ended, and of two attempts");
    assert_eq!(jobs(&kept, "3/1").len(), 2);
    assert_eq!(jobs(&kept, "1/2").len(), 0, "the server tells none");
    // What is no more listed is forgotten.
    github.world().now_ms += 3 * 24 * 60 * MINUTE_MS;
    kept.round(&github, &collector).await;
    kept.round(&github, &collector).await;
    assert_eq!(kept.cursor.places[&Stream::Runs].runs.len(), 0);
}

#[tokio::test]
async fn jobs_that_are_read_later_are_kept_with_a_run_that_is_known() {
    let github = GitHub::start(world()).await;
    let mut kept = Kept::default();
    kept.round(&github, &github.collector(&[Stream::Runs], SINCE_MS)).await;
    assert_eq!((asked(&github), jobs(&kept, "1/1").len()), (0, 0));
    kept.round(&github, &github.collector_of(with_jobs())).await;
    assert_eq!((asked(&github), jobs(&kept, "1/1").len()), (3, 2));
    kept.round(&github, &github.collector(&[Stream::Runs], SINCE_MS)).await;
    assert_eq!(jobs(&kept, "1/1").len(), 2, "turned off again");
}

#[tokio::test]
async fn a_plan_counts_a_request_for_each_run_whose_jobs_are_unknown() {
    let mut counts = graphql::Counts::default();
    let runs = Count { total: 250, from_ms: Some(SINCE_MS), ..Count::default() };
    counts.of.insert(Stream::Runs, runs);
    let survey = Survey { at_ms: NOW_MS, counts };
    let requests = |plan: Plan, cursor: &Cursor| {
        let client = Client::new(&Config::new("token")).unwrap();
        let ahead = Surveyor::new(client, plan).ahead(&survey, Read::Present(cursor));
        ahead[0].rest_requests
    };
    let mut cursor = Cursor::default();
    let without = requests(plan(&[Stream::Runs], SINCE_MS), &cursor);
    assert_eq!(requests(with_jobs(), &cursor), without + 250);
    let place = cursor.places.entry(Stream::Runs).or_default();
    place.runs.extend((0..100).map(|id| (id, NOW_MS)));
    assert_eq!(requests(with_jobs(), &cursor), without + 150);
}
