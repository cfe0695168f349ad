//! The bounded table of label sets that every book keeps its rows in: a map would grow with
//! whatever names peers invent, and would allocate a key for each lookup; this one compares
//! borrowed bytes and knows when it is full.
//!
//! A batch is taken in two steps, so that a request which turns out to be malformed has counted
//! nothing: each item is *staged* on its row, and the whole is then committed or discarded. Both
//! happen under the one lock of the books.

mod config;
mod key;
mod picked;
mod weight;

use foldhash::SharedSeed;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;

pub use config::Limits;
pub use foldhash::quality::SeedableRandomState as Hasher;
pub use key::{Key, LABEL_BYTES_MAX, Labels, Mark};
pub use picked::{Picked, spells};
pub use weight::{Carry, Weight, Weights};

use std::hash::BuildHasher;

/// A hasher of this seed, which nobody outside the process knows: peers must not be able to choose
/// keys that fall on one place.
#[must_use]
pub fn hasher(seed: u64) -> Hasher {
    Hasher::with_seed(seed, SharedSeed::global_random())
}

/// What a book keeps per label set, and what one item does to it.
pub trait Row {
    /// What one item adds; small, because a batch of them is held until the batch is known to be
    /// whole.
    type Hit: Copy + std::fmt::Debug;
    /// What `apply` needs beside the hit: bounds, the batch's observations.
    type Context<'c>;

    /// Adds one item.
    fn apply(&mut self, hit: Self::Hit, context: &Self::Context<'_>);
}

/// One label set with its row.
#[derive(Debug)]
pub struct Entry<R> {
    hash: u64,
    touched_uptime_ms: u64,
    born_ms: u64,
    born_batch: u64,
    key: Box<[u8]>,
    /// Whether it was created in the reserve, whose rows take no room from the others.
    reserve: bool,
    /// The row itself.
    pub row: R,
}

impl<R> Entry<R> {
    /// The label values, in the order in which the key was written.
    pub fn labels(&self) -> Labels<'_> {
        Labels::new(&self.key)
    }

    /// When the row was created, in milliseconds since the Unix epoch: the start time of its
    /// counters.
    pub fn born_ms(&self) -> u64 {
        self.born_ms
    }
}

/// How far a book has come; one that takes the place of another goes on from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Batches that were committed so far.
    pub batch: u64,
    /// Age of the agent at the last expiry, in milliseconds. Idle time is counted by it, since the
    /// wall clock may be set: a step forward would drop every row at once, one back none for long.
    pub uptime_ms: u64,
}

/// How full a book is, or several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Rows at present.
    pub rows: usize,
    /// Hits so far that found the table full.
    pub overflowed: u64,
}

impl std::ops::Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, overflowed: self.overflowed + other.overflowed }
    }
}

/// What became of a staged hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staged {
    /// It stands on a row that was there, at this position.
    Known(u32),
    /// It stands on a row that was created for it, at this position.
    Created(u32),
    /// The table is full and has no such row; nothing was staged.
    Full,
}

/// Rows by label set: at most `limits.rows`, and a tenth more for the rows that count what did not
/// fit.
#[derive(Debug)]
pub struct Book<R: Row> {
    limits: Limits,
    hasher: Hasher,
    index: HashTable<u32>,
    slots: Vec<Option<Entry<R>>>,
    free: Vec<u32>,
    staged: Vec<(u32, R::Hit)>,
    created: Vec<u32>,
    in_reserve: usize,
    moment: Moment,
    overflowed_staged: u64,
    overflowed: u64,
}

/// Which rows a new one is counted with, and how many of them there may be.
#[derive(Clone, Copy)]
enum Room {
    Regular(usize),
    Reserve(usize),
}

impl<R: Row> Book<R> {
    /// An empty book.
    pub fn new(limits: Limits, hasher: Hasher) -> Self {
        Self {
            limits,
            hasher,
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            staged: Vec::new(),
            created: Vec::new(),
            in_reserve: 0,
            moment: Moment::default(),
            overflowed_staged: 0,
            overflowed: 0,
        }
    }

    /// How far the book has come.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// Puts a hit on the row of `key`, created by `born` if the book has room for one more.
    pub fn stage(
        &mut self,
        key: &Key,
        hit: R::Hit,
        now_ms: u64,
        born: impl FnOnce() -> R,
    ) -> Staged {
        self.stage_within(Room::Regular(self.limits.rows), key, hit, now_ms, born)
    }

    /// Puts a hit on the row at a position that [`Staged`] gave, if no row was removed since.
    pub fn stage_at(&mut self, slot: u32, hit: R::Hit) {
        debug_assert!(self.slots[slot as usize].is_some(), "a position outlives no removal");
        self.staged.push((slot, hit));
    }

    /// The same with the reserve that is kept for overflow rows, counting the hit as overflowed.
    pub fn stage_overflow(
        &mut self,
        key: &Key,
        hit: R::Hit,
        now_ms: u64,
        born: impl FnOnce() -> R,
    ) -> Staged {
        let room = Room::Reserve(self.limits.reserve());
        let staged = self.stage_within(room, key, hit, now_ms, born);
        if staged != Staged::Full {
            self.overflowed_staged += 1;
        }
        staged
    }

    /// The last resort, for the handful of rows that must always exist: no bound but the closed set
    /// of their keys.
    pub fn stage_last(&mut self, key: &Key, hit: R::Hit, now_ms: u64, born: impl FnOnce() -> R) {
        self.stage_within(Room::Reserve(usize::MAX), key, hit, now_ms, born);
        self.overflowed_staged += 1;
    }

    /// Counts a hit that found no room and has no row of its own to fall on.
    pub fn overflow(&mut self) {
        self.overflowed_staged += 1;
    }

    /// Applies every staged hit.
    pub fn commit(&mut self, context: &R::Context<'_>) {
        for (slot, hit) in self.staged.drain(..) {
            let entry = self.slots[slot as usize].as_mut().expect("a staged slot is not removed");
            entry.touched_uptime_ms = self.moment.uptime_ms;
            entry.row.apply(hit, context);
        }
        self.created.clear();
        self.moment.batch += 1;
        self.overflowed += std::mem::take(&mut self.overflowed_staged);
        self.give_back();
    }

    /// The entries from position `from` on, each with its position; positions stay valid while rows
    /// come and go.
    pub fn entries(&self, from: usize) -> impl Iterator<Item = (usize, &Entry<R>)> {
        let rest = self.slots.get(from..).unwrap_or_default();
        rest.iter().enumerate().filter_map(move |(i, slot)| Some((from + i, slot.as_ref()?)))
    }

    /// The same without the entries that were created after `moment`. A label set that went and
    /// came again stands at two positions in turn, and who reads in steps would meet both.
    pub fn entries_until(
        &self,
        moment: Moment,
        from: usize,
    ) -> impl Iterator<Item = (usize, &Entry<R>)> {
        self.entries(from).filter(move |(_, entry)| entry.born_batch < moment.batch)
    }

    /// The entry at a position that [`Staged`] gave, if no row was removed since.
    pub fn at(&self, slot: u32) -> Option<&Entry<R>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// How full the book is.
    pub fn size(&self) -> Size {
        Size { rows: self.index.len(), overflowed: self.overflowed }
    }

    /// Rows at present.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn stage_within(
        &mut self,
        room: Room,
        key: &Key,
        hit: R::Hit,
        now_ms: u64,
        born: impl FnOnce() -> R,
    ) -> Staged {
        let Some((slot, created)) = self.slot(room, key, now_ms, born) else {
            return Staged::Full;
        };
        self.staged.push((slot, hit));
        if created { Staged::Created(slot) } else { Staged::Known(slot) }
    }

    /// The slot of `key`, and whether it was created now; `None` when it is absent and the book is
    /// full.
    fn slot(
        &mut self,
        room: Room,
        key: &Key,
        now_ms: u64,
        born: impl FnOnce() -> R,
    ) -> Option<(u32, bool)> {
        let hash = self.hasher.hash_one(key.bytes());
        let slots = &self.slots;
        let same = |slot: &u32| {
            slots[*slot as usize]
                .as_ref()
                .is_some_and(|entry| entry.hash == hash && *entry.key == *key.bytes())
        };
        let rehash = |slot: &u32| slots[*slot as usize].as_ref().map_or(0, |entry| entry.hash);
        let (full, reserve) = match room {
            Room::Regular(rows) => (self.index.len() - self.in_reserve >= rows, false),
            Room::Reserve(rows) => (self.in_reserve >= rows, true),
        };
        let vacant = match self.index.entry(hash, same, rehash) {
            Place::Occupied(place) => return Some((*place.get(), false)),
            Place::Vacant(_) if full => return None,
            Place::Vacant(place) => place,
        };
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        vacant.insert(slot);
        self.in_reserve += usize::from(reserve);
        let key = Box::from(key.bytes());
        let Moment { batch: born_batch, uptime_ms: touched_uptime_ms } = self.moment;
        let (born_ms, row) = (now_ms, born());
        let entry = Entry { hash, touched_uptime_ms, born_ms, born_batch, key, reserve, row };
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(entry),
            None => self.slots.push(Some(entry)),
        }
        self.created.push(slot);
        Some((slot, true))
    }

    fn remove(&mut self, slot: u32) {
        let Some(entry) = self.slots[slot as usize].take() else { return };
        self.in_reserve -= usize::from(entry.reserve);
        if let Ok(place) = self.index.find_entry(entry.hash, |other| *other == slot) {
            place.remove();
        }
        self.free.push(slot);
    }

    /// One large batch must not hold its staging room for ever.
    fn give_back(&mut self) {
        self.staged.shrink_to(STAGED_KEPT);
        self.created.shrink_to(STAGED_KEPT);
    }
}

/// What a book needs whatever its rows are, so that whoever keeps several books asks all of them in
/// one loop and forgets none.
pub trait Upkeep {
    /// Goes on from where another book was.
    fn start(&mut self, moment: Moment);

    /// Forgets every staged hit and the rows that were created for them.
    fn discard(&mut self);

    /// Removes the rows that no item touched since the call before, and for `limits.expire_ms` give
    /// or take the time between two calls.
    fn expire(&mut self, uptime_ms: u64);

    /// Takes new limits; rows over a lower limit stay until they expire.
    fn limit(&mut self, limits: Limits);
}

impl<R: Row> Upkeep for Book<R> {
    fn start(&mut self, moment: Moment) {
        self.moment = moment;
    }

    fn discard(&mut self) {
        self.staged.clear();
        while let Some(slot) = self.created.pop() {
            self.remove(slot);
        }
        self.overflowed_staged = 0;
        self.give_back();
    }

    fn expire(&mut self, uptime_ms: u64) {
        let before = std::mem::replace(&mut self.moment.uptime_ms, uptime_ms);
        let deadline = uptime_ms.saturating_sub(self.limits.expire_ms).min(before);
        for slot in 0..self.slots.len() {
            if self.slots[slot].as_ref().is_some_and(|entry| entry.touched_uptime_ms < deadline) {
                self.remove(slot as u32);
            }
        }
        if self.index.is_empty() {
            self.slots = Vec::new();
            self.free = Vec::new();
        }
    }

    fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }
}

/// Staged hits for which room is kept between batches: twice an SDK's usual batch.
const STAGED_KEPT: usize = 1024;

#[cfg(test)]
mod tests;
