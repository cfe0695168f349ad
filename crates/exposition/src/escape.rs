//! Names and values made safe for the wire. Legal text, which is nearly all of it, is only looked
//! at and then copied whole, because a scrape writes the same few names hundreds of thousands of
//! times.

use std::fmt::Write as _;

use crate::negotiate::Escaping;

/// Whose alphabet a name follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameOf {
    /// Letters, digits, `_` and `:`.
    Metric,
    /// Letters, digits and `_`.
    Label,
}

impl NameOf {
    /// Whether a name needs neither escaping nor quotes in any format. Legal names with `_` still
    /// change under dots.
    pub(crate) fn is_legal(self, name: &str) -> bool {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|first| !first.is_ascii_digit() && self.allows(first))
            && bytes.all(|byte| self.allows(byte))
    }

    fn allows(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b':' && self == NameOf::Metric)
    }

    /// Whether `escape` would change the name.
    pub(crate) fn needs_escape(self, name: &str, scheme: Escaping) -> bool {
        match scheme {
            Escaping::AllowUtf8 => name.is_empty(),
            Escaping::Dots => !self.is_legal(name) || name.contains('_'),
            Escaping::Underscores | Escaping::Values => !self.is_legal(name),
        }
    }

    /// Appends the name under a scheme. An empty name, which no scheme knows and which would fail
    /// the scrape, becomes `_`.
    pub(crate) fn escape(self, name: &str, scheme: Escaping, out: &mut String) {
        if name.is_empty() {
            out.push('_');
        } else if !self.needs_escape(name, scheme) {
            out.push_str(name);
        } else {
            if scheme == Escaping::Values {
                out.push_str("U__");
            }
            for (at, c) in name.char_indices() {
                self.escape_char(at, c, scheme, out);
            }
        }
    }

    fn escape_char(self, at: usize, c: char, scheme: Escaping, out: &mut String) {
        let legal =
            u8::try_from(c).is_ok_and(|byte| self.allows(byte)) && !(at == 0 && c.is_ascii_digit());
        match scheme {
            Escaping::Dots if c == '_' => out.push_str("__"),
            Escaping::Dots if c == '.' => out.push_str("_dot_"),
            Escaping::Values if c == '_' => out.push_str("__"),
            Escaping::AllowUtf8 => out.push(c),
            _ if legal => out.push(c),
            Escaping::Underscores => out.push('_'),
            Escaping::Dots => out.push_str("__"),
            Escaping::Values => {
                write!(out, "_{:x}_", u32::from(c)).expect("writing into memory cannot fail");
            }
        }
    }
}

/// Appends text that stands in quotes: a label's value, a quoted name, and the HELP of OpenMetrics.
pub(crate) fn write_quotable(text: &str, out: &mut Vec<u8>) {
    write_escaped(text, |byte| matches!(byte, b'\\' | b'\n' | b'"'), out);
}

/// Appends text that runs to the end of its line: the HELP of Prometheus text, where a quote stands
/// for itself.
pub(crate) fn write_line(text: &str, out: &mut Vec<u8>) {
    write_escaped(text, |byte| matches!(byte, b'\\' | b'\n'), out);
}

fn write_escaped(text: &str, special: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| special(byte)) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'\n' => b"\\n",
            b'"' => b"\\\"",
            _ => b"\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_spells_a_name_its_way() {
        // name, underscores, dots, values
        for (name, underscores, dots, values) in [
            ("plain", "plain", "plain", "plain"),
            ("snake_case", "snake_case", "snake__case", "snake_case"),
            ("http.route", "http_route", "http_dot_route", "U__http_2e_route"),
            ("a_b.c", "a_b_c", "a__b_dot_c", "U__a__b_2e_c"),
            ("9lives", "_lives", "__lives", "U___39_lives"),
            ("grün", "gr_n", "gr__n", "U__gr_fc_n"),
            ("花火", "__", "____", "U___82b1__706b_"),
            ("a b", "a_b", "a__b", "U__a_20_b"),
            ("", "_", "_", "_"),
        ] {
            for of in [NameOf::Metric, NameOf::Label] {
                for (scheme, expected) in [
                    (Escaping::Underscores, underscores),
                    (Escaping::Dots, dots),
                    (Escaping::Values, values),
                    (Escaping::AllowUtf8, if name.is_empty() { "_" } else { name }),
                ] {
                    let mut out = String::new();
                    of.escape(name, scheme, &mut out);
                    assert_eq!(out, expected, "{name} under {scheme:?}");
                    assert_eq!(of.needs_escape(name, scheme), out != name, "{name} {scheme:?}");
                }
            }
        }
    }

    #[test]
    fn a_colon_is_legal_in_a_metric_only() {
        for (of, scheme, expected) in [
            (NameOf::Metric, Escaping::Underscores, "a:b"),
            (NameOf::Label, Escaping::Underscores, "a_b"),
            (NameOf::Label, Escaping::Dots, "a__b"),
            (NameOf::Label, Escaping::Values, "U__a_3a_b"),
        ] {
            let mut out = String::new();
            of.escape("a:b", scheme, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn values_lose_nothing_but_what_would_end_them() {
        for (text, quotable, line) in [
            ("plain", "plain", "plain"),
            ("", "", ""),
            ("a\"b", "a\\\"b", "a\"b"),
            ("a\\nb", "a\\\\nb", "a\\\\nb"),
            ("\n\n", "\\n\\n", "\\n\\n"),
            ("tab\tgrün\r", "tab\tgrün\r", "tab\tgrün\r"),
        ] {
            let mut out = Vec::new();
            write_quotable(text, &mut out);
            assert_eq!(out, quotable.as_bytes());
            out.clear();
            write_line(text, &mut out);
            assert_eq!(out, line.as_bytes());
        }
    }
}
