//! Tags of every kind as deployments, and what becomes of those that move.

use super::*;

fn config(bench: &Bench) -> Config {
    let mut config = bench.config();
    config.tags = vec![rule("v*", "shop"), rule("pay/v*", "pay"), rule("v2*", "edge")];
    config
}

#[test]
fn tags_of_every_kind_are_deployments_where_a_rule_names_them() {
    let mut bench = Bench::new();
    let first = bench.change("a", "1");
    bench.git(&["tag", "v1"]);
    bench.git(&["tag", "other"]);
    let second = bench.change("a", "2");
    bench.seconds += 500;
    let tagged_ms = bench.seconds * 1000;
    bench.git(&["tag", "-a", "-m", "two", "v2"]);
    bench.git(&["tag", "-a", "-m", "nested", "pay/v2", "v2"]);
    bench.git(&["tag", "v-tree", "HEAD^{tree}"]);
    bench.git(&["tag", "v-file", "HEAD:a"]);
    bench.git(&["symbolic-ref", "refs/tags/v-symbolic", "refs/tags/v1"]);
    let text = format!("object {first}\ntype commit\ntag v0\n\nm\n");
    let old =
        bench.feed(&["hash-object", "-t", "tag", "-w", "--stdin", "--literally"], text.as_bytes());
    bench.git(&["update-ref", "refs/tags/v0", &old]);
    bench.git(&["switch", "-qc", "release", &first]);
    let aside = bench.change("b", "1");
    bench.git(&["tag", "v1.1"]);
    bench.git(&["switch", "-q", "main"]);

    let facts = Facts::read(&config(&bench), &Cursor::default());
    let ids: Vec<&str> = facts.deployments.keys().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "pay/v2:pay:production",
            "v-symbolic:shop:production",
            "v0:shop:production",
            "v1.1:shop:production",
            "v1:shop:production",
            "v2:edge:production",
            "v2:shop:production",
        ]
    );
    let of = |id: &str| {
        let made = &facts.deployments[id];
        assert_eq!(made.statuses[0].at_ms, made.created_ms);
        let revision = made.revision.as_ref().expect("a tag names a commit");
        (made.version.as_str(), revision.as_str().to_owned(), made.created_ms)
    };
    let first_ms = facts.commits[&first].committed_ms;
    assert_eq!(of("v1:shop:production"), ("v1", first.clone(), first_ms));
    assert_eq!(of("v0:shop:production"), ("v0", first.clone(), first_ms));
    assert_eq!(of("v2:shop:production"), ("v2", second.clone(), tagged_ms));
    assert_eq!(of("pay/v2:pay:production"), ("pay/v2", second, tagged_ms));
    assert_eq!(of("v1.1:shop:production").1, aside);
    assert!(facts.commits.contains_key(&aside), "a tag beside the branch brings its commits");
    let skipped: Vec<_> = facts.reading.examples.iter().map(|s| (&*s.object, s.why)).collect();
    assert_eq!(skipped, [("v-file", Fault::NotACommit), ("v-tree", Fault::NotACommit)]);
}

#[test]
fn a_moved_tag_is_a_correction_and_a_deleted_one_stays() {
    let mut bench = Bench::new();
    bench.change("a", "1");
    bench.git(&["tag", "v1"]);
    bench.git(&["tag", "v2"]);
    let before = Facts::read(&config(&bench), &Cursor::default());
    let second = bench.change("a", "2");
    bench.git(&["tag", "-f", "v1"]);
    bench.git(&["tag", "-d", "v2"]);
    bench.git(&["tag", "v3"]);
    let after = Facts::read(&config(&bench), &before.reading.cursor);
    let ids: Vec<&str> = after.deployments.keys().map(String::as_str).collect();
    assert_eq!(ids, ["v1:shop:production", "v3:shop:production"]);
    let moved = after.deployments["v1:shop:production"].revision.as_ref().expect("a commit");
    assert_eq!(moved.as_str(), second);
    assert_eq!(
        (&after.reading.moved[..], &after.reading.gone[..]),
        (&["v1".into()][..], &["v2".into()][..])
    );
    let idle = Facts::read(&config(&bench), &after.reading.cursor);
    assert_eq!((idle.reading.commits, idle.reading.deployments), (0, 0));
}

#[test]
fn a_tag_made_after_the_reading_of_its_commit_is_one_fact() {
    let mut bench = Bench::new();
    bench.change("a", "1");
    let before = Facts::read(&config(&bench), &Cursor::default());
    bench.git(&["tag", "-a", "-m", "m", "v1"]);
    let after = Facts::read(&config(&bench), &before.reading.cursor);
    assert_eq!((after.reading.commits, after.reading.deployments), (0, 1));
}
