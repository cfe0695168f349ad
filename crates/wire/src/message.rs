//! The nesting that all signals share: requests hold resources, these hold scopes, these hold
//! items. One iterator serves every level, so a fault and a field of another kind are treated alike
//! on each.

use std::marker::PhantomData;

use crate::cursor::{Cursor, Key};
use crate::fault::{DEPTH_MAX, Fault};
use crate::schema::{self, Schema};
use crate::value::KeyValue;

/// The messages of one repeated field, in order, each as the view `T`; other fields are checked as
/// they pass.
///
/// After a fault it ends: what follows cannot be read. A holder was checked, but for the messages
/// handed out, once its iterator has ended without one.
#[derive(Clone)]
pub struct Messages<'a, T> {
    cursor: Cursor<'a>,
    level: &'static Level,
    view: PhantomData<fn() -> T>,
}

/// Which field of which message is iterated, and how much may be nested inside that message.
pub struct Level {
    pub(crate) schema: &'static Schema,
    pub(crate) wanted: Key,
    pub(crate) depth: u32,
}

impl<'a, T> Messages<'a, T> {
    pub(crate) fn new(holder: &'a [u8], level: &'static Level) -> Self {
        Self { cursor: Cursor::new(holder), level, view: PhantomData }
    }

    #[inline(always)]
    fn advance(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        while !self.cursor.is_empty() {
            let key = self.cursor.key().ok_or_else(|| self.cursor.key_fault())?;
            if key == self.level.wanted {
                let body = self.cursor.bytes().ok_or_else(|| self.cursor.value_fault())?;
                return Ok(Some(body));
            }
            self.cursor = self.level.schema.check_field(key, self.cursor, self.level.depth)?;
        }
        Ok(None)
    }
}

impl<'a, T: From<&'a [u8]>> Iterator for Messages<'a, T> {
    type Item = Result<T, Fault>;

    #[inline(always)]
    fn next(&mut self) -> Option<Result<T, Fault>> {
        let next = self.advance();
        if next.is_err() {
            self.cursor = Cursor::new(&[]);
        }
        next.transpose().map(|body| body.map(T::from))
    }
}

impl<'a, T: From<&'a [u8]>> std::iter::FusedIterator for Messages<'a, T> {}

impl<T> std::fmt::Debug for Messages<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("bytes_left", &self.cursor.rest().len()).finish()
    }
}

/// Who sent what its holder (ResourceSpans, ResourceLogs, ResourceMetrics) holds.
///
/// It may stand after the items and in several parts, so it is looked for in the whole holder;
/// items are passed by their length.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    holder: &'a [u8],
}

impl<'a> Resource<'a> {
    pub(crate) fn of(holder: &'a [u8]) -> Self {
        Self { holder }
    }

    /// Checks the resource and hands its attributes to `on_attribute` in order. A holder without a
    /// resource has no attributes. Attributes before a fault were handed over when it is returned.
    ///
    /// # Errors
    /// The first fault in the resource or in the holder's own frames.
    #[inline]
    pub fn read(&self, mut on_attribute: impl FnMut(KeyValue<'a>)) -> Result<(), Fault> {
        each_part(self.holder, |part| {
            Self::walk(part, &mut on_attribute)
                .ok_or_else(|| schema::RESOURCE.fault(part, DEPTH_IN_SCOPES))
        })
    }

    #[inline]
    fn walk(part: &'a [u8], on_attribute: &mut impl FnMut(KeyValue<'a>)) -> Option<()> {
        const ATTRIBUTE: Key = Key::bytes(1);
        let mut cursor = Cursor::new(part);
        while !cursor.is_empty() {
            let key = cursor.key()?;
            if key == ATTRIBUTE {
                on_attribute(KeyValue::read(cursor.bytes()?, DEPTH_IN_SCOPES - 1)?);
            } else {
                cursor = schema::RESOURCE.check_field(key, cursor, DEPTH_IN_SCOPES).ok()?;
            }
        }
        Some(())
    }
}

/// Which library made what its holder (ScopeSpans, ScopeLogs) holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The library's name; empty where it is unknown.
    pub name: &'a [u8],
    /// The library's version; empty where it is unknown.
    pub version: &'a [u8],
}

impl<'a> Scope<'a> {
    pub(crate) fn read(
        holder: &'a [u8],
        mut on_attribute: impl FnMut(KeyValue<'a>),
    ) -> Result<Self, Fault> {
        let mut scope = Self::default();
        each_part(holder, |part| {
            scope
                .merge(part, &mut on_attribute)
                .ok_or_else(|| schema::SCOPE.fault(part, DEPTH_IN_ITEM))
        })?;
        Ok(scope)
    }

    fn merge(&mut self, part: &'a [u8], on_attribute: &mut impl FnMut(KeyValue<'a>)) -> Option<()> {
        const NAME: Key = Key::bytes(1);
        const VERSION: Key = Key::bytes(2);
        const ATTRIBUTE: Key = Key::bytes(3);
        let mut cursor = Cursor::new(part);
        while !cursor.is_empty() {
            let key = cursor.key()?;
            match key {
                NAME => self.name = cursor.bytes()?,
                VERSION => self.version = cursor.bytes()?,
                ATTRIBUTE => on_attribute(KeyValue::read(cursor.bytes()?, DEPTH_IN_ITEM - 1)?),
                _ => cursor = schema::SCOPE.check_field(key, cursor, DEPTH_IN_ITEM).ok()?,
            }
        }
        Some(())
    }
}

/// The holder's `schema_url`; empty where it has none.
pub(crate) fn schema_url(holder: &[u8]) -> Result<&[u8], Fault> {
    const SCHEMA_URL: Key = Key::bytes(3);
    let mut last: &[u8] = &[];
    let mut cursor = Cursor::new(holder);
    while !cursor.is_empty() {
        let key = cursor.key().ok_or_else(|| cursor.key_fault())?;
        if key == SCHEMA_URL {
            last = cursor.bytes().ok_or_else(|| cursor.value_fault())?;
        } else {
            cursor = cursor.skip(key, DEPTH_IN_RESOURCES)?;
        }
    }
    Ok(last)
}

/// The parts of the holder's first field, which is its resource or its scope; protobuf merges them
/// in order.
#[inline]
fn each_part<'a>(
    holder: &'a [u8],
    mut on_part: impl FnMut(&'a [u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    const PART: Key = Key::bytes(1);
    let mut cursor = Cursor::new(holder);
    while !cursor.is_empty() {
        let key = cursor.key().ok_or_else(|| cursor.key_fault())?;
        if key == PART {
            on_part(cursor.bytes().ok_or_else(|| cursor.value_fault())?)?;
        } else {
            cursor = cursor.skip(key, DEPTH_IN_RESOURCES)?;
        }
    }
    Ok(())
}

/// What may be nested inside a request, which is itself not counted.
pub(crate) const DEPTH_IN_REQUEST: u32 = DEPTH_MAX;
/// What may be nested inside ResourceSpans and its like.
pub(crate) const DEPTH_IN_RESOURCES: u32 = DEPTH_IN_REQUEST - 1;
/// What may be nested inside ScopeSpans and its like, and inside a Resource.
pub(crate) const DEPTH_IN_SCOPES: u32 = DEPTH_IN_RESOURCES - 1;
/// What may be nested inside a span, a log record or a metric, and inside a scope.
pub(crate) const DEPTH_IN_ITEM: u32 = DEPTH_IN_SCOPES - 1;
