//! What the server will offer: every operation routed, named, described and laid out, or excluded with a reason.
//!
//! A plan mirrors [`mcpwright_runtime::catalog`] with owned data: `emit` writes it as Rust, `serve` turns it into
//! descriptors in memory.

mod arguments;
mod body;
mod build;
pub mod codes;
mod decision;
mod extension;
mod group;
mod links;
mod media;
mod name;
mod output;
mod prose;
mod route;
#[cfg(test)]
mod tests;
mod uri;

use std::{collections::BTreeMap, sync::Arc};

use mcpwright_runtime::catalog::{Hints, Kind, Method, Policy};
use serde_json::Value;

use crate::{
    api::{ParameterLocation, Requirement, SecurityScheme, Server, Style},
    diagnostics::Location,
};

pub use build::{build, build_with};
pub use decision::Decision;

/// A whole server.
#[derive(Debug)]
pub struct Plan {
    /// The server's short name, `kebab-case`.
    pub name: String,
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// `info.description`, cleaned and bounded.
    pub description: String,
    /// `servers`.
    pub servers: Vec<Server>,
    /// The schemes that components require, by name.
    pub security_schemes: Vec<SecurityScheme>,
    /// Component parameters that at least one operation uses as they are, by constant name.
    pub shared_parameters: BTreeMap<String, SharedParameter>,
    /// The definitions that components use.
    pub definitions: BTreeMap<String, Value>,
    /// The components in groups, groups by module name, components in their stable order.
    pub groups: Vec<Group>,
    /// The built-in layers of the server with their settings.
    pub middleware: BTreeMap<String, Value>,
    /// Operations that are not offered.
    pub excluded: Vec<Excluded>,
}

/// A parameter under `components.parameters`.
#[derive(Debug, Clone)]
pub struct SharedParameter {
    /// The key under `components.parameters`.
    pub component: String,
    /// The parameter.
    pub parameter: Parameter,
}

/// The components of one tag: a module of the generated crate.
#[derive(Debug)]
pub struct Group {
    /// The module's name, a legal Rust identifier in `snake_case`.
    pub module: String,
    /// The tag, empty for operations without one.
    pub tag: String,
    /// The components.
    pub components: Vec<Component>,
}

/// An operation as a tool, resource or resource template. The members are those of
/// [`catalog::Operation`](mcpwright_runtime::catalog::Operation) where not said otherwise.
#[derive(Debug)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct Component {
    /// The constant's name in its module, `LIST_PETS`; in lower case it names the schema files.
    pub constant: String,
    /// Where the operation stands in the document.
    pub location: Location,
    /// Whether a struct of its arguments is generated.
    pub typed: bool,
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub deprecated: bool,
    pub enabled: bool,
    pub method: Method,
    pub path: String,
    pub uri: String,
    pub plain_uri: String,
    pub media_type: String,
    pub parameters: Vec<ParameterUse>,
    pub body: Option<Body>,
    pub output: Option<Output>,
    pub example: String,
    pub accept: String,
    pub answer_xml: Option<Value>,
    pub links: Vec<ResponseLinks>,
    pub definitions: Vec<String>,
    pub security: Vec<Vec<Requirement>>,
    pub servers: Vec<Server>,
    pub hints: Hints,
    pub policy: Policy,
}

/// How a component names one of its parameters.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "lists are short, and most entries are of the large variant")]
pub enum ParameterUse {
    /// A key of [`Plan::shared_parameters`].
    Shared(String),
    /// A parameter of its own.
    Own(Parameter),
}

/// A parameter; see [`catalog::Parameter`](mcpwright_runtime::catalog::Parameter).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct Parameter {
    pub name: String,
    pub argument: String,
    pub location: ParameterLocation,
    pub description: String,
    pub schema: Arc<Value>,
    pub required: bool,
    pub deprecated: bool,
    pub style: Style,
    pub explode: bool,
    pub allow_reserved: bool,
    pub allow_empty_value: bool,
    pub content: String,
    pub fixed: Option<Value>,
}

/// A request body; see [`catalog::Body`](mcpwright_runtime::catalog::Body).
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct Body {
    pub media_type: String,
    pub schema: Value,
    pub argument: String,
    pub required: bool,
    pub encoding: Vec<PartEncoding>,
    pub fixed: Vec<(String, Value)>,
    pub xml: Option<Value>,
}

/// How a part of a body is encoded; see [`catalog::PartEncoding`](mcpwright_runtime::catalog::PartEncoding).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct PartEncoding {
    pub name: String,
    pub content_type: String,
    pub style: Option<(Style, bool, bool)>,
    pub headers: Vec<(String, String)>,
    pub file: bool,
}

/// The schema of a result; see [`catalog::Output`](mcpwright_runtime::catalog::Output).
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct Output {
    pub schema: Arc<Value>,
    pub definitions: Vec<String>,
    pub wrapped: bool,
}

/// The links of a response; see [`catalog::ResponseLinks`](mcpwright_runtime::catalog::ResponseLinks).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct ResponseLinks {
    pub status: String,
    pub links: Vec<Link>,
}

/// A link; see [`catalog::Link`](mcpwright_runtime::catalog::Link).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub struct Link {
    pub name: String,
    pub description: String,
    pub kind: Kind,
    pub operation: String,
    pub arguments: Vec<(String, Value)>,
}

/// An operation that is not offered.
#[derive(Debug, Clone)]
pub struct Excluded {
    /// The method.
    pub method: Method,
    /// The key under `paths`.
    pub path: String,
    /// Why, in one sentence.
    pub reason: String,
}

impl Plan {
    /// All components in their stable order.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.groups.iter().flat_map(|group| &group.components)
    }

    /// The parameters of a component, wherever they are kept.
    pub fn parameters<'p>(&'p self, component: &'p Component) -> impl Iterator<Item = &'p Parameter> {
        component.parameters.iter().filter_map(|parameter| match parameter {
            ParameterUse::Shared(constant) => Some(&self.shared_parameters.get(constant)?.parameter),
            ParameterUse::Own(parameter) => Some(parameter),
        })
    }
}

impl Parameter {
    /// The argument's name for clients.
    pub fn argument(&self) -> &str {
        if self.argument.is_empty() { &self.name } else { &self.argument }
    }
}
