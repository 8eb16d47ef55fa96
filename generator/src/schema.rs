//! Schemas of every OpenAPI version as JSON Schema 2020-12.
//!
//! The dialect is treated by feature, not by version: real 3.1 documents use `nullable`, real 2.0 documents type arrays.
//! What comes out validates against the 2020-12 meta-schema, refers to shared [`Definitions`] only, and accepts
//! everything that the original accepts. Where the original contradicts itself it is read as meant, with a diagnostic.

mod annotations;
mod applicators;
pub mod codes;
mod compose;
mod convert;
mod definitions;
mod discriminator;
mod flatten;
mod names;
mod node;
mod nullable;
mod numbers;
mod objects;
mod pattern;
mod survey;
mod trim;
mod types;
mod values;
pub mod walk;

pub use convert::Converter;
pub use definitions::{Definition, Definitions};
pub use flatten::flatten;
pub use trim::{Trimmed, trim};

/// Which way a value travels: `readOnly` properties leave requests, `writeOnly` ones leave responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the client to the API.
    Request,
    /// From the API to the client.
    Response,
}

#[cfg(test)]
mod tests;
