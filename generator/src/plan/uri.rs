//! URIs of resources and RFC 6570 templates of resource templates.

use mcpwright_runtime::catalog::{Kind, uri_variable};
use serde_json::Value;

use super::{Body, Parameter, body::resolve, media};
use crate::{
    api::{Operation, ParameterLocation},
    schema::Definitions,
};

/// An operation as a resource.
pub(super) struct Uris {
    pub(super) kind: Kind,
    pub(super) uri: String,
    pub(super) plain_uri: String,
}

/// The URI or template of an operation that is to be a resource (`wanted` says which); why not, when it cannot be one.
pub(super) fn uris(
    operation: &Operation,
    wanted: Kind,
    server: &str,
    parameters: &[&Parameter],
    body: Option<&Body>,
    definitions: &Definitions,
) -> Result<Uris, String> {
    if !media::is_readable(operation.method) {
        return Err(format!("resources are read with GET, not with {}", operation.method));
    }
    if body.is_some_and(|body| body.required) {
        return Err("it needs a body".to_owned());
    }
    let visible = || parameters.iter().filter(|parameter| parameter.fixed.is_none());
    let location = |location| visible().filter(move |parameter| parameter.location == location);
    for (place, name) in [
        (ParameterLocation::Header, "header"),
        (ParameterLocation::Cookie, "cookie"),
        (ParameterLocation::QueryString, "query string"),
    ] {
        // A template has no variable for a whole query string, so that not even an optional one could be given.
        let counts = |parameter: &&&Parameter| parameter.required || place == ParameterLocation::QueryString;
        if let Some(parameter) = location(place).find(counts) {
            return Err(format!("it needs the {name} `{}`", crate::text::one_line(&parameter.name)));
        }
    }
    let path = path(operation, server, parameters)?;
    let query: Vec<&&Parameter> = location(ParameterLocation::Query).collect();
    let has_path_variables = location(ParameterLocation::Path).next().is_some();
    let needs_query = query.iter().any(|parameter| parameter.required);
    if query.is_empty() || (wanted == Kind::Resource && !needs_query) {
        let kind = if has_path_variables { Kind::ResourceTemplate } else { Kind::Resource };
        return Ok(Uris { kind, uri: path, plain_uri: String::new() });
    }
    let variables: Vec<String> = query
        .iter()
        .map(|parameter| {
            let star = if may_be_array(parameter, definitions) { "*" } else { "" };
            format!("{}{star}", uri_variable(parameter.argument()))
        })
        .collect();
    let operator = if path.contains('?') { '&' } else { '?' };
    let uri = format!("{path}{{{operator}{}}}", variables.join(","));
    let plain_uri = if has_path_variables || needs_query { String::new() } else { path };
    Ok(Uris { kind: Kind::ResourceTemplate, uri, plain_uri })
}

/// `api://server/path` with the path's variables; what is no legal character of a URI is percent-encoded, a fragment too,
/// since it tells paths apart in documents that have one.
fn path(operation: &Operation, server: &str, parameters: &[&Parameter]) -> Result<String, String> {
    let mut uri = format!("api://{server}");
    if !operation.path.starts_with('/') {
        uri.push('/');
    }
    let mut has_query = false;
    let mut rest = operation.path.as_str();
    while let Some(character) = rest.chars().next() {
        let variable = rest.strip_prefix('{').and_then(|after| after.split_once('}'));
        if let Some((name, after)) = variable {
            let parameter = parameters
                .iter()
                .find(|parameter| parameter.location == ParameterLocation::Path && parameter.name == name);
            let Some(parameter) = parameter else {
                return Err(format!("its path has no parameter for `{{{}}}`", crate::text::one_line(name)));
            };
            match &parameter.fixed {
                Some(value) => encode(&mut uri, &value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
                None => {
                    uri.push('{');
                    uri.push_str(&uri_variable(parameter.argument()));
                    uri.push('}');
                }
            }
            rest = after;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            '?' if !has_query => {
                has_query = true;
                uri.push('?');
            }
            '/' | ':' | '@' | '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '=' => uri.push(character),
            '%' if rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()) => uri.push('%'),
            _ => encode(&mut uri, character.encode_utf8(&mut [0; 4])),
        }
    }
    Ok(uri)
}

/// Appends a text with everything but unreserved characters (RFC 3986 §2.3) percent-encoded.
fn encode(uri: &mut String, text: &str) {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    uri.extend(utf8_percent_encode(text, &UNRESERVED));
}

/// Whether a query parameter's value may be an array; that of one with `content` is JSON text.
fn may_be_array(parameter: &Parameter, definitions: &Definitions) -> bool {
    parameter.content.is_empty() && has_array(&parameter.schema, definitions, 0)
}

fn has_array(schema: &Value, definitions: &Definitions, depth: usize) -> bool {
    if depth > 8 {
        return false;
    }
    let schema = resolve(schema, definitions);
    let typed = match schema.get("type") {
        Some(Value::String(only)) => only == "array",
        Some(Value::Array(several)) => several.iter().any(|one| one == "array"),
        _ => false,
    };
    typed
        || ["anyOf", "oneOf", "allOf"].iter().any(|key| {
            schema
                .get(*key)
                .and_then(Value::as_array)
                .is_some_and(|members| members.iter().any(|member| has_array(member, definitions, depth + 1)))
        })
}
