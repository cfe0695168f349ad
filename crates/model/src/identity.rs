//! Who a piece of telemetry belongs to, as types of their own so that a tenant is never passed for
//! a service.

use std::fmt;
use std::sync::Arc;

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
