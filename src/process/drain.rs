//! The end of the process in order and under one deadline, because organs that each had a deadline
//! of their own would add up to more patience than the system has.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// A drain under way. Steps are awaited one after another and share what is left of the time.
#[derive(Debug)]
pub struct Drain {
    limit: Duration,
    deadline: Instant,
    unfinished: Vec<&'static str>,
}

/// The drain ran out of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} did not finish within {} s", .steps.join(", "), .limit.as_secs_f32())]
pub struct Unfinished {
    /// Names of the steps that were cut off, in drain order.
    pub steps: Vec<&'static str>,
    /// The time that all steps had together.
    pub limit: Duration,
}

impl Drain {
    /// Starts the time of all steps together, usually [`super::DRAIN_LIMIT`].
    pub fn start(limit: Duration) -> Self {
        Self { limit, deadline: Instant::now() + limit, unfinished: Vec::new() }
    }

    /// Awaits one step until the deadline, and says whether it finished.
    ///
    /// Past the deadline a step is still polled once: what is done without waiting is done.
    pub async fn step(&mut self, name: &'static str, work: impl Future<Output = ()>) -> bool {
        let finished = timeout_at(self.deadline, work).await.is_ok();
        if !finished {
            self.unfinished.push(name);
        }
        finished
    }

    /// Ends the drain.
    ///
    /// # Errors
    /// [`Unfinished`] names the steps that were cut off.
    pub fn finish(self) -> Result<(), Unfinished> {
        if self.unfinished.is_empty() {
            Ok(())
        } else {
            Err(Unfinished { steps: self.unfinished, limit: self.limit })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn steps_run_in_order_within_the_time() {
        let order = RefCell::new(Vec::new());
        let mut drain = Drain::start(Duration::from_secs(10));
        for (name, seconds) in [("listeners", 4), ("books", 5)] {
            let step = async {
                sleep(Duration::from_secs(seconds)).await;
                order.borrow_mut().push(name);
            };
            assert!(drain.step(name, step).await);
        }
        assert_eq!(order.into_inner(), ["listeners", "books"]);
        assert_eq!(drain.finish(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_step_is_named_and_later_ready_steps_still_run() {
        let start = Instant::now();
        let mut drain = Drain::start(Duration::from_secs(10));
        assert!(!drain.step("listeners", std::future::pending()).await);
        let mut stored = false;
        assert!(drain.step("books", async { stored = true }).await);
        assert!(!drain.step("spool", sleep(Duration::from_millis(1))).await);
        assert!(stored);
        assert!(start.elapsed() < Duration::from_millis(10_010));
        let unfinished = drain.finish().unwrap_err();
        assert_eq!(unfinished.steps, ["listeners", "spool"]);
        assert_eq!(unfinished.to_string(), "listeners, spool did not finish within 10 s");
    }
}
