//! How many items a request holds, from its frames alone: a small body can announce millions of
//! items, so the limits are applied to this number before anything is built from them.

use crate::Signal;
use crate::cursor::{Cursor, Key};
use crate::fault::Fault;
use crate::message::{DEPTH_IN_ITEM, DEPTH_IN_REQUEST, DEPTH_IN_RESOURCES, DEPTH_IN_SCOPES};
use crate::schema::{self, Schema};

/// Counts spans, log records or metric data points. Passes over everything by its length and looks
/// into no item, so it costs some nanoseconds an item and an `Ok` does not mean that the request
/// can be read: see [`check`].
///
/// # Errors
/// The first fault in the frames that lead to the items.
pub fn count(signal: Signal, request: &[u8]) -> Result<u64, Fault> {
    let [of_request, of_resource, of_scope] = levels(signal);
    let mut items = 0;
    of_request.each(request, RESOURCES, DEPTH_IN_REQUEST, |resource| {
        of_resource.each(resource, SCOPES, DEPTH_IN_RESOURCES, |scope| {
            of_scope.each(scope, ITEMS, DEPTH_IN_SCOPES, |item| {
                items += match signal {
                    Signal::Traces | Signal::Logs => 1,
                    Signal::Metrics => data_points(item)?,
                };
                Ok(())
            })
        })
    })?;
    Ok(items)
}

/// Checks every byte of a request against OTLP's schema and counts its items. Accepts what an OTLP
/// decoder accepts, and strings that are not UTF-8.
///
/// # Errors
/// The first fault anywhere in the request.
pub fn check(signal: Signal, request: &[u8]) -> Result<u64, Fault> {
    let [of_request, ..] = levels(signal);
    of_request.check(request, DEPTH_IN_REQUEST)?;
    count(signal, request)
}

fn levels(signal: Signal) -> [&'static Schema; 3] {
    match signal {
        Signal::Traces => [&schema::TRACE_REQUEST, &schema::RESOURCE_SPANS, &schema::SCOPE_SPANS],
        Signal::Logs => [&schema::LOGS_REQUEST, &schema::RESOURCE_LOGS, &schema::SCOPE_LOGS],
        Signal::Metrics => {
            [&schema::METRICS_REQUEST, &schema::RESOURCE_METRICS, &schema::SCOPE_METRICS]
        }
    }
}

/// A metric holds points of one kind: a later kind replaces an earlier one, the same kind adds to
/// it.
fn data_points(metric: &[u8]) -> Result<u64, Fault> {
    let mut points = 0;
    let mut current = None;
    let mut cursor = Cursor::new(metric);
    while !cursor.is_empty() {
        let key = cursor.key().ok_or_else(|| cursor.key_fault())?;
        let Some(schema) = points_schema(key) else {
            cursor = schema::METRIC.skip_field(key, cursor, DEPTH_IN_ITEM)?;
            continue;
        };
        if current.replace(key) != Some(key) {
            points = 0;
        }
        schema.each(
            cursor.bytes().ok_or_else(|| cursor.value_fault())?,
            POINTS,
            DEPTH_IN_ITEM - 1,
            |_| {
                points += 1;
                Ok(())
            },
        )?;
    }
    Ok(points)
}

fn points_schema(key: Key) -> Option<&'static Schema> {
    const GAUGE: Key = Key::bytes(5);
    const SUM: Key = Key::bytes(7);
    const HISTOGRAM: Key = Key::bytes(9);
    const EXPONENTIAL_HISTOGRAM: Key = Key::bytes(10);
    const SUMMARY: Key = Key::bytes(11);
    match key {
        GAUGE => Some(&schema::GAUGE),
        SUM => Some(&schema::SUM),
        HISTOGRAM => Some(&schema::HISTOGRAM),
        EXPONENTIAL_HISTOGRAM => Some(&schema::EXPONENTIAL_HISTOGRAM),
        SUMMARY => Some(&schema::SUMMARY),
        _ => None,
    }
}

impl Schema {
    /// Calls `on_body` with each body of a repeated field and passes over the others by their
    /// length.
    #[inline]
    fn each<'a>(
        &self,
        message: &'a [u8],
        wanted: Key,
        depth: u32,
        mut on_body: impl FnMut(&'a [u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut cursor = Cursor::new(message);
        while !cursor.is_empty() {
            let key = cursor.key().ok_or_else(|| cursor.key_fault())?;
            if key == wanted {
                on_body(cursor.bytes().ok_or_else(|| cursor.value_fault())?)?;
            } else {
                cursor = self.skip_field(key, cursor, depth)?;
            }
        }
        Ok(())
    }
}

const RESOURCES: Key = Key::bytes(1);
const SCOPES: Key = Key::bytes(2);
const ITEMS: Key = Key::bytes(2);
const POINTS: Key = Key::bytes(1);
