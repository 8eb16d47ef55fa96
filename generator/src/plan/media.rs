//! Media types: what kind of content they are, and which of several is best for a model.

use mcpwright_runtime::catalog;

use crate::api::MediaType;

/// Kinds of content, best first for request bodies. The runtime tells the same kinds apart when it writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// `application/json`, `text/json`
    Json,
    /// `application/merge-patch+json`: an object like the resource itself.
    MergePatch,
    /// Other `+json`.
    JsonSuffix,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/…`
    Multipart,
    /// JSON values one after the other: NDJSON, JSON text sequences.
    Sequence,
    /// YAML, of which JSON is a part.
    Yaml,
    /// `text/…`, JavaScript, SQL …
    Text,
    /// XML.
    Xml,
    /// Bytes.
    Binary,
}

/// Type and subtype in lower case, without parameters.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether the media type can stand in a header: two tokens (RFC 9110 §8.3.1), possibly with parameters.
pub(super) fn is_well_formed(media_type: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    essence(media_type).split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
        && media_type.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The kind of content of a media type.
pub(super) fn class(media_type: &str) -> Class {
    let essence = essence(media_type);
    let (kind, subtype) = essence.split_once('/').unwrap_or(("", &essence));
    match (kind, subtype) {
        ("application" | "text", "json") => Class::Json,
        ("application", "merge-patch+json") => Class::MergePatch,
        ("application", "x-www-form-urlencoded") => Class::Form,
        ("multipart", _) => Class::Multipart,
        ("application" | "text", "xml") => Class::Xml,
        (_, "stream+json") => Class::Sequence,
        _ if subtype.ends_with("+json") => Class::JsonSuffix,
        _ if subtype.ends_with("+xml") => Class::Xml,
        (_, "ndjson" | "x-ndjson" | "jsonl" | "x-jsonlines" | "jsonlines" | "json-lines" | "json-seq") => {
            Class::Sequence
        }
        _ if subtype.ends_with("+json-seq") => Class::Sequence,
        (_, "yaml" | "x-yaml") => Class::Yaml,
        _ if subtype.ends_with("+yaml") => Class::Yaml,
        ("text", _)
        | (_, "graphql" | "javascript" | "ecmascript" | "sql" | "toml" | "jwt" | "x-sh" | "jsonpath" | "csv") => {
            Class::Text
        }
        _ => Class::Binary,
    }
}

/// Whether the content is JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    matches!(class(media_type), Class::Json | Class::MergePatch | Class::JsonSuffix)
}

/// The value of `Accept`: JSON before the rest, nothing when everything is acceptable.
pub(super) fn accept<'a>(content: impl Iterator<Item = &'a MediaType>) -> String {
    let mut types: Vec<String> = Vec::new();
    for media_type in content {
        let essence = essence(&media_type.media_type);
        if is_well_formed(&essence) && !types.contains(&essence) {
            types.push(essence);
        }
    }
    if types.iter().any(|media_type| media_type == "*/*") {
        return String::new();
    }
    let has_json = types.iter().any(|media_type| is_json(media_type));
    let (best, rest): (Vec<String>, Vec<String>) =
        types.into_iter().partition(|media_type| !has_json || is_json(media_type));
    best.into_iter().chain(rest.into_iter().map(|other| format!("{other};q=0.5"))).collect::<Vec<_>>().join(", ")
}

/// Whether an operation of this method may stand behind a resource.
pub(super) fn is_readable(method: catalog::Method) -> bool {
    method == catalog::Method::Get
}
