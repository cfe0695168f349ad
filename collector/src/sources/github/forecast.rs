//! What a reading will cost, from what the repository holds and where the reading stands. A pure
//! function of both, so that the plan of a start, of an interruption and of every step in between
//! is the same arithmetic: the page sizes and prices of the walks themselves.
//!
//! What no count tells is not in it: lists that are longer than a page of them, earlier attempts of
//! runs, and commits that were deployed beside the branch, as long as deployments are not read.

use super::commits;
use super::count::Many;
use super::cursor::{Cursor, History, Place, Stream, WINDOW_MS};
use super::graphql::{BackfillCursor, Counts, Kind, Spot};
use super::plan::Plan;
use super::step::{DRAFT_MS, OVERLAP_MS, RERUN_MS, SEARCH_MAX};
use crate::sources::ahead::{Ahead, Standing};

/// Where the reading of a repository stands.
#[derive(Clone, Copy, Debug)]
pub enum Read<'a> {
    /// What was there at its beginning is being read.
    Past(&'a BackfillCursor),
    /// What came later, and what GraphQL does not show.
    Present(&'a Cursor),
}

impl<'a> Read<'a> {
    fn place(self, stream: Stream) -> Option<&'a Place> {
        match self {
            Self::Past(_) => None,
            Self::Present(cursor) => cursor.places.get(&stream),
        }
    }

    /// From when on a stream is read.
    pub(crate) fn begins_ms(self, stream: Stream, plan: &Plan) -> i64 {
        horizon_ms(stream, self.place(stream).and_then(|place| place.watermark_ms), plan)
    }

    /// From when on commits are new, where most of them are known.
    pub(crate) fn commits_from_ms(self, plan: &Plan) -> Option<i64> {
        let place = self.place(Stream::Commits)?;
        place.history.as_ref()?.known.as_ref()?;
        Some(horizon_ms(Stream::Commits, place.watermark_ms, plan))
    }
}

/// What is ahead of a stream.
pub(crate) fn ahead(
    plan: &Plan,
    counts: &Counts,
    at_ms: i64,
    read: Read<'_>,
    stream: Stream,
) -> Ahead {
    let forecast = Forecast { plan, counts, at_ms, stream };
    match (read, Kind::of(stream)) {
        (Read::Past(cursor), Some(kind)) => forecast.past(cursor, kind),
        (Read::Past(_), None) => forecast.present(&Place::default(), false),
        (Read::Present(cursor), _) => {
            let place = cursor.places.get(&stream).cloned().unwrap_or_default();
            forecast.present(&place, cursor.done.contains(&stream))
        }
    }
}

/// What became known before is not read again.
fn horizon_ms(stream: Stream, watermark_ms: Option<i64>, plan: &Plan) -> i64 {
    let is_search = matches!(stream, Stream::Runs | Stream::Workflow);
    let overlap_ms = if is_search { RERUN_MS } else { OVERLAP_MS };
    let known_ms = watermark_ms.map(|watermark_ms| watermark_ms.saturating_sub(overlap_ms));
    known_ms.unwrap_or(plan.since_ms).max(plan.since_ms)
}

#[derive(Clone, Copy)]
struct Forecast<'a> {
    plan: &'a Plan,
    counts: &'a Counts,
    at_ms: i64,
    stream: Stream,
}

impl Forecast<'_> {
    /// What is left of a walk through GraphQL, and the look at the present that follows it.
    fn past(self, cursor: &BackfillCursor, kind: Kind) -> Ahead {
        let nothing = Spot::default();
        let spot = cursor.spots.get(&self.stream).unwrap_or(&nothing);
        let is_given_up =
            cursor.refused.contains(&self.stream) || (spot.is_over && spot.complete_ms.is_none());
        // Deployments name commits for this stream before it is begun.
        let mut place = Place { history: spot.history.clone(), ..Place::default() };
        if is_given_up {
            return self.present(&place, false);
        }
        let many = match kind {
            // All that were counted.
            Kind::Commits => Many { objects: self.total(), at_most: false },
            _ => self.many(self.plan.since_ms),
        };
        let first_max = kind.first_max();
        let read = u64::from(spot.pages) * u64::from(first_max);
        let mut ahead = self.nothing(if spot.top_ms.is_none() {
            Standing::New
        } else if spot.is_over {
            Standing::Present
        } else {
            Standing::Past
        });
        if !spot.is_over {
            let first = spot.size.first(first_max);
            ahead.graphql_requests = spot.unread.len() as u64;
            ahead.graphql_points = ahead.graphql_requests;
            ahead.objects = ahead.graphql_requests;
            if !spot.is_listed {
                let listed = self.listed(self.plan.since_ms, many);
                let left = listed.saturating_sub(read);
                let pages = left.div_ceil(u64::from(first)).max(1);
                ahead.graphql_requests += pages;
                ahead.graphql_points += pages * kind.points(first);
                ahead.objects += many.objects.saturating_sub(read);
                ahead.at_most = many.at_most;
            }
        }
        let objects = ahead.objects;
        let top_ms = spot.top_ms.unwrap_or(self.at_ms);
        place.watermark_ms = Some(top_ms);
        place.open.clone_from(&spot.open);
        place.unread.clone_from(&spot.handed);
        let history = place.history.get_or_insert_default();
        if !spot.is_over {
            // The walk will meet most of what was deployed.
            history.strays.clear();
        }
        // What came after the walk's beginning is one comparison.
        let has_moved = history.head.is_some() && history.head != self.counts.head;
        history.known.clone_from(&self.counts.head);
        let after = self.present(&place, false);
        ahead.rest_requests = after.rest_requests + u64::from(has_moved);
        if spot.top_ms.is_none() && self.stream == Stream::Incidents {
            // Those that are open now will be open then.
            ahead.rest_requests += 2 * self.open();
        }
        Ahead { objects, ..ahead }.timed()
    }

    /// What is left of a walk through REST.
    fn present(self, place: &Place, is_done: bool) -> Ahead {
        let standing = match (&place.walk, place.watermark_ms) {
            (_, Some(_)) => Standing::Present,
            (Some(_), None) => Standing::Past,
            (None, None) => Standing::New,
        };
        let from_ms = horizon_ms(self.stream, place.watermark_ms, self.plan);
        let mut ahead = Ahead { since_ms: Some(from_ms), ..self.nothing(standing) };
        if is_done {
            return ahead;
        }
        let by_id = place.unread.len() as u64;
        match self.stream {
            Stream::Commits => {
                if place.watermark_ms.is_none() {
                    ahead.since_ms = commits::since_ms(self.plan);
                }
                self.commits(place, &mut ahead);
            }
            Stream::Tags => self.tags(place, &mut ahead),
            Stream::Runs | Stream::Workflow => {
                self.runs(place, from_ms, &mut ahead);
                ahead.rest_requests += by_id;
                ahead.objects += by_id;
            }
            _ => {
                self.list(place, from_ms, &mut ahead);
                ahead.rest_requests += by_id * (1 + self.lists());
                ahead.objects += by_id;
            }
        }
        ahead.timed()
    }

    /// A list from its newest object on, each object with its own lists.
    fn list(self, place: &Place, from_ms: i64, ahead: &mut Ahead) {
        let many = self.many(from_ms);
        let (mut read, mut again) = (0, 0);
        match &place.walk {
            None => again = place.open.len() as u64,
            Some(walk) if walk.next.is_none() => return,
            Some(walk) => read = u64::from(walk.pages) * PER_PAGE,
        }
        let left = many.objects.saturating_sub(read);
        let pages = self.listed(from_ms, many).saturating_sub(read).div_ceil(PER_PAGE);
        ahead.objects = left + again;
        ahead.at_most = many.at_most;
        ahead.rest_requests = pages.max(1) + left * self.lists() + again * (1 + self.lists());
    }

    /// Searches of a week each, or of less where a week has more than a search shows.
    fn runs(self, place: &Place, from_ms: i64, ahead: &mut Ahead) {
        let (mut from_ms, mut to_ms) = (from_ms, self.at_ms);
        match &place.walk {
            Some(walk) if walk.next.is_none() => return,
            Some(walk) => {
                to_ms = walk.top_ms;
                from_ms = walk.window.map_or(from_ms, |window| window.from_ms);
            }
            None => {
                let began_before = place.open.values().filter(|began_ms| **began_ms < from_ms);
                ahead.rest_requests = began_before.count() as u64;
                ahead.objects = ahead.rest_requests;
            }
        }
        let runs = self.counts.of.get(&self.stream).map_or(0, |count| count.share(from_ms, to_ms));
        let span_ms = u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0);
        if self.plan.jobs && self.stream == Stream::Runs {
            ahead.rest_requests += runs.saturating_sub(place.runs.len() as u64);
        }
        let windows = span_ms.div_ceil(WINDOW_MS.unsigned_abs()).max(1);
        let each = runs.div_ceil(windows);
        let mut pages = each.div_ceil(PER_PAGE).max(1);
        if each > SEARCH_MAX {
            // Each part of a week is found by a search that shows too much.
            pages += each.div_ceil(SEARCH_MAX).next_power_of_two();
        }
        ahead.objects += runs;
        ahead.rest_requests += windows * pages;
    }

    /// Where the branch stands, what is new of it, and what was deployed beside it.
    fn commits(self, place: &Place, ahead: &mut Ahead) {
        let nothing = History::default();
        let history = place.history.as_ref().unwrap_or(&nothing);
        let pages = |objects: u64| objects.div_ceil(PER_PAGE).max(1);
        let total = self.total();
        // Before the branch was read it is not known which of them it does not have.
        let strays = history.known.as_ref().map_or(0, |_| history.strays.len() as u64);
        match &place.walk {
            None => {
                let is_known = history.known == self.counts.head;
                ahead.objects = if is_known { 0 } else { total };
                ahead.rest_requests = 1 + if is_known { 0 } else { pages(total) };
            }
            Some(walk) if walk.next.is_some() && history.stray.is_none() => {
                ahead.objects = total.saturating_sub(u64::from(walk.pages) * PER_PAGE);
                ahead.rest_requests = pages(ahead.objects);
            }
            Some(_) => {}
        }
        // A request each at least, which brings a commit or tells that it is gone.
        ahead.rest_requests += strays;
        ahead.objects += strays;
    }

    /// Their list, and each that is not known by itself: one object of git's, or of a tag that
    /// names a tag some more.
    fn tags(self, place: &Place, ahead: &mut Ahead) {
        let is_listed = place.walk.is_some();
        let unread = place.tags.as_ref().map_or(0, |tags| tags.unread.len() as u64);
        let is_known = place.watermark_ms.is_some();
        (ahead.objects, ahead.at_most) = match (is_listed, is_known) {
            (true, _) => (unread, false),
            (false, true) => (0, false),
            (false, false) => (self.total(), self.total() > 0),
        };
        ahead.rest_requests = ahead.objects + u64::from(!is_listed);
    }

    fn many(self, from_ms: i64) -> Many {
        let nothing = Many { objects: 0, at_most: false };
        self.counts.of.get(&self.stream).map_or(nothing, |count| count.since(from_ms, self.at_ms))
    }

    /// How many are listed until a list shows where the beginning is, among them so many that are
    /// wanted.
    fn listed(self, from_ms: i64, many: Many) -> u64 {
        let listed = match self.stream {
            Stream::Releases => self.many(from_ms.saturating_sub(DRAFT_MS)),
            _ => many,
        };
        listed.objects + self.border(listed)
    }

    /// A list that goes on past the beginning shows where that is.
    fn border(self, many: Many) -> u64 {
        let count = self.counts.of.get(&self.stream);
        count.is_some_and(|count| count.from_ms.is_none() && count.total > many.objects).into()
    }

    fn total(self) -> u64 {
        self.counts.of.get(&self.stream).map_or(0, |count| count.total)
    }

    fn open(self) -> u64 {
        self.counts.of.get(&self.stream).map_or(0, |count| count.open)
    }

    /// The requests that an object of a list takes beside its page.
    fn lists(self) -> u64 {
        match self.stream {
            // Commits, reviews and comments.
            Stream::PullRequests => 3,
            // Statuses, a timeline, the commit of a tag.
            Stream::Deployments | Stream::Incidents | Stream::Releases => 1,
            Stream::Commits | Stream::Runs | Stream::Workflow | Stream::Tags => 0,
        }
    }

    fn nothing(self, place: Standing) -> Ahead {
        let since_ms = match self.stream {
            Stream::Commits => commits::since_ms(self.plan),
            _ => Some(self.plan.since_ms),
        };
        Ahead { place, since_ms, ..Ahead::here(name(self.stream), true, 0, 0) }
    }
}

impl Ahead {
    fn timed(mut self) -> Self {
        self.usual_ms = self.graphql_requests * QUERY_MS + self.rest_requests * REQUEST_MS;
        self
    }
}

fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Deployments => "deployments",
        Stream::PullRequests => "pull requests",
        Stream::Runs => "runs",
        Stream::Incidents => "incidents",
        Stream::Commits => "commits",
        Stream::Workflow => "workflow runs",
        Stream::Releases => "releases",
        Stream::Tags => "tags",
    }
}

/// What every list is asked for.
const PER_PAGE: u64 = 100;
/// GitHub puts a page of a hundred objects with their lists together in one to two seconds, and
/// they are asked for one after another.
pub(crate) const QUERY_MS: u64 = 1_500;
/// A page of a list, or the lists of one object, come within a third of a second.
pub(crate) const REQUEST_MS: u64 = 300;
