//! Each objective's part in a rehearsal: its events minute by minute into a replay of the rules, on
//! the terms that it has at that minute.

use std::collections::BTreeMap;

use redora_model::slo::replay::{Gaps, Replay, Terms};
use redora_model::slo::{Counts, Goal, Period, Tiers, Window};

use super::Ask;
use crate::slo::{Select, Stretch, Watched, Zone};

/// An objective's service and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The service.
    pub service: String,
    /// The objective.
    pub slo: String,
}

/// What the history itself says of an objective at a minute, as far as it says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Its goal.
    pub goal: Option<Goal>,
    /// The length of its window.
    pub window_s: Option<u64>,
    /// Which alerts were wanted; all where nothing is said.
    pub tiers: Option<Tiers>,
}

/// Events that cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Late {
    /// They are of a minute that was evaluated already.
    #[error(
        "an earlier minute than the record of this objective before it; sort the records by time"
    )]
    Order,
    /// There are more objectives than a rehearsal holds.
    #[error("more than {OBJECTIVES_MAX} objectives; name a --service or an --slo")]
    Crowd,
}

/// Every objective that is rehearsed, as far as its events were told.
#[derive(Debug)]
pub struct Rehearsal {
    ask: Ask,
    gaps: Gaps,
    since_min: u64,
    last_min: u64,
    parts: BTreeMap<Name, Part>,
}

/// One objective.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) replay: Replay,
    fixed: Fixed,
    /// The minute that is being told, by its end.
    telling: Option<(u64, Counts, Recorded)>,
    /// The first minute, by its end.
    pub(super) first_min: u64,
    /// What was last asked of it.
    pub(super) terms: Option<Terms>,
    /// Events of the time that is reported.
    pub(super) counts: Counts,
    /// Where its requests are served.
    pub(super) environment: String,
    since_min: u64,
}

/// What the configuration or the command line say, which goes before what is recorded.
#[derive(Debug)]
struct Fixed {
    goal: Option<Goal>,
    length: Option<Length>,
    tiers: Option<Tiers>,
}

#[derive(Debug)]
enum Length {
    Rolling(u64),
    Calendar { zone: Zone, period: Period, stretch: Stretch },
}

impl Rehearsal {
    /// Nothing told yet. What ends at `since_min`, in minutes after the Unix epoch, or before fills
    /// the windows and is not reported.
    #[must_use]
    pub fn new(ask: Ask, gaps: Gaps, since_min: u64) -> Self {
        Self { ask, gaps, since_min, last_min: since_min, parts: BTreeMap::new() }
    }

    /// What is rehearsed.
    #[must_use]
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// How many objectives had events.
    #[must_use]
    pub fn objectives(&self) -> usize {
        self.parts.len()
    }

    /// Counts events of the minute that ends so many minutes after the Unix epoch, after all that
    /// were told of the minutes before. Objectives that nobody asked for are passed over.
    ///
    /// # Errors
    /// The events were not counted.
    pub fn tell(
        &mut self,
        name: &Name,
        end_min: u64,
        counts: Counts,
        recorded: Recorded,
    ) -> Result<(), Late> {
        if !self.parts.contains_key(name) {
            if !self.ask.concerns(&name.service, &name.slo) {
                return Ok(());
            }
            if self.parts.len() == OBJECTIVES_MAX {
                return Err(Late::Crowd);
            }
            let part = Part::new(&self.ask, name, self.gaps, [self.since_min, end_min]);
            self.parts.insert(name.clone(), part);
        }
        let part = self.parts.get_mut(name).expect("it is there, or was put there");
        part.tell(end_min, counts, recorded)?;
        self.last_min = self.last_min.max(end_min);
        Ok(())
    }

    /// The objectives that someone has a goal for, evaluated up to the end of a minute, by default
    /// of the last one that was told; and the minutes that are reported.
    pub(super) fn ended(mut self, until_min: Option<u64>) -> (Vec<(Name, Part)>, [u64; 2]) {
        let end_min = until_min.unwrap_or(self.last_min);
        for part in self.parts.values_mut() {
            part.tell_last();
            part.replay.pass_to(end_min);
        }
        let parts = self.parts.into_iter().filter(|(_, part)| part.terms.is_some());
        (parts.collect(), [self.since_min, end_min])
    }

    /// Objectives whose events are told and of which nobody says what is asked of them.
    pub fn without_goal(&self) -> impl Iterator<Item = &Name> {
        let is_silent = |part: &Part| {
            let waits = part.telling.is_some_and(|(_, _, recorded)| part.knows(recorded));
            part.terms.is_none() && !waits
        };
        self.parts.iter().filter(move |(_, part)| is_silent(part)).map(|(name, _)| name)
    }
}

impl Part {
    fn new(ask: &Ask, name: &Name, gaps: Gaps, [since_min, end_min]: [u64; 2]) -> Self {
        let watched = ask.objective(&name.service, &name.slo);
        let everything = Select::default();
        let select = watched.map_or(&everything, |watched| &watched.select);
        Self {
            replay: Replay::new(gaps),
            fixed: Fixed::of(ask, watched),
            telling: None,
            first_min: end_min.saturating_sub(1).max(since_min),
            terms: None,
            counts: Counts::default(),
            environment: select.environment().to_owned(),
            since_min,
        }
    }

    fn tell(&mut self, end_min: u64, counts: Counts, recorded: Recorded) -> Result<(), Late> {
        match &mut self.telling {
            Some((last_min, told, said)) if *last_min == end_min => {
                (*told, *said) = (told.and(counts), recorded);
                return Ok(());
            }
            Some((last_min, ..)) if *last_min > end_min => return Err(Late::Order),
            _ => {}
        }
        self.tell_last();
        self.telling = Some((end_min, counts, recorded));
        Ok(())
    }

    /// Evaluates the minute that nothing more is told of.
    fn tell_last(&mut self) {
        let Some((end_min, counts, recorded)) = self.telling.take() else { return };
        let terms = self.fixed.terms(recorded, end_min);
        self.replay.minute(end_min, counts, terms);
        self.terms = terms.or(self.terms);
        if end_min > self.since_min {
            self.counts = self.counts.and(counts);
        }
    }

    fn knows(&self, recorded: Recorded) -> bool {
        (self.fixed.goal.is_some() || recorded.goal.is_some())
            && (self.fixed.length.is_some() || recorded.window_s.is_some())
    }
}

impl Fixed {
    fn of(ask: &Ask, watched: Option<&Watched>) -> Self {
        let objective = watched.map(|watched| &watched.objective);
        let own = objective.map(|objective| match &objective.window {
            Window::Rolling { seconds } => Length::Rolling(*seconds),
            Window::Calendar { period, time_zone } => {
                // The configuration has asked for the zone before; without one UTC is a calendar.
                let zone = Zone::parse(time_zone).unwrap_or_else(Zone::utc);
                Length::Calendar { zone, period: *period, stretch: Stretch::default() }
            }
        });
        Self {
            goal: ask.goal.or(objective.map(|objective| objective.goal)),
            length: ask.window_s.map(Length::Rolling).or(own),
            tiers: objective.map(|objective| objective.tiers),
        }
    }

    fn terms(&mut self, recorded: Recorded, end_min: u64) -> Option<Terms> {
        let window_s = match &mut self.length {
            Some(Length::Rolling(seconds)) => Some(*seconds),
            Some(Length::Calendar { zone, period, stretch }) => {
                let at_ms = end_min.saturating_mul(60_000);
                if !(stretch.start_ms..stretch.end_ms).contains(&at_ms) {
                    *stretch = zone.stretch(*period, at_ms);
                }
                Some(stretch.seconds())
            }
            None => recorded.window_s,
        };
        Some(Terms {
            goal: self.goal.or(recorded.goal)?,
            window_s: window_s?,
            tiers: self.tiers.or(recorded.tiers).unwrap_or(Tiers::ALL),
        })
    }
}

/// Four times what an agent counts; each takes some 35 KB.
const OBJECTIVES_MAX: usize = 2_000;
