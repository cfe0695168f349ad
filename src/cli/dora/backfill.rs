//! `redora dora backfill`: its plan and its progress on stderr while sources are read, and a line
//! for each on stdout when they are.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::Arc;

use super::super::args::{BackfillOptions, PlanFormat};
use super::super::outcome::{self, Outcome};
use super::plan;
use super::screen::Screen;
use crate::app::delivery::{self, DeliveryError, End, Planned, Progress, Watch, text};
use crate::config::Config;
use crate::process::{self, Clock};

/// Reads every source once, or says what that would cost.
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
    if options.dry_run {
        return plan::dry_run(&config, options.format.unwrap_or(PlanFormat::Table));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let clock = Clock::system();
    let screen = Screen::new(io::stderr().is_terminal(), clock.unix_ms());
    let (told, shown) = (clock.clone(), Arc::new(std::sync::Mutex::new(screen)));
    let watch = Watch {
        plan: Box::new(|planned: &Planned| tell(&plan::short(planned))),
        step: Arc::new(move |progress: &Progress| {
            let mut screen = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            tell(&screen.show(progress, told.unix_ms()));
        }),
    };
    let reading = delivery::backfill(&config, clock, process::seed(), watch);
    let ended = runtime.block_on(reading)?;
    Ok(summary(&ended))
}

/// Without stderr there is nobody to show it to.
fn tell(page: &str) {
    let _ = io::stderr().write_all(page.as_bytes());
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
