//! Parameters: one value of a request outside of its body.

/// A Parameter Object, and the argument that fills it.
#[derive(Debug)]
pub struct Parameter {
    /// The name on the wire.
    pub name: &'static str,
    /// The argument's name for clients; empty when it is `name`.
    pub argument: &'static str,
    /// Where the value goes.
    pub location: Location,
    /// What the parameter means.
    pub description: &'static str,
    /// JSON Schema 2020-12 text of the value.
    pub schema: &'static str,
    /// Whether a request without it is wrong.
    pub required: bool,
    /// `deprecated`.
    pub deprecated: bool,
    /// How arrays and objects are written (OpenAPI 3.2 §4.12.2.2).
    pub style: Style,
    /// Whether each element is a pair of its own.
    pub explode: bool,
    /// Whether reserved characters (RFC 3986 §2.2) stay unencoded.
    pub allow_reserved: bool,
    /// Whether an empty value may be sent as a bare name.
    pub allow_empty_value: bool,
    /// The media type of a parameter with `content`; empty for one with a style.
    pub content: &'static str,
    /// JSON text of the value that is sent always; clients do not see such a parameter. Empty: the client's argument.
    pub fixed: &'static str,
}

impl Parameter {
    /// An optional query parameter: `form`, exploded.
    pub const QUERY: Parameter = Parameter {
        name: "",
        argument: "",
        location: Location::Query,
        description: "",
        schema: "{}",
        required: false,
        deprecated: false,
        style: Style::Form,
        explode: true,
        allow_reserved: false,
        allow_empty_value: false,
        content: "",
        fixed: "",
    };
    /// A path parameter, which is always required: `simple`.
    pub const PATH: Parameter = Parameter {
        location: Location::Path,
        required: true,
        style: Style::Simple,
        explode: false,
        ..Parameter::QUERY
    };
    /// An optional header parameter: `simple`.
    pub const HEADER: Parameter =
        Parameter { location: Location::Header, style: Style::Simple, explode: false, ..Parameter::QUERY };
    /// An optional cookie parameter: `form`, exploded.
    pub const COOKIE: Parameter = Parameter { location: Location::Cookie, ..Parameter::QUERY };
    /// The whole query string as one value with `content` (OpenAPI 3.2).
    pub const QUERY_STRING: Parameter = Parameter { location: Location::QueryString, ..Parameter::QUERY };

    /// The argument's name for clients.
    pub const fn argument(&self) -> &'static str {
        if self.argument.is_empty() { self.name } else { self.argument }
    }
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// A variable of the path template.
    Path,
    /// The query.
    Query,
    /// The whole query string (OpenAPI 3.2).
    QueryString,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

/// How a parameter's value is written. `tsv` of Swagger 2.0 is [`Style::TabDelimited`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// `a,b`
    Simple,
    /// `.a.b`
    Label,
    /// `;name=a,b`
    Matrix,
    /// `name=a&name=b` or `name=a,b`
    Form,
    /// `name=a%20b`
    SpaceDelimited,
    /// `name=a|b`
    PipeDelimited,
    /// `name=a%09b` (Swagger 2.0)
    TabDelimited,
    /// `name[key]=a`
    DeepObject,
    /// Cookies as RFC 6265 writes them, without percent-encoding (OpenAPI 3.2)
    Cookie,
}

/// The name of a URI template's variable for an argument: every character that RFC 6570 §2.3 does not allow is `_`.
pub fn uri_variable(argument: &str) -> String {
    let mut variable = String::with_capacity(argument.len());
    for character in argument.chars() {
        variable.push(if character.is_ascii_alphanumeric() { character } else { '_' });
    }
    variable
}

/// Whether a header frames the message, routes it, or carries the identity of somebody: never an argument's to set.
pub fn is_reserved_header(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "host",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "cookie",
        "proxy-authorization",
        "proxy-authenticate",
        "proxy-connection",
        "http2-settings",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || name.starts_with("mcp-")
}
