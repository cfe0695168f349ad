//! Patterns of paths and tags, as bytes: git promises no encoding of either, and the crates for
//! patterns know paths of the local file system.

/// A pattern: `*` and `?` within one segment, `**` for any number of whole segments.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    segments: Vec<Vec<u8>>,
}

/// A pattern of the configuration that can match nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{pattern}`: {why}; write it like `services/shop/**` or `v*`")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Glob {
    /// Reads a pattern; a `/` at its end stands for all below.
    ///
    /// # Errors
    /// It is empty or can match nothing.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        let bad = |why| Err(BadPattern { pattern: text.to_owned(), why });
        let body = text.strip_prefix('/').unwrap_or(text);
        if body.is_empty() {
            return bad("it is empty");
        }
        let mut segments: Vec<Vec<u8>> =
            body.split('/').map(|segment| segment.as_bytes().to_vec()).collect();
        if segments.last().is_some_and(Vec::is_empty) {
            segments.pop();
            segments.push(b"**".to_vec());
        }
        if segments.iter().any(Vec::is_empty) {
            return bad("it has two slashes in a row");
        }
        if segments.iter().any(|segment| segment == b"." || segment == b"..") {
            return bad("paths start at the repository's root and hold no . or ..");
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What every name begins with that it matches.
    #[must_use]
    pub fn prefix(&self) -> &str {
        let text = self.text.strip_prefix('/').unwrap_or(&self.text);
        text.find(['*', '?']).map_or(text, |at| &text[..at])
    }

    /// Whether a whole path or name fits it.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        fits(
            &self.segments,
            &parts,
            |segment| segment == b"**",
            |segment, part| fits(segment, part, |byte| *byte == b'*', |p, b| *p == b'?' || p == b),
        )
    }
}

/// Whether `text` fits `pattern`, in which some items stand for any run. Only the last run is ever
/// tried again, so the time is at most the product of the lengths.
fn fits<P, T>(
    pattern: &[P],
    text: &[T],
    is_run: impl Fn(&P) -> bool,
    equal: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        if p < pattern.len() && is_run(&pattern[p]) {
            retry = Some((p + 1, t));
            p += 1;
        } else if p < pattern.len() && equal(&pattern[p], &text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            p = after;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(is_run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_folder_and_two_cross_folders() {
        for (pattern, path, expected) in [
            ("v*", "v1.2", true),
            ("v*", "v", true),
            ("v*", "V1", false),
            ("v*", "v1/rc", false),
            ("v?.?", "v1.2", true),
            ("shop/v*", "shop/v3", true),
            ("services/shop/**", "services/shop/a", true),
            ("services/shop/**", "services/shop/a/b/c", true),
            ("services/shop/", "services/shop/a/b/c", true),
            ("/services/shop/", "services/shop/a", true),
            ("services/shop/**", "services/shopping/a", false),
            ("services/*/Dockerfile", "services/shop/Dockerfile", true),
            ("services/*/Dockerfile", "services/shop/x/Dockerfile", false),
            ("**/*.sql", "a.sql", true),
            ("**/*.sql", "a/b/c.sql", true),
            ("**/*.sql", "a/b/c.sqlx", false),
            ("a/**/b/**/c", "a/x/b/y/b/z/c", true),
            ("a/**/b/**/c", "a/x/y/z/c", false),
            ("**", "x/y", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            let glob = Glob::new(pattern).expect(pattern);
            assert_eq!(glob.matches(path.as_bytes()), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_a_pattern_matches_begins_with_its_prefix() {
        for (pattern, prefix) in
            [("v*", "v"), ("/shop/v?", "shop/v"), ("**/v1", ""), ("v1", "v1"), ("shop/", "shop/")]
        {
            assert_eq!(Glob::new(pattern).expect(pattern).prefix(), prefix, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_can_match_nothing_is_an_error() {
        for pattern in ["", "/", "a//b", "../b", "./b", "//"] {
            let error = Glob::new(pattern).expect_err(pattern);
            assert!(error.to_string().contains("services/shop/**"), "{error}");
        }
    }
}
