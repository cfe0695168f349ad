//! Attributes that were picked to become labels, held while a record is walked: nearest one wins,
//! so a span's own attribute stands before its resource's.

use redora_model::dimension::Dimension;
use redora_wire::{Encoded, KeyValue, Value, write_text};

use super::{Key, LABEL_BYTES_MAX};

/// The values of a list of dimensions, in its order.
#[derive(Clone, Debug, Default)]
pub struct Picked<'a> {
    values: Vec<Option<Encoded<'a>>>,
    resource: Vec<Option<Encoded<'a>>>,
}

impl<'a> Picked<'a> {
    /// Room for `dimensions`, none of them seen.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self { values: vec![None; dimensions], resource: vec![None; dimensions] }
    }

    /// How many dimensions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no dimension is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A new resource begins.
    pub fn clear_resource(&mut self) {
        self.resource.fill(None);
    }

    /// Notes a resource's attribute.
    pub fn see_resource(&mut self, dimensions: &[Dimension], attribute: KeyValue<'a>) {
        note(&mut self.resource, dimensions, attribute);
    }

    /// A new span or record begins.
    pub fn clear(&mut self) {
        self.values.fill(None);
    }

    /// Notes an attribute of the span or record.
    pub fn see(&mut self, dimensions: &[Dimension], attribute: KeyValue<'a>) {
        note(&mut self.values, dimensions, attribute);
    }

    /// Notes the value of the dimension of this number; one that there is no room for is none.
    #[inline]
    pub fn set(&mut self, number: usize, value: Encoded<'a>) {
        if let Some(place) = self.values.get_mut(number) {
            *place = Some(value);
        }
    }

    /// The same for a value of the resource.
    pub fn set_resource(&mut self, number: usize, value: Encoded<'a>) {
        if let Some(place) = self.resource.get_mut(number) {
            *place = Some(value);
        }
    }

    /// The values that the span or record itself has, by the dimension's number.
    #[inline]
    pub fn own(&self) -> impl Iterator<Item = (usize, Encoded<'a>)> + '_ {
        let numbered = self.values.iter().enumerate();
        numbered.filter_map(|(number, value)| value.map(|value| (number, value)))
    }

    /// The values that the resource has, in the order of the dimensions.
    pub fn of_resource(&self) -> impl Iterator<Item = Option<Encoded<'a>>> + '_ {
        self.resource.iter().copied()
    }

    /// The values, those of the record before those of its resource.
    pub fn iter(&self) -> impl Iterator<Item = Option<Encoded<'a>>> + '_ {
        self.values.iter().zip(&self.resource).map(|(own, resource)| own.or(*resource))
    }

    /// The value of the dimension of this number.
    #[must_use]
    pub fn value(&self, number: usize) -> Option<Value<'a>> {
        let place = |values: &[Option<Encoded<'a>>]| values.get(number).copied().flatten();
        place(&self.values).or_else(|| place(&self.resource)).map(Encoded::read)
    }

    /// Writes every value onto a key; one that is absent is empty, which is the same label set to
    /// Prometheus.
    pub fn push_to(&self, key: &mut Key) {
        for value in self.iter() {
            key.push_value(value.map(Encoded::read).unwrap_or_default());
        }
    }
}

/// Whether an attribute's value is this text, as JSON would spell it where it is no text.
#[must_use]
pub fn spells(value: Value<'_>, expected: &[u8]) -> bool {
    match value {
        Value::String(text) => text == expected,
        value => {
            let mut text = Vec::new();
            write_text(value, LABEL_BYTES_MAX.max(expected.len()) + 1, &mut text);
            text == expected
        }
    }
}

fn note<'a>(values: &mut [Option<Encoded<'a>>], dimensions: &[Dimension], attribute: KeyValue<'a>) {
    for (value, dimension) in values.iter_mut().zip(dimensions) {
        if dimension.attribute.as_bytes() == attribute.key {
            *value = Some(attribute.value);
        }
    }
}
