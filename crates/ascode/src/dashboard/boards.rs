//! The nine boards, in the order in which one reads them.

mod agent;
mod alerts;
mod ci;
mod deployments;
mod dora;
mod incidents;
mod red;
mod service;
mod slo;

use super::board::Board;

/// All boards.
pub(crate) fn all() -> [Board; 9] {
    [
        red::board(),
        service::board(),
        slo::board(),
        deployments::board(),
        dora::board(),
        ci::board(),
        incidents::board(),
        alerts::board(),
        agent::board(),
    ]
}
