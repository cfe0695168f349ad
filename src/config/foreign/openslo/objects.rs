//! The documents of an OpenSLO file by kind and name, as references find them.

use crate::config::fault::{Conflict, Problem};
use crate::config::foreign::keys::{Given, Keys, Reading};
use crate::config::foreign::reason::{Inconvertible, Uncarried};
use crate::config::scalar::Shown;
use crate::config::walk::Field;

/// Every document of a kind that is known.
pub(super) struct Objects<'n> {
    documents: Vec<Document<'n>>,
}

struct Document<'n> {
    kind: &'static str,
    name: &'n str,
    keys: Keys<'n>,
}

impl<'n> Objects<'n> {
    /// Sorts documents by what they say of themselves.
    pub(super) fn read(reading: &mut Reading<'_>, documents: Vec<Keys<'n>>) -> Self {
        let mut objects = Self { documents: Vec::new() };
        for mut keys in documents {
            let Some(kind) = reading.required(&mut keys, "kind", CHOICES) else { continue };
            let Some(known) = KINDS.into_iter().find(|known| *known == kind.text) else {
                let shown = Shown::quoted(kind.text);
                let reason = Inconvertible::Kind { shown, format: "OpenSLO" };
                reading.lost(kind.at, &kind.key, reason);
                continue;
            };
            let mut metadata = reading.section(&mut keys.clone(), "metadata");
            let name = reading.required(&mut metadata, "name", "a name, such as checkout");
            let Some(Given { at, key, text: name }) = name else { continue };
            let same = objects.documents.iter().find(|one| (one.kind, one.name) == (known, name));
            if let Some(same) = same {
                let other = format!("the {known} in line {}", same.keys.at.line);
                let problem = Conflict::SameName { shown: Shown::quoted(name), other };
                reading.walk.fault(at, &key, Problem::from(problem));
                continue;
            }
            objects.documents.push(Document { kind: known, name, keys });
        }
        objects
    }

    /// Every document of a kind, which nothing refers to then.
    pub(super) fn take_all(&mut self, kind: &str) -> Vec<Keys<'n>> {
        let taken = self.documents.extract_if(.., |one| one.kind == kind);
        taken.map(|one| one.keys).collect()
    }

    /// The `spec` of a document; `None` where there is no such one.
    pub(super) fn spec(
        &self,
        reading: &mut Reading<'_>,
        kind: &str,
        name: &str,
    ) -> Option<Keys<'n>> {
        let found = self.documents.iter().find(|one| (one.kind, one.name) == (kind, name))?;
        let mut keys = found.keys.clone();
        Some(reading.section(&mut keys, "spec"))
    }

    /// The `spec` of what an element of a list says in place, or refers to by the key `reference`.
    /// A name that nothing has may stand in another file, and is told.
    pub(super) fn element(
        &self,
        reading: &mut Reading<'_>,
        field: &Field<'n>,
        reference: &str,
        kind: &'static str,
    ) -> Option<Keys<'n>> {
        let mut keys = reading.keys(field)?;
        let Some(given) = reading.text(&mut keys, reference) else {
            return Some(reading.section(&mut keys, "spec"));
        };
        let spec = self.spec(reading, kind, given.text);
        if spec.is_none() {
            let shown = Shown::quoted(given.text);
            reading.note(given.at, &given.key, Uncarried::Reference(shown));
        }
        spec
    }

    /// The `spec` of the indicator that these keys hold or refer to, taken out of them.
    pub(super) fn indicator(
        &self,
        reading: &mut Reading<'_>,
        keys: &mut Keys<'n>,
    ) -> Option<Keys<'n>> {
        if let Some(given) = reading.text(keys, "indicatorRef") {
            let spec = self.spec(reading, "SLI", given.text);
            if spec.is_none() {
                let reason =
                    Inconvertible::Reference { shown: Shown::quoted(given.text), kind: "SLI" };
                reading.lost(given.at, &given.key, reason);
            }
            return spec;
        }
        if !keys.has("indicator") {
            return None;
        }
        let mut indicator = reading.section(keys, "indicator");
        Some(reading.section(&mut indicator, "spec"))
    }
}

const KINDS: [&str; 7] = [
    "SLO",
    "SLI",
    "Service",
    "DataSource",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
];
const CHOICES: &str = "SLO, SLI, Service, DataSource, AlertPolicy, AlertCondition or \
                       AlertNotificationTarget";
