//! The whole way from a document and a configuration to a plan and files: what build scripts, tests and the command use.

mod build;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    api::{Api, Operation},
    configuration::{Configuration, ConfigurationError, Preset},
    diagnostics::Diagnostics,
    document::LoadError,
    plan::{self, Decision, Plan},
    source::{ReadError, ReadOptions, Source, Sources},
};

pub use build::BuildError;

/// Decides or adjusts per operation, after the configuration.
type Adjust = Box<dyn Fn(&Operation, Decision) -> Decision>;

/// Makes a server from a document.
///
/// In a build script:
///
/// ```no_run
/// fn main() -> Result<(), mcpwright::BuildError> {
///     mcpwright::Generator::new("openapi.yaml").config("mcpwright.toml").emit()
/// }
/// ```
///
/// and in the crate `pub mod generated { mcpwright_runtime::include_generated!(); }`.
#[derive(Default)]
pub struct Generator {
    spec: Option<Spec>,
    configuration: Option<PathBuf>,
    folder: PathBuf,
    name: Option<String>,
    preset: Option<Preset>,
    adjust: Option<Adjust>,
}

/// The document.
enum Spec {
    /// As a configuration or a person names it: a path or a URL.
    Named(String),
    /// At hand.
    Source(Source),
}

/// What came of a document.
#[derive(Debug)]
pub struct Planned {
    /// What the document describes.
    pub api: Api,
    /// What the server will offer.
    pub plan: Plan,
    /// The configuration that was used, with the overrides of the [`Generator`].
    pub configuration: Configuration,
    /// The file that the configuration was read from. Findings without a location are about it.
    pub configuration_file: Option<PathBuf>,
    /// The files that were read.
    pub sources: Sources,
    /// What was found on the way.
    pub diagnostics: Diagnostics,
    /// The document.
    pub spec: Source,
}

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

impl fmt::Debug for Generator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Generator").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}

impl Generator {
    /// A generator for a document: a path, relative to the current folder or [`Generator::directory`], or a URL (with the
    /// feature `fetch`).
    pub fn new(spec: impl Into<String>) -> Self {
        Self { spec: Some(Spec::Named(spec.into())), ..Self::default() }
    }

    /// A generator for a document at hand.
    pub fn from_source(source: Source) -> Self {
        Self { spec: Some(Spec::Source(source)), ..Self::default() }
    }

    /// A generator for the document that a configuration names with `spec`.
    pub fn from_config(configuration: impl Into<PathBuf>) -> Self {
        Self { configuration: Some(configuration.into()), ..Self::default() }
    }

    /// The configuration, a path like that of the document. Without one the defaults hold.
    #[must_use]
    pub fn config(mut self, configuration: impl Into<PathBuf>) -> Self {
        self.configuration = Some(configuration.into());
        self
    }

    /// The server's short name, over the configuration's.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The preset, over the configuration's.
    #[must_use]
    pub fn preset(mut self, preset: Preset) -> Self {
        self.preset = Some(preset);
        self
    }

    /// The folder that relative paths start from, and that holds `src/generated`. Default: the current folder, which is
    /// the package's in build scripts and tests.
    #[must_use]
    pub fn directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// A function that sees every operation with what was decided for it, and may decide otherwise.
    #[must_use]
    pub fn adjust(mut self, adjust: impl Fn(&Operation, Decision) -> Decision + 'static) -> Self {
        self.adjust = Some(Box::new(adjust));
        self
    }

    /// Reads document and configuration and plans the server.
    ///
    /// # Errors
    /// When the configuration or the document cannot be used as a whole; less is in [`Planned::diagnostics`].
    pub fn plan(self) -> Result<Planned, Box<Failure>> {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let mut text = None;
        let configuration_file = self.configuration.as_ref().map(|path| self.folder.join(path));
        match self.run(&mut sources, &mut diagnostics, &mut text) {
            Ok((api, plan, configuration, spec)) => {
                Ok(Planned { api, plan, configuration, configuration_file, sources, diagnostics, spec })
            }
            Err(cause) => Err(Box::new(Failure { cause, sources, diagnostics, configuration: text })),
        }
    }

    fn run(
        self,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
        text: &mut Option<String>,
    ) -> Result<(Api, Plan, Configuration, Source), Cause> {
        let mut configuration = Configuration::default();
        let mut configuration_folder = self.folder.clone();
        if let Some(path) = &self.configuration {
            let path = self.folder.join(path);
            let read = std::fs::read_to_string(&path)
                .map_err(|source| Cause::ConfigurationFile { path: path.clone(), source })?;
            let read = text.insert(read);
            configuration = Configuration::parse(read, &path.display().to_string())?;
            configuration_folder = path.parent().unwrap_or(Path::new("")).to_owned();
        }
        configuration.name = self.name.or(configuration.name);
        configuration.preset = self.preset.unwrap_or(configuration.preset);
        let spec = match (self.spec, &configuration.spec) {
            (Some(Spec::Source(source)), _) => source,
            (Some(Spec::Named(name)), _) => relative(Source::from_argument(&name)?, &self.folder),
            (None, Some(name)) => relative(Source::from_argument(name)?, &configuration_folder),
            (None, None) => return Err(Cause::NoSpec),
        };
        let options = ReadOptions {
            allow_outside: configuration.allow_outside,
            allow_remote: configuration.allow_remote,
            ..ReadOptions::default()
        };
        let api = crate::load(spec.clone(), &options, sources, diagnostics)?;
        let plan = match self.adjust {
            Some(adjust) => plan::build_with(&api, &configuration, adjust, diagnostics),
            None => plan::build(&api, &configuration, diagnostics),
        };
        Ok((api, plan, configuration, spec))
    }
}

/// A path seen from a folder.
fn relative(source: Source, folder: &Path) -> Source {
    match source {
        Source::Path(path) => Source::Path(folder.join(path)),
        other => other,
    }
}
