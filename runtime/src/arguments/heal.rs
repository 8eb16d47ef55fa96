//! Turns JSON that came within a string into the value that the schema wants, and takes `null` for an absent argument.

use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

/// How many layers are healed: a string in an object that itself came as a string.
const ROUNDS: usize = 3;

/// Takes out arguments that are `null` where the schema wants another type and does not require them: some models fill
/// in every argument.
pub(super) fn without_nulls(validator: &jsonschema::Validator, value: &mut Value) {
    let nulls: Vec<String> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, member)| member.is_null())
        .map(|(name, _)| name.clone())
        .collect();
    for name in nulls {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let is_wrong = validator.iter_errors(value).any(|error| error.instance_path().as_str() == pointer);
        let Some(members) = value.as_object().filter(|_| is_wrong) else { continue };
        let mut without = members.clone();
        without.shift_remove(&name);
        let without = Value::Object(without);
        let is_required = validator.iter_errors(&without).any(
            |error| matches!(error.kind(), Kind::Required { property } if property.as_str() == Some(name.as_str())),
        );
        if !is_required {
            *value = without;
        }
    }
}

/// Replaces strings that fault only for being strings; what does not become right by it stays a string.
pub(super) fn heal(validator: &jsonschema::Validator, value: &mut Value) {
    for _ in 0..ROUNDS {
        let mut pointers: Vec<String> = validator
            .iter_errors(value)
            .filter(|error| matches!(error.kind(), Kind::Type { .. } | Kind::AnyOf { .. } | Kind::OneOfNotValid { .. }))
            .filter(|error| error.instance().is_string())
            .map(|error| error.instance_path().as_str().to_owned())
            .collect();
        pointers.dedup();
        let mut healed = false;
        for pointer in pointers {
            healed |= heal_one(validator, value, &pointer);
        }
        if !healed {
            return;
        }
    }
}

fn heal_one(validator: &jsonschema::Validator, root: &mut Value, pointer: &str) -> bool {
    let Some(place) = root.pointer_mut(pointer) else { return false };
    let Some(parsed) = place.as_str().and_then(parse) else { return false };
    let before = std::mem::replace(place, parsed);
    // Below the place there may be more to heal; at the place itself the type has to be right now.
    let still_wrong = validator.iter_errors(root).any(|error| {
        error.instance_path().as_str() == pointer
            && matches!(
                error.kind(),
                Kind::Type { .. } | Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } | Kind::Enum { .. }
            )
    });
    if still_wrong && let Some(place) = root.pointer_mut(pointer) {
        *place = before;
    }
    !still_wrong
}

fn parse(text: &str) -> Option<Value> {
    match serde_json::from_str(text.trim()) {
        Ok(Value::String(_)) => None,
        Ok(value) => Some(value),
        Err(_) => match text.trim() {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            _ => None,
        },
    }
}
