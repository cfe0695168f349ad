//! How CI workflows fare: no DORA metric, but where lead time is lost. A run counts once, with its
//! last attempt, because a green retry is what the next step waited for.

use std::collections::BTreeMap;

use redora_model::fact::Run;
use serde::Serialize;

use super::Query;
use super::spread::{Samples, Spread};

/// One workflow's runs that ended in a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Workflow {
    /// Its name.
    pub workflow: String,
    /// Runs by the conclusion of their last attempt, in GitHub's words.
    pub conclusions: BTreeMap<String, usize>,
    /// The share of runs that succeeded among those that succeeded or failed; absent without one.
    pub success_ratio: Option<f64>,
    /// How long the last attempts took that succeeded or failed, from their own beginning.
    pub duration: Spread,
    /// How long the jobs of last attempts waited for a machine, where jobs are read.
    pub queue: Spread,
    /// Runs that succeeded after an attempt that had failed.
    pub flaky: usize,
}

/// The workflows with a run that ended in the window, by name. A fact's id is that of the run, a
/// slash and the attempt.
#[must_use]
pub fn workflows<'a>(
    runs: impl IntoIterator<Item = (&'a str, &'a Run)>,
    query: &Query,
) -> Vec<Workflow> {
    let mut attempts: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for (id, run) in runs {
        let id = id.rsplit_once('/').map_or(id, |(run, _)| run);
        if run.created_ms <= query.now_ms {
            attempts.entry(id).or_default().push(run);
        }
    }
    let within = |ms: i64| (query.from_ms..query.to_ms).contains(&ms) && ms <= query.now_ms;
    let mut found: BTreeMap<&str, (Workflow, Samples, Samples)> = BTreeMap::new();
    for attempts in attempts.values() {
        let Some(last) = attempts.iter().max_by_key(|run| run.attempt) else { continue };
        let Some(ended_ms) = last.ended_ms.filter(|ms| within(*ms)) else { continue };
        let (workflow, samples, queue) = found.entry(&last.workflow).or_default();
        *workflow.conclusions.entry(last.conclusion.clone()).or_default() += 1;
        let verdict = verdict(last);
        if verdict.is_some() {
            // Without its own beginning the time in the queue would count as work.
            samples.span_of(last.started_ms, Some(ended_ms));
        }
        for job in last.jobs.iter().filter(|job| job.conclusion != "skipped") {
            queue.span_of(Some(job.created_ms), job.started_ms);
        }
        let failed_before = attempts.iter().any(|run| verdict_of_earlier(run, last));
        workflow.flaky += usize::from(verdict == Some(true) && failed_before);
    }
    let counted = |(name, (workflow, samples, queue)): (&str, (Workflow, Samples, Samples))| {
        Workflow { queue: queue.spread(), ..counted(name, workflow, samples) }
    };
    found.into_iter().map(counted).collect()
}

/// Whether an attempt succeeded; `None` where it says nothing of the code: cancelled, skipped,
/// neutral, waiting for someone.
fn verdict(run: &Run) -> Option<bool> {
    match run.conclusion.as_str() {
        "success" => Some(true),
        "failure" | "timed_out" | "startup_failure" => Some(false),
        _ => None,
    }
}

fn verdict_of_earlier(run: &Run, last: &Run) -> bool {
    run.attempt < last.attempt && verdict(run) == Some(false)
}

fn counted(name: &str, workflow: Workflow, samples: Samples) -> Workflow {
    let count = |words: &[&str]| -> usize {
        words.iter().filter_map(|word| workflow.conclusions.get(*word)).sum()
    };
    let succeeded = count(&["success"]);
    let success_ratio =
        super::ratio(succeeded, succeeded + count(&["failure", "timed_out", "startup_failure"]));
    Workflow { workflow: name.to_owned(), success_ratio, duration: samples.spread(), ..workflow }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use redora_model::fact::Job;
    use redora_model::identity::Repository;

    use super::*;

    fn run(attempt: u32, from_ms: i64, to_ms: i64, conclusion: &str) -> Run {
        let is_over = !conclusion.is_empty();
        Run {
            repository: Repository::new("o/shop"),
            workflow: "test".to_owned(),
            branch: String::new(),
            revision: None,
            attempt,
            created_ms: from_ms - 500,
            started_ms: Some(from_ms),
            ended_ms: is_over.then_some(to_ms),
            jobs: Vec::new(),
            conclusion: conclusion.to_owned(),
        }
    }

    fn counted(runs: &[(&str, Run)]) -> Vec<Workflow> {
        let (from_ms, to_ms, now_ms) = (1000, 100_000, 100_000);
        let query = Query { from_ms, to_ms, now_ms, attribution_ms: 0, zone: TimeZone::UTC };
        workflows(runs.iter().map(|(id, run)| (*id, run)), &query)
    }

    #[test]
    fn a_run_counts_once_with_its_last_attempt_and_says_that_it_was_flaky() {
        let found = counted(&[
            ("7/2", run(2, 5000, 9000, "success")),
            ("7/1", run(1, 2000, 3000, "failure")),
            ("8/1", run(1, 2000, 4000, "timed_out")),
            ("9/1", run(1, 2000, 2500, "cancelled")),
            ("10/1", run(1, 2000, 0, "")),
        ]);
        let [workflow] = &found[..] else { panic!("{found:?}") };
        let expected = [("cancelled", 1), ("success", 1), ("timed_out", 1)];
        let expected = expected.map(|(word, n)| (word.to_owned(), n)).into();
        assert_eq!(workflow.conclusions, expected);
        assert_eq!((workflow.success_ratio, workflow.flaky), (Some(0.5), 1));
        assert_eq!((workflow.duration.n, workflow.duration.p50_s), (2, Some(3.0)));
    }

    #[test]
    fn a_job_waits_until_a_machine_takes_it_and_one_that_was_skipped_for_nothing() {
        let job = |created_ms: i64, started_ms: Option<i64>, conclusion: &str| Job {
            name: "build".to_owned(),
            created_ms,
            started_ms,
            ended_ms: None,
            conclusion: conclusion.to_owned(),
        };
        let mut last = run(2, 5000, 9000, "success");
        last.jobs = vec![
            job(5000, Some(6000), "success"),
            job(5000, Some(8000), "failure"),
            job(5000, Some(5000), "skipped"),
            job(5000, None, "cancelled"),
            // Carried over from the attempt before.
            job(5000, Some(2000), "success"),
        ];
        let mut first = run(1, 2000, 3000, "failure");
        first.jobs = vec![job(0, Some(2000), "failure")];
        let found = counted(&[("7/2", last), ("7/1", first)]);
        let queue = &found[0].queue;
        assert_eq!((queue.n, queue.rejected, queue.p50_s), (2, 1, Some(2.0)));
        assert_eq!(counted(&[("1/1", run(1, 2000, 3000, "success"))])[0].queue, Spread::default());
    }

    #[test]
    fn what_ended_elsewhere_or_says_nothing_has_no_ratio() {
        assert_eq!(counted(&[("1/1", run(1, 500, 900, "success"))]), []);
        assert_eq!(counted(&[("1/1", run(1, 100_001, 100_009, "success"))]), []);
        let found = counted(&[("1/1", run(1, 2000, 3000, "skipped"))]);
        assert_eq!((found[0].success_ratio, found[0].duration.n), (None, 0));
    }
}
