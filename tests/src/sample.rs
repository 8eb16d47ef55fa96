//! Sample values for JSON Schemas: enough to call an operation of a document that a test knows nothing about.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value, json};

/// How deep a sample may nest. Deeper schemas are circular, or as good as that.
const DEPTH: usize = 12;

/// A value that satisfies `schema`, the root of all references in it; `None` when it asks for what this does not know,
/// such as a value of several schemas at once. Optional members are left out.
pub fn sample(schema: &Value) -> Option<Value> {
    value(schema, schema, 0)
}

/// The same, with the optional members of the outermost object that can be drawn.
pub fn full_sample(schema: &Value) -> Option<Value> {
    let mut members = match sample(schema)? {
        Value::Object(members) => members,
        other => return Some(other),
    };
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if !members.contains_key(name)
            && let Some(drawn) = value(schema, member, 1)
        {
            members.insert(name.clone(), drawn);
        }
    }
    Some(members.into())
}

fn value(root: &Value, schema: &Value, depth: usize) -> Option<Value> {
    if depth > DEPTH {
        return None;
    }
    if let Some(reference) = schema.get("$ref") {
        return value(root, root.pointer(reference.as_str()?.strip_prefix('#')?)?, depth + 1);
    }
    if let Some(constant) = schema.get("const") {
        return Some(constant.clone());
    }
    if let Some(values) = schema.get("enum") {
        return values.as_array()?.iter().find(|value| !value.is_null()).cloned();
    }
    for alternatives in ["oneOf", "anyOf"] {
        if let Some(alternatives) = schema.get(alternatives) {
            if schema.get("properties").is_some() {
                // The alternatives say which members there are.
                return merged(schema, alternatives.get(0)?).and_then(|schema| object(root, &schema, depth));
            }
            return alternatives.as_array()?.iter().find_map(|schema| value(root, schema, depth + 1));
        }
    }
    if schema.get("allOf").is_some() || schema.get("not").is_some() {
        return None;
    }
    match kind(schema)? {
        "object" => object(root, schema, depth),
        "array" => {
            let length = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 8);
            let item = schema.get("items").map_or(Some(json!("a")), |items| value(root, items, depth + 1))?;
            if length > 1 && schema.get("uniqueItems") == Some(&Value::Bool(true)) {
                return None;
            }
            Some((0..length).map(|_| item.clone()).collect())
        }
        "string" => string(schema),
        "integer" | "number" => {
            let minimum = schema.get("minimum").and_then(Value::as_f64).unwrap_or(1.0).ceil().max(1.0);
            Some(json!(minimum as i64 + i64::from(schema.get("exclusiveMinimum").is_some())))
        }
        "boolean" => Some(json!(true)),
        _ => None,
    }
}

/// The type to draw: the first that is not `null`.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ if schema.get("properties").is_some() => Some("object"),
        _ => Some("string"),
    }
}

fn object(root: &Value, schema: &Value, depth: usize) -> Option<Value> {
    let mut members = Map::new();
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str()?;
        let member = schema.pointer("/properties").and_then(|properties| properties.get(name));
        members.insert(name.to_owned(), member.map_or(Some(json!("a")), |member| value(root, member, depth + 1))?);
    }
    Some(Value::Object(members))
}

/// An object's schema with what an alternative requires.
fn merged(schema: &Value, alternative: &Value) -> Option<Value> {
    let mut merged = schema.as_object()?.clone();
    let mut required: Vec<Value> = merged.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    required.extend(alternative.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
    merged.insert("required".to_owned(), required.into());
    Some(merged.into())
}

fn string(schema: &Value) -> Option<Value> {
    if let Some(pattern) = schema.get("pattern") {
        let mut text = String::new();
        matching(&regex_syntax::parse(pattern.as_str()?).ok()?, &mut text)?;
        return Some(json!(text));
    }
    if schema.get("contentEncoding").and_then(Value::as_str) == Some("base64") {
        return Some(json!("YWJj"));
    }
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-31",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("uri" | "url") => "https://example.com/",
        Some("email") => "a@example.com",
        Some("uuid") => "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        _ => "abc",
    };
    let shortest = usize::try_from(schema.get("minLength").and_then(Value::as_u64).unwrap_or(0)).ok()?;
    let longest = usize::try_from(schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX)).ok()?;
    let text = text.to_owned() + &"x".repeat(shortest.min(10_000).saturating_sub(text.len()));
    if text.len() > longest { Some(json!(text[..longest])) } else { Some(json!(text)) }
}

/// Writes a short text that matches: first alternatives, and something of what may be left out.
fn matching(pattern: &Hir, text: &mut String) -> Option<()> {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            text.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |wanted: char| class.iter().any(|range| (range.start()..=range.end()).contains(&wanted));
            text.push(('a'..='z').chain('A'..='Z').chain('0'..='9').chain('!'..='~').find(|wanted| holds(*wanted))?);
            Some(())
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(u32::MAX).min(repetition.min.max(1));
            (0..times.min(1_000)).try_for_each(|_| matching(&repetition.sub, text))
        }
        HirKind::Capture(capture) => matching(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| matching(part, text)),
        HirKind::Alternation(alternatives) => matching(alternatives.first()?, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_members_are_drawn_through_references() {
        let schema = json!({
            "type": "object",
            "properties": {
                "pet": { "$ref": "#/$defs/Pet" },
                "ids": { "type": "array", "items": { "type": ["null", "integer"], "minimum": 5 } },
                "note": { "type": "string" },
            },
            "required": ["pet", "ids"],
            "$defs": { "Pet": { "properties": { "kind": { "enum": ["cat"] } }, "required": ["kind"] } },
        });
        assert_eq!(sample(&schema), Some(json!({ "pet": { "kind": "cat" }, "ids": [5] })));
    }

    #[test]
    fn what_cannot_be_drawn_is_admitted() {
        assert_eq!(sample(&json!({ "type": "string", "pattern": "^(?=a)b$" })), None);
        let circle = json!({ "properties": { "next": { "$ref": "#" } }, "required": ["next"] });
        assert_eq!(sample(&circle), None);
    }

    #[test]
    fn patterns_are_matched_and_alternatives_fill_their_object() {
        assert_eq!(sample(&json!({ "type": "string", "pattern": "^AC[0-9a-f]{3}x?$" })), Some(json!("ACaaax")));
        let file = json!({
            "type": "object",
            "properties": { "data": { "type": "string", "contentEncoding": "base64" }, "text": { "type": "string" } },
            "oneOf": [{ "required": ["data"] }, { "required": ["text"] }],
        });
        assert_eq!(sample(&file), Some(json!({ "data": "YWJj" })));
    }

    #[test]
    fn lengths_are_kept() {
        assert_eq!(sample(&json!({ "type": "string", "maxLength": 2 })), Some(json!("ab")));
        assert_eq!(sample(&json!({ "type": "string", "minLength": 5 })), Some(json!("abcxx")));
    }
}
