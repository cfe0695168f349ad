//! Where every panel, variable and annotation asks: the data source that the viewer picks, so that
//! one file serves every Grafana.

use serde_json::{Value, json};

/// The variable of the data source, as a reference.
pub(crate) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}
