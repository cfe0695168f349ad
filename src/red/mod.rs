//! Rate, errors and duration of the requests that spans describe, under redora's names and under
//! those that dashboards made for other tools read.

mod attributes;
mod config;
mod graph;
mod histogram;
mod memo;
mod native;
mod operation;
mod outcome;
mod row;
mod stage;
mod template;
mod vocabulary;

use redora_model::identity::Tenant;
use redora_wire::trace::Span;

pub use attributes::Attributes;
pub use config::{Buckets, BucketsFault, Compat, Config};
pub use histogram::{Exemplar, Histogram, Shape, Trace};
pub use native::{BUCKETS_MAX as NATIVE_BUCKETS_MAX, Native};
pub use outcome::{Kind, Outcome, Status};
pub use row::{Calls, Edge, Requests, Side, Spans};
pub use vocabulary::{Attribute, Vocabulary, WATCHED_MAX};

use crate::series::{Book, Hasher, Limits, Row, Size, Upkeep, Weight};
use graph::Peer;
use histogram::Observation;
use memo::{Found, Memo};
use row::{Commit, Hit};
use stage::Keys;

/// The book of requests.
#[derive(Debug)]
pub struct Red {
    config: Config,
    vocabulary: Vocabulary,
    requests: Family<Requests>,
    tempo: Option<Family<Calls>>,
    spanmetrics: Option<Family<Calls>>,
    edges: Option<Family<Edge>>,
    spans: Book<Spans>,
    keys: Keys,
    memo: Memo,
    observations: Vec<Observation>,
    durations_dropped: u64,
    /// What the families of a book before this one counted as overflowed.
    overflowed_before: [u64; 5],
}

/// Rows with the shape of their histograms.
#[derive(Debug)]
pub struct Family<R: Row> {
    /// The rows.
    pub book: Book<R>,
    /// What their histograms have in common.
    pub shape: Shape,
}

/// What a span was found to be, for the books that count versions and objectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its role.
    pub kind: Kind,
    /// Whether it was good.
    pub outcome: Outcome,
    /// How many requests it stands for.
    pub weight: Weight,
    /// How long it took in nanoseconds, unless its times make no duration.
    pub nanos: Option<u64>,
    /// The row of its operation, where one like it was found there before.
    row: Option<u32>,
}

impl Red {
    /// An empty book. Limits hold for each of its families.
    #[must_use]
    pub fn new(config: Config, limits: Limits, hasher: &Hasher) -> Self {
        let tempo = config.compat.tempo;
        let shape = Shape::requests(&config);
        let tempo_shape = Shape::tempo(config.exemplars);
        let spanmetrics_shape = Shape::spanmetrics(config.exemplars);
        Self {
            requests: Family::new(shape, limits, hasher),
            tempo: tempo.then(|| Family::new(tempo_shape.clone(), limits, hasher)),
            edges: tempo.then(|| Family::new(tempo_shape, limits, hasher)),
            spanmetrics: (config.compat.spanmetrics)
                .then(|| Family::new(spanmetrics_shape, limits, hasher)),
            spans: Book::new(limits, hasher.clone()),
            keys: Keys::default(),
            memo: Memo::new(hasher),
            observations: Vec::new(),
            durations_dropped: 0,
            overflowed_before: [0; 5],
            vocabulary: Vocabulary::new(&config.dimensions),
            config,
        }
    }

    /// An empty book in the place of this one, which goes on counting what went wrong.
    #[must_use]
    pub fn renewed(&self, config: Config, limits: Limits, hasher: &Hasher) -> Self {
        let mut renewed = Self::new(config, limits, hasher);
        renewed.durations_dropped = self.durations_dropped;
        renewed.overflowed_before = self.sizes().map(|(_, size)| size.overflowed);
        let moment = self.spans.moment();
        renewed.books().for_each(|book| book.start(moment));
        renewed
    }

    /// The configuration that the book was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The attribute keys that `attributes` looks for.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The spans that follow are of this service; `attributes` has seen those of their resource.
    pub fn service(&mut self, tenant: &Tenant, service: &[u8], attributes: &Attributes<'_>) {
        self.keys.service(tenant, service);
        self.memo.source(tenant, service, attributes.dimensions());
    }

    /// Stages a span of the service named last.
    pub fn stage(&mut self, span: &Span<'_>, attributes: &Attributes<'_>, now_ms: u64) -> Judged {
        let weight = Weight::of(span.trace_state);
        let observation = self.observations.len() as u32;
        let nanos = duration(span);
        self.observations
            .push(Observation { nanos, trace: Trace::new(span.trace_id, span.span_id) });
        self.keys.stage_spans(&mut self.spans, weight, now_ms);
        let calls_side = outcome::span_status(span.status_code);
        if let Some(found) = self.memo.look(span, attributes) {
            let found = *found;
            let Found { kind, outcome, status, .. } = found;
            let hit = Hit { observation, side: outcome as u8, status, weight };
            self.stage_found(&found, hit, calls_side);
            return Judged { kind, outcome, weight, nanos, row: Some(found.request) };
        }

        let kind = Kind::of(span.kind);
        let outcome = Outcome::of(kind, span.status_code, attributes);
        let status = Status::of(attributes);
        let hit = Hit { observation, side: outcome as u8, status, weight };
        self.keys.operation(kind, span.name, attributes);
        let born = || Requests::born(kind, outcome, status);
        let request = self.keys.stage_request(&mut self.requests.book, hit, now_ms, born);
        let calls = Hit { side: calls_side, ..hit };
        self.keys.call(span.name, span.kind, attributes.dimensions());
        let mut stage_call = |family: &mut Option<Family<Calls>>| {
            let Some(family) = family else { return Some(None) };
            self.keys.stage_call(&mut family.book, calls, now_ms).map(Some)
        };
        let (tempo, spanmetrics) = (stage_call(&mut self.tempo), stage_call(&mut self.spanmetrics));
        let edge = match (&mut self.edges, Peer::of(kind, attributes)) {
            (Some(edges), Some(peer)) => {
                self.keys.stage_edge(&mut edges.book, &peer, hit, now_ms).map(Some)
            }
            _ => Some(None),
        };
        if let (Some(request), Some(tempo), Some(spanmetrics), Some(edge)) =
            (request, tempo, spanmetrics, edge)
        {
            let found = Found { kind, outcome, status, request, tempo, spanmetrics, edge };
            self.memo.keep(span, attributes, found);
        }
        Judged { kind, outcome, weight, nanos, row: None }
    }

    /// The operation of the span that was staged last, which `room` may be taken for.
    pub fn operation<'r>(
        &'r self,
        judged: &Judged,
        span: &Span<'_>,
        attributes: &Attributes<'_>,
        room: &'r mut Vec<u8>,
    ) -> &'r [u8] {
        let row = judged.row.and_then(|slot| self.requests.book.at(slot));
        if let Some(name) = row.and_then(|row| row.labels().nth(OPERATION_LABEL)) {
            return name.as_bytes();
        }
        // A name may be as long as a request, and its room would be held for ever.
        room.clear();
        room.shrink_to(NAME_BYTES_KEPT);
        operation::write(judged.kind, span.name, attributes, room);
        room
    }

    /// Lets `attributes` look for these keys too, in this order.
    pub fn watch(&mut self, keys: &[String]) {
        self.vocabulary = Vocabulary::watching(&self.config.dimensions, keys);
    }

    /// Room for what is looked for in one span.
    #[must_use]
    pub fn attributes<'a>(&self) -> Attributes<'a> {
        Attributes::watching(self.config.dimensions.len(), self.vocabulary.watched())
    }

    /// Stages a span on the rows that one like it was staged on.
    fn stage_found(&mut self, found: &Found, hit: Hit, calls_side: u8) {
        self.requests.book.stage_at(found.request, hit);
        let calls = Hit { side: calls_side, ..hit };
        for (family, slot) in
            [(&mut self.tempo, found.tempo), (&mut self.spanmetrics, found.spanmetrics)]
        {
            if let (Some(family), Some(slot)) = (family, slot) {
                family.book.stage_at(slot, calls);
            }
        }
        if let (Some(edges), Some(slot)) = (&mut self.edges, found.edge) {
            edges.book.stage_at(slot, hit);
        }
    }

    /// Counts what was staged.
    pub fn commit(&mut self, now_ms: u64) {
        let dropped = self.observations.iter().filter(|o| o.nanos.is_none()).count();
        self.durations_dropped += dropped as u64;
        self.requests.commit(&self.observations, now_ms);
        for calls in [&mut self.tempo, &mut self.spanmetrics].into_iter().flatten() {
            calls.commit(&self.observations, now_ms);
        }
        if let Some(edges) = &mut self.edges {
            edges.commit(&self.observations, now_ms);
        }
        self.spans.commit(&());
        self.forget_observations();
    }

    /// Forgets what was staged.
    pub fn discard(&mut self) {
        self.memo.clear();
        self.books().for_each(Upkeep::discard);
        self.forget_observations();
    }

    /// Removes the rows of operations that have been idle for too long.
    pub fn expire(&mut self, uptime_ms: u64) {
        self.memo.clear();
        self.books().for_each(|book| book.expire(uptime_ms));
    }

    /// Takes new limits for every family.
    pub fn limit(&mut self, limits: Limits) {
        self.books().for_each(|book| book.limit(limits));
    }

    /// Every book there is.
    fn books(&mut self) -> impl Iterator<Item = &mut dyn Upkeep> {
        fn book<R: Row>(family: &mut Option<Family<R>>) -> Option<&mut dyn Upkeep> {
            family.as_mut().map(|family| &mut family.book as &mut dyn Upkeep)
        }
        let always: [&mut dyn Upkeep; 2] = [&mut self.requests.book, &mut self.spans];
        let wanted = [book(&mut self.tempo), book(&mut self.spanmetrics), book(&mut self.edges)];
        always.into_iter().chain(wanted.into_iter().flatten())
    }

    /// How full each family is.
    #[must_use]
    pub fn sizes(&self) -> [(&'static str, Size); 5] {
        fn size<R: Row>(family: &Option<Family<R>>) -> Size {
            family.as_ref().map_or_else(Size::default, |family| family.book.size())
        }
        let mut sizes = [
            ("requests", self.requests.book.size()),
            ("spans", self.spans.size()),
            ("tempo", size(&self.tempo)),
            ("spanmetrics", size(&self.spanmetrics)),
            ("service_graph", size(&self.edges)),
        ];
        for ((_, size), before) in sizes.iter_mut().zip(self.overflowed_before) {
            size.overflowed += before;
        }
        sizes
    }

    /// Requests by operation.
    #[must_use]
    pub fn requests(&self) -> &Family<Requests> {
        &self.requests
    }

    /// Calls under Tempo's names, where they are wanted.
    #[must_use]
    pub fn tempo(&self) -> Option<&Family<Calls>> {
        self.tempo.as_ref()
    }

    /// Calls under the Collector's names, where they are wanted.
    #[must_use]
    pub fn spanmetrics(&self) -> Option<&Family<Calls>> {
        self.spanmetrics.as_ref()
    }

    /// Edges of the service graph, where they are wanted.
    #[must_use]
    pub fn edges(&self) -> Option<&Family<Edge>> {
        self.edges.as_ref()
    }

    /// Spans by service.
    #[must_use]
    pub fn spans(&self) -> &Book<Spans> {
        &self.spans
    }

    /// Spans so far whose times made no duration.
    #[must_use]
    pub fn durations_dropped(&self) -> u64 {
        self.durations_dropped
    }

    /// One large batch must not hold its room for ever.
    fn forget_observations(&mut self) {
        self.observations.clear();
        self.observations.shrink_to(OBSERVATIONS_KEPT);
    }
}

impl<R: Row> Family<R> {
    fn new(shape: Shape, limits: Limits, hasher: &Hasher) -> Self {
        Self { book: Book::new(limits, hasher.clone()), shape }
    }
}

impl<R: for<'c> Row<Context<'c> = Commit<'c>>> Family<R> {
    fn commit(&mut self, observations: &[Observation], now_ms: u64) {
        self.book.commit(&Commit { shape: &self.shape, observations, now_ms });
    }
}

/// A span's duration. One that ends before it starts, or lacks a time, has none: it counts, but
/// tells no latency.
fn duration(span: &Span<'_>) -> Option<u64> {
    if span.start_unix_nano == 0 {
        return None;
    }
    span.end_unix_nano.checked_sub(span.start_unix_nano)
}

/// The place of the operation among the labels of a request's row: tenant and service come first.
const OPERATION_LABEL: usize = 2;

/// Room for a name that is kept between spans: four times what a label may hold.
const NAME_BYTES_KEPT: usize = 1024;

/// Observations for which room is kept between batches: twice an SDK's usual batch.
const OBSERVATIONS_KEPT: usize = 1024;
