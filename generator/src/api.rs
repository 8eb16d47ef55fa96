//! The API that the document describes: each concept once, in the specification's words, everything inherited resolved.
//!
//! Schemas here are JSON Schema 2020-12 and refer to [`Api::definitions`] as `#/$defs/<name>`.

mod build;

use std::sync::Arc;

use mcpwright_runtime::catalog;
use serde_json::{Map, Value};

use crate::{diagnostics::Location, schema::Definitions};

pub use mcpwright_runtime::catalog::{ApiKeyLocation, FlowKind, Location as ParameterLocation, Method, Style};

/// A whole API.
#[derive(Debug)]
pub struct Api {
    /// `info` and what else describes the document itself.
    pub document: DocumentInfo,
    /// `servers`.
    pub servers: Vec<Server>,
    /// `components.securitySchemes`.
    pub security_schemes: Vec<SecurityScheme>,
    /// `tags`, also those that only operations name.
    pub tags: Vec<Tag>,
    /// The operations of `paths`, in the document's order.
    pub operations: Vec<Operation>,
    /// Operations that could not be read; each has a diagnostic.
    pub lost: Vec<LostOperation>,
    /// The schemas that operations share.
    pub definitions: Definitions,
    /// `x-mcp` of the document's root: defaults for the operations' own.
    pub extensions: Map<String, Value>,
}

/// What describes the document itself.
#[derive(Debug, Clone, Default)]
pub struct DocumentInfo {
    /// The root file's name as it was given.
    pub file: String,
    /// `openapi` or `swagger`: `3.0.3`.
    pub openapi: String,
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// `info.description`, as written.
    pub description: String,
}

/// A Server Object.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// The URL, possibly relative, with `{variables}`.
    pub url: String,
    /// What the server is.
    pub description: String,
    /// The variables of the URL.
    pub variables: Vec<ServerVariable>,
}

/// A Server Variable Object.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerVariable {
    /// The name between braces.
    pub name: String,
    /// The value used when none is configured.
    pub default: String,
    /// `enum`; any value when empty.
    pub values: Vec<String>,
    /// What the variable means.
    pub description: String,
}

/// A Security Scheme Object.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityScheme {
    /// The key under `components.securitySchemes`.
    pub name: String,
    /// The kind of credential.
    pub kind: SecuritySchemeKind,
    /// What the document says of it.
    pub description: String,
    /// Where it stands.
    pub location: Location,
}

/// The kinds of credentials; see [`catalog::SecuritySchemeKind`].
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the members are those of the catalog")]
pub enum SecuritySchemeKind {
    ApiKey { name: String, location: ApiKeyLocation },
    HttpBasic,
    HttpBearer { format: String },
    Http { scheme: String },
    OAuth2 { flows: Vec<Flow> },
    OpenIdConnect { url: String },
    MutualTls,
}

/// An OAuth Flow Object; absent URLs are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Which flow.
    pub kind: FlowKind,
    /// `authorizationUrl` or `deviceAuthorizationUrl`.
    pub authorization_url: String,
    /// `tokenUrl`.
    pub token_url: String,
    /// `refreshUrl`.
    pub refresh_url: String,
    /// Scope names and descriptions.
    pub scopes: Vec<(String, String)>,
}

/// One scheme that an operation requires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The name of a scheme in [`Api::security_schemes`].
    pub scheme: String,
    /// The scopes.
    pub scopes: Vec<String>,
}

/// A Tag Object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The name.
    pub name: String,
    /// What it groups.
    pub description: String,
}

/// An Operation Object with everything that it inherits from its path and from the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `operationId`.
    pub id: Option<String>,
    /// The method.
    pub method: Method,
    /// The key under `paths`.
    pub path: String,
    /// `summary`; the path item's when the operation has none.
    pub summary: String,
    /// `description`; the path item's when the operation has none.
    pub description: String,
    /// `tags`.
    pub tags: Vec<String>,
    /// `deprecated`.
    pub deprecated: bool,
    /// The effective parameters: the path item's, overridden by the operation's; path parameters in the template's
    /// order, then the others in the document's. Every template variable has one.
    pub parameters: Vec<Parameter>,
    /// The request body.
    pub body: Option<Body>,
    /// The responses, in the document's order, `default` last.
    pub responses: Vec<Response>,
    /// The effective requirements: alternatives (OR) of schemes (AND). Empty: none.
    pub security: Vec<Vec<Requirement>>,
    /// The operation's or the path item's own servers; empty: those of the document.
    pub servers: Vec<Server>,
    /// The `x-` members of the operation, with those of its path item where it has none of that name.
    pub extensions: Map<String, Value>,
    /// Where the operation stands.
    pub location: Location,
}

/// A Parameter Object with its defaults applied.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name on the wire.
    pub name: String,
    /// The key under `components.parameters` when the operation refers to it.
    pub component: Option<String>,
    /// `in`.
    pub location: ParameterLocation,
    /// What it means.
    pub description: String,
    /// Whether a request without it is wrong.
    pub required: bool,
    /// `deprecated`.
    pub deprecated: bool,
    /// The schema of the value, [`Direction::Request`](crate::schema::Direction::Request). `example` and `examples` of
    /// the parameter are in its `examples`.
    pub schema: Arc<Value>,
    /// How arrays and objects are written.
    pub style: Style,
    /// Whether each element is a pair of its own.
    pub explode: bool,
    /// Whether reserved characters stay unencoded.
    pub allow_reserved: bool,
    /// Whether an empty value may be sent as a bare name.
    pub allow_empty_value: bool,
    /// The media type of a parameter with `content`.
    pub content: Option<String>,
    /// The `x-` members.
    pub extensions: Map<String, Value>,
    /// Where the Parameter Object stands.
    pub origin: Location,
}

/// A Request Body Object.
#[derive(Debug, Clone)]
pub struct Body {
    /// Whether a request without it is wrong.
    pub required: bool,
    /// What it is.
    pub description: String,
    /// The alternatives, in the document's order.
    pub content: Vec<MediaType>,
    /// Where it stands.
    pub location: Location,
}

/// A Media Type Object.
#[derive(Debug, Clone)]
pub struct MediaType {
    /// The media type or range as written, `application/json; charset=utf-8`.
    pub media_type: String,
    /// The schema in the direction of its use; `None` when the document gives none.
    pub schema: Option<Arc<Value>>,
    /// The schema with the `xml` keywords of OpenAPI, every reference resolved once along each path, for XML media types
    /// only, and of responses only for those that offer no JSON.
    pub xml: Option<Value>,
    /// `example`, or the first of `examples`.
    pub example: Option<Value>,
    /// `encoding`, by property.
    pub encoding: Vec<Encoding>,
    /// `itemSchema` (OpenAPI 3.2): `schema` is then of one item of a sequence.
    pub sequential: bool,
    /// Where it stands.
    pub location: Location,
}

/// An Encoding Object.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// The property.
    pub name: String,
    /// `contentType`; empty for the default.
    pub content_type: String,
    /// `style`, `explode` and `allowReserved`; `None` when none of them is set.
    pub style: Option<(Style, bool, bool)>,
    /// Headers with a constant or default value.
    pub headers: Vec<(String, String)>,
}

/// A Response Object.
#[derive(Debug, Clone)]
pub struct Response {
    /// `200`, `2XX` or `default`.
    pub status: String,
    /// What it means.
    pub description: String,
    /// The alternatives, in the document's order.
    pub content: Vec<MediaType>,
    /// The names of the headers.
    pub headers: Vec<String>,
    /// `links` as written.
    pub links: Map<String, Value>,
}

impl Response {
    /// Whether it is a 2xx.
    pub fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }
}

/// An operation that could not be read.
#[derive(Debug, Clone)]
pub struct LostOperation {
    /// The method.
    pub method: Method,
    /// The key under `paths`.
    pub path: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Where it stands.
    pub location: Location,
}

/// The annotations that a method implies (RFC 9110 §9.2).
pub fn hints(method: Method) -> catalog::Hints {
    match method {
        Method::Get | Method::Head | Method::Options | Method::Trace | Method::Query => catalog::Hints::READ,
        Method::Post => catalog::Hints::CREATE,
        Method::Put | Method::Delete => catalog::Hints::REPLACE,
        Method::Patch | Method::Other(_) => catalog::Hints::UPDATE,
    }
}
