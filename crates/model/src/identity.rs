//! Who a piece of telemetry belongs to, as types of their own so that a tenant is never passed for
//! a service.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The party whose data an item is: decided once, at the socket, and part of every key from
/// there on.
///
/// Cheap to clone. Single mode knows one tenant, [`Tenant::single`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The one tenant of an agent that keeps no tenants apart; its name is empty and never a label.
    #[must_use]
    pub fn single() -> Self {
        Self(Arc::from(""))
    }

    /// The tenant's name as it stands in keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares names that are cheap to clone and never passed for one another.
macro_rules! names {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(Arc<str>);

            impl $name {
                /// A name as a source gives it.
                #[must_use]
                pub fn new(name: &str) -> Self {
                    Self(Arc::from(name))
                }

                /// The name.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

names! {
    /// What is deployed and serves: `service.name` in telemetry, `service` in the configuration.
    Service;
    /// Where it is deployed to, such as `production`.
    Environment;
    /// Where its changes are: `owner/name`, or a path for a repository that no forge knows.
    Repository;
    /// A commit by its SHA, in lower-case hexadecimal; a source may know only its beginning.
    Revision;
}
