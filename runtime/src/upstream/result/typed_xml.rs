//! XML answers as the values that their schema describes (OpenAPI 3.2 §4.23, the XML Object, read backwards).
//!
//! Elements and attributes become the properties that they stand for, whatever prefix they have; elements that repeat
//! become an array, also when there is one of them; text becomes a number or a flag where the schema says so and the
//! text is one. An array that is required and not wrapped is there without an element, namely empty. What the schema
//! does not know keeps the form of an answer without schema, and is left out where it allows nothing else.

use serde_json::{Map, Value, value::to_value};

/// How deep a schema is followed.
const MAX_DEPTH: usize = 32;

/// The value of a document that was read without its schema: an object with the root as only member. `None` when the
/// root is not the element that the schema describes, and has none of the elements that it describes either.
pub(super) fn value(document: &Value, schema: &Value) -> Option<Value> {
    let (name, root) = document.as_object()?.iter().next()?;
    let expected = xml(schema, "name").or_else(|| schema.get("x-name").and_then(Value::as_str));
    if kind(schema) != Some("array")
        && expected.is_some_and(|expected| !local(name).eq_ignore_ascii_case(expected))
        && !is_alike(root, schema)
    {
        return None;
    }
    Some(match kind(schema) {
        // The root is around the items, whether the document says `wrapped` or not.
        Some("array") => Value::Array(items(root, schema, None, 0)),
        _ => typed(root, schema, 0),
    })
}

/// Whether at least one property of the schema is in an element.
fn is_alike(root: &Value, schema: &Value) -> bool {
    let Some(members) = root.as_object() else { return false };
    properties(schema, 0).into_iter().any(|(key, property)| {
        let item = property.get("items").and_then(|items| xml(items, "name"));
        let wanted = [Some(xml(property, "name").unwrap_or(key)), item];
        members.keys().any(|name| wanted.contains(&Some(local(name.trim_start_matches('@')))))
    })
}

fn typed(value: &Value, schema: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH || value.is_null() {
        return value.clone();
    }
    match (kind(schema), value) {
        (Some("object"), Value::Object(members)) => object(members, schema, depth),
        (Some("object"), Value::String(text)) => {
            let mut members = Map::new();
            if !text.trim().is_empty() {
                members.insert("#text".to_owned(), text.as_str().into());
            }
            object(&members, schema, depth)
        }
        (Some("array"), value) => Value::Array(items(value, schema, None, depth)),
        (Some(kind @ ("integer" | "number" | "boolean" | "string")), Value::Object(members)) => {
            // Attributes that the schema does not know stand beside the text.
            match members.get("#text") {
                Some(Value::String(text)) => scalar(text, kind),
                _ if members.keys().all(|name| name.starts_with('@')) => scalar("", kind),
                _ => value.clone(),
            }
        }
        (Some(kind), Value::String(text)) => scalar(text, kind),
        _ => value.clone(),
    }
}

fn object(members: &Map<String, Value>, schema: &Value, depth: usize) -> Value {
    let mut result = Map::new();
    let mut read: Vec<&String> = Vec::new();
    let mut find = |wanted: &str, attribute: bool| {
        let (name, value) = members.iter().find(|(name, _)| match name.strip_prefix('@') {
            Some(name) => attribute && local(name) == wanted,
            None => !attribute && local(name) == wanted,
        })?;
        read.push(name);
        Some(value)
    };
    for (key, property) in properties(schema, 0) {
        let name = xml(property, "name").unwrap_or(key);
        let found = match node_type(property) {
            Some("attribute") => find(name, true),
            Some("text" | "cdata") => find("#text", false),
            node_type if kind(property) == Some("array") => {
                let item = property.get("items").and_then(|items| xml(items, "name"));
                let found = match node_type {
                    Some("element") => find(name, false).map(|wrapper| items(wrapper, property, item, depth + 1)),
                    _ => [item.unwrap_or(key), name, key]
                        .iter()
                        .find_map(|name| find(name, false))
                        .map(|siblings| each(siblings, property, depth + 1)),
                };
                if let Some(found) = found {
                    result.insert(key.to_owned(), found.into());
                }
                continue;
            }
            _ => find(name, false),
        };
        if let Some(found) = found {
            result.insert(key.to_owned(), typed(found, property, depth + 1));
        }
    }
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in members.iter().filter(|_| !is_closed) {
        if !read.contains(&name) && !result.contains_key(name) {
            result.insert(name.clone(), value.clone());
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| !result.contains_key(*name)).collect::<Vec<_>>() {
        let is_array = |(key, property): &(&str, &Value)| *key == name && kind(property) == Some("array");
        if properties(schema, 0).iter().any(is_array) {
            result.insert(name.to_owned(), Value::Array(Vec::new()));
        }
    }
    result.into()
}

/// The items within a wrapper: the children called `name`, or all.
fn items(wrapper: &Value, schema: &Value, name: Option<&str>, depth: usize) -> Vec<Value> {
    let Value::Object(members) = wrapper else { return Vec::new() };
    let elements = members.iter().filter(|(found, _)| !found.starts_with(['@', '#']));
    let named = |found: &str| name.is_none_or(|name| local(found) == name);
    if elements.clone().any(|(found, _)| named(found)) {
        elements.filter(|(found, _)| named(found)).flat_map(|(_, value)| each(value, schema, depth)).collect()
    } else {
        elements.flat_map(|(_, value)| each(value, schema, depth)).collect()
    }
}

/// Elements of the same name as an array, one alone too.
fn each(siblings: &Value, schema: &Value, depth: usize) -> Vec<Value> {
    let item = schema.get("items").unwrap_or(&Value::Null);
    match siblings {
        Value::Array(siblings) => siblings.iter().map(|value| typed(value, item, depth + 1)).collect(),
        value => vec![typed(value, item, depth + 1)],
    }
}

fn scalar(text: &str, kind: &str) -> Value {
    let trimmed = text.trim();
    let read = match kind {
        "integer" => trimmed.parse::<i64>().ok().and_then(|number| to_value(number).ok()),
        "number" => match trimmed.parse::<i64>() {
            Ok(number) => to_value(number).ok(),
            Err(_) => trimmed.parse::<f64>().ok().filter(|number| number.is_finite()).and_then(|n| to_value(n).ok()),
        },
        "boolean" => match trimmed {
            "true" | "1" => Some(true.into()),
            "false" | "0" => Some(false.into()),
            _ => None,
        },
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

/// The type of a schema's values: the first that is not `null`, or what other keywords say.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => Some("object"),
        _ if schema.get("items").is_some() => Some("array"),
        _ => None,
    }
}

/// The properties of an object, through `allOf`, `oneOf` and `anyOf`.
fn properties(schema: &Value, depth: usize) -> Vec<(&str, &Value)> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut found: Vec<(&str, &Value)> = own.map(|(key, property)| (key.as_str(), property)).collect();
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten();
    for (key, property) in parts.flat_map(|part| properties(part, depth + 1)) {
        if !found.iter().any(|(known, _)| *known == key) {
            found.push((key, property));
        }
    }
    found
}

fn xml<'a>(schema: &'a Value, member: &str) -> Option<&'a str> {
    schema.get("xml")?.get(member)?.as_str()
}

fn node_type(schema: &Value) -> Option<&str> {
    let flag = |name: &str| schema.get("xml").and_then(|xml| xml.get(name)) == Some(&Value::Bool(true));
    xml(schema, "nodeType").or(if flag("attribute") {
        Some("attribute")
    } else if flag("wrapped") {
        Some("element")
    } else {
        None
    })
}

/// A name without its prefix: a document may bind any prefix to a namespace.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: Value, document: &str) -> Option<Value> {
        value(&super::super::xml::value(document)?, &schema)
    }

    fn pet() -> Value {
        json!({
            "type": "object", "x-name": "Pet", "xml": { "name": "pet" },
            "properties": {
                "id": { "type": "integer", "xml": { "attribute": true } },
                "name": { "type": "string", "xml": { "prefix": "p", "namespace": "urn:p" } },
                "weight": { "type": ["number", "null"] },
                "good": { "type": "boolean" },
                "tags": { "type": "array", "xml": { "wrapped": true, "name": "labels" }, "items": { "type": "integer", "xml": { "name": "label" } } },
                "photos": { "type": "array", "items": { "type": "string", "xml": { "name": "photo" } } },
                "toys": { "type": "array", "items": { "type": "object", "properties": { "n": { "type": "integer" } } } },
                "owner": { "allOf": [{ "properties": { "age": { "type": "integer" } } }] },
                "note": { "type": "string", "xml": { "nodeType": "text" } },
            },
        })
    }

    #[test]
    fn elements_and_attributes_become_the_properties_that_they_stand_for() {
        for (document, expected) in [
            (
                "<pet id=\"7\"><q:name xmlns:q=\"urn:p\">007</q:name><weight>1.5</weight><good>true</good>\
                 <labels><label>1</label></labels><photo>a</photo><toys><n>3</n></toys><owner><age>9</age></owner></pet>",
                json!({
                    "id": 7, "name": "007", "weight": 1.5, "good": true, "tags": [1], "photos": ["a"],
                    "toys": [{ "n": 3 }], "owner": { "age": 9 },
                }),
            ),
            ("<pet><photo>a</photo><photo>b</photo><labels/></pet>", json!({ "tags": [], "photos": ["a", "b"] })),
            ("<x:Pet xmlns:x=\"urn:x\"><weight>heavy</weight></x:Pet>", json!({ "weight": "heavy" })),
            (
                "<pet xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><weight xsi:nil=\"true\"/></pet>",
                json!({ "weight": null }),
            ),
            ("<pet id=\"7\">text</pet>", json!({ "id": 7, "note": "text" })),
            ("<pet/>", json!({})),
            (
                "<pet><name lang=\"en\">Rex</name><unknown a=\"1\"/></pet>",
                json!({ "name": "Rex", "unknown": { "@a": "1" } }),
            ),
        ] {
            assert_eq!(read(pet(), document), Some(expected), "{document}");
        }
    }

    #[test]
    fn a_root_around_items_is_an_array() {
        let pets = json!({ "type": "array", "items": pet() });
        assert_eq!(read(pets.clone(), "<pets><pet id=\"1\"/></pets>"), Some(json!([{ "id": 1 }])));
        assert_eq!(
            read(pets.clone(), "<pets><pet id=\"1\"/><pet id=\"2\"/></pets>"),
            Some(json!([{ "id": 1 }, { "id": 2 }]))
        );
        assert_eq!(read(pets, "<pets/>"), Some(json!([])));
        assert_eq!(read(json!({ "type": "integer" }), "<n>5</n>"), Some(json!(5)));
    }

    #[test]
    fn an_object_is_as_its_schema_demands() {
        let list = json!({
            "type": "object", "x-name": "List", "required": ["items", "wrapped", "name"], "additionalProperties": false,
            "properties": {
                "items": { "type": "array", "items": { "type": "integer", "xml": { "name": "item" } } },
                "wrapped": { "type": "array", "xml": { "wrapped": true }, "items": { "type": "string" } },
                "name": { "type": "string" },
            },
        });
        assert_eq!(
            read(list.clone(), "<List version=\"2\"><name>a</name><more/></List>"),
            Some(json!({ "name": "a", "items": [], "wrapped": [] }))
        );
        assert_eq!(
            read(list, "<Envelope><item>1</item></Envelope>"),
            Some(json!({ "items": [1], "wrapped": [] })),
            "another root with the elements of the described one"
        );
    }

    #[test]
    fn another_root_than_the_described_one_is_not_forced() {
        assert_eq!(read(pet(), "<error><code>7</code></error>"), None);
    }
}
