//! What is left in a folder after a file was replaced, or could not be.

use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("keys.toml");
    (dir, path)
}

/// The names in a folder, in order.
fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn a_file_is_made_and_replaced_with_its_mode_and_nothing_beside_it() {
    let (dir, path) = folder();
    replace(&path, b"first, and longer").expect("made");
    assert_eq!((fs::read(&path).expect("a file"), mode(&path)), (b"first, and longer".to_vec(), 0o600));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("open to all");
    let mut file = replace(&path, b"second").expect("replaced");
    assert_eq!((fs::read(&path).expect("a file"), mode(&path)), (b"second".to_vec(), 0o600));
    file.write_all(b" and more").expect("appended");
    assert_eq!(fs::read(&path).expect("a file"), b"second and more", "the file that is returned is the one in place");
    assert_eq!(names(&dir), ["keys.toml"]);
}

#[test]
fn whoever_has_the_old_file_open_reads_it_whole() {
    let (_dir, path) = folder();
    replace(&path, b"first").expect("made");
    let old = File::open(&path).expect("a file");
    replace(&path, b"second").expect("replaced");
    assert_eq!(io::read_to_string(old).expect("text"), "first");
}

#[test]
fn what_a_crash_left_is_neither_kept_nor_written_through() {
    let (dir, path) = folder();
    let (partial, elsewhere) = (dir.path().join("keys.toml.partial"), dir.path().join("elsewhere"));
    fs::write(&partial, "cut short by a crash").expect("a file");
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o644)).expect("open to all");
    replace(&path, b"whole").expect("made");
    assert_eq!((fs::read(&path).expect("a file"), mode(&path)), (b"whole".to_vec(), 0o600));
    fs::write(&elsewhere, "not ours").expect("a file");
    symlink(&elsewhere, &partial).expect("a link");
    replace(&path, b"whole again").expect("replaced");
    assert_eq!(fs::read(&elsewhere).expect("a file"), b"not ours");
    assert_eq!(names(&dir), ["elsewhere", "keys.toml"]);
}

#[test]
fn a_failure_leaves_the_old_file_and_nothing_partial() {
    let (dir, path) = folder();
    assert_eq!(
        replace(&dir.path().join("nowhere/keys.toml"), b"x").err().map(|error| error.kind()),
        Some(io::ErrorKind::NotFound)
    );
    // A folder with something in it cannot be replaced, so the rename fails.
    fs::create_dir(&path).expect("a folder");
    fs::write(path.join("old"), "old").expect("a file");
    assert!(replace(&path, b"new").is_err());
    assert_eq!(names(&dir), ["keys.toml"]);
    assert_eq!(fs::read(path.join("old")).expect("a file"), b"old");
    // Nor can a partial file be written whose name is a folder's.
    fs::create_dir(dir.path().join("other.partial")).expect("a folder");
    fs::write(dir.path().join("other"), "old").expect("a file");
    assert!(replace(&dir.path().join("other"), b"new").is_err());
    assert_eq!(fs::read(dir.path().join("other")).expect("a file"), b"old");
}
