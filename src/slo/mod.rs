//! Good and bad events of every objective, counted here instead of in rules over histograms: a
//! threshold holds at the nanosecond, and one constant file of rules serves any number of
//! objectives.

mod calendar;
mod config;
mod index;
mod ring;
mod state;
mod tally;
mod timeline;
mod versions;

use redora_model::slo::{BurnWindow, Counts};

pub use calendar::{Stretch, Zone};
pub use config::{Select, Watched};
pub use state::StateFault;
pub use versions::Events;

use crate::red::{Judged, Kind};
use crate::series::{Book, Hasher, Limits, Picked, Size, Weights};
use index::{Index, Verdict};
use tally::Tally;
use timeline::Timeline;
use versions::Versions;

/// The book of objectives.
#[derive(Debug)]
pub struct Slo {
    tracked: Vec<Tracked>,
    index: Index,
    /// The keys that objectives ask for, in the order of their numbers.
    attributes: Vec<String>,
    /// Events of each objective in the resource named last, good and bad.
    part: Vec<[Weights; 2]>,
    /// Staged events of each objective, good and bad.
    staged: Vec<[Weights; 2]>,
    versions: Versions,
    /// Groups that may have staged events, each once.
    touched: Vec<usize>,
    is_touched: Vec<bool>,
    current: Option<usize>,
    time: Timeline,
    /// Batches of events that were committed.
    commits: u64,
}

#[derive(Debug)]
struct Tracked {
    watched: Watched,
    tally: Tally,
}

/// How one objective stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'b> {
    /// The objective.
    pub watched: &'b Watched,
    tally: &'b Tally,
    at_ms: u64,
}

impl Slo {
    /// Objectives without an event.
    #[must_use]
    pub fn new(objectives: Vec<Watched>, hasher: &Hasher) -> Self {
        let time = Timeline::default();
        let tracked = |watched: Watched| Tracked { tally: Tally::new(&watched, time), watched };
        let tracked = objectives.into_iter().map(tracked).collect();
        Self::of(tracked, hasher, time)
    }

    /// A book in the place of this one: an objective that looks at the same events goes on
    /// counting.
    #[must_use]
    pub fn renewed(&mut self, objectives: Vec<Watched>, hasher: &Hasher) -> Self {
        let tracked = |watched: Watched| {
            let same = |known: &&Tracked| known.watched.continues(&watched);
            let before = self.tracked.iter().find(same).map(|known| known.tally.clone());
            Tracked { tally: before.unwrap_or_else(|| Tally::new(&watched, self.time)), watched }
        };
        let tracked = objectives.into_iter().map(tracked).collect();
        let mut renewed = Self::of(tracked, hasher, self.time);
        // One more, so that what is kept on disk follows the change.
        renewed.commits = self.commits + 1;
        std::mem::swap(&mut renewed.versions, &mut self.versions);
        renewed
    }

    fn of(tracked: Vec<Tracked>, hasher: &Hasher, time: Timeline) -> Self {
        let mut attributes: Vec<String> = Vec::new();
        for (key, _) in tracked.iter().flat_map(|known| &known.watched.select.attributes) {
            if !attributes.contains(key) {
                attributes.push(key.clone());
            }
        }
        let index = Index::new(tracked.iter().map(|known| &known.watched), &attributes, hasher);
        Self {
            part: vec![Default::default(); tracked.len()],
            staged: vec![Default::default(); tracked.len()],
            versions: Versions::new(hasher),
            touched: Vec::new(),
            is_touched: vec![false; index.len()],
            current: None,
            tracked,
            index,
            attributes,
            time,
            commits: 0,
        }
    }

    /// The objectives, in the order of the configuration.
    pub fn objectives(&self) -> impl Iterator<Item = &Watched> {
        self.tracked.iter().map(|known| &known.watched)
    }

    /// The attribute keys that [`Slo::stage`] is to be given, in this order.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The spans that follow are of this service, and of no version.
    pub fn service(&mut self, service: &[u8]) {
        self.close();
        self.versions.name(b"", 0);
        self.current = self.index.service(service);
        if let Some(at) = self.current
            && !std::mem::replace(&mut self.is_touched[at], true)
        {
            self.touched.push(at);
        }
    }

    /// The spans that follow are of this version of the service named last.
    pub fn version(&mut self, version: &[u8], now_ms: u64) {
        if self.current.is_some() {
            self.versions.name(version, now_ms);
        }
    }

    /// Whether such spans of the service named last are events of some objective.
    #[inline]
    #[must_use]
    pub fn concerns(&self, kind: Kind) -> bool {
        self.current.is_some_and(|at| self.index.group(at).concerns(kind))
    }

    /// Whether it matters which operation such a span was.
    #[inline]
    #[must_use]
    pub fn asks_operation(&self) -> bool {
        self.current.is_some_and(|at| self.index.group(at).asks_operation())
    }

    /// Stages a request of the service named last. The operation is asked for by no objective where
    /// [`Slo::asks_operation`] says so.
    pub fn stage(&mut self, judged: &Judged, operation: &[u8], attributes: &Picked<'_>) {
        let Some(at) = self.current else { return };
        for check in self.index.group(at).checks(operation) {
            let side = match check.judge(judged, attributes) {
                Verdict::Good => 0,
                Verdict::Bad => 1,
                Verdict::None => continue,
            };
            self.part[check.number as usize][side].add(judged.weight);
        }
    }

    /// Stages what the resource named last has had, in all and by its version.
    fn close(&mut self) {
        let Some(at) = self.current.take() else { return };
        for number in &self.index.group(at).numbers {
            let number = *number as usize;
            let events @ [good, bad] = std::mem::take(&mut self.part[number]);
            if events == <[Weights; 2]>::default() {
                continue;
            }
            self.staged[number][0].merge(good);
            self.staged[number][1].merge(bad);
            self.versions.stage(&self.tracked[number].watched.objective, events);
        }
    }

    /// Counts what was staged.
    pub fn commit(&mut self, wall_ms: u64) {
        self.close();
        self.versions.commit();
        if self.touched.is_empty() {
            return;
        }
        self.advance(wall_ms);
        self.commits += 1;
        let at_ms = self.time.at_ms();
        for at in self.touched.drain(..) {
            self.is_touched[at] = false;
            for number in &self.index.group(at).numbers {
                let number = *number as usize;
                let [good, bad] = std::mem::take(&mut self.staged[number]);
                if good != Weights::default() || bad != Weights::default() {
                    self.tracked[number].tally.add(good, bad, at_ms);
                }
            }
        }
    }

    /// Forgets what was staged.
    pub fn discard(&mut self) {
        self.close();
        self.versions.discard();
        for at in self.touched.drain(..) {
            self.is_touched[at] = false;
            for number in &self.index.group(at).numbers {
                self.staged[*number as usize] = Default::default();
            }
        }
    }

    /// Moves on to what the wall clock shows: windows end although nothing comes.
    pub fn advance(&mut self, wall_ms: u64) {
        self.time.advance(wall_ms);
        for known in &mut self.tracked {
            known.tally.turn(self.time.wall_ms());
        }
    }

    /// How every objective stands, in the order of the configuration.
    pub fn standings(&self) -> impl Iterator<Item = Standing<'_>> {
        let at_ms = self.time.at_ms();
        self.tracked.iter().map(move |Tracked { watched, tally }| Standing {
            watched,
            tally,
            at_ms,
        })
    }

    /// The buckets as bytes, for [`Slo::restore`] of a later process.
    #[must_use]
    pub fn state(&self) -> Vec<u8> {
        state::write(self.time, self.tracked.iter().map(|known| (&known.watched, &known.tally)))
    }

    /// Puts the buckets of an earlier process into a book that has counted nothing, and says of how
    /// many objectives. What passed since is past; if the wall clock shows a time before that of
    /// the earlier process, nothing did.
    ///
    /// # Errors
    /// The bytes are no state; the book is then as it was.
    pub fn restore(&mut self, bytes: &[u8], wall_ms: u64) -> Result<usize, StateFault> {
        let state = state::read(bytes)?;
        self.time = state.time;
        self.time.advance(wall_ms);
        let mut restored = 0;
        for known in &mut self.tracked {
            known.tally = Tally::new(&known.watched, self.time);
            if let Some(kept) = state.kept.iter().find(|kept| kept.is_of(&known.watched)) {
                kept.fill(&mut known.tally);
                restored += 1;
            }
        }
        self.advance(wall_ms);
        Ok(restored)
    }

    /// Removes versions that have not served for long.
    pub fn expire(&mut self, uptime_ms: u64) {
        self.versions.expire(uptime_ms);
    }

    /// Takes new limits.
    pub fn limit(&mut self, limits: Limits) {
        self.versions.limit(limits);
    }

    /// How full each family is.
    #[must_use]
    pub fn sizes(&self) -> [(&'static str, Size); 1] {
        [("slo_versions", self.versions.size())]
    }

    /// Events by tenant, service, objective and version.
    #[must_use]
    pub fn versions(&self) -> &Book<Events> {
        self.versions.book()
    }

    /// A number that changes with what is worth keeping.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits
    }
}

impl Standing<'_> {
    /// When its totals were 0, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn born_ms(&self) -> u64 {
        self.tally.born_ms()
    }

    /// Events since the process started.
    #[must_use]
    pub fn totals(&self) -> Counts {
        self.tally.totals()
    }

    /// Events of the last minutes, hours or days.
    #[must_use]
    pub fn last(&self, window: BurnWindow) -> Counts {
        self.tally.last(window.seconds, self.at_ms)
    }

    /// Events of the objective's own window.
    #[must_use]
    pub fn spent(&self) -> Counts {
        self.tally.spent(self.at_ms)
    }

    /// The length of the objective's own window in seconds; of a month that of the present one.
    #[must_use]
    pub fn window_s(&self) -> u64 {
        self.tally.window_s()
    }
}

#[cfg(test)]
mod tests;
