//! What most commands begin with: a document, a configuration, and how they are overridden.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mcpwright::{Failure, Generator, Planned, Preset, Source, diagnostics::Severity};

use super::{
    output::{Exit, FINDINGS},
    progress::Progress,
    render,
};

/// The file that a crate keeps its configuration in.
pub(crate) const CONFIGURATION: &str = "mcpwright.toml";

/// What is made of a document.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Shape {
    /// The configuration [default: mcpwright.toml in the crate's folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The server's short name [default: from the document's title]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// What operations become where no rule says otherwise [default: rest]
    #[arg(long)]
    pub(crate) preset: Option<PresetOption>,
    /// An OpenAPI Overlay to apply to the document first; may be repeated
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<String>,
    /// Let references in the document lead to files outside of its folder
    #[arg(long)]
    pub(crate) allow_outside: bool,
    /// Let references in the document lead to URLs
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetOption {
    /// GET is a resource or a resource template, everything else a tool
    Rest,
    /// Everything is a tool, for clients that use only tools
    Tools,
}

impl From<PresetOption> for Preset {
    fn from(option: PresetOption) -> Self {
        match option {
            PresetOption::Rest => Preset::Rest,
            PresetOption::Tools => Preset::Tools,
        }
    }
}

impl Shape {
    /// Reads a document and plans its server. `spec` is a file, a URL or `-`; `None` stands for what the configuration
    /// names; a folder for the crate in it.
    ///
    /// # Errors
    /// When there is no plan; why has been shown.
    pub(crate) fn plan(&self, spec: Option<&str>) -> Result<Planned, Exit> {
        self.attempt(spec)?.map_err(|failure| render::failure(&failure))
    }

    /// The same, where the caller shows why there is no plan.
    ///
    /// # Errors
    /// When `spec` is no file and no URL.
    pub(crate) fn attempt(&self, spec: Option<&str>) -> Result<Result<Planned, Box<Failure>>, Exit> {
        let folder = spec.map(Path::new).filter(|path| path.is_dir());
        let configuration = self.config.clone().or_else(|| folder.map(|folder| folder.join(CONFIGURATION)));
        let mut generator = match (spec, folder, configuration) {
            (Some(spec), None, configuration) => {
                let source = Source::from_argument(spec).map_err(|error| Exit::wrong(error.to_string()))?;
                let generator = Generator::from_source(source);
                match configuration {
                    Some(path) => generator.config(path),
                    None => generator,
                }
            }
            (_, _, Some(path)) => Generator::from_config(path),
            (_, _, None) => Generator::from_config(CONFIGURATION),
        };
        if let Some(name) = &self.name {
            generator = generator.name(name);
        }
        for overlay in &self.overlays {
            generator = generator.overlay(overlay);
        }
        if let Some(preset) = self.preset {
            generator = generator.preset(preset.into());
        }
        if self.allow_outside {
            generator = generator.allow_outside();
        }
        if self.allow_remote {
            generator = generator.allow_remote();
        }
        let progress = Progress::start("Reading the document");
        let planned = generator.plan();
        drop(progress);
        Ok(planned)
    }
}

/// Shows findings; fails when there are any and that is what was asked for.
///
/// # Errors
/// Under `strict`, when there is a warning.
pub(crate) fn judge(planned: &Planned, strict: bool) -> Result<(), Exit> {
    render::findings(planned, Severity::Warning);
    let count = planned.diagnostics.count(Severity::Warning);
    if count > 0 && (strict || planned.configuration.strict) {
        return Err(Exit::findings(format!(
            "{count} finding{} in strict mode, nothing was written",
            if count == 1 { "" } else { "s" }
        )));
    }
    if planned.diagnostics.count(Severity::Error) > 0 {
        return Err(Exit::silent(FINDINGS));
    }
    Ok(())
}
