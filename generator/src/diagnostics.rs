//! What is wrong with the input: collected by every stage, printed by none.

mod code;

pub use code::Code;

use crate::source::{FileId, Position};

/// All kinds of findings, by name.
pub fn codes() -> Vec<&'static Code> {
    let mut codes: Vec<&'static Code> =
        crate::document::codes::ALL.iter().chain(crate::plan::codes::ALL).copied().collect();
    codes.sort_by_key(|code| code.name);
    codes
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Note,
    /// Something was repaired, left out or lost.
    Warning,
    /// The run cannot give what was asked.
    Error,
}

/// A place in an input file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// A JSON Pointer (RFC 6901) into the file; empty for the whole file. Line and column are found on demand, see
    /// [`Sources::position`](crate::source::Sources::position).
    pub pointer: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding it is.
    pub code: &'static Code,
    /// How grave it is.
    pub severity: Severity,
    /// Where it is; `None` for findings about the command line or the configuration as a whole.
    pub location: Option<Location>,
    /// Line and column, where the location's pointer does not say them: a fault between values.
    pub position: Option<Position>,
    /// What is wrong, in one sentence without a final stop.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// The findings of a run, in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a finding of the code's own severity.
    pub fn push(
        &mut self,
        code: &'static Code,
        location: Option<Location>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.list.push(Diagnostic {
            code,
            severity: code.severity,
            location,
            position: None,
            message: message.into(),
            help: None,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// All findings.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many findings are at least this grave.
    pub fn count(&self, at_least: Severity) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity >= at_least).count()
    }

    /// Moves every finding to another place.
    pub(crate) fn relocate(&mut self, place: impl Fn(&Location) -> Location) {
        // What has a position of its own was found in the text, before anything was changed.
        for diagnostic in self.list.iter_mut().filter(|diagnostic| diagnostic.position.is_none()) {
            if let Some(location) = &mut diagnostic.location {
                *location = place(location);
            }
        }
    }

    /// Takes over the findings of another stage.
    pub fn append(&mut self, mut other: Diagnostics) {
        self.list.append(&mut other.list);
    }
}

impl Diagnostic {
    /// Says how to mend it.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }
}
