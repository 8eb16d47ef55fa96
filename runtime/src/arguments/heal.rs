//! Turns JSON that came within a string into the value that the schema wants.

use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

/// How many layers are healed: a string in an object that itself came as a string.
const ROUNDS: usize = 3;

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
