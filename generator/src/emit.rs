//! Writes a plan as the files of a crate, in memory: no path is read, none is written.
//!
//! Everything under `src/generated` is made anew by every run and belongs to the generator; the files that belong to the
//! user of the crate come from templates and are written once. Rust text is made from tokens, and text of the document
//! only ever enters it as a string literal: nothing in a document can become code, documentation or template syntax.

mod arguments;
mod json;
mod literal;
mod names;
mod operations;
mod parameters;
mod root;
mod rust;
mod security;
mod servers;
mod templates;

use std::collections::BTreeMap;

use crate::plan::Plan;

pub use templates::{Dependency, Settings, Workspace, crate_name};

pub(crate) use literal::is_hidden;
pub(crate) use rust::MARK;

/// The folder of a crate that belongs to the generator.
pub const GENERATED: &str = "src/generated";

/// Who may change a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The generator: made anew by every run.
    Generated,
    /// The user: written when the crate is made, and left alone afterwards.
    Once,
}

/// A file of the generated crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The whole text, with `\n` line ends and a final one.
    pub text: String,
    /// Who may change it.
    pub ownership: Ownership,
}

/// Files by their path in the crate, with `/` between folders.
pub type Files = BTreeMap<String, File>;

/// Why a plan cannot be written as Rust.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name in the plan is no Rust identifier.
    #[error("the plan gives the name `{0}` to a generated item, and it is not a Rust identifier")]
    Identifier(String),
    /// An operation requires a scheme that the plan does not have.
    #[error("an operation requires the security scheme `{0}`, which the plan does not have")]
    Scheme(String),
    /// The tokens of a file do not parse.
    #[error("the text made for {file} is not Rust: {message}")]
    NotRust {
        /// The file under `src/generated`.
        file: String,
        /// What the parser says.
        message: String,
    },
    /// A template of a file that belongs to the user cannot be filled in.
    #[error("the template of {file} cannot be filled in")]
    Template {
        /// The file.
        file: String,
        /// What the template engine says.
        #[source]
        source: minijinja::Error,
    },
}

/// All files of the crate.
///
/// # Errors
/// When the plan breaks its own promises: names that are not identifiers, schemes that do not exist.
pub fn files(plan: &Plan, settings: &Settings) -> Result<Files, Error> {
    let mut tree = generated(plan, env!("CARGO_PKG_VERSION"))?;
    templates::render(plan, settings, &mut tree)?;
    Ok(tree.files)
}

/// The files of `src/generated` alone, by their path in the crate: what a build script needs.
///
/// # Errors
/// As [`files`].
pub fn generated_files(plan: &Plan) -> Result<Files, Error> {
    Ok(generated(plan, env!("CARGO_PKG_VERSION"))?.files)
}

fn generated(plan: &Plan, version: &str) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let servers = servers::Servers::of(plan);
    let security = security::Security::of(plan);
    operations::modules(plan, &servers, &security, &mut tree)?;
    let modules = root::Modules {
        arguments: tree.optional("arguments.rs", arguments::module(plan)?),
        definitions: root::definitions(plan, &mut tree)?,
        parameters: tree.optional("parameters.rs", parameters::module(plan)?),
        security: tree.optional("security.rs", security.module(plan)?),
        servers: tree.optional("servers.rs", servers.module(plan)?),
    };
    tree.generated("mod.rs", root::root(plan, &servers, &security, &modules, version)?);
    Ok(tree)
}

/// The files so far.
#[derive(Debug, Default)]
struct Tree {
    files: Files,
}

impl Tree {
    /// Adds a file of the generator, by its path under [`GENERATED`].
    fn generated(&mut self, path: impl AsRef<str>, text: String) {
        let path = format!("{GENERATED}/{}", path.as_ref());
        self.files.insert(path, File { text, ownership: Ownership::Generated });
    }

    /// Adds a file of the generator if there is one.
    fn optional(&mut self, path: &str, text: Option<String>) -> bool {
        let present = text.is_some();
        if let Some(text) = text {
            self.generated(path, text);
        }
        present
    }

    /// Adds a file of the user.
    fn once(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), File { text, ownership: Ownership::Once });
    }
}

#[cfg(test)]
mod tests;
