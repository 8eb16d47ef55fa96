//! `x-mcp`: what the document itself says of its operations' components, at the root, a path item or an operation.
//!
//! It is `false` (not offered), `true` (offered although the root says `x-mcp: false`), or an object with `name`,
//! `title`, `description`, `kind`, `enabled`, `hidden` (names of parameters and body members), `fixed` (their values),
//! `tags` and `annotations`.

use serde_json::{Map, Value};

use super::{codes, decision::Decision};
use crate::{
    api::Operation,
    configuration::{Annotations, Preset, RouteKind},
    diagnostics::Diagnostics,
};

/// The member's name.
pub(super) const KEY: &str = "x-mcp";

/// Applies the document's wishes: those of the root, then those of the operation (or its path item).
pub(super) fn apply(
    decision: &mut Decision,
    document: &Map<String, Value>,
    operation: &Operation,
    preset: Preset,
    diagnostics: &mut Diagnostics,
) {
    for extension in [document.get(KEY), operation.extensions.get(KEY)].into_iter().flatten() {
        let mut invalid = |what: String| {
            let message = format!("`{KEY}` of {} {} {what}", operation.method, operation.path);
            diagnostics.push(&codes::INVALID_X_MCP, Some(operation.location.clone()), message);
        };
        match extension {
            Value::Bool(false) => decision.exclude(format!("the document says `{KEY}: false`")),
            Value::Bool(true) => decision.include(preset, operation),
            Value::Object(members) => {
                for (key, value) in members {
                    if !member(decision, key, value, operation, preset) {
                        invalid(format!("has the member `{key}`, which is unknown or of the wrong type"));
                    }
                }
            }
            _ => invalid("is neither an object nor a boolean".to_owned()),
        }
    }
}

/// Applies one member; false when it is unknown or of the wrong type.
fn member(decision: &mut Decision, key: &str, value: &Value, operation: &Operation, preset: Preset) -> bool {
    match (key, value) {
        ("name", Value::String(text)) => decision.name = Some(text.clone()),
        ("title", Value::String(text)) => decision.title = Some(crate::text::one_line(text)),
        ("description", Value::String(text)) => decision.description = Some(crate::text::clean(text)),
        ("enabled", Value::Bool(true)) => decision.include(preset, operation),
        ("enabled", Value::Bool(false)) => decision.exclude(format!("the document says `{KEY}: {{enabled: false}}`")),
        ("kind", kind) => match serde_json::from_value::<RouteKind>(kind.clone()) {
            Ok(kind) => decision.set_kind(kind, || format!("the document says `{KEY}: {{kind: exclude}}`")),
            Err(_) => return false,
        },
        ("annotations", annotations) => match serde_json::from_value::<Annotations>(annotations.clone()) {
            Ok(annotations) => decision.annotate(&annotations),
            Err(_) => return false,
        },
        ("hidden", Value::Array(names)) => match strings(names) {
            Some(names) => decision.hidden.extend(names),
            None => return false,
        },
        ("tags", Value::Array(tags)) => match strings(tags) {
            Some(tags) => decision.tags.extend(tags),
            None => return false,
        },
        ("fixed", Value::Object(values)) => decision.fixed.extend(values.clone()),
        _ => return key.starts_with("x-"),
    }
    true
}

fn strings(values: &[Value]) -> Option<Vec<String>> {
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}
