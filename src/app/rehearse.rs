//! A rehearsal wired together: objectives of the configuration, a history from where it is, and the
//! incidents that the ledger and a file know of.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use redora_collector::ledger::{LedgerError, OpenError, Reader, Scope};
use redora_collector::sources::incidents::{Fault, Origin, follow, jsonl::Tongue};
use redora_model::fact::{Fact, Nature, What};
use redora_model::slo::replay::Gaps;
use thiserror::Error;

use super::delivery::{self, LEDGER_FILE};
use crate::config::Config;
use crate::rehearse::history::{self, BadLine};
use crate::rehearse::prometheus::{self, Unread};
use crate::rehearse::{Incident, Rehearsal};

pub use crate::rehearse::prometheus::Source;
pub use crate::rehearse::{Alerts, Ask, Detection, Fired, Found, Played, Report};

/// What a rehearsal is made from.
pub struct Stage<'a> {
    /// Which objectives, on which terms.
    pub ask: Ask,
    /// Where their events are.
    pub history: History,
    /// The time that is reported, in milliseconds since the Unix epoch.
    pub time: Time,
    /// A log of incidents in redora's own form.
    pub incidents: Option<Box<dyn BufRead>>,
    /// Whose ledger has incidents.
    pub ledger: Option<&'a Config>,
    /// How long before an incident a page may fire and still belong to it.
    pub tolerance_ms: i64,
}

/// The time that is reported.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Its beginning; that of the history where there is none.
    pub since_ms: Option<i64>,
    /// Its end; that of the history where there is none.
    pub until_ms: Option<i64>,
}

/// Where events are.
pub enum History {
    /// In lines.
    Lines(Box<dyn BufRead>),
    /// In a Prometheus, up to a time.
    Prometheus(Source),
}

/// A line of an input that was set aside.
#[derive(Debug, Error)]
pub enum SetAside {
    /// Of the history.
    #[error("the history: {0}")]
    Record(BadLine),
    /// Of the incidents.
    #[error("the incidents: line {number}: {fault}")]
    Incident {
        /// Its number, from 1.
        number: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Not a line, but an objective that nobody has a goal for.
    #[error(
        "{service}/{slo} has events and no goal; give --objective and --window, or name it in the \
         files of --config"
    )]
    Aimless {
        /// Its service.
        service: String,
        /// Its name.
        slo: String,
    },
}

/// Why there is no rehearsal.
#[derive(Debug, Error)]
pub enum RehearseError {
    /// The Prometheus cannot be read.
    #[error(transparent)]
    Prometheus(#[from] Unread),
    /// A file cannot be read.
    #[error("{0}")]
    Stream(#[from] io::Error),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is nothing to report.
    #[error(
        "the history holds no events of these objectives; does it reach into this time, and know \
         the --service and --slo?"
    )]
    Nothing,
    /// Nobody says what was promised.
    #[error("no objective has a goal; give --objective, or name the files of --config")]
    Aimless,
}

/// Rehearses; what was set aside goes to `on_bad`.
///
/// # Errors
/// Nothing can be said.
pub async fn rehearse(
    stage: Stage<'_>,
    mut on_bad: impl FnMut(SetAside),
) -> Result<Report, RehearseError> {
    let Stage { ask, history, time, incidents, ledger, tolerance_ms } = stage;
    let min = |ms: i64| u64::try_from(ms).unwrap_or(0) / 60_000;
    let (since_min, until_min) = (time.since_ms.map_or(0, min), time.until_ms.map(min));
    let known = known(incidents, ledger, &mut on_bad)?;
    let rehearsal = match history {
        History::Lines(lines) => {
            let mut rehearsal = Rehearsal::new(ask, Gaps::Idle, since_min);
            history::read(lines, &mut rehearsal, until_min, delivery::moment, |bad| {
                on_bad(SetAside::Record(bad));
            })?;
            rehearsal
        }
        History::Prometheus(source) => {
            let mut rehearsal = Rehearsal::new(ask, Gaps::Absent, since_min);
            // The longest windows are full when the time begins that is reported.
            let from_min = since_min.saturating_sub(WARM_MIN);
            let to_min = until_min.unwrap_or(since_min);
            prometheus::read(&source, &mut rehearsal, [from_min, to_min]).await?;
            rehearsal
        }
    };
    if rehearsal.objectives() == 0 {
        return Err(RehearseError::Nothing);
    }
    for name in rehearsal.without_goal() {
        let (service, slo) = (name.service.clone(), name.slo.clone());
        on_bad(SetAside::Aimless { service, slo });
    }
    let report = rehearsal.report(until_min, known.as_deref(), tolerance_ms);
    if report.objectives.is_empty() { Err(RehearseError::Aimless) } else { Ok(report) }
}

/// Every incident that is told of, or nothing where nobody was asked.
fn known(
    log: Option<Box<dyn BufRead>>,
    ledger: Option<&Config>,
    on_bad: &mut impl FnMut(SetAside),
) -> Result<Option<Vec<Incident>>, RehearseError> {
    let mut known: BTreeMap<(String, i64), Incident> = BTreeMap::new();
    let mut keep = |fact: Fact| {
        if let Some(incident) = incident(fact) {
            known.insert((incident.id.clone(), incident.started_ms), incident);
        }
    };
    let has_log = log.is_some();
    if let Some(log) = log {
        logged(log, on_bad)?.into_values().for_each(&mut keep);
    }
    let mut has_ledger = false;
    if let Some(config) = ledger {
        match Reader::open(&config.data_dir.join(LEDGER_FILE)) {
            Ok(reader) => {
                has_ledger = true;
                reader.winners("incident", Scope::All, keep)?;
            }
            // Without a delivery half there is none.
            Err(OpenError::Absent(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok((has_log || has_ledger).then(|| known.into_values().collect()))
}

/// The incidents of a log; of those with one id the one that was written last.
fn logged(
    log: Box<dyn BufRead>,
    on_bad: &mut impl FnMut(SetAside),
) -> Result<BTreeMap<String, Fact>, RehearseError> {
    let origin = Origin { source: "incidents".to_owned(), service: None, environment: None };
    let tongue = Tongue::Record(origin);
    let mut facts: BTreeMap<String, Fact> = BTreeMap::new();
    history::lines(log, follow::LINE_BYTES_MAX, |number, line| {
        let read = match line {
            Some(line) => tongue.read(line),
            None => Err(Fault::TooLong { max: follow::LINE_BYTES_MAX }),
        };
        match read {
            Ok(None) => {}
            Ok(Some(fact)) => {
                let known = facts.get(&fact.id);
                if known.is_none_or(|known| known.as_of_ms <= fact.as_of_ms) {
                    facts.insert(fact.id.clone(), fact);
                }
            }
            Err(fault) => on_bad(SetAside::Incident { number, fault }),
        }
    })?;
    Ok(facts)
}

/// What a page may have told of: a disruption, and none that a page opened, which would be found by
/// itself.
fn incident(fact: Fact) -> Option<Incident> {
    let What::Incident(incident) = fact.what else { return None };
    if incident.nature != Nature::Disruption || fact.source == ALERTMANAGER {
        return None;
    }
    Some(Incident {
        id: fact.id,
        resolved_ms: incident.resolved_ms(),
        service: incident.service.map(|service| service.to_string()),
        environment: incident.environment.map(|environment| environment.to_string()),
        title: incident.title,
        started_ms: incident.started_ms,
    })
}

/// The source of the incidents that alerts opened.
const ALERTMANAGER: &str = redora_collector::collect::ALERTMANAGER;
/// The longest window of the rules, and the half hour that it reaches back further.
const WARM_MIN: u64 = 3 * 1_440 + 36;
