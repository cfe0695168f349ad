//! A family's name as it goes onto the wire: escaped stem and suffix apart, because formats
//! disagree on which of them the family has and which only its samples.

use crate::escape::NameOf;
use crate::negotiate::Escaping;
use crate::sample::{Family, Kind};

/// The name of the family that is being written.
#[derive(Debug)]
pub(crate) struct Name {
    /// Escaped, without the suffix of its kind, not quoted.
    stem: String,
    /// What a sample's name ends in: `_total` for counters, `_info` for infos, nothing for others.
    suffix: &'static str,
    /// Whether text must quote it.
    pub(crate) quoted: bool,
}

impl Name {
    /// The name of a family under a scheme. Suffixes are not escaped: scrapers know a counter by
    /// `_total`.
    pub(crate) fn new(family: &Family<'_>, scheme: Escaping) -> Self {
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram | Kind::Unknown => "",
        };
        let bare = family.name.strip_suffix(suffix).unwrap_or(family.name);
        let mut stem = String::with_capacity(bare.len());
        NameOf::Metric.escape(bare, scheme, &mut stem);
        let quoted = !NameOf::Metric.is_legal(&stem);
        Self { stem, suffix, quoted }
    }

    /// The name with which OpenMetrics declares the family, `http_requests`.
    pub(crate) fn stem(&self) -> &str {
        &self.stem
    }

    /// The name with which the other formats declare the family, and which its simple samples have,
    /// `http_requests_total`.
    pub(crate) fn full(&self) -> String {
        format!("{}{}", self.stem, self.suffix)
    }

    /// What follows the stem in the name of a simple sample.
    pub(crate) fn suffix(&self) -> &'static str {
        self.suffix
    }

    /// Makes the suffix a part of the stem, for a counter that must be declared under its full
    /// name.
    pub(crate) fn absorb_suffix(&mut self) {
        self.stem.push_str(self.suffix);
        self.suffix = "";
    }

    /// The unit, if the stem ends in it and it can stand in a line of its own.
    pub(crate) fn unit<'a>(&self, unit: Option<&'a str>) -> Option<&'a str> {
        let unit = unit?;
        let head = self.stem.strip_suffix(unit)?;
        (head.ends_with('_') && NameOf::Label.is_legal(unit)).then_some(unit)
    }
}
