//! Reads an OpenAPI document and writes a Model Context Protocol server.
//!
//! Data flows one way: `source → document → schema → api → plan → emit → write`. A stage knows the stages before it
//! and nothing of those after it; [`diagnostics`] is used by all.

pub mod api;
pub mod diagnostics;
pub mod document;
pub mod plan;
pub mod schema;
pub mod source;
