//! Generating in build scripts, and comparing in tests.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Failure, Generator, Planned};
use crate::{
    diagnostics::{Diagnostic, Severity},
    emit::{self, Files},
    text::one_line,
    write,
};

/// How many warnings a build script prints.
const MAX_WARNINGS: usize = 20;

/// Why a build script cannot give the generated modules.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration or the document cannot be used.
    #[error(transparent)]
    Input(#[from] Box<Failure>),
    /// The configuration is strict, and there are warnings.
    #[error("the document has {count} findings, and the configuration is strict; the first: {first}")]
    Strict {
        /// How many.
        count: usize,
        /// The first one.
        first: String,
    },
    /// The plan cannot be written as Rust.
    #[error(transparent)]
    Emit(#[from] emit::Error),
    /// The files cannot be written.
    #[error(transparent)]
    Write(#[from] write::Error),
    /// Cargo did not say where generated files go.
    #[error("{variable} is not set: this runs in build scripts only")]
    NoCargo {
        /// The missing variable.
        variable: &'static str,
    },
    /// The modules in the source tree are not what the document and the configuration give, and may not be written.
    #[error("{} is not up to date; run `mcpwright generate` in its crate\n\n{diff}", emit::GENERATED)]
    Stale {
        /// What would change, as a unified diff.
        diff: String,
    },
}

impl Generator {
    /// For build scripts: writes the modules to `OUT_DIR`, from where `mcpwright_runtime::include_generated!()` brings
    /// them into the crate. Tells Cargo which files to watch, and passes findings on as warnings of the build.
    ///
    /// # Errors
    /// When there is no plan, the files cannot be written, or Cargo does not run this. The error has been passed on to
    /// Cargo already.
    pub fn emit(self) -> Result<(), BuildError> {
        self.build(|_, files| {
            let variable = "OUT_DIR";
            let folder = env::var_os(variable).ok_or(BuildError::NoCargo { variable })?;
            write::compare(&PathBuf::from(folder).join("mcpwright"), files, &[])?.apply()?;
            Ok(())
        })
    }

    /// For build scripts of crates that commit their generated modules: keeps `src/generated` up to date. Only compares
    /// where the source tree must not change: when `CI` is set, the folder cannot be written, or Cargo verifies a package.
    ///
    /// # Errors
    /// As [`Generator::emit`], and when modules that may only be compared are out of date.
    pub fn emit_in_tree(self) -> Result<(), BuildError> {
        self.build(|folder, files| {
            let changes = write::compare(folder, files, &[])?;
            if changes.is_empty() {
                return Ok(());
            }
            if is_read_only(folder) {
                return Err(BuildError::Stale { diff: changes.diff() });
            }
            changes.apply()?;
            Ok(())
        })
    }

    /// For tests: compares `src/generated` with what document and configuration give.
    ///
    /// # Errors
    /// When they differ; the error has the difference and says what to run.
    pub fn check(self) -> Result<(), BuildError> {
        let folder = self.folder.clone();
        let planned = self.plan()?;
        let changes = write::compare(&folder, &emit::generated_files(&planned.plan)?, &[])?;
        if changes.is_empty() { Ok(()) } else { Err(BuildError::Stale { diff: changes.diff() }) }
    }

    fn build(self, write: impl FnOnce(&Path, &Files) -> Result<(), BuildError>) -> Result<(), BuildError> {
        let mut lines = Vec::new();
        let outcome = self.build_quietly(&mut lines, write);
        if let Err(error) = &outcome {
            lines.push(format!("cargo::error={}", cargo_line(&error.to_string())));
        }
        // A build script without a standard output has nobody to tell.
        let mut output = io::stdout().lock();
        let _ = output.write_all((lines.join("\n") + "\n").as_bytes());
        outcome
    }

    fn build_quietly(
        self,
        lines: &mut Vec<String>,
        write: impl FnOnce(&Path, &Files) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let folder = self.folder.clone();
        watch(lines, self.configuration.as_ref().map(|path| folder.join(path)).iter().map(PathBuf::as_path));
        let planned = match self.plan() {
            Ok(planned) => planned,
            Err(failure) => {
                watch(lines, failure.sources.paths());
                return Err(failure.into());
            }
        };
        watch(lines, planned.sources.paths());
        warn(lines, &planned)?;
        write(&folder, &emit::generated_files(&planned.plan)?)
    }
}

/// Tells Cargo to run the script again when one of the files changes. A file that does not exist would make it run always.
fn watch<'a>(lines: &mut Vec<String>, paths: impl Iterator<Item = &'a Path>) {
    for path in paths.filter(|path| path.is_file()) {
        if let Some(path) = path.to_str().filter(|path| !path.contains('\n')) {
            lines.push(format!("cargo::rerun-if-changed={path}"));
        }
    }
}

/// Passes warnings on.
fn warn(lines: &mut Vec<String>, planned: &Planned) -> Result<(), BuildError> {
    let found: Vec<&Diagnostic> =
        planned.diagnostics.iter().filter(|diagnostic| diagnostic.severity >= Severity::Warning).collect();
    if let (true, Some(first)) = (planned.configuration.strict, found.first()) {
        return Err(BuildError::Strict { count: found.len(), first: sentence(first, planned) });
    }
    for diagnostic in found.iter().take(MAX_WARNINGS) {
        lines.push(format!("cargo::warning={}", sentence(diagnostic, planned)));
    }
    if let Some(more) = found.len().checked_sub(MAX_WARNINGS).filter(|more| *more > 0) {
        lines.push(format!("cargo::warning=and {more} more; `mcpwright inspect` lists them"));
    }
    Ok(())
}

/// A finding in one line: place, message, code.
fn sentence(diagnostic: &Diagnostic, planned: &Planned) -> String {
    let place = match (&diagnostic.location, &planned.configuration_file) {
        (Some(location), _) => {
            let name = planned.sources.name(location.file);
            match planned.sources.position(location) {
                Some(position) => format!("{name}:{}:{}: ", position.line, position.column),
                None => format!("{name}: "),
            }
        }
        (None, Some(file)) => format!("{}: ", file.display()),
        (None, None) => String::new(),
    };
    one_line(&format!("{place}{} [{}]", diagnostic.message, diagnostic.code.name))
}

/// Text of several lines as Cargo prints it whole.
fn cargo_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Whether a build must not change a crate's sources.
fn is_read_only(folder: &Path) -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false");
    let packaged = || {
        let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let names: Vec<_> = absolute.components().map(|part| part.as_os_str().to_owned()).collect();
        names.windows(2).any(|pair| pair[0] == "target" && pair[1] == "package")
    };
    set("CI") || packaged() || std::fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().readonly())
}
