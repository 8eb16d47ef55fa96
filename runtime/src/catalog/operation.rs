//! Operations: what one call of the API is, and how it appears to MCP clients.

use super::{Parameter, Requirement, ResponseLinks, Server};

/// One operation of the API and the MCP component that it becomes.
#[derive(Debug)]
pub struct Operation {
    /// `operationId`, empty when the document has none.
    pub id: &'static str,
    /// The component's name for clients: `^[A-Za-z0-9_-]{1,64}$`, unique per kind.
    pub name: &'static str,
    /// What the operation is offered as.
    pub kind: Kind,
    /// A title for people.
    pub title: &'static str,
    /// What the operation does, for models.
    pub description: &'static str,
    /// The tags of the document and of the route map.
    pub tags: &'static [&'static str],
    /// `deprecated`.
    pub deprecated: bool,
    /// Whether the component is offered from the start; one that is not can be enabled later, by name or tag.
    pub enabled: bool,
    /// The HTTP method.
    pub method: Method,
    /// The templated path as written in the document, `/pets/{petId}`; it may have a query (`/pets?beta=true`).
    pub path: &'static str,
    /// For resources the URI, for resource templates the RFC 6570 template; empty for tools. Variables are named by
    /// [`uri_variable`](super::uri_variable) of [`Parameter::argument`]. Path variables lie in the path, where arrays
    /// are lists (`1,2`); the query holds the others, `{?a,b*}` (`{&a,b*}` after a query of the path's own), where
    /// arrays are exploded and starred. Objects, arrays in arrays and parameters with `content` are JSON text in one
    /// variable. Header and cookie parameters and the body, all optional then, are not in the URI.
    pub uri: &'static str,
    /// For a resource template whose variables are all optional: the URI of the plain resource. Else empty.
    pub plain_uri: &'static str,
    /// The media type that a resource is expected to have; empty when unknown.
    pub media_type: &'static str,
    /// The parameters: path, query, header, cookie.
    pub parameters: &'static [&'static Parameter],
    /// The request body, if the operation takes one.
    pub body: Option<&'static Body>,
    /// The schema of the successful result, if one is offered to clients.
    pub output: Option<&'static Output>,
    /// An example of the successful response's body, as the document gives it (JSON text, or text of `media_type`);
    /// empty when it gives none. Answers of `--mock` come from it.
    pub example: &'static str,
    /// The value of `Accept`: the media types of the successful responses. Empty means `*/*`.
    pub accept: &'static str,
    /// The schema of a successful answer that is never JSON but XML: types, names and the `xml` keywords of the document,
    /// every reference resolved. Empty when the document gives none.
    pub answer_xml: &'static str,
    /// The links of the responses. The most exact entry for a status counts; empty when no response has any.
    pub links: &'static [ResponseLinks],
    /// The closed list of definitions that parameters and body refer to, directly or through other definitions.
    pub definitions: &'static [&'static str],
    /// Alternatives (OR) of schemes that must all be met (AND). Empty, or with an empty alternative: none needed.
    pub security: &'static [&'static [Requirement]],
    /// Servers of the operation or of its path; empty means those of the API.
    pub servers: &'static [&'static Server],
    /// The tool annotations.
    pub hints: Hints,
    /// How the upstream call behaves where it differs from the server's settings.
    pub policy: Policy,
}

impl Operation {
    /// A tool without parameters that calls `GET`.
    pub const DEFAULT: Operation = Operation {
        id: "",
        name: "",
        kind: Kind::Tool,
        title: "",
        description: "",
        tags: &[],
        deprecated: false,
        enabled: true,
        method: Method::Get,
        path: "",
        uri: "",
        plain_uri: "",
        media_type: "",
        parameters: &[],
        body: None,
        output: None,
        example: "",
        accept: "",
        answer_xml: "",
        links: &[],
        definitions: &[],
        security: &[],
        servers: &[],
        hints: Hints::READ,
        policy: Policy::DEFAULT,
    };
}

/// What an operation is offered to clients as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `tools/call`.
    Tool,
    /// `resources/read` of a fixed URI.
    Resource,
    /// `resources/read` of a URI that matches a template.
    ResourceTemplate,
}

/// An HTTP method. Methods that OpenAPI 3.2 allows beyond the named ones are [`Method::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `HEAD`
    Head,
    /// `PATCH`
    Patch,
    /// `TRACE`
    Trace,
    /// `QUERY`: safe, with a body (OpenAPI 3.2)
    Query,
    /// A method of `additionalOperations` (OpenAPI 3.2), as written there.
    Other(&'static str),
}

impl Method {
    /// The method as it goes over the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Head => "HEAD",
            Method::Patch => "PATCH",
            Method::Trace => "TRACE",
            Method::Query => "QUERY",
            Method::Other(name) => name,
        }
    }

    /// Whether the method is safe (RFC 9110 §9.2.1).
    pub const fn is_safe(self) -> bool {
        matches!(self, Method::Get | Method::Head | Method::Options | Method::Trace | Method::Query)
    }

    /// Whether the method is idempotent (RFC 9110 §9.2.2).
    pub const fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Method::Put | Method::Delete)
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The body of a request. An XML body may also be a string, the document itself.
#[derive(Debug)]
pub struct Body {
    /// The media type that is sent. A body that is neither JSON, form, multipart, text nor XML is a file: its argument
    /// is an object with `data` (base64) or `text`, and optionally `contentType`, which then wins over this one.
    pub media_type: &'static str,
    /// The schema of the body, JSON Schema 2020-12 text; for a flattened body an object schema with `properties`.
    pub schema: &'static str,
    /// The argument that holds the whole body. Empty: the body is an object whose properties lie beside the parameters.
    pub argument: &'static str,
    /// Whether a request without a body is wrong.
    pub required: bool,
    /// How parts of a form or multipart body are encoded, where it is not the default for their type.
    pub encoding: &'static [PartEncoding],
    /// Members that are sent always and that clients do not see: name and JSON text of the value.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The element names and shapes of an XML body: the schema with the `xml` keywords of the document, that of the root
    /// with at least a `name` (the component's when the document gives none). Else empty.
    pub xml: &'static str,
}

impl Body {
    /// A required JSON body that is flattened into the arguments.
    pub const JSON: Body = Body {
        media_type: "application/json",
        schema: "{}",
        argument: "",
        required: true,
        encoding: &[],
        fixed: &[],
        xml: "",
    };
}

/// How one part of a form or multipart body is encoded: the Encoding Object.
#[derive(Debug)]
pub struct PartEncoding {
    /// The property of the body.
    pub name: &'static str,
    /// `contentType`, possibly a comma-separated list; empty for the default.
    pub content_type: &'static str,
    /// `style`, `explode` and `allowReserved` as for a query parameter; `None` when the document sets none of them.
    pub style: Option<(super::Style, bool, bool)>,
    /// Fixed headers of the part: name and value.
    pub headers: &'static [(&'static str, &'static str)],
    /// Whether the property is a file, or an array of files: objects with `data` (base64) or `text`, and optionally
    /// `filename` and `contentType`.
    pub file: bool,
}

impl PartEncoding {
    /// The defaults of the media type.
    pub const DEFAULT: PartEncoding =
        PartEncoding { name: "", content_type: "", style: None, headers: &[], file: false };
}

/// The schema of a successful result.
#[derive(Debug)]
pub struct Output {
    /// JSON Schema 2020-12 text of the response's body.
    pub schema: &'static str,
    /// The closed list of definitions that the schema refers to.
    pub definitions: &'static [&'static str],
    /// Whether the body is not always an object, so that clients see it as the member `result` of one.
    pub wrapped: bool,
}

impl Output {
    /// An object without any constraint.
    pub const DEFAULT: Output = Output { schema: r#"{"type":"object"}"#, definitions: &[], wrapped: false };
}

/// Tool annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hints {
    /// The tool changes nothing.
    pub read_only: bool,
    /// The tool may destroy or overwrite something.
    pub destructive: bool,
    /// Calling again with the same arguments changes nothing more.
    pub idempotent: bool,
    /// The tool deals with a world outside of the server.
    pub open_world: bool,
}

impl Hints {
    /// Reads only.
    pub const READ: Hints = Hints { read_only: true, destructive: false, idempotent: true, open_world: true };
    /// Creates; never overwrites.
    pub const CREATE: Hints = Hints { read_only: false, destructive: false, idempotent: false, open_world: true };
    /// Overwrites; the same again changes nothing more.
    pub const REPLACE: Hints = Hints { read_only: false, destructive: true, idempotent: true, open_world: true };
    /// Changes in a way that may overwrite.
    pub const UPDATE: Hints = Hints { read_only: false, destructive: true, idempotent: false, open_world: true };
}

/// How calls of one operation behave where that differs from the server's settings.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Milliseconds until a call is given up.
    pub timeout_ms: Option<u32>,
    /// How often a failed call is repeated.
    pub retries: Option<u8>,
    /// The largest response body that is read, in bytes.
    pub max_response_bytes: Option<u32>,
}

impl Policy {
    /// The server's settings.
    pub const DEFAULT: Policy = Policy { timeout_ms: None, retries: None, max_response_bytes: None };
}
