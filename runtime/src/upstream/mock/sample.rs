//! A value that matches a JSON Schema: examples, defaults and constants first, else the plainest value of the type.

mod pattern;

use serde_json::{Map, Value, json};

use crate::catalog::Api;

/// How deep optional members are filled.
const FILLED: usize = 4;
/// Where recursion ends, whatever is required.
const DEEPEST: usize = 24;

/// A sample of a schema, always the same.
pub(super) fn of(api: &Api, schema: &str) -> Value {
    match serde_json::from_str(schema) {
        Ok(schema) => sample(api, &schema, 0),
        Err(_) => json!({}),
    }
}

fn sample(api: &Api, schema: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    let given = ["example", "default"].iter().filter_map(|keyword| schema.get(keyword));
    let listed = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
    if let Some(value) = given.chain(listed).find(|value| !value.is_null() && fits(schema, value)) {
        return value.clone();
    }
    if let Some(value) = schema.get("enum").and_then(|values| values.get(0)) {
        return value.clone();
    }
    if schema.get("$ref").is_some() {
        return referred(api, schema).map_or_else(|| json!({}), |schema| sample(api, &schema, depth + 1));
    }
    if schema.get("allOf").is_some() {
        return all_of(api, schema, depth);
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(keyword).and_then(Value::as_array).and_then(|alternatives| {
            alternatives.iter().find(|alternative| alternative.get("type").is_none_or(|kind| kind != "null"))
        }) {
            if schema.get("properties").is_none() {
                return sample(api, first, depth + 1);
            }
            // The alternatives say which members go together: only what one of them and the whole require.
            let required =
                |schema: &Value| schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let mut whole = schema.clone();
            if let Some(members) = whole.as_object_mut() {
                let needed: Vec<Value> = required(schema).into_iter().chain(required(first)).collect();
                members.insert("required".to_owned(), needed.into());
            }
            let mut value = object(api, &whole, FILLED.max(depth));
            if let (Value::Object(value), true) =
                (&mut value, first.get("properties").is_some() || first.get("$ref").is_some())
                && let Value::Object(own) = sample(api, first, depth + 1)
            {
                value.extend(own);
            }
            return value;
        }
    }
    match kind(schema) {
        "object" => object(api, schema, depth),
        "array" => array(api, schema, depth),
        "string" => string(schema).into(),
        "integer" => number(schema, true),
        "number" => number(schema, false),
        "boolean" => true.into(),
        "null" => Value::Null,
        _ => json!({}),
    }
}

/// Whether an example is of the schema's type: those of real documents often are not.
fn fits(schema: &Value, value: &Value) -> bool {
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    };
    let of_type = match schema.get("type") {
        Some(Value::String(kind)) => is(kind),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    let listed = schema.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(value));
    let long_enough = match (value, schema.get("minLength").and_then(Value::as_u64)) {
        (Value::String(text), Some(least)) => text.chars().count() as u64 >= least,
        _ => true,
    };
    let whole = match (value, schema.get("required").and_then(Value::as_array)) {
        (Value::Object(members), Some(required)) => {
            required.iter().filter_map(Value::as_str).all(|name| members.contains_key(name))
        }
        _ => true,
    };
    of_type && listed && long_enough && whole && !schema.get("pattern").is_some_and(|_| value.is_string())
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() || schema.get("additionalProperties").is_some() => "object",
        _ if schema.get("items").is_some() || schema.get("prefixItems").is_some() => "array",
        _ if schema.get("pattern").is_some() || schema.get("minLength").is_some() || schema.get("format").is_some() => {
            "string"
        }
        _ if schema.get("minimum").is_some() || schema.get("maximum").is_some() => "number",
        _ => "",
    }
}

/// All members as one schema, since one may require what another describes.
fn all_of(api: &Api, schema: &Value, depth: usize) -> Value {
    let mut whole = Whole::default();
    whole.add(api, schema, depth);
    let merged = json!({ "properties": whole.properties, "required": whole.required });
    let mut value = match object(api, &merged, depth) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut other = None;
    for part in whole.rest.iter().map(|part| sample(api, part, depth + 1)) {
        match part {
            Value::Object(part) => value.extend(part),
            part => other = other.or(Some(part)),
        }
    }
    match other {
        Some(other) if value.is_empty() => other,
        _ => Value::Object(value),
    }
}

/// What the members of `allOf` say together.
#[derive(Default)]
struct Whole {
    properties: Map<String, Value>,
    required: Vec<Value>,
    rest: Vec<Value>,
}

impl Whole {
    fn add(&mut self, api: &Api, schema: &Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let resolved = referred(api, schema);
        let schema = resolved.as_ref().unwrap_or(schema);
        for member in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.add(api, member, depth + 1);
        }
        let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        self.properties.extend(own.map(|(name, property)| (name.clone(), property.clone())));
        self.required.extend(schema.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
        let says_more = ["type", "oneOf", "anyOf", "enum", "const", "items", "format", "pattern"]
            .iter()
            .any(|keyword| schema.get(keyword).is_some_and(|value| value != "object"));
        if says_more && schema.get("properties").is_none() && schema.get("allOf").is_none() {
            self.rest.push(schema.clone());
        }
    }
}

/// The definition that a schema refers to.
fn referred(api: &Api, schema: &Value) -> Option<Value> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?.replace("~1", "/").replace("~0", "~");
    serde_json::from_str(api.definition(&name)?).ok()
}

fn object(api: &Api, schema: &Value, depth: usize) -> Value {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut members = Map::new();
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if depth < FILLED || required.contains(&name.as_str()) {
                members.insert(name.clone(), sample(api, property, depth + 1));
            }
        }
    }
    for name in required {
        if !members.contains_key(name) {
            members.insert(name.to_owned(), further(api, schema, depth));
        }
    }
    let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or_default().min(8) as usize;
    for number in 1.. {
        if members.len() >= least {
            break;
        }
        members.insert(format!("member{number}"), further(api, schema, depth));
    }
    Value::Object(members)
}

/// A member that the schema does not name.
fn further(api: &Api, schema: &Value, depth: usize) -> Value {
    match schema.get("additionalProperties").filter(|further| further.is_object()) {
        Some(further) => sample(api, further, depth + 1),
        None => json!("string"),
    }
}

fn array(api: &Api, schema: &Value, depth: usize) -> Value {
    let mut items: Vec<Value> = schema
        .get("prefixItems")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|item| sample(api, item, depth + 1))
        .collect();
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default().min(16) as usize;
    let wanted = if depth < FILLED { least.max(1) } else { least };
    if let Some(item) = schema.get("items").filter(|item| item.is_object()) {
        while items.len() < wanted {
            items.push(sample(api, item, depth + 1));
        }
    }
    Value::Array(items)
}

fn string(schema: &Value) -> String {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or_default().min(1_000) as usize;
    if let Some(text) =
        schema.get("pattern").and_then(Value::as_str).and_then(|pattern| pattern::sample(pattern, least))
    {
        return text;
    }
    let text = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "date-time" => "2026-01-01T00:00:00Z",
        "date" => "2026-01-01",
        "time" => "00:00:00Z",
        "duration" => "P1D",
        "email" => "someone@example.com",
        "uuid" => "00000000-0000-4000-8000-000000000000",
        "uri" | "url" | "uri-reference" => "https://example.com/",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "AA==",
        _ => "string",
    };
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX) as usize;
    let mut text: String = text.chars().take(most).collect();
    while text.chars().count() < least {
        text.push('x');
    }
    text
}

fn number(schema: &Value, whole: bool) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let step = if whole { 1.0 } else { 0.5 };
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|least| least + step));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|most| most - step));
    let mut value = match (least, most) {
        (Some(least), _) => least.max(1.0_f64.min(most.unwrap_or(f64::MAX))),
        (None, Some(most)) => most.min(1.0),
        (None, None) => 1.0,
    };
    if let Some(multiple) = bound("multipleOf").filter(|multiple| *multiple > 0.0) {
        value = (value / multiple).ceil() * multiple;
    }
    if value.fract() == 0.0 && value.abs() < 9.0e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Definition;

    static API: Api = Api {
        definitions: &[Definition {
            name: "Node",
            schema: r##"{"type":"object","required":["id"],"properties":{"id":{"type":"integer","minimum":5},"next":{"$ref":"#/$defs/Node"}}}"##,
        }],
        ..Api::DEFAULT
    };

    #[test]
    fn samples_match_their_schemas() {
        for schema in [
            r#"{"type":"object","required":["a"],"properties":{"a":{"type":"string","minLength":8},"b":{"type":["null","integer"],"maximum":-3}}}"#,
            r#"{"type":"array","minItems":2,"items":{"enum":["x","y"]}}"#,
            r#"{"oneOf":[{"type":"null"},{"type":"string","maxLength":3}]}"#,
            r#"{"allOf":[{"type":"object","required":["a"],"properties":{"a":{"const":1}}},{"type":"object","required":["b"],"properties":{"b":{"type":"boolean"}}}]}"#,
            r#"{"type":"integer","exclusiveMinimum":10,"multipleOf":7}"#,
            r#"{"type":"string","pattern":"^(0|[1-9][0-9]*)$"}"#,
            r#"{"type":"string","pattern":"^/v1/[a-f\\d]{24}(x|y)?$","minLength":4}"#,
            r#"{"type":"object","minProperties":2,"additionalProperties":{"type":"integer"}}"#,
            r#"{"type":"object","required":["b"],"properties":{"a":{"type":"array","example":"wrong"},"b":{"type":"string"}},"example":{"a":[]}}"#,
            r#"{"allOf":[{"type":"string"},{"description":"only words"}]}"#,
            r#"{"allOf":[{"properties":{"a":{}},"required":["a"]}],"properties":{"a":{"type":"array","items":{"type":"integer"}}}}"#,
            r#"{"prefixItems":[{"type":"string","format":"uuid"},{"type":"number"}],"type":"array"}"#,
        ] {
            let value = of(&API, schema);
            let compiled = jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema");
            assert!(compiled.is_valid(&value), "{schema}: {value}");
        }
    }

    #[test]
    fn recursion_ends() {
        let value = of(&API, r##"{"$ref":"#/$defs/Node"}"##);
        assert_eq!(value["id"], 5);
        assert!(value.to_string().len() < 400, "{value}");
    }
}
