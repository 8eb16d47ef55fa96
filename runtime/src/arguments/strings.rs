//! Arguments out of the variables of a resource URI, which are all strings.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::catalog::{Api, Location, Operation, Parameter};

/// Turns the variables of a URI template into arguments: numbers, booleans and arrays where the parameter's schema
/// wants them. A variable that occurs several times is an array. Names are those of [`Operation::uri`]; unknown ones
/// pass on as they are, so that checking the arguments reports them.
pub fn from_strings<N: AsRef<str>, V: Into<String>>(
    api: &Api,
    operation: &Operation,
    variables: impl IntoIterator<Item = (N, V)>,
) -> Map<String, Value> {
    let mut values: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in variables {
        match values.iter_mut().find(|(known, _)| known == name.as_ref()) {
            Some((_, values)) => values.push(value.into()),
            None => values.push((name.as_ref().to_owned(), vec![value.into()])),
        }
    }
    let mut arguments = Map::new();
    for (name, values) in values {
        match operation.parameters.iter().find(|parameter| variable(parameter.argument()) == name) {
            Some(parameter) => {
                arguments.insert(parameter.argument().to_owned(), coerce(api, parameter, values));
            }
            None => {
                let value = values.into_iter().next_back().unwrap_or_default();
                if !into_exploded_object(api, operation, &name, &value, &mut arguments) {
                    arguments.insert(name, value.into());
                }
            }
        }
    }
    arguments
}

/// The variable's name of an argument: what RFC 6570 does not allow is `_`.
pub(crate) fn variable(argument: &str) -> Cow<'_, str> {
    let legal = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '.';
    if argument.chars().all(legal) {
        return Cow::Borrowed(argument);
    }
    Cow::Owned(argument.chars().map(|character| if legal(character) { character } else { '_' }).collect())
}

/// A pair of an exploded object stands in the query under its own key.
fn into_exploded_object(
    api: &Api,
    operation: &Operation,
    key: &str,
    value: &str,
    arguments: &mut Map<String, Value>,
) -> bool {
    let object = operation.parameters.iter().find(|parameter| {
        parameter.location == Location::Query
            && parameter.explode
            && kinds(&schema(api, parameter.schema)).iter().any(|kind| kind == "object")
    });
    let Some(parameter) = object else { return false };
    let schema = schema(api, parameter.schema);
    let member = schema.get("properties").and_then(|properties| properties.get(key)).cloned().unwrap_or_default();
    let value = scalar(&kinds(&member), value.to_owned());
    match arguments.entry(parameter.argument()).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(members) => {
            members.insert(key.to_owned(), value);
            true
        }
        _ => false,
    }
}

fn coerce(api: &Api, parameter: &Parameter, mut values: Vec<String>) -> Value {
    let schema = schema(api, parameter.schema);
    let kinds = kinds(&schema);
    let wants = |kind: &str| kinds.iter().any(|wanted| wanted == kind);
    if (wants("array") || wants("object"))
        && let [text] = values.as_slice()
        && let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text)
    {
        return value;
    }
    if wants("array") && (values.len() > 1 || !wants("string")) {
        let items = self::kinds(&self::resolved(api, schema.get("items").cloned().unwrap_or_default()));
        return values.into_iter().map(|value| scalar(&items, value)).collect();
    }
    scalar(&kinds, values.pop().unwrap_or_default())
}

fn scalar(kinds: &[String], text: String) -> Value {
    let wants = |kind: &str| kinds.iter().any(|wanted| wanted == kind);
    if wants("string") {
        return text.into();
    }
    match serde_json::from_str(&text) {
        Ok(value @ Value::Number(_)) if wants("integer") || wants("number") => value,
        Ok(value @ Value::Bool(_)) if wants("boolean") => value,
        Ok(Value::Null) if wants("null") => Value::Null,
        _ => text.into(),
    }
}

fn schema(api: &Api, text: &str) -> Value {
    resolved(api, serde_json::from_str(text).unwrap_or_default())
}

/// Follows references to definitions.
fn resolved(api: &Api, mut schema: Value) -> Value {
    for _ in 0..16 {
        let Some(name) =
            schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"))
        else {
            return schema;
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        match api.definition(&name).and_then(|text| serde_json::from_str(text).ok()) {
            Some(definition) => schema = definition,
            None => return schema,
        }
    }
    schema
}

/// The types that a schema allows, as far as it says so: `type`, the types of its enumeration, of its alternatives.
fn kinds(schema: &Value) -> Vec<String> {
    let name = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match schema.get("type") {
        Some(Value::String(kind)) => return vec![kind.clone()],
        Some(Value::Array(kinds)) => return kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => {}
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(|value| name(value).to_owned()).collect();
    }
    if let Some(value) = schema.get("const") {
        return vec![name(value).to_owned()];
    }
    ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|keyword| schema.get(keyword)?.as_array())
        .flatten()
        .flat_map(kinds)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static ID: Parameter = Parameter { name: "pet-id", schema: r#"{"type":"integer"}"#, ..Parameter::PATH };
    static TAGS: Parameter =
        Parameter { name: "tags", schema: r#"{"type":"array","items":{"type":"string"}}"#, ..Parameter::QUERY };
    static COUNTS: Parameter =
        Parameter { name: "counts", schema: r#"{"type":"array","items":{"type":"integer"}}"#, ..Parameter::QUERY };
    static FLAG: Parameter =
        Parameter { name: "flag", schema: r#"{"anyOf":[{"type":"boolean"},{"type":"null"}]}"#, ..Parameter::QUERY };
    static NAME: Parameter = Parameter { name: "name", schema: r#"{"type":"string"}"#, ..Parameter::QUERY };
    static FILTER: Parameter = Parameter {
        name: "filter",
        schema: r#"{"type":"object","properties":{"age":{"type":"integer"}}}"#,
        ..Parameter::QUERY
    };

    #[test]
    fn strings_become_what_the_parameters_want() {
        static LIST: Operation =
            Operation { parameters: &[&ID, &TAGS, &COUNTS, &FLAG, &NAME, &FILTER], ..Operation::DEFAULT };
        let arguments = from_strings(
            &Api::DEFAULT,
            &LIST,
            [
                ("pet_id", "7"),
                ("tags", "1"),
                ("counts", "1"),
                ("counts", "2"),
                ("flag", "true"),
                ("name", "12"),
                ("age", "3"),
            ],
        );
        assert_eq!(
            Value::Object(arguments),
            json!({ "pet-id": 7, "tags": ["1"], "counts": [1, 2], "flag": true, "name": "12", "filter": { "age": 3 } })
        );
    }

    #[test]
    fn what_does_not_fit_stays_for_the_check_to_report() {
        static LIST: Operation = Operation { parameters: &[&ID], ..Operation::DEFAULT };
        let arguments = from_strings(&Api::DEFAULT, &LIST, [("pet_id", "seven"), ("other", "x")]);
        assert_eq!(Value::Object(arguments), json!({ "pet-id": "seven", "other": "x" }));
    }
}
