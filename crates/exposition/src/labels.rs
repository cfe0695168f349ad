//! A sample's labels made legal and distinct. One repeated label name fails a whole scrape, and
//! escaping can make two names one, so every label set is checked; it is rebuilt only if the check
//! finds something.

use crate::escape::NameOf;
use crate::negotiate::Escaping;
use crate::sample::{Exemplar, Label};

/// The room in which a label set is rebuilt, kept between samples so that none of them allocates.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// Indices of the labels in the order of their original names.
    order: Vec<usize>,
    /// Escaped names, one after the other in the order of `order`.
    names: String,
    /// Where each name ends.
    ends: Vec<usize>,
    /// The value of several labels that became one.
    joined: String,
}

impl Labels {
    /// Calls `write` with each name, escaped but not quoted, and each value, not escaped. Labels
    /// that become one are joined by `;` in the order of their original names, as OpenTelemetry's
    /// exporters do; of a label that is given twice the first counts. A name that the format keeps
    /// for itself (`__name__`, and `reserved`) is prefixed with `exported_`, as Prometheus does.
    pub(crate) fn each(
        &mut self,
        labels: &[Label<'_>],
        scheme: Escaping,
        reserved: Option<&str>,
        mut write: impl FnMut(&str, &str),
    ) {
        if is_plain(labels, scheme, reserved) {
            for (name, value) in labels {
                write(name, value);
            }
            return;
        }
        self.rename(labels, scheme, reserved);
        for at in 0..self.ends.len() {
            let name = self.name(at);
            if (0..at).any(|earlier| self.name(earlier) == name) {
                continue;
            }
            let (mut key, value) = labels[self.order[at]];
            self.joined.clear();
            self.joined.push_str(value);
            for later in at + 1..self.ends.len() {
                let (other, value) = labels[self.order[later]];
                if other != key && self.name(later) == self.name(at) {
                    self.joined.push(';');
                    self.joined.push_str(value);
                    key = other;
                }
            }
            write(self.name(at), &self.joined);
        }
    }

    fn rename(&mut self, labels: &[Label<'_>], scheme: Escaping, reserved: Option<&str>) {
        self.order.clear();
        self.order.extend(0..labels.len());
        // With the index in the key the order is stable, and unlike a stable sort this one never
        // allocates.
        self.order.sort_unstable_by_key(|&at| (labels[at].0, at));
        self.names.clear();
        self.ends.clear();
        for &at in &self.order {
            let start = self.names.len();
            NameOf::Label.escape(labels[at].0, scheme, &mut self.names);
            if is_reserved(&self.names[start..], reserved) {
                self.names.insert_str(start, "exported_");
            }
            self.ends.push(self.names.len());
        }
    }

    fn name(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.names[start..self.ends[at]]
    }
}

/// Whether an exemplar's labels, as they will be written, are few enough characters.
pub(crate) fn exemplar_fits(
    room: &mut Labels,
    exemplar: &Exemplar<'_>,
    escaping: Escaping,
) -> bool {
    // A bound that costs no escaping decides nearly all cases, a trace id with its span id among
    // them. The schemes that keep names apart make at most five characters of a byte, and all
    // prefixes together are twelve.
    let growth = match escaping {
        Escaping::Underscores | Escaping::AllowUtf8 => 1,
        Escaping::Dots | Escaping::Values => 5,
    };
    let longest = |(name, value): &Label<'_>| name.len() * growth + 12 + value.len();
    if exemplar.labels.iter().map(longest).sum::<usize>() <= EXEMPLAR_CHARS_MAX {
        return true;
    }
    let mut chars = 0;
    room.each(exemplar.labels, escaping, None, |name, value| {
        chars += name.chars().count() + value.chars().count();
    });
    chars <= EXEMPLAR_CHARS_MAX
}

/// Whether the labels can be written as they are.
fn is_plain(labels: &[Label<'_>], scheme: Escaping, reserved: Option<&str>) -> bool {
    labels.iter().enumerate().all(|(at, (name, _))| {
        !NameOf::Label.needs_escape(name, scheme)
            && !is_reserved(name, reserved)
            && labels[..at].iter().all(|(earlier, _)| earlier != name)
    })
}

fn is_reserved(name: &str, reserved: Option<&str>) -> bool {
    name == "__name__" || reserved == Some(name)
}

/// More characters than this in an exemplar's labels are forbidden by OpenMetrics.
const EXEMPLAR_CHARS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[Label<'_>], scheme: Escaping, expected: &[Label<'_>]) {
        let mut found = Vec::new();
        Labels::default().each(labels, scheme, Some("le"), |name, value| {
            found.push((name.to_owned(), value.to_owned()));
        });
        let found: Vec<_> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn legal_labels_keep_their_order() {
        check(&[("b", "2"), ("a", "1")], Escaping::Underscores, &[("b", "2"), ("a", "1")]);
        check(&[("b.c", "2"), ("a", "1")], Escaping::AllowUtf8, &[("b.c", "2"), ("a", "1")]);
        check(&[], Escaping::Dots, &[]);
    }

    #[test]
    fn names_that_become_one_are_joined_in_the_order_of_the_originals() {
        check(
            &[("a_b", "3"), ("x", "0"), ("a.b", "2"), ("a-b", "1")],
            Escaping::Underscores,
            &[("a_b", "1;2;3"), ("x", "0")],
        );
        check(&[("a.b", "2"), ("a_b", "3")], Escaping::Dots, &[("a_dot_b", "2"), ("a__b", "3")]);
        check(&[("a", "1"), ("a", "2")], Escaping::AllowUtf8, &[("a", "1")]);
        check(
            &[("a.b", "1"), ("a.b", "2"), ("a_b", "3"), ("a_b", "4")],
            Escaping::Underscores,
            &[("a_b", "1;3")],
        );
    }

    #[test]
    fn a_name_of_the_format_is_moved_aside() {
        check(
            &[("le", "1"), ("__name__", "x"), ("exported_le", "2")],
            Escaping::Underscores,
            &[("exported___name__", "x"), ("exported_le", "2;1")],
        );
        check(&[("", "x")], Escaping::AllowUtf8, &[("_", "x")]);
    }
}
