//! Runtime of generated MCP servers.

#[cfg(feature = "server")]
pub mod arguments;
#[cfg(feature = "server")]
pub mod auth;
pub mod catalog;
#[cfg(feature = "server")]
pub mod component;
#[cfg(feature = "server")]
pub mod compose;
#[cfg(feature = "server")]
pub mod content;
#[cfg(feature = "server")]
pub mod context;
#[cfg(feature = "server")]
mod engine;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
pub mod message;
#[cfg(feature = "server")]
pub mod middleware;
#[cfg(feature = "server")]
mod protocol;
#[cfg(feature = "server")]
mod registry;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod storage;
#[cfg(feature = "otel")]
pub mod telemetry;
#[cfg(feature = "server")]
pub mod testing;
#[cfg(feature = "server")]
mod transport;
#[cfg(feature = "server")]
pub mod upstream;
#[cfg(feature = "server")]
pub mod uri_template;

#[cfg(feature = "server")]
pub use {
    engine::Handle,
    error::{Error, ErrorKind},
    registry::Problem,
    server::Server,
};
// What types of one's own arguments need: generated crates reach them here, in the versions that the runtime has.
#[cfg(feature = "server")]
pub use {schemars, serde, serde_json};

/// Brings the modules into a crate that its build script generated with `mcpwright::Generator::emit`:
///
/// ```ignore
/// pub mod generated {
///     mcpwright_runtime::include_generated!();
/// }
/// ```
#[macro_export]
macro_rules! include_generated {
    () => {
        include!(concat!(env!("OUT_DIR"), "/mcpwright/src/generated/mod.rs"));
    };
}

#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../docs/tasks.md")]
struct Tasks;
