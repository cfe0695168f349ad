//! Commits: the graph, the patches, the paths, and what is new since a cursor.

use super::*;

/// Merges, an octopus, a squash, a cherry-pick, a rebase, reverts, renames, modes, links, a binary
/// file, an empty commit and a submodule.
fn everything() -> Bench {
    let mut bench = Bench::new();
    let text: String = (0..40).map(|n| format!("line {n}\n")).collect();
    bench.write("services/shop/a.txt", &text);
    bench.change("services/pay/b \"q\".txt", "b");
    for (branch, file) in [("one", "x"), ("two", "y"), ("three", "z")] {
        bench.git(&["switch", "-qc", branch, "main"]);
        bench.change(&format!("services/shop/{file}.txt"), file);
    }
    bench.git(&["switch", "-q", "main"]);
    bench.change("services/shop/a.txt", &text.replace("line 7\n", "seven\nand more\n"));
    bench.seconds += 60;
    bench.git(&["merge", "-q", "--no-ff", "-m", "Merge one", "one"]);
    bench.git(&["merge", "-q", "-m", "Octopus", "two", "three"]);
    bench.git(&["switch", "-qc", "topic"]);
    bench.change("services/shop/a.txt", &text.replace("line 30\n", "thirty\n"));
    bench.change("ünï/c.txt", "no newline at the end");
    bench.git(&["switch", "-q", "main"]);
    bench.git(&["merge", "-q", "--squash", "topic"]);
    bench.commit("Squashed topic");
    bench.commit("Empty");
    bench.git(&["mv", "services/shop/a.txt", "services/pay/a.txt"]);
    bench.commit("Move");
    std::fs::write(bench.path.join("logo.bin"), b"\0\x01\x02").expect("a file");
    bench.commit("Binary");
    std::os::unix::fs::symlink("logo.bin", bench.path.join("link")).expect("a link");
    bench.commit("Link");
    bench.git(&["update-index", "--chmod=+x", "ünï/c.txt"]);
    bench.seconds += 60;
    bench.git(&["commit", "-qm", "Mode"]);
    bench.git(&["checkout", "-qf", "main"]);
    let sub = bench.git(&["rev-parse", "HEAD~3"]);
    bench.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{sub},vendored")]);
    bench.git(&["commit", "-qm", "Submodule"]);
    bench.git(&["revert", "--no-edit", "HEAD~4"]);
    bench.git(&["revert", "--no-edit", "HEAD"]);
    bench
}

#[test]
fn commits_say_what_git_says() {
    let bench = everything();
    let facts = bench.read();
    assert_eq!(facts.reading.skipped, 0, "{:?}", facts.reading.examples);
    let log = bench.git(&["log", "--format=%H %at %ct %P", "main"]);
    assert_eq!(facts.commits.len(), log.lines().count());
    let mut patches = 0;
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let commit = &facts.commits[words[0]];
        assert_eq!((commit.authored_ms / 1000).to_string(), words[1]);
        assert_eq!((commit.committed_ms / 1000).to_string(), words[2]);
        let parents: Vec<&str> = commit.parents.iter().map(|parent| parent.as_str()).collect();
        let expected: Vec<&str> = words[3..].iter().copied().filter(|w| !w.is_empty()).collect();
        assert_eq!(parents, expected);
        let names = bench.git(&["diff-tree", "--numstat", "--root", words[0]]);
        if names.contains("\nBin") || names.lines().any(|line| line.starts_with("-\t")) {
            assert!(commit.patch.is_some() && commit.patch != bench.patch_id(words[0]));
        } else {
            assert_eq!(commit.patch, bench.patch_id(words[0]), "{line} {names}");
            patches += usize::from(commit.patch.is_some());
        }
    }
    assert!(patches >= 10, "{patches}");
}

#[test]
fn a_cherry_pick_and_a_rebase_keep_the_patch() {
    let mut bench = Bench::new();
    let text: String = (0..40).map(|n| format!("line {n}\n")).collect();
    bench.change("a", &text);
    bench.git(&["switch", "-qc", "fix"]);
    let fix = bench.change("a", &text.replace("line 20\n", "twenty\n"));
    bench.git(&["switch", "-q", "main"]);
    bench.change("a", &format!("above\n{text}"));
    bench.seconds += 60;
    bench.git(&["cherry-pick", &fix]);
    let picked = bench.git(&["rev-parse", "HEAD"]);
    bench.git(&["tag", "keep", &fix]);
    bench.git(&["switch", "-qc", "rebased", &fix]);
    bench.git(&["rebase", "-q", "main~1"]);
    let rebased = bench.git(&["rev-parse", "HEAD"]);
    bench.git(&["tag", "rebased", &rebased]);
    let facts = bench.read();
    assert!(fix != picked && fix != rebased);
    assert!(facts.commits[&fix].patch.is_some());
    assert_eq!(facts.commits[&fix].patch, facts.commits[&picked].patch);
    assert_eq!(facts.commits[&fix].patch, facts.commits[&rebased].patch);
}

#[test]
fn two_changes_of_a_binary_file_are_two_patches() {
    let mut bench = Bench::new();
    for byte in 0..3_u8 {
        std::fs::write(bench.path.join("logo"), [0, byte, 7]).expect("a file");
        bench.commit("Logo");
    }
    let facts = bench.read();
    let patches: BTreeSet<_> = facts.commits.values().map(|commit| &commit.patch).collect();
    assert_eq!(patches.len(), 3, "{patches:?}");
    let mut config = bench.config();
    config.file_bytes_max = 1;
    let again = Facts::read(&config, &Cursor::default());
    let patches: BTreeSet<_> = again.commits.values().map(|commit| &commit.patch).collect();
    assert_eq!(patches.len(), 3, "a file past the bound counts by its ids: {patches:?}");
}

#[test]
fn a_revert_names_its_commit_in_full_and_a_revert_of_it_the_revert() {
    let mut bench = Bench::new();
    let first = bench.change("a", "1");
    let second = bench.change("a", "2");
    bench.git(&["revert", "--no-edit", "HEAD"]);
    let revert = bench.git(&["rev-parse", "HEAD"]);
    bench.git(&["revert", "--no-edit", "HEAD"]);
    let again = bench.git(&["rev-parse", "HEAD"]);
    let words = format!("Undo\n\nThis reverts commits {} and {}.", &first[..9], &second[..9]);
    let both = bench.commit(&words.to_uppercase());
    let unknown = bench.commit("This reverts commit 0123456789.");
    let facts = bench.read();
    let reverts = |sha: &str| {
        let commit = &facts.commits[sha];
        commit.reverts.iter().map(|r| r.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(reverts(&first), Vec::<String>::new());
    assert_eq!(reverts(&revert), [second.as_str()]);
    assert_eq!(reverts(&again), [revert.as_str()]);
    assert_eq!(reverts(&both), [first, second]);
    assert_eq!(reverts(&unknown), ["0123456789"]);
}

#[test]
fn paths_give_a_commit_its_services_and_a_move_touches_both() {
    let bench = everything();
    let mut config = bench.config();
    let shop = ServicePaths::new(Service::new("shop"), &["services/shop/**"]).expect("a pattern");
    let pay = ServicePaths::new(Service::new("pay"), &["services/pay/", "link"]).expect("patterns");
    config.services = vec![shop, pay];
    let facts = Facts::read(&config, &Cursor::default());
    for (subject, expected) in [
        ("Move", vec!["pay", "shop"]),
        ("Merge one", vec!["shop"]),
        ("Octopus", vec!["shop"]),
        ("Link", vec!["pay"]),
        ("Binary", vec![]),
        ("Empty", vec![]),
        ("Squashed topic", vec!["shop"]),
    ] {
        let find = format!("--grep=^{subject}$");
        let sha = bench.git(&["log", "--format=%H", &find, "main"]);
        assert_eq!(facts.services(&sha), expected, "{subject}");
    }
    for (service, path) in [("shop", "services/shop"), ("pay", "services/pay")] {
        let log = bench.git(&["log", "--no-merges", "--full-history", "--format=%H", "--", path]);
        for sha in lines(&log) {
            assert!(facts.services(&sha).contains(&service), "{sha} {service}");
        }
    }
}

#[test]
fn a_cursor_leaves_what_is_new_and_a_force_push_is_told() {
    let mut bench = everything();
    let first = bench.read();
    let cursor = serde_json::to_string(&first.reading.cursor).expect("a cursor is JSON");
    let cursor: Cursor = serde_json::from_str(&cursor).expect("and reads back");
    let idle = Facts::read(&bench.config(), &cursor);
    assert_eq!((idle.reading.commits, idle.reading.deployments), (0, 0));
    assert_eq!(idle.reading.cursor, cursor);

    let old = bench.git(&["rev-parse", "main"]);
    bench.change("new", "1");
    bench.git(&["merge", "-q", "-s", "ours", "-m", "Late", "topic"]);
    let next = Facts::read(&bench.config(), &cursor);
    assert_eq!(next.shas(), lines(&bench.git(&["rev-list", "main", &format!("^{old}")])));
    assert_eq!(next.shas().len(), 4, "the topic's two, the new one and the merge");
    assert_eq!(next.reading.rewritten, None);

    let lost = bench.git(&["rev-parse", "main"]);
    bench.git(&["reset", "-q", "--hard", "HEAD~3"]);
    let forced = bench.change("other", "1");
    let after = Facts::read(&bench.config(), &next.reading.cursor);
    assert_eq!(after.shas(), lines(&forced));
    let rewrite = after.reading.rewritten.expect("it is told");
    assert_eq!((rewrite.from.as_str(), rewrite.to.as_str()), (&*lost, &*forced));

    bench.git(&["reflog", "expire", "--expire=now", "--all"]);
    bench.git(&["gc", "-q", "--prune=now"]);
    let gone = Facts::read(&bench.config(), &next.reading.cursor);
    assert!(gone.shas().contains(&forced), "a cursor into nothing costs a reading, no commit");
    assert!(gone.reading.rewritten.is_some());
}

#[test]
fn other_paths_or_rules_read_everything_again() {
    let bench = everything();
    let first = bench.read();
    let mut config = bench.config();
    let shop = ServicePaths::new(Service::new("shop"), &["services/shop/**"]).expect("a pattern");
    config.services = vec![shop];
    let again = Facts::read(&config, &first.reading.cursor);
    assert_eq!(again.shas(), first.shas());
}

#[test]
fn clocks_that_differ_hide_no_new_commit() {
    let mut bench = Bench::new();
    for step in [0, -5_000, 9_000, -20_000, 700, 50_000, -90_000_i64] {
        bench.seconds += step;
        bench.commit("Step");
        bench.git(&["switch", "-q", "-C", "side", "HEAD"]);
        bench.seconds -= 40_000;
        bench.commit("Side");
        bench.git(&["switch", "-q", "main"]);
        bench.git(&["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
    }
    let all = bench.git(&["rev-list", "main"]);
    for old in all.lines() {
        let branch = old.to_owned();
        let rules = bench.read().reading.cursor.rules;
        let cursor = Cursor { branch, rules, ..Cursor::default() };
        let facts = Facts::read(&bench.config(), &cursor);
        let expected = lines(&bench.git(&["rev-list", "main", &format!("^{old}")]));
        assert!(facts.shas().is_superset(&expected), "{old}");
    }
}

#[test]
fn a_shallow_clone_has_an_edge_and_deepening_closes_it() {
    let mut bench = Bench::new();
    for n in 0..6 {
        bench.change("a", &n.to_string());
    }
    let url = format!("file://{}", bench.path.display());
    bench.git(&["clone", "-q", "--depth", "2", &url, "../shallow"]);
    let mut config = bench.config();
    config.path = bench.beside("shallow");
    let facts = Facts::read(&config, &Cursor::default());
    assert_eq!(facts.shas(), lines(&bench.git(&["rev-list", "-2", "main"])));
    let edge = bench.git(&["rev-parse", "HEAD~1"]);
    let shallow: Vec<&str> = facts.reading.shallow.iter().map(|sha| sha.as_str()).collect();
    assert_eq!(shallow, [edge.as_str()]);
    let commit = &facts.commits[&edge];
    assert_eq!(commit.parents[0].as_str(), bench.git(&["rev-parse", "HEAD~2"]));
    assert_eq!((commit.patch.as_ref(), facts.reading.skipped), (None, 0));

    let fetch = bench.command(&config.path, &["fetch", "-q", "--unshallow"]).status();
    assert!(fetch.expect("git is installed").success());
    let whole = Facts::read(&config, &facts.reading.cursor);
    assert_eq!(whole.shas(), lines(&bench.git(&["rev-list", "main"])));
    assert!(whole.reading.shallow.is_empty());
    assert!(whole.commits[&edge].patch.is_some());
}

#[test]
fn a_longer_history_than_the_bound_is_cut_and_says_so() {
    let mut bench = Bench::new();
    for n in 0..6 {
        bench.change("a", &n.to_string());
    }
    let mut config = bench.config();
    (config.commits_max, config.batch) = (4, 3);
    let facts = Facts::read(&config, &Cursor::default());
    assert_eq!(facts.shas(), lines(&bench.git(&["rev-list", "-4", "main"])));
    assert!(facts.reading.cut);
    config.commits_max = 6;
    assert!(!Facts::read(&config, &Cursor::default()).reading.cut);
}

#[test]
fn odd_bytes_and_dates_lose_no_commit() {
    let bench = Bench::new();
    let tree = bench.feed(&["mktree"], b"");
    let blob = bench.feed(&["hash-object", "-w", "--stdin"], b"x\n");
    let mut entry = format!("100644 blob {blob}\t").into_bytes();
    entry.extend(b"caf\xe9 \x01.txt\n");
    let odd = bench.feed(&["mktree"], &entry);
    let mut parent = String::new();
    let mut made = Vec::new();
    for (tree, author, committer) in [
        (&tree, "A <a> -86400 +0000", "A <a> -1 +0000"),
        (&odd, "A <a> 1 +9999", "A <a> 2 -9999"),
        (&tree, "A <a> 99999999999999999999 +0000", "A <a> 3 +0000"),
        (&odd, "A <a>", "A <a> 4 +0000"),
        (&tree, "A <a> 5 +0000", "A <a> 999999999999 +0000"),
        (&odd, "A <a> never", "A <a>"),
        (&tree, "A <a> 7 +0000", "A <a> 8 +0000"),
    ] {
        let mut text = format!("tree {tree}\n{parent}author {author}\ncommitter {committer}\n\n");
        text.push_str("m\n");
        let mut text = text.into_bytes();
        text.extend(b"\xff\xfe\n");
        let words = ["hash-object", "-t", "commit", "-w", "--stdin", "--literally"];
        made.push(bench.feed(&words, &text));
        parent = format!("parent {}\n", made[made.len() - 1]);
    }
    bench.git(&["update-ref", "refs/heads/main", &made[6]]);
    let facts = bench.read();
    assert_eq!(facts.commits.len(), 6);
    let times = |at: usize| {
        let commit = &facts.commits[&made[at]];
        (commit.authored_ms, commit.committed_ms)
    };
    assert_eq!(times(0), (-86_400_000, -1000));
    assert_eq!(times(1), (1000, 2000));
    assert_eq!(times(2), (3000, 3000));
    assert_eq!(times(3), (4000, 4000));
    assert_eq!(times(4), (5000, 5000));
    assert_eq!(times(6), (7000, 8000));
    let skipped = Skipped { object: made[5].clone(), why: Fault::Date };
    assert_eq!((facts.reading.skipped, facts.reading.examples.as_slice()), (1, &[skipped][..]));
    for at in [1, 2] {
        assert_eq!(facts.commits[&made[at]].patch, bench.patch_id(&made[at]));
    }
}

#[test]
fn bare_repositories_worktrees_and_submodules_are_read_the_same() {
    let mut bench = everything();
    let expected = bench.read().shas();
    bench.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    bench.git(&["worktree", "add", "-q", "../tree", "topic"]);
    bench.git(&["rm", "-q", "--cached", "vendored"]);
    bench.git(&["clone", "-q", ".", "../other"]);
    let other = bench.beside("other");
    let url = format!("file://{}", bench.path.display());
    let add = bench.command(&other, &["submodule", "add", "-q", &url, "sub"]).status();
    assert!(add.expect("git is installed").success());
    for (at, branch) in
        [("bare.git", "main"), ("tree", "main"), ("other/sub", "main"), ("other", "origin/main")]
    {
        let path = bench.beside(at);
        let config = Config::new(path, Repository::new("o/shop"), branch);
        assert_eq!(Facts::read(&config, &Cursor::default()).shas(), expected, "{at}");
    }
    bench.change("more", "1");
    assert_eq!(bench.read().shas().len(), expected.len() + 1);
}

#[test]
fn ten_thousand_commits_are_read_with_their_patches() {
    let bench = Bench::new();
    let mut stream = Vec::new();
    for n in 0..10_000 {
        let at = 1_600_000_000 + n * 60;
        let text = format!("{n}\n").repeat(20);
        write!(
            stream,
            "commit refs/heads/main\ncommitter A <a> {at} +0000\ndata 2\nm\n\
             M 100644 inline s{}/f{}.txt\ndata {}\n{text}\n",
            n % 20,
            n % 400,
            text.len()
        )
        .expect("memory");
    }
    stream.extend(b"done\n");
    bench.feed(&["fast-import", "--quiet", "--done"], &stream);
    let facts = bench.read();
    assert_eq!(facts.commits.len(), 10_000);
    assert!(facts.commits.values().all(|commit| commit.patch.is_some()));
    let diffs = bench.command(&bench.path, &["log", "-p", "--no-renames", "-50", "main"]).output();
    let ids = bench.feed(&["patch-id", "--stable"], &diffs.expect("git is installed").stdout);
    assert_eq!(ids.lines().count(), 50);
    for line in ids.lines() {
        let (patch, sha) = line.split_once(' ').expect("two words");
        assert_eq!(facts.commits[sha].patch.as_deref(), Some(patch));
    }
}
