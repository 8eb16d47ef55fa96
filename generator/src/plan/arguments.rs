//! The arguments that fill the parameters: legal property names, one per parameter, whatever the document's order.

use std::collections::BTreeSet;

use mcpwright_runtime::catalog::{is_reserved_header, uri_variable};
use serde_json::Value;

use super::{
    Parameter, codes,
    decision::Decision,
    name::{hash, latin},
};
use crate::{
    api::{self, Operation, ParameterLocation},
    diagnostics::Diagnostics,
    text::{bounded, clean},
};

/// The longest property name.
const LIMIT: usize = 64;

/// A parameter, with the key under `components.parameters` when it is used as it stands there.
pub(super) struct Laid {
    pub(super) parameter: Parameter,
    pub(super) component: Option<String>,
}

/// The parameters of an operation as the decision wants them. `taken` gets the names of the visible arguments, `used`
/// the hidden and fixed names that were found.
pub(super) fn parameters(
    operation: &Operation,
    decision: &Decision,
    description_limit: usize,
    taken: &mut BTreeSet<String>,
    used: &mut BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> Vec<Laid> {
    let names = names(&operation.parameters);
    let mut laid = Vec::with_capacity(operation.parameters.len());
    for (source, argument) in operation.parameters.iter().zip(names) {
        if source.location == ParameterLocation::Header && is_reserved_header(&source.name) {
            let message = format!(
                "{} {} has the header parameter `{}`, which no argument may set; it is left out",
                operation.method, operation.path, source.name
            );
            diagnostics.push(&codes::RESERVED_HEADER, Some(source.origin.clone()), message);
            continue;
        }
        let standard = canonical(source, description_limit);
        let mut parameter = Parameter {
            argument: if argument == source.name { String::new() } else { argument.clone() },
            ..standard.clone()
        };
        let is_named = |name: &&String| **name == source.name || **name == argument;
        let fixed = decision.fixed.iter().find(|(name, _)| is_named(name));
        let hidden = decision.hidden.iter().find(is_named);
        used.extend(fixed.map(|(name, _)| name.clone()));
        used.extend(hidden.cloned());
        if let Some((_, value)) = fixed {
            parameter.fixed = Some(value.clone());
        } else if hidden.is_some() || is_hidden_by_document(source) {
            if !source.required {
                continue;
            }
            parameter.fixed = default_value(&source.schema);
            if parameter.fixed.is_none() {
                report_required(operation, &argument, diagnostics);
            }
        }
        if parameter.fixed.is_none() {
            taken.insert(argument);
        }
        let component = source.component.clone().filter(|_| parameter == standard);
        laid.push(Laid { parameter, component });
    }
    laid
}

/// `x-mcp: false` or `x-mcp: {hidden: true}` of a parameter.
fn is_hidden_by_document(parameter: &api::Parameter) -> bool {
    match parameter.extensions.get(super::extension::KEY) {
        Some(Value::Bool(false)) => true,
        Some(Value::Object(members)) => members.get("hidden") == Some(&Value::Bool(true)),
        _ => false,
    }
}

/// The only value, or the usual one, that a schema tells of.
pub(super) fn default_value(schema: &Value) -> Option<Value> {
    let only = match schema.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => Some(only),
        _ => None,
    };
    schema.get("default").or(schema.get("const")).or(only).cloned()
}

pub(super) fn report_required(operation: &Operation, argument: &str, diagnostics: &mut Diagnostics) {
    let message = format!(
        "{} {} requires `{argument}` and gives no default, so it cannot be hidden",
        operation.method, operation.path
    );
    diagnostics
        .push(&codes::HIDDEN_REQUIRED, Some(operation.location.clone()), message)
        .help(format!("give it a value: `fixed = {{ {} = … }}`", toml_key(argument)));
}

fn toml_key(key: &str) -> String {
    let bare = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { toml::Value::from(key).to_string() }
}

/// The parameter as it is where no other argument has its name: a function of the Parameter Object alone.
fn canonical(source: &api::Parameter, description_limit: usize) -> Parameter {
    let argument = legal(source);
    Parameter {
        argument: if argument == source.name { String::new() } else { argument },
        name: source.name.clone(),
        location: source.location,
        description: bounded(&clean(&source.description), description_limit).into_owned(),
        schema: source.schema.clone(),
        required: source.required,
        deprecated: source.deprecated,
        style: source.style,
        explode: source.explode,
        allow_reserved: source.allow_reserved,
        allow_empty_value: source.allow_empty_value,
        content: source.content.clone().unwrap_or_default(),
        fixed: None,
    }
}

/// One argument name per parameter. Who keeps a contested name follows from location and spelling, not from order.
fn names(parameters: &[api::Parameter]) -> Vec<String> {
    let wishes: Vec<String> = parameters.iter().map(legal).collect();
    let mut order: Vec<usize> = (0..parameters.len()).collect();
    order.sort_by_cached_key(|&index| {
        let (parameter, wish) = (&parameters[index], &wishes[index]);
        (rank(parameter.location), *wish != parameter.name, parameter.name.clone())
    });
    let mut taken = BTreeSet::new();
    let mut names = wishes.clone();
    for index in order {
        let (parameter, wish) = (&parameters[index], &wishes[index]);
        let location = location_name(parameter.location);
        let digest = hash(&format!("{location} {}", parameter.name));
        let plain = std::iter::once(wish.clone());
        let located = std::iter::once_with(|| cut(&format!("{location}_{wish}"), LIMIT));
        let hashed = [4, 8, 16].map(|length| format!("{}_{}", cut(wish, LIMIT - 1 - length), &digest[..length]));
        if let Some(name) = plain.chain(located).chain(hashed).find(|name| taken.insert(uri_variable(name))) {
            names[index] = name;
        }
    }
    names
}

fn rank(location: ParameterLocation) -> u8 {
    match location {
        ParameterLocation::Path => 0,
        ParameterLocation::Query => 1,
        ParameterLocation::QueryString => 2,
        ParameterLocation::Header => 3,
        ParameterLocation::Cookie => 4,
    }
}

fn location_name(location: ParameterLocation) -> &'static str {
    match location {
        ParameterLocation::Path => "path",
        ParameterLocation::Query => "query",
        ParameterLocation::QueryString => "querystring",
        ParameterLocation::Header => "header",
        ParameterLocation::Cookie => "cookie",
    }
}

/// Whether a property name is one that every client accepts.
pub(super) fn is_legal(name: &str) -> bool {
    name.len() <= LIMIT
        && name.starts_with(|character: char| character.is_ascii_alphanumeric() || character == '_')
        && name.chars().all(is_legal_character)
}

fn is_legal_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// The parameter's name, runs of illegal characters replaced by `_`; the location's name when nothing is left.
fn legal(parameter: &api::Parameter) -> String {
    if is_legal(&parameter.name) {
        return parameter.name.clone();
    }
    let mut legal = String::new();
    let mut gap = false;
    for character in latin(&parameter.name).chars() {
        let allowed = is_legal_character(character) && !(legal.is_empty() && matches!(character, '-' | '.'));
        if !allowed {
            gap = true;
            continue;
        }
        if gap && !legal.is_empty() && !legal.ends_with('_') {
            legal.push('_');
        }
        gap = false;
        legal.push(character);
    }
    if legal.is_empty() {
        return format!("{}_{}", location_name(parameter.location), &hash(&parameter.name)[..4]);
    }
    if legal.len() > LIMIT {
        return format!("{}_{}", cut(&legal, LIMIT - 7), &hash(&parameter.name)[..6]);
    }
    legal
}

/// At most so many bytes of ASCII text.
fn cut(text: &str, length: usize) -> String {
    text.get(..length).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{api::Style, diagnostics::Location, source::FileId};

    fn parameter(location: ParameterLocation, name: &str) -> api::Parameter {
        api::Parameter {
            name: name.into(),
            component: None,
            location,
            description: String::new(),
            required: false,
            deprecated: false,
            schema: json!({"type": "string"}).into(),
            style: Style::Form,
            explode: true,
            allow_reserved: false,
            allow_empty_value: false,
            content: None,
            extensions: Map::new(),
            origin: Location { file: FileId(0), pointer: String::new() },
        }
    }

    #[test]
    fn arguments_are_legal_unique_and_independent_of_order() {
        use ParameterLocation::{Cookie, Header, Path, Query};
        let long = "x".repeat(80);
        type Case<'c> = (&'c [(ParameterLocation, &'c str)], &'c [&'c str]);
        let cases: &[Case<'_>] = &[
            (&[(Query, "limit"), (Header, "limit")], &["limit", "header_limit"]),
            (&[(Header, "limit"), (Query, "limit")], &["header_limit", "limit"]),
            (
                &[(Cookie, "id"), (Header, "id"), (Query, "id"), (Path, "id")],
                &["cookie_id", "header_id", "query_id", "id"],
            ),
            (&[(Query, "filter[name]")], &["filter_name"]),
            (&[(Query, "$top"), (Query, "@type"), (Query, "-x"), (Query, ".y")], &["top", "type", "x", "y"]),
            (&[(Header, "X-Request-ID")], &["X-Request-ID"]),
            (&[(Query, "filter[a]"), (Query, "filter_a")], &["query_filter_a", "filter_a"]),
            (&[(Query, "a-b"), (Query, "a_b")], &["a-b", "query_a_b"]),
            (&[(Query, "größe"), (Query, "名前")], &["grosse", "Ming_Qian"]),
        ];
        for (parameters, expected) in cases {
            let parameters: Vec<_> = parameters.iter().map(|(location, name)| parameter(*location, name)).collect();
            assert_eq!(names(&parameters), *expected);
            let reversed: Vec<_> = parameters.iter().rev().cloned().collect();
            let mut back = names(&reversed);
            back.reverse();
            assert_eq!(back, *expected);
        }
        for name in [long.as_str(), "[]", "$", "\u{202e}", "..", "a b\n\"c\""] {
            let names = names(&[parameter(Query, name), parameter(Header, name), parameter(Query, "a_b_c")]);
            assert!(names.iter().all(|name| is_legal(name)), "{names:?}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3, "{names:?}");
        }
    }
}
