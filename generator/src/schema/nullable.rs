//! `nullable` of OpenAPI 3.0 and `x-nullable` of 2.0, which 2020-12 says with the type `null`.

use serde_json::{Map, Value, json};

use super::annotations::OF_THE_VALUE;

/// Keywords that may refuse `null` although no type is named. All others but `type`, `enum` and `const` look at values of
/// other types only.
const REFUSING: [&str; 6] = ["$ref", "allOf", "anyOf", "oneOf", "not", "if"];

/// Makes a schema accept `null`.
pub(super) fn admit_null(schema: &mut Map<String, Value>) {
    let refusing = REFUSING.iter().filter(|keyword| schema.contains_key(**keyword)).count();
    if refusing > 0 {
        let is_plain_choice = refusing == 1 && !["type", "enum", "const"].iter().any(|name| schema.contains_key(*name));
        if is_plain_choice && let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
            let null = json!({ "type": "null" });
            if !branches.contains(&null) {
                branches.push(null);
            }
            return;
        }
        let mut rest = std::mem::take(schema);
        for keyword in OF_THE_VALUE {
            if let Some(annotation) = rest.shift_remove(keyword) {
                schema.insert(keyword.to_owned(), annotation);
            }
        }
        schema.insert("anyOf".to_owned(), json!([rest, { "type": "null" }]));
        return;
    }
    match schema.get_mut("type") {
        Some(Value::Array(names)) if !names.iter().any(|name| name == "null") => names.push(Value::from("null")),
        Some(name @ Value::String(_)) if name != "null" => *name = json!([name.take(), "null"]),
        _ => {}
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if schema.get("const").is_some_and(|value| !value.is_null())
        && let Some(value) = schema.shift_remove("const")
    {
        schema.insert("enum".to_owned(), json!([value, null]));
    }
}
