//! Decides whose data a request is, here and nowhere else, so that no later room can be talked into
//! another tenant by what a request says about itself.

use redora_model::identity::Tenant;

/// How requests are given to tenants.
#[derive(Clone, Debug)]
pub(super) enum Tenancy {
    /// One tenant, whatever the request says.
    Single(Tenant),
}

impl Tenancy {
    pub(super) fn single() -> Self {
        Self::Single(Tenant::single())
    }

    /// The tenant of a request.
    pub(super) fn tenant(&self) -> Tenant {
        match self {
            Self::Single(tenant) => tenant.clone(),
        }
    }
}
