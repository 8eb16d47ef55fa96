//! The documents of a collection: named one by one, found in folders, or told by a list.

use std::{
    fs,
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
};

/// A file that should be, or could be, a document.
pub(crate) struct Entry {
    pub(crate) file: PathBuf,
    /// The number of operations that a list tells of it; such a file must be a document.
    pub(crate) operations: Option<u64>,
}

/// Adds what a path names: a document, all of a folder that could be one, or all that a list names.
pub(crate) fn collect(path: &Path, entries: &mut Vec<Entry>) -> Result<()> {
    let has_ending = |ending: &str| path.extension().is_some_and(|other| other == ending);
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let is_document = ["json", "yaml", "yml"].iter().any(|end| path.extension().is_some_and(|it| it == *end));
            if path.is_dir() || is_document {
                collect(&path, entries)?;
            }
        }
        return Ok(());
    }
    if has_ending("tsv") {
        return list(path, entries);
    }
    fs::metadata(path)?;
    entries.push(Entry { file: path.to_owned(), operations: None });
    Ok(())
}

fn list(path: &Path, entries: &mut Vec<Entry>) -> Result<()> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidData, what);
    let text = fs::read_to_string(path)?;
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap_or_default();
    let column = |name: &str| {
        head.iter().position(|column| *column == name).ok_or_else(|| wrong(format!("the list has no column `{name}`")))
    };
    let (file, operations) = (column("file")?, column("operations")?);
    for (index, line) in lines.enumerate() {
        let (Some(name), Some(Ok(operations))) = (line.get(file), line.get(operations).map(|count| count.parse()))
        else {
            return Err(wrong(format!("line {} of the list names no file and number of operations", index + 2)));
        };
        entries.push(Entry { file: path.with_file_name(name), operations: Some(operations) });
    }
    Ok(())
}
