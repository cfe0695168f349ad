//! How some of a panel's fields differ from the others: a colour, a unit, a link.

use serde_json::{Value, json};

/// Properties for the fields that a matcher picks.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    matcher: Value,
    properties: Vec<(&'static str, Value)>,
}

impl Override {
    /// For the field, series or column of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self { matcher: json!({ "id": "byName", "options": name }), properties: Vec::new() }
    }

    /// For what the query of this letter answers.
    pub(crate) fn of_query(letter: &str) -> Self {
        Self { matcher: json!({ "id": "byFrameRefID", "options": letter }), properties: Vec::new() }
    }

    pub(crate) fn with(mut self, property: &'static str, value: Value) -> Self {
        self.properties.push((property, value));
        self
    }

    pub(crate) fn json(&self) -> Value {
        let properties: Vec<_> =
            self.properties.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
        json!({ "matcher": self.matcher, "properties": properties })
    }
}
