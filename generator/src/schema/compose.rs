//! Merges the members of `allOf` into the schema around them, where that loses nothing.

use serde_json::{Map, Value};

use super::annotations::ANNOTATIONS;

/// Keywords that look at each other within one schema object: two objects that both have any of a group are not one.
const GROUPS: [&[&str]; 4] = [
    &["properties", "patternProperties", "additionalProperties"],
    &["prefixItems", "items"],
    &["contains", "minContains", "maxContains"],
    &["if", "then", "else"],
];

/// Merges what can be merged; what is left of `allOf` stays.
pub(super) fn simplify(schema: &mut Map<String, Value>) {
    for keyword in ["anyOf", "oneOf"] {
        // The only branch holds as a member of `allOf` does.
        if let Some(Value::Array(branches)) = schema.get_mut(keyword)
            && branches.len() == 1
            && is_annotated_only(schema, keyword)
            && let Some(Value::Array(branches)) = schema.shift_remove(keyword)
        {
            schema.insert("allOf".to_owned(), Value::Array(branches));
        }
    }
    let Some(Value::Array(members)) = schema.get_mut("allOf").map(Value::take) else { return };
    let mut rest: Vec<Value> = Vec::new();
    for member in members {
        match member {
            Value::Bool(true) => {}
            Value::Object(member) if !member.contains_key("$ref") && can_merge(schema, &member) => {
                merge(schema, member);
            }
            other => {
                if !rest.contains(&other) || rest.len() > 64 {
                    rest.push(other);
                }
            }
        }
    }
    // What the merged members had of their own.
    if let Some(Value::Array(inner)) = schema.get_mut("allOf").map(Value::take) {
        rest.extend(inner);
    }
    if rest.len() == 1
        && is_annotated_only(schema, "allOf")
        && let Some(Value::Object(_)) = rest.first()
        && let Some(Value::Object(only)) = rest.pop()
    {
        schema.shift_remove("allOf");
        merge(schema, only);
        return;
    }
    if rest.is_empty() {
        schema.shift_remove("allOf");
    } else {
        schema.insert("allOf".to_owned(), Value::Array(rest));
    }
}

/// Whether a schema says nothing of validity but for one keyword.
fn is_annotated_only(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.keys().all(|name| name == keyword || is_annotation(name))
}

fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword)
}

/// Whether one object that says both means the same as both.
pub(super) fn can_merge(schema: &Map<String, Value>, member: &Map<String, Value>) -> bool {
    let sees_neighbours = |keyword: &str| matches!(keyword, "unevaluatedProperties" | "unevaluatedItems");
    if member.keys().any(|keyword| sees_neighbours(keyword)) {
        return false;
    }
    let keyword_agrees = |keyword: &String, value: &Value| {
        if is_annotation(keyword) || keyword == "allOf" || keyword == "required" {
            return true;
        }
        if keyword == "properties" {
            let (Some(Value::Object(own)), Value::Object(other)) = (schema.get(keyword), value) else { return true };
            return other.iter().all(|(name, property)| own.get(name).is_none_or(|known| known == property));
        }
        schema.get(keyword).is_none_or(|own| own == value)
    };
    if !member.iter().all(|(keyword, value)| keyword_agrees(keyword, value)) {
        return false;
    }
    GROUPS.iter().all(|group| {
        let of_group = |object: &Map<String, Value>| -> Vec<String> {
            group.iter().filter(|keyword| object.contains_key(**keyword)).map(|keyword| (*keyword).to_owned()).collect()
        };
        let (own, other) = (of_group(schema), of_group(member));
        own.is_empty() || other.is_empty() || (own == ["properties"] && other == ["properties"])
    })
}

/// Adds the keywords of a member; annotations of the schema itself win.
pub(super) fn merge(schema: &mut Map<String, Value>, member: Map<String, Value>) {
    for (keyword, value) in member {
        match (schema.get_mut(&keyword), value) {
            (Some(Value::Object(own)), Value::Object(other)) if keyword == "properties" => {
                for (name, property) in other {
                    own.entry(name).or_insert(property);
                }
            }
            (Some(Value::Array(own)), Value::Array(other)) if keyword == "required" => {
                let mut known: std::collections::HashSet<Value> = own.iter().cloned().collect();
                own.extend(other.into_iter().filter(|name| known.insert(name.clone())));
            }
            (Some(Value::Array(own)), Value::Array(other)) if keyword == "allOf" => own.extend(other),
            (Some(own @ Value::Null), value) if keyword == "allOf" => *own = value,
            (Some(_), _) => {}
            (None, value) => drop(schema.insert(keyword, value)),
        }
    }
}
