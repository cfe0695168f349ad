//! What a rehearsal comes to: alerts of each objective, and incidents with the pages that told of
//! them. Pages that another would have inhibited fire, and wake nobody: both are told.

use redora_model::slo::Severity;
use redora_model::slo::replay::Firing;
use serde::Serialize;

use super::incidents::{Incident, Page};
use super::play::{Name, Part, Rehearsal};

/// A whole rehearsal. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The first moment of any objective.
    pub from_ms: i64,
    /// The last moment.
    pub to_ms: i64,
    /// Each objective, by service and name.
    pub objectives: Vec<Played>,
    /// What became of the incidents; absent where none were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<Detection>,
}

/// One objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Played {
    /// The service.
    pub service: String,
    /// The objective.
    pub slo: String,
    /// Its goal, the last one where it changed.
    pub objective: String,
    /// The length of its window, the last one where it changed.
    pub window_s: u64,
    /// The first moment of its events.
    pub from_ms: i64,
    /// Events that kept the promise.
    pub good: u64,
    /// Events that broke it.
    pub bad: u64,
    /// Alerts that wake someone.
    pub pages: Alerts,
    /// Alerts that someone looks at in the morning.
    pub tickets: Alerts,
    /// Calls of pages that belong to no incident; absent where no incidents were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages_without_incident: Option<u64>,
    /// Each alert, in the order of firing.
    pub firings: Vec<Fired>,
}

/// Alerts of one severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Alerts {
    /// How many fired.
    pub fired: u64,
    /// How often someone would have been called. The others were inhibited as long as they fired,
    /// or went on with what another had called for.
    pub notified: u64,
    /// Those in a week; absent where there was no time.
    pub per_week: Option<f64>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fired {
    /// The label `burn_tier`.
    pub tier: &'static str,
    /// The label `severity`.
    pub severity: &'static str,
    /// When it fired.
    pub fired_ms: i64,
    /// When someone would have been told; absent where it was inhibited for as long as it fired.
    pub notified_ms: Option<i64>,
    /// Whether that went on with what another alert of the severity had called for.
    pub joined: bool,
    /// When it was over; absent where it fires still.
    pub ended_ms: Option<i64>,
    /// The incident that a page belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// Incidents, held against the pages of all objectives that are rehearsed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// How long before an incident a page may fire and still belong to it.
    pub tolerance_s: i64,
    /// Incidents of these services in this time.
    pub n: u64,
    /// Those that no page told of.
    pub missed: u64,
    /// Half of those that a page told of were known so soon after they began.
    pub delay_median_s: Option<f64>,
    /// Each of them, in the order of their beginnings.
    pub incidents: Vec<Found>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The name that its source has for it.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it began.
    pub started_ms: i64,
    /// When it was over.
    pub resolved_ms: Option<i64>,
    /// The first page that told of it; absent where it was missed.
    pub page: Option<FirstPage>,
}

/// The page that told of an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstPage {
    /// Whose objective.
    pub service: String,
    /// Which.
    pub slo: String,
    /// The label `burn_tier`.
    pub tier: &'static str,
    /// When it fired.
    pub fired_ms: i64,
    /// How long after the beginning of the incident; negative before it.
    pub delay_s: i64,
}

impl Rehearsal {
    /// What would have happened up to the end of a minute, by default of the last one that was
    /// told, and which of the incidents it would have told of; without incidents nothing is said of
    /// them.
    #[must_use]
    pub fn report(
        self,
        until_min: Option<u64>,
        incidents: Option<&[Incident]>,
        tolerance_ms: i64,
    ) -> Report {
        let (parts, minutes) = self.ended(until_min);
        report(&parts, minutes, incidents, tolerance_ms)
    }
}

fn report(
    parts: &[(Name, Part)],
    [since_min, end_min]: [u64; 2],
    incidents: Option<&[Incident]>,
    tolerance_ms: i64,
) -> Report {
    let first_min = parts.iter().map(|(_, part)| part.first_min).min().unwrap_or(since_min);
    let [from_ms, to_ms] = [first_min, end_min].map(|min| ms(min.saturating_mul(60)));
    let theirs = |incident: &&Incident| {
        (from_ms..=to_ms).contains(&incident.started_ms)
            && parts.iter().any(|(name, part)| incident.concerns(&name.service, &part.environment))
    };
    let known: Option<Vec<&Incident>> =
        incidents.map(|incidents| incidents.iter().filter(theirs).collect());
    let detection = known.as_ref().map(|known| detection(known, parts, tolerance_ms));
    let played = |(name, part): &(Name, Part)| {
        let told_ms = ms(since_min.saturating_mul(60));
        let firings = part.replay.firings().iter().filter(|firing| ms(firing.fired_s) > told_ms);
        let fired = |firing: &Firing| {
            let page = page(name, part, firing);
            let mut own = known.iter().flatten().filter(|it| it.is_told_by(page, tolerance_ms));
            let is_page = firing.tier.severity == Severity::Page;
            let incident = own.next().filter(|_| is_page).map(|incident| incident.id.clone());
            fired(firing, incident)
        };
        played(name, part, end_min, firings.map(fired).collect(), known.is_some())
    };
    let objectives = parts.iter().map(played).collect();
    Report { from_ms, to_ms, objectives, detection }
}

fn played(
    Name { service, slo }: &Name,
    part: &Part,
    end_min: u64,
    firings: Vec<Fired>,
    has_incidents: bool,
) -> Played {
    let terms = part.terms.expect("objectives without a goal are not reported");
    let weeks = end_min.saturating_sub(part.first_min) as f64 / WEEK_MIN;
    let alerts = |severity: Severity| {
        let of_severity = || firings.iter().filter(|fired| fired.severity == severity.as_str());
        let notified = of_severity().filter(|fired| fired.is_call()).count() as u64;
        let per_week = (weeks > 0.0).then(|| notified as f64 / weeks);
        Alerts { fired: of_severity().count() as u64, notified, per_week }
    };
    let is_alone = |fired: &&Fired| {
        let is_page = fired.severity == Severity::Page.as_str();
        is_page && fired.is_call() && fired.incident.is_none()
    };
    Played {
        service: service.clone(),
        slo: slo.clone(),
        objective: terms.goal.to_string(),
        window_s: terms.window_s,
        from_ms: ms(part.first_min.saturating_mul(60)),
        good: part.counts.good,
        bad: part.counts.bad,
        pages: alerts(Severity::Page),
        tickets: alerts(Severity::Ticket),
        pages_without_incident: has_incidents
            .then(|| firings.iter().filter(is_alone).count() as u64),
        firings,
    }
}

fn fired(firing: &Firing, incident: Option<String>) -> Fired {
    Fired {
        tier: firing.tier.long.name,
        severity: firing.tier.severity.as_str(),
        fired_ms: ms(firing.fired_s),
        notified_ms: firing.told.map(|told| ms(told.at_s)),
        joined: firing.told.is_some_and(|told| !told.is_new),
        ended_ms: firing.ended_s.map(ms),
        incident,
    }
}

impl Fired {
    /// Whether someone was called.
    fn is_call(&self) -> bool {
        self.notified_ms.is_some() && !self.joined
    }
}

fn detection(incidents: &[&Incident], parts: &[(Name, Part)], tolerance_ms: i64) -> Detection {
    let mut found: Vec<Found> =
        incidents.iter().map(|incident| find(incident, parts, tolerance_ms)).collect();
    found.sort_by(|a, b| (a.started_ms, &a.id).cmp(&(b.started_ms, &b.id)));
    let delays = found.iter().filter_map(|found| found.page.as_ref()).map(|page| page.delay_s);
    let mut delays: Vec<i64> = delays.collect();
    delays.sort_unstable();
    Detection {
        tolerance_s: tolerance_ms / 1000,
        n: found.len() as u64,
        missed: (found.len() - delays.len()) as u64,
        delay_median_s: median(&delays),
        incidents: found,
    }
}

/// An incident with the first page that told of it.
fn find(incident: &Incident, parts: &[(Name, Part)], tolerance_ms: i64) -> Found {
    let pages = parts.iter().flat_map(|(name, part)| {
        let pages = part.replay.firings().iter();
        pages
            .filter(|firing| firing.tier.severity == Severity::Page)
            .map(move |firing| (name, firing, page(name, part, firing)))
    });
    let told = pages.filter(|(_, _, page)| incident.is_told_by(*page, tolerance_ms));
    let first = told.min_by_key(|(name, firing, _)| (firing.fired_s, *name));
    let page = first.map(|(name, firing, page)| FirstPage {
        service: name.service.clone(),
        slo: name.slo.clone(),
        tier: firing.tier.long.name,
        fired_ms: page.fired_ms,
        delay_s: incident.delay_ms(page.fired_ms, tolerance_ms) / 1000,
    });
    let Incident { id, title, started_ms, resolved_ms, .. } = incident.clone();
    Found { id, title, started_ms, resolved_ms, page }
}

fn page<'a>(name: &'a Name, part: &'a Part, firing: &Firing) -> Page<'a> {
    Page {
        service: &name.service,
        environment: &part.environment,
        fired_ms: ms(firing.fired_s),
        ended_ms: firing.ended_s.map(ms),
    }
}

/// Of an even number the mean of the two in the middle.
fn median(sorted: &[i64]) -> Option<f64> {
    let (upper, lower) = (sorted.get(sorted.len() / 2)?, sorted.get((sorted.len() - 1) / 2)?);
    Some((*upper as f64 + *lower as f64) / 2.0)
}

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

const WEEK_MIN: f64 = 10_080.0;
