//! A board: rows of panels, laid out by their widths, with variables, markers and links to the
//! other boards. What all boards share stands here once.

use serde_json::{Map, Value, json};

use super::panel::Panel;
use super::query::in_scope;
use super::source::datasource;
use super::style::Colour;
use super::variable::{self, Variable};

/// The tag by which the boards find each other.
pub(crate) const TAG: &str = "redora";

/// The version of Grafana's classic format: that of Grafana 11, which later ones migrate.
const SCHEMA_VERSION: u32 = 39;
/// Columns of Grafana's grid.
const COLUMNS: usize = 24;

/// One dashboard.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) uid: &'static str,
    pub(crate) title: &'static str,
    /// The question that the board answers.
    pub(crate) question: &'static str,
    /// How far back it looks at first.
    pub(crate) since: &'static str,
    pub(crate) refresh: &'static str,
    pub(crate) variables: Vec<Variable>,
    pub(crate) markers: Vec<Marker>,
    pub(crate) rows: Vec<Row>,
}

/// Panels side by side.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    title: Option<&'static str>,
    height: usize,
    panels: Vec<Panel>,
}

/// Moments that are drawn through every graph of a board; each value is one, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marker {
    pub(crate) name: &'static str,
    pub(crate) colour: Colour,
    pub(crate) expr: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) tags: &'static str,
}

impl Row {
    /// The row at the top, which needs no title.
    pub(crate) const fn first(height: usize) -> Self {
        Self { title: None, height, panels: Vec::new() }
    }

    pub(crate) const fn titled(title: &'static str, height: usize) -> Self {
        Self { title: Some(title), height, panels: Vec::new() }
    }

    pub(crate) fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// The width of each panel: its own, or an equal share of what is left.
    fn widths(&self) -> Vec<usize> {
        let fixed: usize = self.panels.iter().filter_map(Panel::width).sum();
        let free = self.panels.iter().filter(|panel| panel.width().is_none()).count();
        let rest = COLUMNS.saturating_sub(fixed);
        let mut left = free;
        let mut given = 0;
        let mut widths = Vec::new();
        for panel in &self.panels {
            widths.push(panel.width().unwrap_or_else(|| {
                let share = (rest - given) / left;
                given += share;
                left -= 1;
                share
            }));
        }
        widths
    }
}

impl Board {
    /// The file's name.
    pub(crate) fn file(&self) -> String {
        format!("{}.json", self.uid)
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(&self.json()).expect("a tree of JSON has a text");
        text.push('\n');
        text
    }

    /// The id of the last panel of this title.
    pub(crate) fn panel_id(&self, title: &str) -> Option<u64> {
        let panels = self.panels("");
        panels.iter().rfind(|panel| panel["title"] == title)?["id"].as_u64()
    }

    fn json(&self) -> Value {
        let scope = variable::scope(&self.variables);
        let markers: Vec<_> = self.markers.iter().map(|marker| marker.json(&scope)).collect();
        json!({
            "annotations": { "list": markers },
            "description": self.question,
            "editable": false,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "links": [links()],
            "panels": self.panels(&scope),
            "refresh": self.refresh,
            "schemaVersion": SCHEMA_VERSION,
            "tags": [TAG],
            "templating": { "list": variable::list(&self.variables) },
            "time": { "from": self.since, "to": "now" },
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            "uid": self.uid,
            "weekStart": "monday",
        })
    }

    fn panels(&self, scope: &str) -> Vec<Value> {
        let mut panels: Vec<Value> = Vec::new();
        let mut y = 0;
        for row in &self.rows {
            if let Some(title) = row.title {
                let mut header = Map::new();
                header.insert("id".to_owned(), json!(panels.len() + 1));
                header.insert("type".to_owned(), json!("row"));
                header.insert("title".to_owned(), json!(title));
                header.insert("collapsed".to_owned(), json!(false));
                header.insert("gridPos".to_owned(), place(0, y, COLUMNS, 1));
                header.insert("panels".to_owned(), json!([]));
                panels.push(Value::Object(header));
                y += 1;
            }
            let mut x = 0;
            for (panel, width) in row.panels.iter().zip(row.widths()) {
                panels.push(panel.json(panels.len() + 1, place(x, y, width, row.height), scope));
                x += width;
            }
            y += row.height;
        }
        panels
    }
}

impl Marker {
    fn json(&self, scope: &str) -> Value {
        json!({
            "datasource": datasource(),
            "enable": true,
            "expr": in_scope(self.expr, scope),
            "hide": false,
            "iconColor": self.colour.id(),
            "name": self.name,
            "step": "1m",
            "tagKeys": self.tags,
            "textFormat": self.text,
            "titleFormat": self.title,
            "useValueForTime": true,
        })
    }
}

fn place(x: usize, y: usize, w: usize, h: usize) -> Value {
    json!({ "x": x, "y": y, "w": w, "h": h })
}

/// The menu of all boards, which keeps what was picked and the time.
fn links() -> Value {
    json!({
        "asDropdown": true,
        "icon": "external link",
        "includeVars": true,
        "keepTime": true,
        "tags": [TAG],
        "targetBlank": false,
        "title": "redora boards",
        "tooltip": "The other boards, with the same time and choices",
        "type": "dashboards",
        "url": "",
    })
}
