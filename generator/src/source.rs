//! Reads the text of documents: files, URLs and standard input, with their encodings, within limits.

mod json;
mod parse;
mod position;
mod read;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    diagnostics::{Diagnostic, Location},
    document::overlay::Origins,
};

pub(crate) use parse::Place;
pub use parse::SyntaxError;
pub use read::ReadError;

/// Names a file of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A place in a file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Byte offset in the text.
    pub offset: usize,
}

/// Where a document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// An `http` or `https` URL; needs the feature `fetch`.
    Url(url::Url),
    /// Text at hand, with the name that diagnostics show.
    Text {
        /// The name, `<stdin>` for example.
        name: String,
        /// The text.
        text: String,
    },
}

impl Source {
    /// What the command line means by an argument: `-` is standard input, `http(s)://…` a URL, all else a file.
    ///
    /// # Errors
    /// When standard input cannot be read, or a URL is malformed.
    pub fn from_argument(argument: &str) -> Result<Self, ReadError> {
        if argument == "-" {
            return Ok(Source::Text { name: "<stdin>".to_owned(), text: read::standard_input()? });
        }
        if argument.starts_with("http://") || argument.starts_with("https://") {
            let url = url::Url::parse(argument)
                .map_err(|error| ReadError::new(argument, format!("is not a URL: {error}")))?;
            return Ok(Source::Url(url));
        }
        Ok(Source::Path(PathBuf::from(argument)))
    }

    /// The name that diagnostics show.
    pub fn name(&self) -> String {
        match self {
            Source::Path(path) => path.display().to_string(),
            Source::Url(url) => url.to_string(),
            Source::Text { name, .. } => name.clone(),
        }
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Source::Path(path.to_owned())
    }
}

/// What may be read, and how much of it.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Whether references may lead to files outside of the root document's folder.
    pub allow_outside: bool,
    /// Whether references may lead to URLs.
    pub allow_remote: bool,
    /// The largest text that is read, in bytes.
    pub max_bytes: u64,
    /// The most files that references may bring in.
    pub max_files: usize,
    /// OpenAPI Overlay documents, applied to the root document in this order.
    pub overlays: Vec<Source>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            allow_outside: false,
            allow_remote: false,
            max_bytes: 200 * 1024 * 1024,
            max_files: 10_000,
            overlays: Vec::new(),
        }
    }
}

/// The files of the run: their names, texts and values.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// Where the values of documents come from that overlays have changed.
    origins: BTreeMap<FileId, Origins>,
}

/// One file.
#[derive(Debug)]
struct SourceFile {
    origin: Source,
    text: String,
    json: bool,
}

/// A file that has just been read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) file: FileId,
    pub(crate) value: Value,
    /// What had to be overlooked to read it.
    pub(crate) warnings: Vec<parse::Warning>,
}

/// Why a document could not be brought in.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is neither JSON nor YAML.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

impl Sources {
    /// Reads a source and parses it.
    pub(crate) fn add(&mut self, source: Source, options: &ReadOptions) -> Result<Parsed, SourceError> {
        let text = read::text(&source, options)?;
        let file = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let outcome = parse::parse(&text, file);
        let json = matches!(&outcome, Ok(parsed) if parsed.json);
        let origin = match source {
            Source::Text { name, .. } => Source::Text { name, text: String::new() },
            other => other,
        };
        self.files.push(SourceFile { origin, text, json });
        let parsed = outcome?;
        Ok(Parsed { file, value: parsed.value, warnings: parsed.warnings })
    }

    /// Says where the values of a changed document come from.
    pub(crate) fn set_origins(&mut self, file: FileId, origins: Origins) {
        self.origins.insert(file, origins);
    }

    /// The place of the text that a location stands for: another one when an overlay has brought in or moved what
    /// stands there.
    pub(crate) fn trace(&self, location: &Location) -> Location {
        let traced = self.origins.get(&location.file).and_then(|origins| origins.trace(&location.pointer));
        traced.unwrap_or_else(|| location.clone())
    }

    /// The name of a file for people.
    pub fn name(&self, file: FileId) -> String {
        self.files.get(file.0 as usize).map(|file| file.origin.name()).unwrap_or_default()
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |file| &file.text)
    }

    /// Where a file came from.
    pub(crate) fn origin(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0 as usize).map(|file| &file.origin)
    }

    /// The paths of the files that were read from disk, in the order of reading.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter_map(|file| match &file.origin {
            Source::Path(path) => Some(path.as_path()),
            _ => None,
        })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Where a location lies in its file's text: the key or element that the pointer names, or the nearest one above
    /// it that exists. `None` only for an unknown file. Each call walks the file: for many locations ask
    /// [`positions`](Self::positions).
    pub fn position(&self, location: &Location) -> Option<Position> {
        self.positions([location]).pop().flatten()
    }

    /// Where locations lie, in their order; each file is walked once.
    pub fn positions<'l>(&self, locations: impl IntoIterator<Item = &'l Location>) -> Vec<Option<Position>> {
        let mut positions = Vec::new();
        let mut by_file: BTreeMap<FileId, (Vec<usize>, Vec<&str>)> = BTreeMap::new();
        for (index, location) in locations.into_iter().enumerate() {
            positions.push(None);
            let (indexes, pointers) = by_file.entry(location.file).or_default();
            indexes.push(index);
            pointers.push(&location.pointer);
        }
        for (file, (indexes, pointers)) in by_file {
            let Some(file) = self.files.get(file.0 as usize) else { continue };
            for (index, position) in indexes.into_iter().zip(position::find(&file.text, file.json, &pointers)) {
                positions[index] = Some(position);
            }
        }
        positions
    }

    /// Where findings lie, in their order; each file is walked once.
    pub fn places<'d>(&self, diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> Vec<Option<Position>> {
        let diagnostics: Vec<&Diagnostic> = diagnostics.into_iter().collect();
        let mut found = self.positions(diagnostics.iter().filter_map(|one| one.location.as_ref())).into_iter();
        let place = |one: &&Diagnostic| {
            let position = one.location.as_ref().and_then(|_| found.next()).flatten();
            one.position.or(position)
        };
        diagnostics.iter().map(place).collect()
    }

    /// The text of a line (from 1) without its end; `None` behind the last line.
    pub fn line(&self, file: FileId, line: usize) -> Option<&str> {
        self.text(file).lines().nth(line.checked_sub(1)?)
    }
}
