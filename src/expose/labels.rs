//! The labels of one sample in a fixed place on the stack: a scrape has a hundred thousand of them,
//! and none should cost an allocation.

use redora_exposition::Label;
use redora_model::dimension::Dimension;

/// Labels being gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelSet<'a> {
    labels: [Label<'a>; LABELS_MAX],
    len: usize,
}

impl<'a> LabelSet<'a> {
    pub(super) fn new() -> Self {
        Self { labels: [("", ""); LABELS_MAX], len: 0 }
    }

    /// The tenant, which is a label only where tenants are kept apart.
    pub(super) fn tenant(&mut self, tenant: Option<&'a str>) {
        if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty()) {
            self.push("tenant", tenant);
        }
    }

    pub(super) fn push(&mut self, name: &'a str, value: &'a str) {
        if let Some(place) = self.labels.get_mut(self.len) {
            *place = (name, value);
            self.len += 1;
        }
    }

    /// The label values that follow in a key under these names.
    pub(super) fn named(
        &mut self,
        names: &[&'static str],
        values: &mut impl Iterator<Item = &'a str>,
    ) {
        for (name, value) in names.iter().zip(values) {
            self.push(name, value);
        }
    }

    /// The values of configured dimensions; an empty one is left out, which is the same label set
    /// to Prometheus.
    pub(super) fn dimensions(
        &mut self,
        dimensions: &'a [Dimension],
        values: &mut impl Iterator<Item = &'a str>,
    ) {
        for (dimension, value) in dimensions.iter().zip(values) {
            if !value.is_empty() {
                self.push(&dimension.label, value);
            }
        }
    }

    pub(super) fn as_slice(&self) -> &[Label<'a>] {
        &self.labels[..self.len]
    }
}

/// The contract's labels, the tenant, and the sixteen dimensions that a configuration may name.
const LABELS_MAX: usize = 24;
