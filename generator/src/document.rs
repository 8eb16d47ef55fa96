//! One normalised document, whatever version and however many files it came from.
//!
//! Every operation arrives as an [`openapiv3::Operation`] with all references outside of schemas resolved and every
//! schema lifted out into the [`SchemaStore`]. What OpenAPI 3.0 cannot say stands in extensions
//! named by [`extra`].

pub mod codes;
pub mod extra;
mod files;
mod identifiers;
mod lift;
pub(crate) mod overlay;
mod security;
mod shape;
pub mod store;
mod swagger;
mod version;

use serde_json::{Map, Value};

use crate::{
    api::Method,
    diagnostics::{Diagnostics, Location},
    source::{ReadOptions, Source, SourceError, Sources},
};
use store::SchemaStore;

pub use overlay::OverlayError;
pub use version::{SpecificationVersion, VersionError};

/// A normalised document.
#[derive(Debug)]
pub struct Document {
    /// The version that the root document names.
    pub version: SpecificationVersion,
    /// `openapi` or `swagger`, as written.
    pub openapi: String,
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub info_version: String,
    /// `info.description`.
    pub description: String,
    /// `servers`; for 2.0 made of `schemes`, `host` and `basePath`.
    pub servers: Vec<openapiv3::Server>,
    /// `tags`: name and description.
    pub tags: Vec<(String, String)>,
    /// `security`, if the document has it.
    pub security: Option<Vec<openapiv3::SecurityRequirement>>,
    /// The security schemes with where they stand.
    pub security_schemes: Vec<(String, crate::api::SecurityScheme)>,
    /// The operations of `paths`.
    pub operations: Vec<DocumentOperation>,
    /// The operations that could not be read, each with a diagnostic.
    pub lost: Vec<crate::api::LostOperation>,
    /// The schemas.
    pub schemas: SchemaStore,
    /// The `x-` members of the root.
    pub extensions: Map<String, Value>,
}

/// An operation of a document. Its parameters begin with those of its path item that it does not override.
#[derive(Debug)]
pub struct DocumentOperation {
    /// The method.
    pub method: Method,
    /// The key under `paths`.
    pub path: String,
    /// The operation.
    pub operation: openapiv3::Operation,
    /// Where it stands.
    pub location: Location,
}

/// Why a document could not be loaded at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be read or parsed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is no OpenAPI document.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// An overlay cannot be applied.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
}

impl Document {
    /// Reads a document and every file that it refers to. Findings go to `diagnostics`, texts to `sources`.
    ///
    /// # Errors
    /// When the root document cannot be read, or is no OpenAPI document of a known version. Anything less costs the
    /// item that it concerns.
    pub fn load(
        source: Source,
        options: &ReadOptions,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, LoadError> {
        let (mut files, root) = files::Files::open(source, options, sources, diagnostics)?;
        files.overlay(root, diagnostics)?;
        let (version, openapi) = version::detect(&files.root_value(root), root)?;
        let mut shaper = shape::Shaper::new(&mut files, root, version, diagnostics);
        Ok(shaper.document(openapi))
    }
}
