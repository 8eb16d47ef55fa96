//! What lies in a folder, and whether it is the generator's.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::Error;
use crate::emit::{GENERATED, MARK};

/// What the names of folders begin with that hold texts on their way.
pub(super) const STAGE_PREFIX: &str = ".mcpwright-";

/// How many foreign files an error names.
const SHOWN: usize = 5;

/// A folder that the generator leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A folder with files, none of which says that it is a generated crate.
    #[error("{} is not empty and not a crate that mcpwright made: it has {}", folder.display(), names(files))]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
        /// What is in it, the first few.
        files: Vec<String>,
    },
    /// Files in `src/generated` that the generator did not make.
    #[error("{} has files that mcpwright did not make: {}", folder.join(GENERATED).display(), names(files))]
    ForeignFiles {
        /// The crate's folder.
        folder: PathBuf,
        /// The files.
        files: Vec<String>,
    },
    /// A path that should be a folder, and is a file or a link.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
}

impl Refusal {
    /// How to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            Refusal::ForeignFolder { .. } => "give an empty or new folder with --out",
            Refusal::ForeignFiles { .. } => {
                "move them out: everything in src/generated belongs to mcpwright; your own code goes into src/custom.rs"
            }
            Refusal::NotAFolder { .. } => "move it away, or give another folder with --out",
        }
    }
}

fn names(files: &[String]) -> String {
    let mut list = files.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if files.len() > SHOWN {
        list.push_str(&format!(" and {} more", files.len() - SHOWN));
    }
    list
}

/// Whether the generator made the crate in a folder.
pub fn is_generated_crate(folder: &Path) -> bool {
    let marked = fs::read(folder.join(GENERATED).join("mod.rs")).is_ok_and(|text| has_mark(&text));
    marked
        || fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("mcpwright-runtime")))
}

/// Refuses a folder with files that no generated crate begins with.
pub(super) fn refuse_foreign_crate(folder: &Path, tolerated: &[&Path]) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Refusal::NotAFolder { path: folder.to_owned() }.into());
        }
        Err(error) => return Err(Error::io("read", folder)(error)),
    };
    let tolerated: Vec<PathBuf> = tolerated.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut foreign = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let usual = name.starts_with('.') || name == "mcpwright.toml" || name.starts_with("LICENSE");
        let known = || entry.path().canonicalize().is_ok_and(|path| tolerated.iter().any(|one| one.starts_with(&path)));
        if !usual && !known() {
            foreign.extend(files_in(entry.path(), name));
        }
    }
    if foreign.is_empty() {
        return Ok(());
    }
    foreign.sort();
    Err(Refusal::ForeignFolder { folder: folder.to_owned(), files: foreign }.into())
}

/// Some of the files in a folder with their paths in the crate, or the file itself.
fn files_in(path: PathBuf, name: String) -> Vec<String> {
    let mut files = Vec::new();
    let mut open = vec![(path, name)];
    while let Some((path, name)) = open.pop().filter(|_| files.len() <= SHOWN) {
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        let entries: Vec<_> = fs::read_dir(&path).into_iter().filter(|_| is_folder).flatten().flatten().collect();
        if entries.is_empty() {
            files.push(name);
            continue;
        }
        let inside = |entry: fs::DirEntry| (entry.path(), format!("{name}/{}", entry.file_name().to_string_lossy()));
        open.extend(entries.into_iter().take(SHOWN).map(inside));
    }
    files
}

/// The texts under `src/generated` by path in the crate, after a look at whether all of them are the generator's.
pub(super) fn generated_files(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let root = folder.join(GENERATED);
    let mut files = BTreeMap::new();
    match fs::symlink_metadata(&root) {
        Err(_) => return Ok(files),
        Ok(metadata) if !metadata.is_dir() => return Err(Refusal::NotAFolder { path: root }.into()),
        Ok(_) => {}
    }
    let mut foreign = Vec::new();
    let mut open = vec![(root.clone(), GENERATED.to_owned())];
    while let Some((path, name)) = open.pop() {
        for entry in fs::read_dir(&path).map_err(Error::io("read", &path))? {
            let entry = entry.map_err(Error::io("read", &path))?;
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            let path = entry.path();
            let kind = entry.file_type().map_err(Error::io("read", &path))?;
            if kind.is_dir() {
                open.push((path, name));
            } else if kind.is_file() && entry.file_name() != ".DS_Store" {
                let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
                let expected = match path.extension().and_then(OsStr::to_str) {
                    Some("rs") => has_mark(&bytes),
                    // These cannot carry a mark; their folder is the generator's own.
                    Some("json" | "txt") => name.starts_with("src/generated/schemas/"),
                    _ => false,
                };
                match String::from_utf8(bytes) {
                    Ok(text) if expected => {
                        files.insert(name, text);
                    }
                    _ => foreign.push(name),
                }
            } else if !kind.is_file() {
                foreign.push(name);
            }
        }
    }
    if foreign.is_empty() {
        return Ok(files);
    }
    foreign.sort();
    Err(Refusal::ForeignFiles { folder: folder.to_owned(), files: foreign }.into())
}

fn has_mark(text: &[u8]) -> bool {
    let mark = MARK.split_inclusive("mcpwright.").next().unwrap_or(MARK);
    text.starts_with(mark.as_bytes())
}

/// Makes a folder; the topmost one that was not there before.
pub(super) fn create(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let missing =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).last().map(Path::to_owned);
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    Ok(missing)
}

/// Removes the folders under `src/generated` that have become empty.
pub(super) fn remove_empty(folder: &Path) {
    fn visit(path: &Path) {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                visit(&entry.path());
                // Fails for a folder that is not empty, which is what is wanted.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
    visit(&folder.join(GENERATED));
}
