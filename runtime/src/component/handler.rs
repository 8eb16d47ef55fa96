//! Arguments of handlers: from what clients send to the handler's own type, and the schema of that type.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Error;

/// The JSON Schema (2020-12) of a type, without the keys that say nothing to a model.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.shift_remove("$schema");
        object.shift_remove("title");
    }
    schema
}

/// The schema of an argument type, as an object schema: `()` takes no arguments.
pub(crate) fn arguments_schema<T: JsonSchema>() -> Value {
    let mut schema = schema_of::<T>();
    match schema.get("type").and_then(Value::as_str) {
        Some("null") => serde_json::json!({"type": "object", "properties": {}, "additionalProperties": false}),
        Some("object") => {
            // serde takes no notice of unknown names, and the model that misspelt one would never learn of it.
            if let Some(object) = schema.as_object_mut()
                && object.contains_key("properties")
                && !["allOf", "anyOf", "oneOf", "$ref", "additionalProperties"]
                    .iter()
                    .any(|key| object.contains_key(*key))
            {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            schema
        }
        // An enum of objects: clients insist on the type at the root.
        _ => {
            if let Some(object) = schema.as_object_mut() {
                object.insert("type".to_owned(), Value::from("object"));
                return schema;
            }
            serde_json::json!({"type": "object"})
        }
    }
}

/// Reads arguments into the handler's type.
pub(crate) fn arguments_of<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, Error> {
    if arguments.is_empty() {
        // `()` is null in serde's eyes, and a struct without required fields is an empty object.
        if let Ok(arguments) = serde_json::from_value(Value::Null) {
            return Ok(arguments);
        }
    }
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Error::invalid_params(format!("The arguments are wrong: {error}.")))
}

/// Turns strings of URIs and prompts into what the schema of their property wants. A string that does not fit stays as it
/// is, so that the error names it.
pub(crate) fn coerce(schema: &Value, name: &str, text: String) -> Value {
    let property = schema.get("properties").and_then(|properties| properties.get(name));
    let wants = |wanted: &str| match property.and_then(|property| property.get("type")) {
        Some(Value::String(kind)) => kind == wanted,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == wanted),
        _ => false,
    };
    if wants("string") {
        return Value::String(text);
    }
    if wants("integer")
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    if wants("number")
        && let Ok(number) = text.parse::<f64>()
    {
        return number.into();
    }
    if wants("boolean")
        && let Ok(boolean) = text.parse::<bool>()
    {
        return boolean.into();
    }
    if (wants("object") || wants("array"))
        && let Ok(value) = serde_json::from_str::<Value>(&text)
    {
        return value;
    }
    Value::String(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize, JsonSchema)]
    struct Arguments {
        /// How many.
        count: u32,
        #[serde(default)]
        deep: bool,
    }

    #[test]
    fn the_schema_of_arguments_is_an_object_without_ornaments() {
        let schema = arguments_schema::<Arguments>();
        assert_eq!(schema["type"], "object");
        assert_eq!(schema["required"], serde_json::json!(["count"]));
        assert_eq!(schema["properties"]["count"]["description"], "How many.");
        assert!(schema.get("$schema").is_none() && schema.get("title").is_none());
        assert_eq!(arguments_schema::<()>()["type"], "object");
    }

    #[test]
    fn strings_become_what_the_schema_wants() {
        let schema = arguments_schema::<Arguments>();
        assert_eq!(coerce(&schema, "count", "7".into()), 7);
        assert_eq!(coerce(&schema, "count", "seven".into()), "seven");
        assert_eq!(coerce(&schema, "deep", "true".into()), true);
        assert_eq!(coerce(&schema, "unknown", "7".into()), "7");
    }

    #[test]
    fn missing_arguments_are_named() {
        let error = arguments_of::<Arguments>(Map::new()).expect_err("count is missing");
        assert!(error.message.contains("count"), "{error}");
        assert!(arguments_of::<()>(Map::new()).is_ok());
    }
}
