//! What a person reads of an ill-formed document: each of the table, as the command prints it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use annotate_snippets::Renderer;
use mcpwright::{Generator, Source, diagnostics::Severity};

use super::{failed, found};

/// A folder beside one of those above the crate; `None` in a packaged crate.
fn folder(name: &str) -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join(name)).find(|folder| folder.is_dir())
}

/// What `mcpwright inspect` says of a document besides its tables: what it can offer, and each finding in its place.
fn report(file: &Path) -> String {
    let renderer = Renderer::plain();
    let mut texts = Vec::new();
    match Generator::from_source(Source::Path(file.to_owned())).plan() {
        Ok(planned) => {
            let (components, excluded) = (planned.plan.components().count(), planned.plan.excluded.len());
            let found_in_all = planned.api.operations.len() + planned.api.lost.len();
            assert_eq!(components + excluded, found_in_all, "{}: an operation is lost silently", file.display());
            texts.push(format!("{components} components, {excluded} excluded, {} lost\n", planned.api.lost.len()));
            texts.extend(found(&planned, Severity::Note, &renderer));
        }
        Err(failure) => {
            texts.push("no plan\n".to_owned());
            texts.extend(failed(&failure, &renderer));
        }
    }
    texts.join("\n")
}

#[test]
fn each_ill_formed_document_is_explained_in_its_place() {
    let Some(folder) = folder("fixtures/ill-formed") else { return };
    let root = folder.ancestors().nth(2).unwrap().to_owned();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 80);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/ill-formed");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in &files {
            // Where the checkout lies differs from machine to machine.
            let report = report(file)
                .replace(&format!("{}/", folder.display()), "")
                .replace(&format!("{}/", root.display()), "ROOT/");
            insta::assert_snapshot!(file.file_name().unwrap().to_string_lossy().into_owned(), report);
        }
    });
}
