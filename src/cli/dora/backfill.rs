//! `redora dora backfill`: progress on stderr while sources are read, and a line for each on stdout
//! when they are.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::args::BackfillOptions;
use super::super::outcome::{self, Outcome};
use crate::app::delivery::{self, DeliveryError, End, Progress, text};
use crate::config::Config;
use crate::process::{self, Clock};

/// Reads every source once.
pub(super) fn backfill(
    mut config: Config,
    options: &BackfillOptions,
) -> Result<Outcome, DeliveryError> {
    if config.delivery.is_empty() {
        outcome::complain(
            &"the configuration names nothing to read; add delivery.repositories, delivery.git or \
              delivery.incidents",
        );
        return Ok(Outcome::Wrong);
    }
    if let Some(days) = options.since {
        config.delivery.history = std::time::Duration::from_secs(u64::from(days) * 86_400);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let screen = Screen::new();
    let watch = Arc::new(move |progress: &Progress| screen.show(progress));
    let reading = delivery::backfill(&config, Clock::system(), process::seed(), watch);
    let ended = runtime.block_on(reading)?;
    Ok(summary(&ended))
}

fn summary(ended: &[(Progress, End)]) -> Outcome {
    let mut lines = String::new();
    let mut outcome = Outcome::Done;
    for (progress, end) in ended {
        let Progress { source, fresh, rejects, requests, .. } = progress;
        let until = end.complete_until_ms.map_or_else(|| "-".to_owned(), text);
        let _ = writeln!(
            lines,
            "{source}: {fresh} facts, {rejects} set aside, {requests} requests, \
             complete up to {until}"
        );
        for refused in &end.refused {
            outcome::complain(&format_args!("{source}: {refused}"));
        }
        outcome = match outcome {
            Outcome::Done if end.refused.is_empty() => Outcome::Done,
            Outcome::Wrong => Outcome::Wrong,
            _ if end.misconfigured => Outcome::Wrong,
            _ => Outcome::Failed,
        };
    }
    match outcome::print(lines.as_bytes()) {
        Outcome::Done => outcome,
        failed => failed,
    }
}

/// Where progress is shown: one line a source on a terminal, waits alone elsewhere.
struct Screen {
    is_terminal: bool,
    shown: Mutex<Vec<Progress>>,
}

impl Screen {
    fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown: Mutex::default() }
    }

    fn show(&self, progress: &Progress) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = String::new();
        if self.is_terminal {
            // Back to the first line of what was shown.
            page.extend(std::iter::repeat_n("\x1b[A", shown.len()));
        }
        let before = shown.iter_mut().find(|before| before.source == progress.source);
        let is_new_wait = progress.waits.is_some()
            && before.as_ref().is_none_or(|before| before.waits != progress.waits);
        match before {
            Some(before) => before.clone_from(progress),
            None => shown.push(progress.clone()),
        }
        if self.is_terminal {
            shown
                .iter()
                .for_each(|progress| page.push_str(&format!("\x1b[2K{}\n", line(progress))));
        } else if is_new_wait {
            page.push_str(&line(progress));
            page.push('\n');
        }
        // Without stderr there is nobody to show it to.
        let _ = io::stderr().write_all(page.as_bytes());
    }
}

fn line(progress: &Progress) -> String {
    let Progress { source, fresh, requests, waits, .. } = progress;
    match waits {
        Some((why, until_ms)) => format!("{source}: waits until {}: {why}", text(*until_ms)),
        None => format!("{source}: {fresh} facts, {requests} requests"),
    }
}
