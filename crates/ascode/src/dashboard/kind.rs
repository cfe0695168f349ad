//! The kinds of panels with the options that make one readable: a legend for several lines, a
//! tooltip that shows all of them, no line drawn through a hole in the data.

use serde_json::{Value, json};

use super::field::Override;
use super::style::{Bands, Colour, Unit};
use super::table::Table;

/// What a panel draws.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Timeseries(Lines),
    Stat {
        sparkline: bool,
    },
    Gauge,
    Table(Table),
    Heatmap,
    /// States with the text and colour of each number.
    StateTimeline(&'static [State]),
    /// One bar for each query, in their order.
    Barchart,
    Text(&'static str),
}

/// How a time series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Lines with a light fill.
    Beside,
    /// Areas on top of each other: parts of a whole.
    Stacked,
    /// Bars on top of each other: counts by time.
    Bars,
    /// Lines with the panel's bands behind them.
    OverBands,
}

/// From which number on a timeline shows what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) from: f64,
    pub(crate) to: Option<f64>,
    pub(crate) text: &'static str,
    pub(crate) colour: Colour,
}

impl Kind {
    pub(super) const fn id(&self) -> &'static str {
        match self {
            Self::Timeseries(_) => "timeseries",
            Self::Stat { .. } => "stat",
            Self::Gauge => "gauge",
            Self::Table(_) => "table",
            Self::Heatmap => "heatmap",
            Self::StateTimeline(_) => "state-timeline",
            Self::Barchart => "barchart",
            Self::Text(_) => "text",
        }
    }

    pub(super) const fn has_queries(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    /// Where a field's colour comes from.
    pub(super) fn colours(&self, bands: Bands) -> &'static str {
        match self {
            Self::Timeseries(_) => "palette-classic-by-name",
            Self::Stat { .. } | Self::Gauge | Self::Table(_) | Self::StateTimeline(_) => {
                "thresholds"
            }
            Self::Heatmap | Self::Text(_) => "thresholds",
            Self::Barchart if bands == Bands::None => "palette-classic",
            Self::Barchart => "thresholds",
        }
    }

    pub(super) fn options(&self, unit: Unit) -> Value {
        let legend = json!({
            "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true,
        });
        let reduce = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
        match self {
            Self::Timeseries(_) => {
                json!({ "legend": legend, "tooltip": { "mode": "multi", "sort": "desc" } })
            }
            Self::Stat { sparkline } => json!({
                "colorMode": "value",
                "graphMode": if *sparkline { "area" } else { "none" },
                "justifyMode": "auto",
                "orientation": "auto",
                "percentChangeColorMode": "standard",
                "reduceOptions": reduce,
                "showPercentChange": false,
                "textMode": "auto",
                "wideLayout": true,
            }),
            Self::Gauge => json!({
                "minVizHeight": 75,
                "minVizWidth": 75,
                "orientation": "auto",
                "reduceOptions": reduce,
                "showThresholdLabels": false,
                "showThresholdMarkers": true,
                "sizing": "auto",
            }),
            Self::Table(table) => table.options(),
            Self::Heatmap => heatmap(unit),
            Self::StateTimeline(_) => json!({
                "alignValue": "left",
                "legend": { "showLegend": false, "calcs": [], "displayMode": "list",
                            "placement": "bottom" },
                "mergeValues": true,
                "rowHeight": 0.85,
                "showValue": "auto",
                "tooltip": { "mode": "single", "sort": "none" },
            }),
            Self::Barchart => json!({
                "barRadius": 0.05,
                "barWidth": 0.8,
                "fullHighlight": false,
                "groupWidth": 0.7,
                "legend": { "showLegend": false, "calcs": [], "displayMode": "list",
                            "placement": "bottom" },
                "orientation": "horizontal",
                "showValue": "always",
                "stacking": "none",
                "tooltip": { "mode": "single", "sort": "none" },
                "xField": "Field",
                "xTickLabelMaxLength": 24,
                "xTickLabelRotation": 0,
            }),
            Self::Text(content) => json!({ "content": content, "mode": "markdown" }),
        }
    }

    /// What only this kind knows of a field.
    pub(super) fn custom(&self) -> Value {
        match self {
            Self::Timeseries(lines) => lines.custom(),
            Self::Table(_) => {
                json!({ "align": "auto", "cellOptions": { "type": "auto" }, "inspect": false })
            }
            Self::StateTimeline(_) => json!({ "fillOpacity": 75, "lineWidth": 0 }),
            Self::Barchart => json!({ "fillOpacity": 80, "lineWidth": 0 }),
            Self::Stat { .. } | Self::Gauge | Self::Heatmap | Self::Text(_) => json!({}),
        }
    }

    pub(super) fn mappings(&self) -> Value {
        let Self::StateTimeline(states) = self else { return json!([]) };
        let ranges = states.iter().enumerate().map(|(index, state)| {
            let State { from, to, text, colour } = state;
            let result = json!({ "color": colour.id(), "index": index, "text": text });
            json!({ "type": "range", "options": { "from": from, "to": to, "result": result } })
        });
        ranges.collect()
    }

    pub(super) fn transformations(&self) -> Vec<Value> {
        match self {
            Self::Table(table) => table.transformations(),
            Self::Barchart => {
                let options = json!({ "mode": "seriesToRows", "reducers": ["lastNotNull"] });
                vec![json!({ "id": "reduce", "options": options })]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn overrides(&self) -> Vec<Override> {
        match self {
            Self::Table(table) => table.overrides(),
            _ => Vec::new(),
        }
    }
}

impl Lines {
    fn custom(self) -> Value {
        let (style, fill, stacking, bands) = match self {
            Self::Beside => ("line", 8, "none", "off"),
            Self::Stacked => ("line", 40, "normal", "off"),
            Self::Bars => ("bars", 80, "normal", "off"),
            Self::OverBands => ("line", 0, "none", "area"),
        };
        json!({
            "drawStyle": style,
            "fillOpacity": fill,
            "lineInterpolation": "linear",
            "lineWidth": if self == Self::Bars { 0 } else { 2 },
            "showPoints": "auto",
            "spanNulls": false,
            "stacking": { "group": "A", "mode": stacking },
            "thresholdsStyle": { "mode": bands },
        })
    }
}

fn heatmap(unit: Unit) -> Value {
    json!({
        "calculate": false,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": false,
            "scale": "exponential",
            "scheme": "Blues",
            "steps": 64,
        },
        "exemplars": { "color": "rgba(255,0,255,0.7)" },
        "filterValues": { "le": 1e-9 },
        "legend": { "show": true },
        "rowsFrame": { "layout": "auto" },
        "showValue": "never",
        "tooltip": { "mode": "single", "showColorScale": true, "yHistogram": false },
        "yAxis": { "axisPlacement": "left", "unit": unit.id() },
    })
}
