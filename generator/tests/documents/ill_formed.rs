//! Ill-formed documents: each costs what it must and says where the fault is.

use mcpwright::{LoadError, source::SourceError};

use super::{Loaded, folder, load_file};

/// What a user learns of a document.
fn report(loaded: &Loaded) -> String {
    let mut lines = match &loaded.outcome {
        Ok(api) => vec![format!("{} operations, {} lost", api.operations.len(), api.lost.len())],
        Err(LoadError::Version(error)) => {
            let position = loaded.sources.position(&error.location).expect("a file of the run");
            vec![format!("refused {}:{} {} (help: {})", position.line, position.column, error.message, error.help)]
        }
        Err(LoadError::Source(SourceError::Syntax(error))) => {
            let place = error.position.map_or_else(String::new, |at| format!("{}:{} ", at.line, at.column));
            vec![format!("refused {place}{error}")]
        }
        Err(error) => vec![format!("refused {error}")],
    };
    lines.extend(loaded.findings());
    lines.join("\n  ")
}

#[test]
fn ill_formed_documents_are_explained() {
    let Some(folder) = folder("fixtures/ill-formed") else { return };
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let table: Vec<String> = files
        .iter()
        .map(|file| {
            // The folder differs from machine to machine.
            let root = folder.ancestors().nth(2).unwrap_or(&folder);
            let report = report(&load_file(file))
                .replace(&format!("{}/", folder.display()), "")
                .replace(&format!("{}/", root.display()), "ROOT/");
            format!("{}\n  {report}", file.file_name().unwrap_or_default().display())
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("binary.json", &[0x89, b'P', b'N', b'G', 0xFF, 0xD8][..]),
        ("latin1.yaml", b"openapi: 3.0.3\ninfo: {title: caf\xe9}"),
        ("zeros.yaml", &[0; 64]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let loaded = load_file(&path);
        assert!(loaded.outcome.is_err(), "{name}");
    }
    assert!(load_file(folder.path()).outcome.unwrap_err().to_string().contains("folder"));
    assert!(load_file(&folder.path().join("missing.yaml")).outcome.unwrap_err().to_string().contains("no such file"));
}
