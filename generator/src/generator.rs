//! The whole way from a document and a configuration to a plan and files: what build scripts, tests and the command use.

mod build;
mod failure;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    api::{Api, Operation},
    configuration::{Configuration, Preset},
    diagnostics::Diagnostics,
    plan::{self, Decision, Plan},
    source::{ReadOptions, Source, Sources},
};

pub use build::BuildError;
pub use failure::{Cause, Failure};

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
    overlays: Vec<String>,
    allow_remote: bool,
    allow_outside: bool,
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
    /// The overlays that were applied, those of the configuration first.
    pub overlays: Vec<Source>,
    /// Whether references might lead to URLs, by the configuration or the [`Generator`].
    pub allow_remote: bool,
    /// Whether references might leave the document's folder, by the configuration or the [`Generator`].
    pub allow_outside: bool,
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

    /// An OpenAPI Overlay (1.0 or 1.1) to apply, a path or a URL like that of the document; after those that the
    /// configuration names, and in the order of the calls.
    #[must_use]
    pub fn overlay(mut self, overlay: impl Into<String>) -> Self {
        self.overlays.push(overlay.into());
        self
    }

    /// Lets references in the document lead to URLs, whatever the configuration says.
    #[must_use]
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Lets references in the document lead to files outside of its folder, whatever the configuration says.
    #[must_use]
    pub fn allow_outside(mut self) -> Self {
        self.allow_outside = true;
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
        let outcome = self.run(&mut sources, &mut diagnostics, &mut text);
        diagnostics.relocate(|location| sources.trace(location));
        match outcome {
            Ok(Outcome { api, plan, configuration, spec, options }) => Ok(Planned {
                api,
                plan,
                configuration,
                configuration_file,
                sources,
                diagnostics,
                spec,
                overlays: options.overlays,
                allow_remote: options.allow_remote,
                allow_outside: options.allow_outside,
            }),
            Err(cause) => Err(Box::new(Failure { cause, sources, diagnostics, configuration: text })),
        }
    }

    fn run(
        self,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
        text: &mut Option<String>,
    ) -> Result<Outcome, Cause> {
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
        let mut overlays: Vec<Source> = Vec::new();
        for (names, folder) in [(&configuration.overlays, &configuration_folder), (&self.overlays, &self.folder)] {
            for name in names {
                let overlay = relative(Source::from_argument(name)?, folder);
                // One that is also in the configuration is still applied once.
                if !overlays.iter().any(|known| same(known, &overlay)) {
                    overlays.push(overlay);
                }
            }
        }
        let options = ReadOptions {
            overlays,
            allow_outside: configuration.allow_outside || self.allow_outside,
            allow_remote: configuration.allow_remote || self.allow_remote,
            ..ReadOptions::default()
        };
        let api = crate::load(spec.clone(), &options, sources, diagnostics)?;
        let plan = match self.adjust {
            Some(adjust) => plan::build_with(&api, &configuration, adjust, diagnostics),
            None => plan::build(&api, &configuration, diagnostics),
        };
        Ok(Outcome { api, plan, configuration, spec, options })
    }
}

/// What a run gives.
struct Outcome {
    api: Api,
    plan: Plan,
    configuration: Configuration,
    spec: Source,
    options: ReadOptions,
}

/// Whether two sources are the same file or URL.
fn same(one: &Source, other: &Source) -> bool {
    let real = |source: &Source| match source {
        Source::Path(path) => path.canonicalize().ok(),
        _ => None,
    };
    one == other || real(one).is_some_and(|path| real(other) == Some(path))
}

/// A path seen from a folder.
fn relative(source: Source, folder: &Path) -> Source {
    match source {
        Source::Path(path) => Source::Path(folder.join(path)),
        other => other,
    }
}
