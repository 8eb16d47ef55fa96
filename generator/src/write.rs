//! Brings the files of a crate to disk: only what changed, all of it or nothing, and nothing that is not the generator's.
//!
//! [`compare`] reads the folder and says what would change; [`Changes::stage`] writes the new texts beside the old ones;
//! [`Staged::commit`] moves them into place. Whatever interrupts the run before the last step leaves the crate as it was,
//! and that step only renames and deletes.

mod diff;
mod folder;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::emit::{Files, Ownership};

pub use folder::{Refusal, is_generated_crate};

/// Why a folder cannot be compared or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds something that the generator must not overwrite or delete.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Reading or writing failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Error {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }
}

/// What a run would change in a folder.
#[derive(Debug)]
pub struct Changes {
    folder: PathBuf,
    /// By path in the folder.
    list: BTreeMap<String, Change>,
    unchanged: usize,
}

/// What would happen to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create {
        /// Its text.
        text: String,
    },
    /// It has another text now.
    Update {
        /// The text on disk.
        old: String,
        /// The text to be.
        text: String,
    },
    /// The generator no longer makes it.
    Delete {
        /// The text on disk.
        old: String,
    },
}

/// Compares a crate in memory with a folder. Files that belong to the user are compared only when the folder is not a
/// generated crate yet; `tolerated` names files that may lie in a folder that is to become one, the document for example.
///
/// # Errors
/// When the folder has files that are not the generator's where its files should go, or cannot be read.
pub fn compare(folder: &Path, files: &Files, tolerated: &[&Path]) -> Result<Changes, Error> {
    let is_new = !is_generated_crate(folder);
    if is_new {
        folder::refuse_foreign_crate(folder, tolerated)?;
    }
    let mut on_disk = folder::generated_files(folder)?;
    let mut changes = Changes { folder: folder.to_owned(), list: BTreeMap::new(), unchanged: 0 };
    for (path, file) in files {
        let old = match file.ownership {
            Ownership::Generated => on_disk.remove(path),
            Ownership::Once if !is_new || folder.join(path).exists() => continue,
            Ownership::Once => None,
        };
        let change = match old {
            Some(old) if same_text(&old, &file.text) => {
                changes.unchanged += 1;
                continue;
            }
            Some(old) => Change::Update { old, text: file.text.clone() },
            None => Change::Create { text: file.text.clone() },
        };
        changes.list.insert(path.clone(), change);
    }
    changes.list.extend(on_disk.into_iter().map(|(path, old)| (path, Change::Delete { old })));
    Ok(changes)
}

/// Whether two texts differ at most in the line ends that a checkout on Windows may have changed.
fn same_text(old: &str, new: &str) -> bool {
    old == new || (old.contains('\r') && old.replace("\r\n", "\n") == new)
}

impl Changes {
    /// The changes by path in the folder, with `/` between folders.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.list.iter().map(|(path, change)| (path.as_str(), change))
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many files would change.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// How many files are as they should be.
    pub fn unchanged(&self) -> usize {
        self.unchanged
    }

    /// Everything as a unified diff.
    pub fn diff(&self) -> String {
        self.iter().map(|(path, change)| diff::unified(path, change)).collect()
    }

    /// Writes the new texts into a folder of their own inside the crate's.
    ///
    /// # Errors
    /// When a file cannot be written; the crate is as before.
    pub fn stage(self) -> Result<Staged, Error> {
        let made = folder::create(&self.folder)?;
        let stage = self.folder.join(format!("{}{}", folder::STAGE_PREFIX, std::process::id()));
        let staged = Staged { stage: Stage { path: stage, made }, changes: self };
        for (path, change) in &staged.changes.list {
            if let Change::Create { text } | Change::Update { text, .. } = change {
                let target = staged.stage.path.join(path);
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
                }
                fs::write(&target, text).map_err(Error::io("write", &target))?;
            }
        }
        Ok(staged)
    }

    /// [`Changes::stage`] and [`Staged::commit`]; nothing at all when there is no change.
    ///
    /// # Errors
    /// As those.
    pub fn apply(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { self.stage()?.commit() }
    }
}

/// Changes that are written beside the crate's files, ready to take their places.
#[derive(Debug)]
pub struct Staged {
    stage: Stage,
    changes: Changes,
}

/// The folder of the new texts; it goes when it is dropped, with the crate's own folder if that was made for it and
/// nothing is in it.
#[derive(Debug)]
struct Stage {
    path: PathBuf,
    /// The topmost folder that had to be made.
    made: Option<PathBuf>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        // Only empty folders can be removed this way.
        if let (Some(made), Some(parent)) = (&self.made, self.path.parent()) {
            for folder in parent.ancestors().take_while(|folder| folder.starts_with(made)) {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
    }
}

impl Staged {
    /// Moves the new files into place and deletes those that are no longer made.
    ///
    /// # Errors
    /// When the file system refuses; the same run again finishes the work.
    pub fn commit(self) -> Result<(), Error> {
        let folder = &self.changes.folder;
        for (path, change) in &self.changes.list {
            let target = folder.join(path);
            if matches!(change, Change::Delete { .. }) {
                fs::remove_file(&target).map_err(Error::io("delete", &target))?;
                continue;
            }
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            }
            fs::rename(self.stage.path.join(path), &target).map_err(Error::io("write", &target))?;
        }
        folder::remove_empty(folder);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
