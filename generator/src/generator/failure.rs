//! Why there is no plan.

use std::{fmt, io, path::PathBuf};

use crate::{
    configuration::ConfigurationError,
    diagnostics::{Code, Diagnostics},
    document::{self, LoadError},
    source::{Position, ReadError, SourceError, Sources},
};

/// Why there is no plan, with what is needed to show it in its place.
#[derive(Debug)]
pub struct Failure {
    /// The cause.
    pub cause: Cause,
    /// The files that were read.
    pub sources: Sources,
    /// What was found before.
    pub diagnostics: Diagnostics,
    /// The text of the configuration, if it was read.
    pub configuration: Option<String>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The configuration cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    ConfigurationFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The configuration has a fault.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Neither the caller nor the configuration names a document.
    #[error("no document is named: give one, or set `spec` in mcpwright.toml")]
    NoSpec,
    /// The name of the document is neither a path nor a URL.
    #[error(transparent)]
    Spec(#[from] ReadError),
    /// The document cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(formatter)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}

impl Failure {
    /// How to mend it.
    pub fn help(&self) -> Option<&str> {
        match &self.cause {
            Cause::Configuration(cause) => cause.help.as_deref(),
            Cause::Load(LoadError::Version(cause)) => Some(&cause.help),
            Cause::Load(LoadError::Overlay(cause)) => Some(&cause.help),
            Cause::Load(LoadError::Source(SourceError::Syntax(cause))) => cause.help,
            _ => None,
        }
    }

    /// What kind of failure it is; `None` where the command line is wrong.
    pub fn code(&self) -> Option<&'static Code> {
        match &self.cause {
            Cause::Configuration(_) | Cause::ConfigurationFile { .. } => Some(&document::codes::UNUSABLE_CONFIGURATION),
            Cause::Load(LoadError::Version(_)) => Some(&document::codes::NOT_OPENAPI),
            Cause::Load(LoadError::Overlay(_)) => Some(&document::codes::UNUSABLE_OVERLAY),
            Cause::Load(LoadError::Source(SourceError::Syntax(_))) => Some(&document::codes::INVALID_SYNTAX),
            Cause::Load(LoadError::Source(_)) => Some(&document::codes::UNREADABLE),
            Cause::NoSpec | Cause::Spec(_) => None,
        }
    }

    /// The name of the file that is at fault, and where in it.
    pub fn place(&self) -> Option<(String, Option<Position>)> {
        let sources = &self.sources;
        match &self.cause {
            Cause::Configuration(cause) => {
                let position = Position { line: cause.line, column: cause.column, offset: cause.span.start };
                Some((cause.file.clone(), Some(position)))
            }
            Cause::ConfigurationFile { path, .. } => Some((path.display().to_string(), None)),
            Cause::Load(LoadError::Version(cause)) => {
                Some((sources.name(cause.location.file), sources.position(&cause.location)))
            }
            Cause::Load(LoadError::Overlay(cause)) => {
                Some((sources.name(cause.location.file), sources.position(&cause.location)))
            }
            Cause::Load(LoadError::Source(SourceError::Syntax(cause))) => {
                Some((sources.name(cause.file), cause.position))
            }
            _ => None,
        }
    }

    /// The text of the file that is at fault, and how many bytes of it at its place are meant, if that is known.
    pub fn text(&self) -> (&str, Option<usize>) {
        match &self.cause {
            Cause::Configuration(cause) => (self.configuration.as_deref().unwrap_or_default(), Some(cause.span.len())),
            Cause::Load(LoadError::Version(cause)) => (self.sources.text(cause.location.file), None),
            Cause::Load(LoadError::Overlay(cause)) => (self.sources.text(cause.location.file), None),
            Cause::Load(LoadError::Source(SourceError::Syntax(cause))) => (self.sources.text(cause.file), None),
            _ => ("", None),
        }
    }
}
