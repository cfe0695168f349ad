//! Good and bad events of every objective, counted here instead of in rules over histograms: a
//! threshold holds at the nanosecond, and one constant file of rules serves any number of
//! objectives.

mod calendar;
mod config;
mod index;
mod records;
mod ring;
mod slice;
mod state;
mod tally;
mod timeline;
mod verdict;
mod versions;

use redora_model::slo::{BurnWindow, Counts};
use redora_wire::logs::LogRecord;

pub use calendar::{Stretch, Zone};
pub use config::{Records, Select, Told, Watched};
pub use records::{Gathered, RecordChecks};
pub use state::StateFault;
pub use versions::Events;

use crate::record::Text;
use crate::red::{Judged, Kind};
use crate::series::{Book, Hasher, Limits, Picked, Size, Weight, Weights};
use index::Index;
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
    /// Room for the text of a log record.
    text: Text,
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
        let of_spans = |known: &&Tracked| known.watched.select.records.is_none();
        let asked = tracked.iter().filter(of_spans).map(|known| &known.watched.select.attributes);
        for (key, _) in asked.flatten() {
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
            text: Text::default(),
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
        self.begin(self.index.service(service));
    }

    /// The log records that follow are of this service, and of no version.
    pub fn log_service(&mut self, service: &[u8], gathered: &mut Gathered<'_>) {
        self.close();
        let counted = |at: &usize| !self.index.group(*at).records.is_empty();
        self.begin(self.index.service(service).filter(counted));
        gathered.begin(self.current.map(|at| (at, &self.index.group(at).records)));
    }

    /// The objectives over log records of the service named last; without any there is nothing to
    /// be gathered or staged.
    #[inline]
    #[must_use]
    pub fn record_checks(&self) -> Option<&RecordChecks> {
        self.current.map(|at| &self.index.group(at).records)
    }

    fn begin(&mut self, group: Option<usize>) {
        self.versions.name(b"", 0);
        self.current = group;
        if let Some(at) = group
            && !std::mem::replace(&mut self.is_touched[at], true)
        {
            self.touched.push(at);
        }
    }

    /// What follows is of this version of the service named last.
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
            let Some(side) = check.judge(judged, attributes).side() else { continue };
            self.part[check.number as usize][side].add(judged.weight);
        }
    }

    /// Stages a log record of the service named last, of which everything was gathered.
    pub fn stage_record(&mut self, record: &LogRecord<'_>, gathered: &Gathered<'_>) {
        let Some(at) = self.current else { return };
        for (number, verdict) in
            self.index.group(at).records.judge(record, gathered, &mut self.text)
        {
            let Some(side) = verdict.side() else { continue };
            self.part[number as usize][side].add(Weight::ONE);
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
        self.text.give_back();
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
        self.text.give_back();
    }

    /// Moves on to what the wall clock shows: windows and slices end although nothing comes.
    pub fn advance(&mut self, wall_ms: u64) {
        self.time.advance(wall_ms);
        for known in &mut self.tracked {
            known.tally.advance(self.time);
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
            let kept = state.kept.iter().find(|kept| kept.is_of(&known.watched));
            restored += usize::from(kept.is_some());
            known.tally = match kept {
                // A slice that has ended meanwhile counts where it ended, not now.
                Some(kept) => kept.tally(&known.watched, state.time).reborn(self.time),
                None => Tally::new(&known.watched, self.time),
            };
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
