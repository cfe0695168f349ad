//! YAML as it is written for people: keys in a given order, long expressions as blocks. A tree of
//! three kinds and one way to write each, because a general serializer sorts keys, folds lines or
//! quotes differently from one version to the next, and rendered files are compared byte by byte.

/// A value. Text is quoted unless it is several lines, which become a literal block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Yaml {
    /// A scalar that is read as text.
    Text(String),
    /// A scalar that stands unquoted: `30s`, `true`.
    Bare(String),
    /// Values one after the other.
    List(Vec<Yaml>),
    /// Keys in their order; keys are the code's own plain words.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A scalar whose form needs no quotes.
    pub(crate) fn bare(text: impl Into<String>) -> Self {
        Self::Bare(text.into())
    }

    /// A list of texts.
    pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// A map.
    pub(crate) fn map<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Yaml)>) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The document below a comment; every line of the comment gets its `# `.
    pub(crate) fn document(&self, comment: &str) -> String {
        let mut out = String::new();
        for line in comment.lines() {
            out.push_str(format!("# {line}").trim_end());
            out.push('\n');
        }
        self.lines(0, &mut out);
        out
    }

    /// The value on lines of its own, each indented by so many spaces.
    fn lines(&self, indent: usize, out: &mut String) {
        match self {
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    pad(indent, out);
                    out.push_str(key);
                    out.push(':');
                    value.after_key(indent + 2, out);
                }
            }
            Self::List(items) => {
                for item in items {
                    pad(indent, out);
                    out.push_str("- ");
                    let mut lines = String::new();
                    item.lines(indent + 2, &mut lines);
                    out.push_str(lines.trim_start_matches(' '));
                }
            }
            Self::Text(_) | Self::Bare(_) => {
                pad(indent, out);
                self.scalar(indent, out);
            }
        }
    }

    /// What follows `key:`.
    fn after_key(&self, indent: usize, out: &mut String) {
        match self {
            Self::Map(pairs) if pairs.is_empty() => out.push_str(" {}\n"),
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            Self::Map(_) | Self::List(_) => {
                out.push('\n');
                self.lines(indent, out);
            }
            Self::Text(_) | Self::Bare(_) => {
                out.push(' ');
                self.scalar(indent, out);
            }
        }
    }

    fn scalar(&self, indent: usize, out: &mut String) {
        match self {
            Self::Text(text) if is_block(text) => {
                out.push_str("|-\n");
                for line in text.lines() {
                    // An indented empty line would be trailing blanks.
                    if !line.is_empty() {
                        pad(indent, out);
                    }
                    out.push_str(line);
                    out.push('\n');
                }
            }
            Self::Text(text) => {
                quote(text, out);
                out.push('\n');
            }
            Self::Bare(text) => {
                out.push_str(text);
                out.push('\n');
            }
            Self::List(_) | Self::Map(_) => unreachable!("no scalar"),
        }
    }
}

/// Whether a literal block holds the text unchanged: several lines, of which the first is not
/// indented and the last not empty, and nothing that a block cannot hold.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with('\n')
        && text.chars().all(|one| one == '\n' || !is_special(one))
}

/// Whether YAML takes a character for something else than itself, as it does line separators, or
/// for nothing that it permits.
fn is_special(one: char) -> bool {
    let is_other = matches!(one, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    one.is_control() || is_other
}

/// Double quotes, in which every text can be written.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            one if is_special(one) => out.push_str(&format!("\\U{:08X}", u32::from(one))),
            one => out.push(one),
        }
    }
    out.push('"');
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_reads_as_a_person_would_write_it() {
        let document = Yaml::map([
            ("interval", Yaml::bare("30s")),
            ("labels", Yaml::map([("severity", Yaml::text("page"))])),
            ("none", Yaml::Map(Vec::new())),
            (
                "rules",
                Yaml::List(vec![
                    Yaml::map([("expr", Yaml::text("a\n  > 1\n\nb")), ("for", Yaml::bare("1m"))]),
                    Yaml::text("say \"hi\"\\"),
                    Yaml::List(vec![Yaml::bare("1"), Yaml::bare("2")]),
                ]),
            ),
            ("empty", Yaml::List(Vec::new())),
        ]);
        let text = r#"# Title
#
# more
interval: 30s
labels:
  severity: "page"
none: {}
rules:
  - expr: |-
      a
        > 1

      b
    for: 1m
  - "say \"hi\"\\"
  - - 1
    - 2
empty: []
"#;
        assert_eq!(document.document("Title\n\nmore"), text);
    }

    #[test]
    fn what_a_block_cannot_hold_is_quoted() {
        let quoted = |text: &str| Yaml::map([("k", Yaml::text(text))]).document("");
        assert_eq!(quoted(" a\nb"), "k: \" a\\nb\"\n");
        assert_eq!(quoted("a\nb\n"), "k: \"a\\nb\\n\"\n");
        assert_eq!(quoted("a\u{7}\nb"), "k: \"a\\U00000007\\nb\"\n");
        assert_eq!(quoted("a\nb\u{2028}c"), "k: \"a\\nb\\U00002028c\"\n");
        assert_eq!(quoted(""), "k: \"\"\n");
    }
}
