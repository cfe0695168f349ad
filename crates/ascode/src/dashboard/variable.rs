//! What a viewer may pick at the top of a board. The data source comes first; each query sees what
//! was picked before it, so that nobody picks a service that the picked job does not have.

use serde_json::{Map, Value, json};

use super::source::datasource;

/// A variable whose values are those of a label, or words of our own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    name: &'static str,
    title: &'static str,
    values: Values,
    /// Whether only the queries that name the variable ask for it.
    named: bool,
}

#[derive(Clone, Copy, Debug)]
enum Values {
    /// Any number of a label's values, all of them at first.
    Any { metric: &'static str, all: &'static str },
    /// One of a label's values.
    One { metric: &'static str },
    /// One of these, the second at first.
    Words(&'static [&'static str]),
}

impl Variable {
    /// Any number of the values that a label has on a metric.
    pub(crate) const fn any(name: &'static str, title: &'static str, metric: &'static str) -> Self {
        Self { name, title, values: Values::Any { metric, all: ".+" }, named: false }
    }

    /// The same where the label may be missing: all of them are then those without it, too.
    pub(crate) const fn any_or_none(
        name: &'static str,
        title: &'static str,
        metric: &'static str,
    ) -> Self {
        Self { name, title, values: Values::Any { metric, all: ".*" }, named: false }
    }

    /// One value, for numbers that cannot be added up over several.
    pub(crate) const fn one(name: &'static str, title: &'static str, metric: &'static str) -> Self {
        Self { name, title, values: Values::One { metric }, named: false }
    }

    /// The same for the queries that name the variable, because others have no such label.
    pub(crate) const fn where_named(self) -> Self {
        Self { named: true, ..self }
    }

    /// The windows that numbers of delivery are computed over.
    pub(crate) const fn window() -> Self {
        let words = &["7d", "30d", "90d"];
        Self { name: "window", title: "Window", values: Values::Words(words), named: true }
    }

    fn matcher(self) -> String {
        format!(r#"{0}=~"${0}""#, self.name)
    }

    fn json(self, scope: &str) -> Value {
        let mut variable = Map::new();
        let mut put = |key: &str, value: Value| variable.insert(key.to_owned(), value);
        put("name", json!(self.name));
        put("label", json!(self.title));
        put("hide", json!(0));
        let (metric, all) = match self.values {
            Values::Any { metric, all } => (metric, Some(all)),
            Values::One { metric } => (metric, None),
            Values::Words(words) => {
                let current = words.get(1).copied().unwrap_or_default();
                put("type", json!("custom"));
                put("query", json!(words.join(",")));
                put("current", json!({ "text": current, "value": current }));
                put("options", words.iter().map(|word| option(word, *word == current)).collect());
                return Value::Object(variable);
            }
        };
        if let Some(all) = all {
            put("allValue", json!(all));
            put("current", json!({ "text": ["All"], "value": ["$__all"] }));
        }
        let scope = if scope.is_empty() { String::new() } else { format!("{{{scope}}}") };
        put("type", json!("query"));
        put("datasource", datasource());
        put("query", json!(format!("label_values({metric}{scope}, {})", self.name)));
        // The labels of a metric change with the time that is shown.
        put("refresh", json!(2));
        put("sort", json!(1));
        put("multi", json!(all.is_some()));
        put("includeAll", json!(all.is_some()));
        Value::Object(variable)
    }
}

/// All of a board's variables, the data source first.
pub(crate) fn list(variables: &[Variable]) -> Value {
    let source = json!({
        "name": "datasource",
        "label": "Data source",
        "hide": 0,
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "multi": false,
        "includeAll": false,
    });
    let mut list = vec![source];
    for (place, variable) in variables.iter().enumerate() {
        list.push(variable.json(&scope(&variables[..place])));
    }
    Value::Array(list)
}

/// The matchers that hold what was picked.
pub(crate) fn scope(variables: &[Variable]) -> String {
    let picked = variables.iter().filter(|variable| !variable.named);
    picked.map(|variable| variable.matcher()).collect::<Vec<_>>().join(", ")
}

fn option(word: &str, selected: bool) -> Value {
    json!({ "selected": selected, "text": word, "value": word })
}
