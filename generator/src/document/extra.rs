//! What OpenAPI 3.0 cannot say, kept in extensions of the openapiv3 types. Members of these names in a document are
//! dropped before anything is added, so that they can be trusted.

/// The prefix of all of them.
pub const PREFIX: &str = "x-mcpwright-";
/// On a parameter: the key under `components.parameters` that it was referred to by.
pub const COMPONENT: &str = "x-mcpwright-component";
/// On parameters, bodies and media types: where it stands, the number of the file before the pointer.
pub const ORIGIN: &str = "x-mcpwright-origin";
/// On a parameter: `querystring` for `in: querystring`.
pub const LOCATION: &str = "x-mcpwright-in";
/// On a parameter: its style, also those that openapiv3 does not know or not there (`cookie`, `tabDelimited`).
pub const STYLE: &str = "x-mcpwright-style";
/// On a parameter: `allowReserved: true`, wherever the parameter is.
pub const ALLOW_RESERVED: &str = "x-mcpwright-allow-reserved";
/// On a parameter: `allowEmptyValue: true`, wherever the parameter is.
pub const ALLOW_EMPTY_VALUE: &str = "x-mcpwright-allow-empty-value";
/// On an encoding: `true` when the document sets style, explode or allowReserved.
pub const STYLED: &str = "x-mcpwright-styled";
/// On a response: the names of its headers. On an encoding: headers with a constant value.
pub const HEADERS: &str = "x-mcpwright-headers";
/// On a response: its links.
pub const LINKS: &str = "x-mcpwright-links";
/// On a media type: `true` when its schema is `itemSchema`.
pub const SEQUENTIAL: &str = "x-mcpwright-sequential";
