//! A panel and what every kind of it shares: a title, a description, queries, a unit, and words for
//! the case that there is nothing to show.

use serde_json::{Map, Value, json};

use super::field::Override;
use super::kind::{Kind, Lines, State};
use super::query::{self, Query};
use super::source::datasource;
use super::style::{Bands, Colour, Unit};
use super::table::Table;

/// One panel of a board; its place is the board's business.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    title: &'static str,
    description: &'static str,
    kind: Kind,
    queries: Vec<Query>,
    unit: Unit,
    bands: Bands,
    empty: &'static str,
    overrides: Vec<Override>,
    /// The lowest and the highest value that there can be.
    limits: (Option<f64>, Option<f64>),
    /// Columns of 24; `None` shares what the row's other panels leave.
    width: Option<usize>,
}

impl Panel {
    /// Lines over time.
    pub(crate) fn lines(lines: Lines, title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Timeseries(lines), title, description)
    }

    /// One number of the whole shown time, or the last one.
    pub(crate) fn stat(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Stat { sparkline: false }, title, description)
    }

    /// The last number, with its course behind it.
    pub(crate) fn course(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Stat { sparkline: true }, title, description)
    }

    /// A number between its limits.
    pub(crate) fn gauge(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Gauge, title, description)
    }

    /// Rows of labels and numbers.
    pub(crate) fn table(title: &'static str, description: &'static str, table: Table) -> Self {
        let queries = table.queries().to_vec();
        Self { queries, ..Self::new(Kind::Table(table), title, description) }
    }

    /// How often which value occurred, over time.
    pub(crate) fn heatmap(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Heatmap, title, description)
    }

    /// States over time, a line for each series.
    pub(crate) fn states(
        states: &'static [State],
        title: &'static str,
        description: &'static str,
    ) -> Self {
        Self::new(Kind::StateTimeline(states), title, description)
    }

    /// A bar for each query.
    pub(crate) fn bars(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Barchart, title, description)
    }

    /// Words in Markdown.
    pub(crate) fn text(
        title: &'static str,
        description: &'static str,
        content: &'static str,
    ) -> Self {
        Self::new(Kind::Text(content), title, description)
    }

    fn new(kind: Kind, title: &'static str, description: &'static str) -> Self {
        Self {
            title,
            description,
            kind,
            queries: Vec::new(),
            unit: Unit::Count,
            bands: Bands::None,
            empty: "No data",
            overrides: Vec::new(),
            limits: (None, None),
            width: None,
        }
    }

    pub(crate) fn query(mut self, query: Query) -> Self {
        self.queries.push(query);
        self
    }

    pub(crate) fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    pub(crate) fn bands(self, bands: Bands) -> Self {
        Self { bands, ..self }
    }

    /// What stands there when the queries find nothing.
    pub(crate) fn empty(self, empty: &'static str) -> Self {
        Self { empty, ..self }
    }

    pub(crate) fn zero_based(self) -> Self {
        Self { limits: (Some(0.0), self.limits.1), ..self }
    }

    pub(crate) fn up_to(self, most: f64) -> Self {
        Self { limits: (self.limits.0, Some(most)), ..self }
    }

    pub(crate) fn wide(self, columns: usize) -> Self {
        Self { width: Some(columns), ..self }
    }

    pub(super) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Gives the series of this name a colour of its own.
    pub(crate) fn paint(self, series: &str, colour: Colour) -> Self {
        let colour = json!({ "fixedColor": colour.id(), "mode": "fixed" });
        self.differ(Override::named(series).with("color", colour))
    }

    /// Gives the values of the query that was added last a unit and bands of their own.
    pub(crate) fn last_in(self, unit: Unit, bands: Bands) -> Self {
        let place = self.queries.len().checked_sub(1).expect("a query was added");
        let mut differing = Override::of_query(&query::name(place))
            .with("unit", json!(unit.id()))
            .with("thresholds", bands.json());
        if let Some(decimals) = unit.decimals() {
            differing = differing.with("decimals", json!(decimals));
        }
        self.differ(differing)
    }

    /// Fills the range between two series of these names.
    pub(crate) fn fill_between(self, lower: &str, upper: &str) -> Self {
        let filled = Override::named(upper)
            .with("custom.fillBelowTo", json!(lower))
            .with("custom.fillOpacity", json!(25));
        self.differ(filled)
    }

    /// Draws the series of this name as a dashed line: a limit, not a reading.
    pub(crate) fn dash(self, series: &str, colour: Colour) -> Self {
        let dashed = Override::named(series)
            .with("custom.lineStyle", json!({ "dash": [8, 8], "fill": "dash" }))
            .with("custom.fillOpacity", json!(0));
        self.paint(series, colour).differ(dashed)
    }

    fn differ(mut self, differing: Override) -> Self {
        self.overrides.push(differing);
        self
    }

    /// The panel in its place, with the board's matchers in its queries.
    pub(super) fn json(&self, id: usize, place: Value, scope: &str) -> Value {
        let mut panel = Map::new();
        let mut put = |key: &str, value: Value| panel.insert(key.to_owned(), value);
        put("id", json!(id));
        put("type", json!(self.kind.id()));
        put("title", json!(self.title));
        put("description", json!(self.description));
        put("gridPos", place);
        put("options", self.kind.options(self.unit));
        if self.kind.has_queries() {
            let queries = self.queries.iter().enumerate();
            let targets: Vec<_> = queries.map(|(place, query)| query.json(place, scope)).collect();
            put("datasource", datasource());
            put("targets", json!(targets));
            put("fieldConfig", self.fields());
        }
        let transformations = self.kind.transformations();
        if !transformations.is_empty() {
            put("transformations", json!(transformations));
        }
        Value::Object(panel)
    }

    fn fields(&self) -> Value {
        let mut defaults = Map::new();
        let mut put = |key: &str, value: Value| defaults.insert(key.to_owned(), value);
        put("color", json!({ "mode": self.kind.colours(self.bands) }));
        put("custom", self.kind.custom());
        put("mappings", self.kind.mappings());
        put("noValue", json!(self.empty));
        put("thresholds", self.bands.json());
        put("unit", json!(self.unit.id()));
        if let Some(decimals) = self.unit.decimals() {
            put("decimals", json!(decimals));
        }
        for (key, limit) in [("min", self.limits.0), ("max", self.limits.1)] {
            if let Some(limit) = limit {
                put(key, json!(limit));
            }
        }
        let own = self.kind.overrides();
        let overrides: Vec<_> = self.overrides.iter().chain(&own).map(Override::json).collect();
        json!({ "defaults": defaults, "overrides": overrides })
    }
}
