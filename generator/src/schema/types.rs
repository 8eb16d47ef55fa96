//! The `type` keyword: names that no version knows, arrays in every version, `file`.

use serde_json::Value;

/// The types of JSON Schema.
pub(super) const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];

/// What a `type` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Types {
    /// The types; any when empty.
    pub(super) names: Vec<&'static str>,
    /// The format that a type name of other languages implies.
    pub(super) format: Option<&'static str>,
    /// Whether the keyword had to be repaired.
    pub(super) is_repaired: bool,
}

/// Reads a `type` keyword of any dialect. A type that means nothing makes the whole keyword accept anything.
pub(super) fn types(value: &Value) -> Types {
    let mut types = Types::default();
    let names = match value {
        Value::Array(names) => names.as_slice(),
        other => std::slice::from_ref(other),
    };
    if names.is_empty() {
        types.is_repaired = true;
    }
    let mut accepts_anything = false;
    for name in names {
        let known = match name {
            Value::String(name) => read(name),
            // `type: [string, null]` forgets the quotes; a lone `type:` says nothing.
            Value::Null if value.is_array() => Some(("null", None)),
            _ => None,
        };
        if let Value::String(name) = name {
            types.is_repaired |= !TYPES.contains(&name.as_str()) && name != "file";
        } else {
            types.is_repaired = true;
        }
        match known {
            Some((name, format)) => {
                if !types.names.contains(&name) {
                    types.names.push(name);
                }
                types.format = types.format.or(format);
            }
            None => accepts_anything = true,
        }
    }
    if accepts_anything {
        types.names.clear();
        types.format = None;
    }
    types
}

/// The type that a name means, with the format that it implies; `None` for one that may mean anything.
fn read(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    let lower = name.trim().to_ascii_lowercase();
    if let Some(name) = TYPES.iter().find(|known| **known == lower) {
        return Some((name, None));
    }
    Some(match lower.as_str() {
        "int" | "int32" | "long" | "int64" | "short" | "bigint" | "biginteger" | "uint" | "uint32" | "uint64" => {
            ("integer", None)
        }
        "float" | "double" | "decimal" | "bigdecimal" | "real" | "numeric" => ("number", None),
        "bool" => ("boolean", None),
        "file" | "binary" => ("string", Some("binary")),
        "date" => ("string", Some("date")),
        "datetime" | "date-time" => ("string", Some("date-time")),
        "uuid" | "guid" => ("string", Some("uuid")),
        "email" => ("string", Some("email")),
        "uri" | "url" => ("string", Some("uri")),
        "byte" | "base64" => ("string", Some("byte")),
        "str" | "text" | "char" | "varchar" | "password" | "time" | "timestamp" | "enum" => ("string", None),
        "dict" | "dictionary" | "map" | "hash" | "hashmap" => ("object", None),
        "list" | "arr" => ("array", None),
        "none" | "nil" => ("null", None),
        _ => return None,
    })
}

/// Whether a value is of a type.
pub(super) fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "integer" => match value {
            Value::Number(number) => {
                number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
            }
            _ => false,
        },
        _ => false,
    }
}

/// The types that a converted schema names; `None` when it names none.
pub(super) fn named(schema: &serde_json::Map<String, Value>) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => Some(names.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// The keyword for these types: a name for one, else an array.
pub(super) fn keyword(names: &[&str]) -> Value {
    match names {
        [name] => Value::from(*name),
        names => Value::from(names.to_vec()),
    }
}
