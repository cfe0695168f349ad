//! Which fact is meant: ids are a source's own, so that two sources may have the same one, and a
//! link that said only an id could mean the wrong fact.

use std::fmt;

/// A fact by its source and that source's id for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Who says so.
    pub source: String,
    /// The source's own name for the thing.
    pub id: String,
}

impl Name {
    /// The fact of a source.
    #[must_use]
    pub fn new(source: &str, id: &str) -> Self {
        Self { source: source.to_owned(), id: id.to_owned() }
    }

    /// Whether a link's `kind:source:id` means this fact of that kind.
    #[must_use]
    pub fn is_linked(&self, kind: &str, reference: &str) -> bool {
        let rest = reference.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(|rest| self.is(rest))
    }

    /// Whether people who write this mean the fact: its id, or its source and id.
    #[must_use]
    pub fn is_called(&self, text: &str) -> bool {
        self.id == text || self.is(text)
    }

    fn is(&self, text: &str) -> bool {
        let rest = text.strip_prefix(&*self.source).and_then(|rest| rest.strip_prefix(':'));
        rest == Some(&self.id)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_reference_means_one_fact() {
        let name = Name::new("github:o/shop", "42");
        for (kind, reference, expected) in [
            ("deployment", "deployment:github:o/shop:42", true),
            ("deployment", "incident:github:o/shop:42", false),
            ("deployment", "deployment:github:o/shop:142", false),
            ("deployment", "deployment:jsonl:42", false),
            ("deployment", "deployment:42", false),
            ("deployment", "github:o/shop:42", false),
        ] {
            assert_eq!(name.is_linked(kind, reference), expected, "{reference}");
        }
        assert!(name.is_called("42") && name.is_called("github:o/shop:42"));
        assert!(!name.is_called("2") && !name.is_called("shop:42"));
        assert_eq!(name.to_string(), "github:o/shop:42");
    }
}
