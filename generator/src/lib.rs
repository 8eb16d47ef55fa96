//! Reads an OpenAPI document and writes a Model Context Protocol server.
//!
//! Data flows one way: `source → document → schema → api → plan → emit → write`. A stage knows the stages before it
//! and nothing of those after it; [`diagnostics`] is used by all.

pub mod api;
pub mod configuration;
pub mod descriptors;
pub mod diagnostics;
pub mod document;
pub mod emit;
mod generator;
pub mod inspect;
pub mod plan;
pub mod schema;
pub mod source;
pub mod text;
pub mod write;

use diagnostics::Diagnostics;

pub use configuration::Preset;
pub use document::LoadError;
pub use generator::{BuildError, Cause, Failure, Generator, Planned};
pub use source::{ReadOptions, Source, Sources};

/// Reads a document with everything that it refers to.
///
/// # Errors
/// When the root document cannot be read, or is no OpenAPI document; anything less is in `diagnostics` and costs the
/// item that it concerns. `sources` holds the texts even then, so that the error can be shown in its place.
///
/// ```
/// use mcpwright::{Source, Sources, diagnostics::Diagnostics};
///
/// let text = "openapi: 3.1.0\ninfo: {title: Pets, version: 1.0.0}\npaths: {/pets: {get: {operationId: listPets}}}";
/// let source = Source::Text { name: "pets.yaml".into(), text: text.into() };
/// let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
/// let api = mcpwright::load(source, &Default::default(), &mut sources, &mut diagnostics)?;
/// assert_eq!(api.operations[0].id.as_deref(), Some("listPets"));
/// # Ok::<(), mcpwright::LoadError>(())
/// ```
pub fn load(
    source: Source,
    options: &ReadOptions,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Result<api::Api, LoadError> {
    let document = document::Document::load(source, options, sources, diagnostics)?;
    Ok(api::Api::build(document, sources, diagnostics))
}
