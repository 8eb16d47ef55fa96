//! The faults of a value, in words that lead to a right one.

use std::fmt;

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

/// The longest piece of a value or of an allowed list that a message shows, in characters.
const MAX_SHOWN: usize = 80;
/// How many allowed values a message lists.
const MAX_LISTED: usize = 20;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The argument's path, `owner.tags[0]`; empty for the whole.
    pub(super) argument: String,
    /// What is wrong and what is allowed.
    pub(super) problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.argument.as_str(), self.problem.as_str()) {
            ("", problem) => write!(formatter, "the arguments: {problem}"),
            (argument, "is missing") => write!(formatter, "`{argument}` is missing"),
            (argument, problem) => write!(formatter, "`{argument}`: {problem}"),
        }
    }
}

/// Collects at most `limit` faults, the last of which then says that there are more.
pub(super) fn collect(validator: &jsonschema::Validator, schema: &Value, value: &Value, limit: usize) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut more = false;
    for error in validator.iter_errors(value) {
        for fault in of(&error, schema, value) {
            if faults.contains(&fault) {
                continue;
            }
            if faults.len() == limit {
                more = true;
                break;
            }
            faults.push(fault);
        }
        if more {
            faults.push(Fault { argument: String::new(), problem: "there are more faults".to_owned() });
            break;
        }
    }
    faults
}

fn of(error: &ValidationError<'_>, schema: &Value, root: &Value) -> Vec<Fault> {
    let path = path(error.instance_path().as_str(), root);
    let instance = error.instance();
    let shown = || shown(instance);
    let one = |problem: String| vec![Fault { argument: path.clone(), problem }];
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Fault { argument: joined(&path, name), problem: "is missing".to_owned() }]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known = known(error, schema);
            unexpected
                .iter()
                .map(|name| {
                    let argument = joined(&path, &bounded(name));
                    let problem = match nearest(name, &known) {
                        Some(nearest) => format!("no such argument; did you mean `{nearest}`?"),
                        None if known.is_empty() => "no such argument".to_owned(),
                        None => format!(
                            "no such argument; there are {}",
                            list(known.iter().map(|name| format!("`{name}`")))
                        ),
                    };
                    Fault { argument, problem }
                })
                .collect()
        }
        Kind::Type { kind } => one(format!("{} is not {}", shown(), types(kind))),
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(self::shown);
            one(format!("{} is not one of {}", shown(), list(options)))
        }
        Kind::Constant { expected_value } => one(format!("{} is not {}", shown(), self::shown(expected_value))),
        Kind::Maximum { limit } => one(format!("{} is more than the maximum {limit}", shown())),
        Kind::Minimum { limit } => one(format!("{} is less than the minimum {limit}", shown())),
        Kind::ExclusiveMaximum { limit } => one(format!("{} is not less than {limit}", shown())),
        Kind::ExclusiveMinimum { limit } => one(format!("{} is not more than {limit}", shown())),
        Kind::MultipleOf { multiple_of } => one(format!("{} is not a multiple of {multiple_of}", shown())),
        Kind::MaxLength { limit } => one(format!("is longer than {limit} characters")),
        Kind::MinLength { limit } => one(format!("{} is shorter than {limit} characters", shown())),
        Kind::MaxItems { limit } => one(format!("has more than {limit} items")),
        Kind::MinItems { limit } => one(format!("has fewer than {limit} items")),
        Kind::MaxProperties { limit } => one(format!("has more than {limit} members")),
        Kind::MinProperties { limit } => one(format!("has fewer than {limit} members")),
        Kind::UniqueItems => one("has the same item twice".to_owned()),
        Kind::Pattern { pattern } => one(format!("{} does not match the pattern {}", shown(), bounded(pattern))),
        Kind::Format { format } => one(format!("{} is no {format}", shown())),
        Kind::PropertyNames { error } => {
            one(format!("has a member whose name is not allowed: {}", bounded(&error.to_string())))
        }
        Kind::FalseSchema => one("is not allowed".to_owned()),
        Kind::OneOfMultipleValid { .. } => {
            one(format!("{} matches more than one of the alternatives; it has to match exactly one", shown()))
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            alternatives(context, &path, schema, root, shown())
        }
        _ => one(bounded(&error.to_string())),
    }
}

/// The faults of the alternative that comes nearest: the one with the fewest, those of type counting most.
fn alternatives(
    context: &[Vec<ValidationError<'static>>],
    path: &str,
    schema: &Value,
    root: &Value,
    shown: String,
) -> Vec<Fault> {
    let weight = |errors: &Vec<ValidationError<'static>>| {
        let at_root = |error: &&ValidationError<'static>| {
            matches!(error.kind(), Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. } | Kind::FalseSchema)
        };
        (errors.iter().filter(at_root).count(), errors.len())
    };
    let all_types: Option<Vec<String>> = context
        .iter()
        .map(|errors| match errors.as_slice() {
            [error] => match error.kind() {
                Kind::Type { kind } => Some(types(kind)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    if let Some(mut kinds) = all_types {
        kinds.dedup();
        return vec![Fault { argument: path.to_owned(), problem: format!("{shown} is not {}", kinds.join(" or ")) }];
    }
    let nearest = context.iter().min_by_key(|errors| weight(errors));
    let mut faults: Vec<Fault> =
        nearest.into_iter().flatten().take(3).flat_map(|error| of(error, schema, root)).collect();
    if faults.is_empty() {
        faults.push(Fault { argument: path.to_owned(), problem: format!("{shown} matches none of the alternatives") });
    }
    faults
}

fn types(kind: &TypeKind) -> String {
    let name = |kind: jsonschema::JsonType| match kind {
        jsonschema::JsonType::Array => "an array",
        jsonschema::JsonType::Boolean => "a boolean",
        jsonschema::JsonType::Integer => "an integer",
        jsonschema::JsonType::Null => "null",
        jsonschema::JsonType::Number => "a number",
        jsonschema::JsonType::Object => "an object",
        jsonschema::JsonType::String => "a string",
    };
    match kind {
        TypeKind::Single(kind) => name(*kind).to_owned(),
        TypeKind::Multiple(kinds) => kinds.iter().map(name).collect::<Vec<_>>().join(" or "),
    }
}

/// The names that the object may have, by the schema that refused it.
fn known(error: &ValidationError<'_>, schema: &Value) -> Vec<String> {
    let pointer = error.schema_path().as_str();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|parent| parent.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    known
        .iter()
        .map(|candidate| {
            let folded = |text: &str| {
                text.chars().filter(|character| character.is_alphanumeric()).collect::<String>().to_lowercase()
            };
            let likeness = if folded(candidate) == folded(name) { 1.0 } else { strsim::jaro_winkler(candidate, name) };
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// A JSON pointer as a path that people read: `owner.tags[0]`.
fn path(pointer: &str, root: &Value) -> String {
    let mut path = String::new();
    let mut value = Some(root);
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        match value {
            Some(Value::Array(items)) => {
                path.push_str(&format!("[{name}]"));
                value = name.parse::<usize>().ok().and_then(|index| items.get(index));
            }
            current => {
                path = joined(&path, &bounded(&name));
                value = current.and_then(|current| current.get(&name));
            }
        }
    }
    path
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "the object".to_owned(),
        Value::Array(_) => "the array".to_owned(),
        Value::String(text) if text.len() > 4 * MAX_SHOWN => {
            format!("\"{}…\"", text.chars().take(MAX_SHOWN).collect::<String>().escape_debug())
        }
        value => bounded(&value.to_string()),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    if items.len() > MAX_LISTED {
        let more = items.len() - MAX_LISTED;
        items.truncate(MAX_LISTED);
        items.push(format!("and {more} more"));
    }
    items.join(", ")
}

fn bounded(text: &str) -> String {
    if text.chars().nth(MAX_SHOWN).is_none() {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(MAX_SHOWN).collect::<String>())
}
