//! What the alert rules would have done over events that are past: when each tier would have fired
//! and ended. A rule engine with all of PromQL could say the same of any rules; here it is these
//! rules alone, a few additions a minute, so that years are tried at once.
//!
//! It goes as the rendered rules go: an evaluation a minute; the windows of up to six hours counted
//! from the events themselves, those of a day and of three from counts of half an hour that are
//! added up every six minutes; `for` and `keep_firing_for`. Against the rules themselves on a real
//! Prometheus it is held by a story, to one evaluation.
//!
//! Memory is decided beforehand, some 35 KB for an objective, but for the firings themselves, of
//! which a tier has at most one in six minutes.

use super::{BAD_EVENTS_MIN, Counts, Goal, Severity, TIERS, Tier, Tiers};

/// What is asked of an objective at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The share of events that must be good.
    pub goal: Goal,
    /// The length of its window, of a calendar window that of the present period.
    pub window_s: u64,
    /// Which alerts are wanted.
    pub tiers: Tiers,
}

/// What is between two minutes that are not next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// Nothing happened, and the agent said so.
    Idle,
    /// Nobody said anything: after [`SETTINGS_KEPT_MIN`] no rule knows the objective.
    Absent,
}

/// An alert that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// Its tier.
    pub tier: Tier,
    /// When it fired, in seconds since the Unix epoch.
    pub fired_s: u64,
    /// Whether someone would have been told: once no faster tier of the objective fires, which is
    /// never where one does for as long.
    pub told: Option<Told>,
    /// When it fired no more; `None` where it still does.
    pub ended_s: Option<u64>,
}

/// That an alert became one that nothing inhibits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// When, in seconds since the Unix epoch.
    pub at_s: u64,
    /// Whether it calls for someone. Alertmanager tells the alerts of an objective and a severity
    /// together, so one that takes over from another, or joins it, goes on with what is open.
    pub is_new: bool,
}

/// The alerts of one objective, as far as its events are known.
#[derive(Clone, Debug)]
pub struct Replay {
    gaps: Gaps,
    terms: Option<Terms>,
    /// The minute that was evaluated last.
    at_min: Option<u64>,
    minutes: Sums,
    /// Counts of half an hour, one every six minutes.
    halves: Sums,
    alerts: [Alert; TIERS.len()],
    firings: Vec<Firing>,
}

/// Where an alert is between two evaluations.
#[derive(Clone, Copy, Debug, Default)]
enum Alert {
    #[default]
    Quiet,
    /// It burns, and not yet for long enough.
    Waiting { since_s: u64 },
    /// It fires, as the firing of this number; burning no more since a moment, or still.
    Firing { number: usize, calm_s: Option<u64> },
}

impl Replay {
    /// No events yet.
    #[must_use]
    pub fn new(gaps: Gaps) -> Self {
        Self {
            gaps,
            terms: None,
            at_min: None,
            minutes: Sums::of_last(COUNTED_MIN),
            halves: Sums::of_last(SUMMED_MIN / EVERY_MIN),
            alerts: Default::default(),
            firings: Vec::new(),
        }
    }

    /// Counts the events of the minute that ends so many minutes after the Unix epoch, and
    /// evaluates the rules at its end. Without terms the objective is not known, and no tier holds.
    ///
    /// Returns whether it was later than the last one; another counts nothing.
    pub fn minute(&mut self, end_min: u64, counts: Counts, terms: Option<Terms>) -> bool {
        if let Some(last_min) = self.at_min {
            if end_min <= last_min {
                return false;
            }
            self.pass(last_min, end_min);
        }
        self.terms = terms;
        self.evaluate(end_min, counts, terms);
        true
    }

    /// Evaluates the rules up to the end of a minute that nothing is known of.
    pub fn pass_to(&mut self, end_min: u64) {
        if let Some(last_min) = self.at_min.filter(|last_min| *last_min < end_min) {
            self.pass(last_min, end_min.saturating_add(1));
        }
    }

    /// What fired, in the order of firing.
    #[must_use]
    pub fn firings(&self) -> &[Firing] {
        &self.firings
    }

    /// Evaluates what is between two minutes.
    fn pass(&mut self, last_min: u64, end_min: u64) {
        let first_min = last_min.saturating_add(1);
        let calm_min = end_min.min(first_min.saturating_add(CALM_AFTER_MIN));
        for at_min in first_min..calm_min {
            let known = self.gaps == Gaps::Idle || at_min - last_min < SETTINGS_KEPT_MIN;
            self.evaluate(at_min, Counts::default(), self.terms.filter(|_| known));
        }
        if calm_min < end_min {
            // Every window is empty and every alert over; years of that need not be walked through.
            self.minutes.clear();
            self.halves.clear();
            self.at_min = Some(end_min - 1);
        }
    }

    fn evaluate(&mut self, at_min: u64, counts: Counts, terms: Option<Terms>) {
        self.at_min = Some(at_min);
        self.minutes.push(Total::of(counts));
        if at_min.is_multiple_of(EVERY_MIN) {
            self.halves.push(self.minutes.last(HALF_MIN));
        }
        let at_s = at_min.saturating_mul(60);
        let open = Severity::ALL.map(|severity| self.is_open(severity));
        let mut is_loud = false;
        for (at, tier) in TIERS.iter().enumerate() {
            let burns = terms.is_some_and(|terms| self.burns(tier, terms));
            self.alerts[at] = self.alerts[at].next(tier, burns, at_s, &mut self.firings);
            if let Alert::Firing { number, .. } = self.alerts[at] {
                // The tiers before this one are the faster ones, and the pages before the tickets:
                // each inhibits all that come after it.
                if !is_loud {
                    let is_new = !open[usize::from(tier.severity == Severity::Ticket)];
                    self.firings[number].told.get_or_insert(Told { at_s, is_new });
                }
                is_loud = true;
            }
        }
    }

    /// Whether someone was told of an alert of this severity that is not over.
    fn is_open(&self, severity: Severity) -> bool {
        self.alerts.iter().any(|alert| match alert {
            Alert::Firing { number, .. } => {
                let Firing { tier, told, .. } = &self.firings[*number];
                tier.severity == severity && told.is_some()
            }
            Alert::Quiet | Alert::Waiting { .. } => false,
        })
    }

    /// Whether the condition of a tier's rule holds.
    fn burns(&self, tier: &Tier, terms: Terms) -> bool {
        let Terms { goal, window_s, tiers } = terms;
        let short = self.minutes.last(tier.short.seconds / 60);
        let long_min = tier.long.seconds / 60;
        let (long, is_enough) = match tier.severity {
            Severity::Page => {
                let long = self.minutes.last(long_min);
                (long, long.bad >= u128::from(BAD_EVENTS_MIN))
            }
            Severity::Ticket => {
                let long = self.halves.last(long_min / EVERY_MIN);
                // Each event is in five counts, so this is a fifth, rounded, without a fraction.
                let bad = (2 * long.bad + HALVES_PER_EVENT) / (2 * HALVES_PER_EVENT);
                (long, bad >= u128::from(BAD_EVENTS_MIN))
            }
        };
        let wanted = is_enough && tiers.has(tier.severity);
        wanted && tier.burns(goal, window_s, long.counts(), short.counts())
    }
}

impl Alert {
    /// Where it is after an evaluation, as Prometheus has it: what waits begins anew after a single
    /// evaluation that does not burn, what fires goes on for a while.
    fn next(self, tier: &Tier, burns: bool, at_s: u64, firings: &mut Vec<Firing>) -> Self {
        match (self, burns) {
            (Self::Quiet, true) => Self::Waiting { since_s: at_s },
            (Self::Waiting { since_s }, true) if at_s - since_s >= tier.wait.seconds => {
                let tier = *tier;
                firings.push(Firing { tier, fired_s: at_s, told: None, ended_s: None });
                Self::Firing { number: firings.len() - 1, calm_s: None }
            }
            (Self::Waiting { since_s }, true) => Self::Waiting { since_s },
            (Self::Quiet | Self::Waiting { .. }, false) => Self::Quiet,
            (Self::Firing { number, .. }, true) => Self::Firing { number, calm_s: None },
            (Self::Firing { number, calm_s }, false) => {
                let calm_s = calm_s.unwrap_or(at_s);
                if at_s - calm_s < tier.keep.seconds {
                    return Self::Firing { number, calm_s: Some(calm_s) };
                }
                firings[number].ended_s = Some(at_s);
                Self::Quiet
            }
        }
    }
}

/// Events of any stretch up to now, as differences of running totals: what is added once is taken
/// off exactly.
#[derive(Clone, Debug)]
struct Sums {
    /// All that was ever added, as it stood after each of the last additions.
    totals: Box<[Total]>,
    newest: usize,
}

impl Sums {
    /// For stretches of up to so many additions.
    fn of_last(additions: u64) -> Self {
        let totals = vec![Total::default(); additions as usize + 1].into_boxed_slice();
        Self { totals, newest: 0 }
    }

    fn push(&mut self, added: Total) {
        let Total { good, bad } = self.totals[self.newest];
        self.newest = (self.newest + 1) % self.totals.len();
        self.totals[self.newest] = Total { good: good + added.good, bad: bad + added.bad };
    }

    /// The sum of the last so many additions.
    fn last(&self, additions: u64) -> Total {
        let length = self.totals.len();
        let before = self.totals[(self.newest + length - additions as usize) % length];
        let now = self.totals[self.newest];
        Total { good: now.good - before.good, bad: now.bad - before.bad }
    }

    fn clear(&mut self) {
        self.totals.fill(Total::default());
    }
}

/// Events beyond any counter: minutes of `u64::MAX` for longer than there are calendars.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    good: u128,
    bad: u128,
}

impl Total {
    fn of(counts: Counts) -> Self {
        Self { good: counts.good.into(), bad: counts.bad.into() }
    }

    fn counts(self) -> Counts {
        let most = |count| u64::try_from(count).unwrap_or(u64::MAX);
        Counts { good: most(self.good), bad: most(self.bad) }
    }
}

/// How long the rules remember what an objective asks for.
pub const SETTINGS_KEPT_MIN: u64 = 10;
/// The longest window that is counted from the events themselves.
const COUNTED_MIN: u64 = 360;
/// The longest window that is added up.
const SUMMED_MIN: u64 = 3 * 1_440;
const HALF_MIN: u64 = 30;
/// How often half an hour is added up, from the beginning of the epoch on.
const EVERY_MIN: u64 = 6;
const HALVES_PER_EVENT: u128 = 5;
/// Minutes without an event after which no tier burns, waits or fires: the longest window, half an
/// hour that is in it in part, and the longest that an alert is kept.
const CALM_AFTER_MIN: u64 = SUMMED_MIN + HALF_MIN + EVERY_MIN + 60;

#[cfg(test)]
mod tests;
