//! Runtime of generated MCP servers.

#[cfg(feature = "server")]
pub mod arguments;
#[cfg(feature = "server")]
pub mod auth;
pub mod catalog;
#[cfg(feature = "server")]
pub mod content;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "server")]
pub mod storage;
#[cfg(feature = "server")]
pub mod upstream;

#[cfg(feature = "server")]
pub use error::{Error, ErrorKind};
