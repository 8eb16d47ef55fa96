use super::*;
use crate::emit::{File, MARK};

fn tree(files: &[(&str, &str)]) -> Files {
    files
        .iter()
        .map(|(path, text)| {
            let ownership = if path.starts_with("src/generated/") { Ownership::Generated } else { Ownership::Once };
            let text = if path.ends_with(".rs") { format!("{MARK}\n{text}") } else { (*text).to_owned() };
            ((*path).to_owned(), File { text, ownership })
        })
        .collect()
}

fn kinds(changes: &Changes) -> Vec<String> {
    changes
        .iter()
        .map(|(path, change)| match change {
            Change::Create { .. } => format!("+ {path}"),
            Change::Update { .. } => format!("~ {path}"),
            Change::Delete { .. } => format!("- {path}"),
        })
        .collect()
}

#[test]
fn only_what_changed_is_touched_and_stale_files_go() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new/crate");
    let first = tree(&[
        ("Cargo.toml", "mcpwright-runtime = \"1\"\n"),
        ("src/generated/mod.rs", "a\n"),
        ("src/generated/operations/pets.rs", "a\n"),
        ("src/generated/schemas/pets/a.body.json", "{}\n"),
    ]);
    compare(&folder, &first, &[]).unwrap().apply().unwrap();
    assert!(compare(&folder, &first, &[]).unwrap().is_empty());

    let kept = folder.join("src/generated/mod.rs");
    let before = fs::metadata(&kept).unwrap().modified().unwrap();
    fs::write(folder.join("Cargo.toml"), "mcpwright-runtime = \"2\" # mine\n").unwrap();
    let second = tree(&[
        ("Cargo.toml", "mcpwright-runtime = \"3\"\n"),
        ("README.md", "late\n"),
        ("src/generated/mod.rs", "a\n"),
        ("src/generated/operations/store.rs", "b\n"),
    ]);
    let changes = compare(&folder, &second, &[]).unwrap();
    assert_eq!(
        kinds(&changes),
        [
            "- src/generated/operations/pets.rs",
            "+ src/generated/operations/store.rs",
            "- src/generated/schemas/pets/a.body.json"
        ]
    );
    changes.apply().unwrap();
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), before);
    assert!(!folder.join("src/generated/schemas").exists(), "empty folders go");
    assert!(!folder.join("README.md").exists(), "the user's files are written once");
    assert!(fs::read_to_string(folder.join("Cargo.toml")).unwrap().contains("mine"));
    assert!(
        fs::read_dir(&folder).unwrap().flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
    );
}

#[test]
fn a_run_that_stops_before_the_end_leaves_the_old_crate() {
    let folder = tempfile::tempdir().unwrap();
    let old = tree(&[("src/generated/mod.rs", "old\n")]);
    compare(folder.path(), &old, &[]).unwrap().apply().unwrap();
    let new = tree(&[("src/generated/mod.rs", "new\n"), ("src/generated/security.rs", "new\n")]);
    drop(compare(folder.path(), &new, &[]).unwrap().stage().unwrap());
    assert!(compare(folder.path(), &old, &[]).unwrap().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the stage is gone");

    let never = folder.path().join("a/b");
    drop(compare(&never, &new, &[]).unwrap().stage().unwrap());
    assert!(!folder.path().join("a").exists(), "so are folders made for nothing");
}

#[test]
fn foreign_files_are_never_overwritten() {
    let new = tree(&[("src/generated/mod.rs", "a\n")]);
    for (file, text, expected) in [
        ("notes.txt", "x", "notes.txt"),
        ("src/generated/mod.rs", "pub fn mine() {}\n", "src/generated/mod.rs"),
        ("Cargo.toml", "[package]\nname = \"mine\"\n", "Cargo.toml"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        match compare(folder.path(), &new, &[]) {
            Err(Error::Refused(Refusal::ForeignFolder { files, .. })) => assert_eq!(files, [expected]),
            other => panic!("{file}: {other:?}"),
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn foreign_files_among_the_generated_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let new = tree(&[("src/generated/mod.rs", "a\n")]);
    compare(folder.path(), &new, &[]).unwrap().apply().unwrap();
    for file in ["mine.rs", "notes.md", "data.json"] {
        fs::write(folder.path().join("src/generated").join(file), "mine\n").unwrap();
    }
    match compare(folder.path(), &new, &[]) {
        Err(Error::Refused(Refusal::ForeignFiles { files, .. })) => {
            assert_eq!(files, ["src/generated/data.json", "src/generated/mine.rs", "src/generated/notes.md"])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_with_nothing_but_the_document_becomes_a_crate() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.yaml");
    fs::write(&document, "openapi: 3.1.0\n").unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let new = tree(&[("src/generated/mod.rs", "a\n")]);
    assert!(compare(folder.path(), &new, &[]).is_err());
    compare(folder.path(), &new, &[&document]).unwrap().apply().unwrap();
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("Cargo.toml"), "mcpwright-runtime = \"1\"\n").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("src/generated")).unwrap();
    let new = tree(&[("src/generated/mod.rs", "a\n")]);
    assert!(matches!(compare(folder.path(), &new, &[]), Err(Error::Refused(Refusal::NotAFolder { .. }))));
}

#[test]
fn the_diff_is_unified_and_speaks_to_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let old = tree(&[("src/generated/mod.rs", "one\n\u{1b}[31mtwo\nthree\n")]);
    compare(folder.path(), &old, &[]).unwrap().apply().unwrap();
    let new = tree(&[("src/generated/mod.rs", "one\n2\nthree\n")]);
    insta::assert_snapshot!(compare(folder.path(), &new, &[]).unwrap().diff(), @r"
    --- a/src/generated/mod.rs
    +++ b/src/generated/mod.rs
    @@ -1,4 +1,4 @@
     // @generated by mcpwright. Do not edit: run `mcpwright generate`.
     one
    -�[31mtwo
    +2
     three
    ");
}

#[test]
fn line_ends_of_a_windows_checkout_are_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let files = tree(&[("src/generated/mod.rs", "one\n")]);
    compare(folder.path(), &files, &[]).unwrap().apply().unwrap();
    let path = folder.path().join("src/generated/mod.rs");
    let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
    fs::write(&path, text).unwrap();
    assert!(compare(folder.path(), &files, &[]).unwrap().is_empty());
}
