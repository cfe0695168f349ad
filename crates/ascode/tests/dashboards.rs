//! Writes `dashboards/` from the builder and fails when it had to: what users copy is what was
//! reviewed.

use std::path::{Path, PathBuf};

use redora_ascode::dashboard::{dashboards, provisioning};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards")
}

/// Every file below the folder with its text, the folder's own pages left out.
fn committed(folder: &Path, below: &str, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder.join(below)) else { return };
    for entry in entries {
        let entry = entry.expect("the folder is readable");
        let name = entry.file_name().into_string().expect("names are text");
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().expect("the entry is readable").is_dir() {
            committed(folder, &path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_committed_files_are_the_rendered_ones() {
    let folder = folder();
    let mut wanted = dashboards();
    let below = |(path, text)| (format!("provisioning/{path}"), text);
    wanted.extend(provisioning().into_iter().map(below));
    let mut stale = Vec::new();
    for (path, text) in &wanted {
        let file = folder.join(path);
        if std::fs::read_to_string(&file).unwrap_or_default() != *text {
            std::fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("writable");
            std::fs::write(&file, text).expect("dashboards/ is writable");
            stale.push(path.clone());
        }
    }
    let mut found = Vec::new();
    committed(&folder, "", &mut found);
    found.retain(|path| !wanted.iter().any(|(wanted, _)| wanted == path));
    assert!(found.is_empty(), "delete what no board renders: {found:?}");
    assert!(stale.is_empty(), "out of date and written anew, commit them: {stale:?}");
}
