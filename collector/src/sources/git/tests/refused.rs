//! Repositories that cannot be read, whole or in part.

use super::*;

fn fault(path: PathBuf, branch: &str) -> (GitError, String) {
    let config = Config::new(path, Repository::new("o/shop"), branch);
    let error = read(&config, &Cursor::default(), 0, &mut |_| ControlFlow::Continue(()));
    let error = error.expect_err("no reading");
    let text = error.to_string();
    (error, text)
}

#[test]
fn each_fault_names_its_cure() {
    let mut bench = Bench::new();
    let (error, text) = fault(bench.beside("none"), "main");
    assert!(matches!(error, GitError::NoSuchPath { .. }) && text.contains("clone"), "{text}");
    let (error, text) = fault(bench.folder.path().to_owned(), "main");
    assert!(matches!(error, GitError::NotARepository { .. }) && text.contains(".git"), "{text}");
    std::fs::write(bench.beside("file"), "x").expect("a file");
    let (error, text) = fault(bench.beside("file"), "main");
    assert!(matches!(error, GitError::NotARepository { .. }), "{text}");
    let (error, text) = fault(bench.path.clone(), "main");
    assert!(matches!(error, GitError::Empty { .. }) && text.contains("push"), "{text}");
    bench.change("a", "1");
    bench.git(&["branch", "trunk"]);
    let (error, text) = fault(bench.path.clone(), "master");
    assert!(matches!(error, GitError::NoBranch { .. }), "{text}");
    assert!(text.contains("`master`") && text.ends_with("main, trunk"), "{text}");
    bench.git(&["init", "-q", "--object-format=sha256", "../sha256"]);
    let (error, text) = fault(bench.beside("sha256"), "main");
    assert!(matches!(error, GitError::Unreadable { .. }) && text.contains("SHA-256"), "{text}");
}

#[test]
fn a_folder_of_someone_else_is_refused() {
    let mut bench = Bench::new();
    bench.change("a", "1");
    // Only root can give a folder away; any other user's readings are of his own folders.
    if std::os::unix::fs::chown(&bench.path, Some(65_534), None).is_ok() {
        std::os::unix::fs::chown(bench.path.join(".git"), Some(65_534), None).expect("root");
        let (error, text) = fault(bench.path.clone(), "main");
        assert!(matches!(error, GitError::UnsafeOwner { .. }), "{text}");
        assert!(text.contains("safe.directory"), "{text}");
    }
}

#[test]
fn what_may_not_be_read_is_told_apart_from_what_is_not_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut bench = Bench::new();
    bench.change("a", "1");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(&bench.path, closed).expect("ours");
    let (error, text) = match std::fs::read_dir(&bench.path) {
        // Root may read anything, so it is shown what the system would have said.
        Ok(_) => {
            let refused = std::io::ErrorKind::PermissionDenied.into();
            let error = GitError::of_io(bench.path.clone(), &refused);
            let text = error.to_string();
            (error, text)
        }
        Err(_) => fault(bench.path.clone(), "main"),
    };
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&bench.path, open).expect("ours");
    assert!(matches!(error, GitError::NoPermission { .. }) && text.contains("user"), "{text}");
}

#[test]
fn a_taker_that_stops_ends_the_reading() {
    let mut bench = Bench::new();
    bench.change("a", "1");
    let stopped = read(&bench.config(), &Cursor::default(), 0, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(GitError::Stopped)));
}

#[test]
fn a_lost_or_damaged_object_is_counted_and_one_that_comes_back_is_read() {
    let mut bench = Bench::new();
    let first = bench.change("a", "1");
    let second = bench.change("a", "2");
    let third = bench.change("a", "3");
    let expected = bench.read().commits;
    let file = |sha: &str| bench.path.join(".git/objects").join(&sha[..2]).join(&sha[2..]);
    let aside = bench.beside("aside");
    std::fs::rename(file(&second), &aside).expect("a loose object");

    let lost = bench.read();
    assert_eq!(lost.shas(), BTreeSet::from([third.clone()]));
    assert_eq!(lost.reading.cursor.absent, [second.as_str()]);
    assert!(
        lost.reading.examples.contains(&Skipped { object: second.clone(), why: Fault::Missing })
    );
    assert_eq!(lost.commits[&third].patch, None, "nothing to compare it with");
    let still = Facts::read(&bench.config(), &lost.reading.cursor);
    assert_eq!((still.reading.commits, &still.reading.cursor), (0, &lost.reading.cursor));

    std::fs::rename(&aside, file(&second)).expect("back again");
    let back = Facts::read(&bench.config(), &lost.reading.cursor);
    assert_eq!(back.commits, expected);
    assert_eq!(back.reading.cursor.absent, Vec::<String>::new());

    std::fs::remove_file(file(&first)).expect("a loose object");
    std::fs::write(file(&first), b"no zlib").expect("a file");
    let damaged = bench.read();
    assert_eq!(damaged.shas(), BTreeSet::from([second.clone(), third]));
    assert!(damaged.reading.examples.contains(&Skipped { object: first, why: Fault::Damaged }));

    let tree = bench.git(&["rev-parse", &format!("{second}^{{tree}}")]);
    std::fs::remove_file(file(&tree)).expect("a loose object");
    let bare = bench.read();
    assert_eq!(bare.commits[&second].patch, None);
    assert!(bare.reading.examples.contains(&Skipped { object: second, why: Fault::Diff }));
}
