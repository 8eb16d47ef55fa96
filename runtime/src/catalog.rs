//! The vocabulary that the generator writes and the runtime reads: plain descriptors made of `&'static` data.
//!
//! Nothing here depends on another crate, on another module or on an allocation, so that a generated crate compiles
//! fast and a build script that only writes descriptors stays light. Every struct has a `DEFAULT` (or one constant per
//! common kind) for functional update, so that generated code names only what differs and old generated crates keep
//! compiling when a field is added:
//!
//! ```
//! use mcpwright_runtime::catalog::{Method, Operation, Parameter};
//!
//! static LIMIT: Parameter = Parameter { name: "limit", schema: r#"{"type":"integer"}"#, ..Parameter::QUERY };
//! static LIST_PETS: Operation = Operation {
//!     id: "listPets",
//!     name: "list_pets",
//!     method: Method::Get,
//!     path: "/pets",
//!     parameters: &[&LIMIT],
//!     ..Operation::DEFAULT
//! };
//! assert_eq!(LIST_PETS.parameters[0].name, "limit");
//! ```
//!
//! Schemas are JSON Schema 2020-12 as text. They refer to shared definitions as `#/$defs/<name>`.

mod link;
mod operation;
mod parameter;
mod security;
mod variable;

pub use link::{Link, ResponseLinks};
pub use operation::{Body, Hints, Kind, Method, Operation, Output, PartEncoding, Policy};
pub use parameter::{Location, Parameter, Style, is_reserved_header, uri_variable};
pub use security::{ApiKeyLocation, Flow, FlowKind, Requirement, SecurityScheme, SecuritySchemeKind};
pub use variable::variable_part;

/// One HTTP API: what a generated crate exports as `API`.
#[derive(Debug)]
pub struct Api {
    /// Short name in `kebab-case`: the host of resource URIs (`api://petstore/pets`), the command's name and, in
    /// `UPPER_SNAKE_CASE`, the prefix of its environment variables.
    pub name: &'static str,
    /// `info.title`.
    pub title: &'static str,
    /// `info.version`.
    pub version: &'static str,
    /// `info.description`, cleaned and bounded: the server's instructions to clients.
    pub description: &'static str,
    /// `servers`, in the document's order. Empty when the document names none.
    pub servers: &'static [&'static Server],
    /// Every security scheme that an operation requires.
    pub security_schemes: &'static [&'static SecurityScheme],
    /// Shared schemas by name, sorted by name. The text is one JSON Schema each.
    pub definitions: &'static [Definition],
    /// The operations in groups (one per tag), groups and members in their stable order.
    pub operations: &'static [&'static [&'static Operation]],
    /// The built-in layers, by the names of [`MIDDLEWARE`], with their settings: a JSON object, or empty for none.
    pub middleware: &'static str,
}

/// The built-in layers that can be configured without code, the outermost first.
pub const MIDDLEWARE: [&str; 10] = [
    "timing",
    "logging",
    "error_handling",
    "authorization",
    "rate_limiting",
    "response_limiting",
    "response_caching",
    "retry",
    "resources_as_tools",
    "prompts_as_tools",
];

impl Api {
    /// An API without any operation.
    pub const DEFAULT: Api = Api {
        name: "",
        title: "",
        version: "",
        description: "",
        servers: &[],
        security_schemes: &[],
        definitions: &[],
        operations: &[],
        middleware: "",
    };

    /// All operations in their stable order.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> + use<> {
        self.operations.iter().flat_map(|group| group.iter().copied())
    }

    /// The schema of a definition; `None` when no definition has this name.
    pub fn definition(&self, name: &str) -> Option<&'static str> {
        let index = self.definitions.binary_search_by(|definition| definition.name.cmp(name)).ok()?;
        Some(self.definitions[index].schema)
    }
}

/// A named schema that operations share, `#/$defs/<name>`.
#[derive(Debug)]
pub struct Definition {
    /// The name under `$defs`.
    pub name: &'static str,
    /// JSON Schema 2020-12 text.
    pub schema: &'static str,
}

/// A Server Object of the document.
#[derive(Debug)]
pub struct Server {
    /// The URL, absolute or relative to where the document lies, with `{variables}`.
    pub url: &'static str,
    /// What the server is.
    pub description: &'static str,
    /// The variables of `url`.
    pub variables: &'static [ServerVariable],
}

impl Server {
    /// A server without variables.
    pub const DEFAULT: Server = Server { url: "", description: "", variables: &[] };
}

/// A Server Variable Object.
#[derive(Debug)]
pub struct ServerVariable {
    /// The name between braces in the URL.
    pub name: &'static str,
    /// The value used when none is configured.
    pub default: &'static str,
    /// The admissible values; any when empty.
    pub values: &'static [&'static str],
    /// What the variable means.
    pub description: &'static str,
}
