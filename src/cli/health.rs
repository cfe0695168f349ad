//! `redora health`: one request of the agent's own, so that an image without a shell and without
//! curl can check itself.

use std::fmt;
use std::time::Duration;

use http::{StatusCode, Uri};
use tokio::task::JoinSet;

use super::args::HealthOptions;
use super::outcome::{self, Outcome};
use crate::listen::{self, GetError};

/// Where an agent with the default configuration answers; containers may have only one of the two
/// families.
const DEFAULT_URLS: [&str; 2] = ["http://127.0.0.1:9464/readyz", "http://[::1]:9464/readyz"];

/// Asks an agent whether it is ready and says so.
pub(super) fn health(options: &HealthOptions) -> Outcome {
    let urls = match &options.url {
        Some(url) => vec![url.clone()],
        None => DEFAULT_URLS.map(Uri::from_static).to_vec(),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            outcome::complain(&format_args!("cannot start: {error}"));
            return Outcome::Failed;
        }
    };
    let answer = runtime.block_on(first_answer(urls, options.timeout));
    // A name still being resolved sits in a thread that must not hold the exit.
    runtime.shutdown_background();
    match answer {
        Ok(()) => outcome::print(b"ready\n"),
        Err(faults) => {
            for (url, fault) in faults {
                outcome::complain(&format_args!("{url}: {fault}"));
            }
            Outcome::Failed
        }
    }
}

/// Why an agent does not count as ready.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}; is redora running, and is this its admin port?")]
    NoAnswer(#[from] GetError),
    #[error("not ready: {status}{reason}")]
    NotReady { status: StatusCode, reason: Reason },
}

/// What the agent said about itself, made safe for a terminal.
#[derive(Debug)]
struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.trim() {
            "" => Ok(()),
            text => write!(out, ": {}", text.escape_debug()),
        }
    }
}

/// Asks all addresses at once, since a firewall may swallow the packets to one of them. The first
/// success counts; otherwise every fault is returned in the order of the addresses.
async fn first_answer(urls: Vec<Uri>, limit: Duration) -> Result<(), Vec<(Uri, Fault)>> {
    let mut questions = JoinSet::new();
    for (place, url) in urls.into_iter().enumerate() {
        questions.spawn(async move { ask(&url, limit).await.map_err(|fault| (place, url, fault)) });
    }
    let mut faults = Vec::new();
    while let Some(answer) = questions.join_next().await {
        match answer.expect("a question neither panics nor is aborted") {
            Ok(()) => return Ok(()),
            Err(fault) => faults.push(fault),
        }
    }
    faults.sort_by_key(|(place, ..)| *place);
    Err(faults.into_iter().map(|(_, url, fault)| (url, fault)).collect())
}

/// One question, and whether its answer means ready.
async fn ask(url: &Uri, limit: Duration) -> Result<(), Fault> {
    let (status, body) = listen::get(url, limit).await?;
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(Fault::NotReady { status, reason: Reason(String::from_utf8_lossy(&body).into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_cannot_move_the_cursor() {
        let reason = Reason("\x1b[2Jdraining\n".into());
        assert_eq!(reason.to_string(), ": \\u{1b}[2Jdraining");
    }
}
