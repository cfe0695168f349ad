//! What holds the items of a request, the same for every signal: requests hold what each resource
//! sent, and that holds what each of its libraries made.

use std::marker::PhantomData;

use crate::fault::Fault;
use crate::message::{self, Messages, Resource, Scope};
use crate::value::KeyValue;

/// A kind of item, spans or log records: where a request of it holds what.
pub trait Kind: levels::Levels {}

impl<K: levels::Levels> Kind for K {}

/// Kept from other crates: there are no signals but those of OTLP.
pub(crate) mod levels {
    use crate::message::Level;

    /// The levels of a request, from the outermost to the one that holds the items.
    pub trait Levels {
        const REQUEST: &'static Level;
        const RESOURCE: &'static Level;
        const SCOPE: &'static Level;
    }
}

/// The request's parts, one for each resource that sent items.
#[inline]
pub(crate) fn of_resources<K: Kind>(request: &[u8]) -> Messages<'_, OfResource<'_, K>> {
    Messages::new(request, K::REQUEST)
}

/// What one resource sent. Nothing in it was checked yet.
#[derive(Debug)]
pub struct OfResource<'a, K> {
    bytes: &'a [u8],
    kind: PhantomData<fn() -> K>,
}

impl<'a, K: Kind> OfResource<'a, K> {
    /// The resource, wherever it stands among the items.
    #[inline]
    #[must_use]
    pub fn resource(&self) -> Resource<'a> {
        Resource::of(self.bytes)
    }

    /// The schema of the resource's attributes; empty where none is named.
    ///
    /// # Errors
    /// The first fault in the frames of this message.
    pub fn schema_url(&self) -> Result<&'a [u8], Fault> {
        message::schema_url(self.bytes)
    }

    /// The items by the library that made them. Checks the resource in passing.
    #[inline]
    #[must_use]
    pub fn scopes(&self) -> Messages<'a, OfScope<'a, K>> {
        Messages::new(self.bytes, K::RESOURCE)
    }
}

impl<'a, K> From<&'a [u8]> for OfResource<'a, K> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, kind: PhantomData }
    }
}

/// What one library made. Nothing in it was checked yet.
#[derive(Debug)]
pub struct OfScope<'a, K> {
    bytes: &'a [u8],
    kind: PhantomData<fn() -> K>,
}

impl<'a, K: Kind> OfScope<'a, K> {
    /// The library, wherever it stands among the items.
    ///
    /// # Errors
    /// The first fault in the scope or in the frames of this message.
    pub fn scope(&self, on_attribute: impl FnMut(KeyValue<'a>)) -> Result<Scope<'a>, Fault> {
        Scope::read(self.bytes, on_attribute)
    }

    /// The schema of the items' attributes; empty where none is named.
    ///
    /// # Errors
    /// The first fault in the frames of this message.
    pub fn schema_url(&self) -> Result<&'a [u8], Fault> {
        message::schema_url(self.bytes)
    }

    /// The bytes of each item, for `Span::read` or `LogRecord::read`. Checks the scope in passing,
    /// not the items.
    #[inline]
    #[must_use]
    pub fn items(&self) -> Messages<'a, &'a [u8]> {
        Messages::new(self.bytes, K::SCOPE)
    }
}

impl<'a, K> From<&'a [u8]> for OfScope<'a, K> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, kind: PhantomData }
    }
}
