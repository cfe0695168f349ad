//! Alert policies of OpenSLO as tiers: a severity of a condition chooses one, and the rest of a
//! policy belongs to Alertmanager or follows from the objective.

use redora_model::slo::{Severity, Tiers};

use super::objects::Objects;
use crate::config::fault::Problem;
use crate::config::foreign::keys::{Keys, Reading};
use crate::config::foreign::reason::Uncarried;
use crate::config::scalar::{Form, Shown, switch};

/// The tiers that the policies of an SLO ask for; both where there are none.
pub(super) fn tiers<'n>(
    reading: &mut Reading<'_>,
    spec: &mut Keys<'n>,
    objects: &Objects<'n>,
) -> Tiers {
    let policies = reading.list(spec, "alertPolicies");
    let mut tiers = NONE;
    let mut are_known = !policies.is_empty();
    for field in policies {
        let policy = objects.element(reading, &field, "alertPolicyRef", "AlertPolicy");
        let found = policy.map(|policy| policy_tiers(reading, policy, objects));
        match found {
            Some(found) => tiers = union(tiers, found),
            None => are_known = false,
        }
    }
    if are_known { tiers } else { Tiers::ALL }
}

fn policy_tiers<'n>(
    reading: &mut Reading<'_>,
    mut policy: Keys<'n>,
    objects: &Objects<'n>,
) -> Tiers {
    let problem = |shown| Problem::Value { shown, form: Form::Switch };
    let is_wanted = reading.typed(&mut policy, "alertWhenBreaching", switch, problem);
    reading.leave(&mut policy, &["alertWhenNoData", "alertWhenResolved"], &Uncarried::AlertMoment);
    reading.leave(&mut policy, &["notificationTargets"], &Uncarried::NotificationTarget);
    let _ = policy.take("description");
    let conditions = reading.list(&mut policy, "conditions");
    // What says nothing of when it alerts switches nothing off.
    let mut tiers = if conditions.is_empty() { Tiers::ALL } else { NONE };
    for field in conditions {
        let condition = objects.element(reading, &field, "conditionRef", "AlertCondition");
        let found = condition.map_or(Tiers::ALL, |condition| severity(reading, condition));
        tiers = union(tiers, found);
    }
    reading.leave_rest(policy, &Uncarried::UnknownKey);
    if is_wanted == Some(false) { NONE } else { tiers }
}

fn severity(reading: &mut Reading<'_>, mut condition: Keys<'_>) -> Tiers {
    reading.leave(&mut condition, &["condition"], &Uncarried::BurnRate);
    let _ = condition.take("description");
    let given = reading.text(&mut condition, "severity");
    reading.leave_rest(condition, &Uncarried::UnknownKey);
    let Some(given) = given else { return Tiers::ALL };
    match Severity::ALL.into_iter().find(|severity| severity.as_str() == given.text) {
        Some(Severity::Page) => Tiers { page: true, ticket: false },
        Some(Severity::Ticket) => Tiers { page: false, ticket: true },
        None => {
            reading.note(given.at, &given.key, Uncarried::Severity(Shown::quoted(given.text)));
            Tiers::ALL
        }
    }
}

fn union(one: Tiers, other: Tiers) -> Tiers {
    Tiers { page: one.page || other.page, ticket: one.ticket || other.ticket }
}

const NONE: Tiers = Tiers { page: false, ticket: false };
