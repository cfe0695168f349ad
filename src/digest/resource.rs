//! What a resource says of itself: which service, which version, which commit.

use std::borrow::Cow;

use redora_wire::{Fault, KeyValue, Value, write_text};

use crate::sightings::Version;

/// The facts of one resource that the books ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resource<'a> {
    service: Value<'a>,
    version: Value<'a>,
    revision: Value<'a>,
    revision_deprecated: Value<'a>,
    environment: Value<'a>,
    environment_deprecated: Value<'a>,
}

impl<'a> Resource<'a> {
    /// Reads a resource, handing every attribute to `also` in passing.
    pub(super) fn read(
        resource: &redora_wire::Resource<'a>,
        mut also: impl FnMut(KeyValue<'a>),
    ) -> Result<Self, Fault> {
        let mut read = Self::default();
        resource.read(|attribute| {
            match attribute.key {
                b"service.name" => read.service = attribute.value.read(),
                b"service.version" => read.version = attribute.value.read(),
                b"vcs.ref.head.revision" => read.revision = attribute.value.read(),
                b"vcs.repository.ref.revision" => read.revision_deprecated = attribute.value.read(),
                b"deployment.environment.name" => read.environment = attribute.value.read(),
                b"deployment.environment" => {
                    read.environment_deprecated = attribute.value.read();
                }
                _ => {}
            }
            also(attribute);
        })?;
        Ok(read)
    }

    /// The service's name; a service that does not say is `unknown_service`.
    pub(super) fn service(&self) -> Cow<'a, [u8]> {
        match self.service {
            Value::Empty | Value::String(b"") => Cow::Borrowed(b"unknown_service"),
            Value::String(name) => Cow::Borrowed(name),
            value => {
                let mut text = Vec::new();
                write_text(value, crate::series::LABEL_BYTES_MAX, &mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The version that runs; values that are no text say nothing.
    pub(super) fn version(&self) -> Version<'a> {
        let text = |value| if let Value::String(text) = value { text } else { b"".as_slice() };
        let either = |now, before| match text(now) {
            b"" => text(before),
            named => named,
        };
        Version {
            version: text(self.version),
            revision: either(self.revision, self.revision_deprecated),
            environment: either(self.environment, self.environment_deprecated),
        }
    }
}
