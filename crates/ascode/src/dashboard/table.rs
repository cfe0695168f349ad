//! A table of instant queries merged by their labels, one row each: Grafana's own columns are named
//! `Value #A`, come in the order of the alphabet and carry the time of the query.

use serde_json::{Map, Value, json};

use super::field::Override;
use super::query::{self, Query};
use super::style::{Bands, Unit};

/// The columns of a table and the queries behind them. Each query yields exactly the labels that
/// are columns, or the rows would not merge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    queries: Vec<Query>,
    sort: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Column {
    from: From,
    title: &'static str,
    unit: Unit,
    bands: Bands,
    link: Option<Link>,
}

#[derive(Clone, Debug)]
enum From {
    Label(&'static str),
    Query(usize),
}

/// The board that a cell leads to, which opens with the cell's value in a variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) title: &'static str,
    pub(crate) uid: &'static str,
    pub(crate) variable: &'static str,
}

impl Table {
    /// A column of a label.
    pub(crate) fn label(self, label: &'static str, title: &'static str) -> Self {
        self.column(From::Label(label), title, Unit::Text, Bands::None)
    }

    /// The column that was added last leads to a board.
    pub(crate) fn linked(mut self, link: Link) -> Self {
        if let Some(column) = self.columns.last_mut() {
            column.link = Some(link);
        }
        self
    }

    /// A column of numbers.
    pub(crate) fn value(self, title: &'static str, unit: Unit, expr: impl Into<String>) -> Self {
        self.banded(title, unit, Bands::None, expr)
    }

    /// A column of numbers that are good or bad.
    pub(crate) fn banded(
        mut self,
        title: &'static str,
        unit: Unit,
        bands: Bands,
        expr: impl Into<String>,
    ) -> Self {
        self.queries.push(Query::rows(expr));
        let from = From::Query(self.queries.len() - 1);
        self.column(from, title, unit, bands)
    }

    /// The largest of this column first.
    pub(crate) fn sorted_by(self, title: &'static str) -> Self {
        Self { sort: Some(title), ..self }
    }

    fn column(mut self, from: From, title: &'static str, unit: Unit, bands: Bands) -> Self {
        self.columns.push(Column { from, title, unit, bands, link: None });
        self
    }

    pub(super) fn queries(&self) -> &[Query] {
        &self.queries
    }

    pub(super) fn options(&self) -> Value {
        let sort: Vec<_> =
            self.sort.iter().map(|title| json!({ "desc": true, "displayName": title })).collect();
        json!({ "cellHeight": "sm", "showHeader": true, "sortBy": sort })
    }

    /// Merges the answers, drops the time, and names and orders the columns.
    pub(super) fn transformations(&self) -> Vec<Value> {
        let mut names = Map::new();
        let mut places = Map::new();
        for (place, column) in self.columns.iter().enumerate() {
            let field = self.field(&column.from);
            names.insert(field.clone(), json!(column.title));
            places.insert(field, json!(place));
        }
        let options = json!({
            "excludeByName": { "Time": true },
            "indexByName": places,
            "renameByName": names,
        });
        vec![
            json!({ "id": "merge", "options": {} }),
            json!({ "id": "organize", "options": options }),
        ]
    }

    /// Grafana's own name of a column.
    fn field(&self, from: &From) -> String {
        match from {
            From::Label(label) => (*label).to_owned(),
            From::Query(_) if self.queries.len() == 1 => "Value".to_owned(),
            From::Query(place) => format!("Value #{}", query::name(*place)),
        }
    }

    pub(super) fn overrides(&self) -> Vec<Override> {
        self.columns.iter().map(Column::overrides).collect()
    }
}

impl Column {
    fn overrides(&self) -> Override {
        // The panel's own words are for a table without rows; in a cell they would say it of one.
        let mut differing = Override::named(self.title)
            .with("unit", json!(self.unit.id()))
            .with("noValue", json!("–"));
        if let Some(decimals) = self.unit.decimals() {
            differing = differing.with("decimals", json!(decimals));
        }
        if self.bands != Bands::None {
            differing = differing
                .with("thresholds", self.bands.json())
                .with("custom.cellOptions", json!({ "type": "color-text" }));
        }
        if let Some(Link { title, uid, variable }) = self.link {
            let value = "${__value.text:percentencode}";
            let url = format!(
                "/d/{uid}?${{datasource:queryparam}}&var-{variable}={value}&${{__url_time_range}}"
            );
            differing = differing.with("links", json!([{ "title": title, "url": url }]));
        }
        differing
    }
}
