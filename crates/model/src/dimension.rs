//! Attributes that become labels, named once, so that every book and every rule spells the label
//! the same way.

/// An attribute that becomes a label: its key, and the label name made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// The attribute's key, `http.route`.
    pub attribute: String,
    /// The label's name, `http_route`.
    pub label: String,
}

impl Dimension {
    /// The attribute's key with every character that a label name cannot hold as an underscore,
    /// runs collapsed.
    #[must_use]
    pub fn new(attribute: &str) -> Self {
        let mut label = String::with_capacity(attribute.len());
        for c in attribute.chars() {
            let legal = c.is_ascii_alphanumeric() || c == '_';
            if legal && !(c == '_' && label.ends_with('_')) {
                label.push(c);
            } else if !legal && !label.ends_with('_') {
                label.push('_');
            }
        }
        if label.starts_with(|c: char| c.is_ascii_digit()) {
            label.insert(0, '_');
        }
        Self { attribute: attribute.to_owned(), label }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_key_becomes_a_legal_label_name() {
        for (attribute, label) in [
            ("http.route", "http_route"),
            ("a..b", "a_b"),
            ("a_.b", "a_b"),
            ("9lives", "_9lives"),
            ("grün", "gr_n"),
        ] {
            assert_eq!(Dimension::new(attribute).label, label);
        }
    }
}
