//! Which commits a message says it takes back, in the words that `git revert` writes and people
//! copy.

/// The commits of "This reverts commit <sha>", as they are written but in lower case: several,
/// abbreviated, in any order. What "reversing changes made to" names is a parent of a merge that
/// was taken back, and not taken back itself.
pub(super) fn reverted(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message).to_ascii_lowercase();
    let mut words = text.split_ascii_whitespace().peekable();
    let mut found = Vec::new();
    let mut last = ["", ""];
    while let Some(word) = words.next() {
        if last == ["this", "reverts"] && matches!(word, "commit" | "commits" | "commit:") {
            while let Some(next) = words.peek() {
                if let Some(sha) = sha(next) {
                    if !found.contains(&sha) && found.len() < REVERTS_MAX {
                        found.push(sha);
                    }
                } else if !matches!(*next, "and" | "&" | "commit" | "," | "-" | "*") {
                    break;
                }
                words.next();
            }
        }
        last = [last[1], word];
    }
    found
}

fn sha(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let fits = (7..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| word.to_owned())
}

/// More commits than one message takes back for a reason.
const REVERTS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revert_is_known_by_the_words_that_git_writes() {
        let a = "0123456789abcdef0123456789abcdef01234567";
        let b = "89abcdef0123456789abcdef0123456789abcdef";
        for (message, expected) in [
            (format!("Revert \"x\"\n\nThis reverts commit {a}."), vec![a]),
            (format!("Revert\n\nTHIS REVERTS COMMIT {}.", a.to_uppercase()), vec![a]),
            (format!("This reverts commit {a}, reversing\nchanges made to {b}."), vec![a]),
            (format!("This reverts commit {a}.\nThis reverts commit {b}."), vec![a, b]),
            (format!("This reverts commits {a}, {b}"), vec![a, b]),
            (format!("This reverts commits\n- {a}\n- {b}\n"), vec![a, b]),
            (format!("This reverts commits {a} and {b}."), vec![a, b]),
            (format!("This reverts\ncommit {a}"), vec![a]),
            ("This reverts commit 0123456.".to_owned(), vec!["0123456"]),
            ("This reverts commit (0123456).".to_owned(), vec!["0123456"]),
            ("This reverts commit 012345.".to_owned(), vec![]),
            ("This reverts commit of mine.".to_owned(), vec![]),
            (format!("Revert {a}"), vec![]),
            (format!("This reverts commit {a}{b}"), vec![]),
            (String::new(), vec![]),
        ] {
            assert_eq!(reverted(message.as_bytes()), expected, "{message}");
        }
        let mut message = b"\xff\xfe This reverts commit \x80".to_vec();
        assert!(reverted(&message).is_empty());
        message.extend(b"\nThis reverts commit 0123456.");
        assert_eq!(reverted(&message), ["0123456"]);
    }
}
