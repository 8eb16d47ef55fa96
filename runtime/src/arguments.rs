//! Checks arguments against their schema before anything is sent, and says in one message all that is wrong.

mod faults;
mod heal;

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::Error;

/// How many faults one message names.
const MAX_FAULTS: usize = 12;

/// A schema, compiled at its first use.
#[derive(Debug)]
pub struct Validator {
    schema: String,
    compiled: OnceLock<Option<jsonschema::Validator>>,
}

impl Validator {
    /// A validator of a JSON Schema 2020-12 text; costs nothing until the first check.
    pub fn new(schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), compiled: OnceLock::new() }
    }

    /// Checks arguments. An object, array, number or boolean that came as a JSON string, as some models send them, is
    /// turned into what the schema wants. An optional argument that is `null`, where the schema wants another type, is
    /// taken for absent.
    ///
    /// # Errors
    /// `InvalidParams` with every fault: the argument's path, what is wrong, what is allowed. The data is
    /// `{"faults": [{"argument", "problem"}]}`.
    pub fn check(&self, arguments: Map<String, Value>) -> Result<Map<String, Value>, Error> {
        let Some(compiled) = self.compiled() else { return Ok(arguments) };
        let mut value = Value::Object(arguments);
        if !compiled.is_valid(&value) {
            heal::without_nulls(compiled, &mut value);
            heal::heal(compiled, &mut value);
            let faults = faults::collect(compiled, &self.parsed(), &value, MAX_FAULTS);
            if !faults.is_empty() {
                let message = faults.iter().map(|fault| fault.to_string()).collect::<Vec<_>>().join("; ");
                let data: Vec<Value> = faults
                    .iter()
                    .map(|fault| json!({ "argument": fault.argument, "problem": fault.problem }))
                    .collect();
                return Err(Error::invalid_params(message).with_data(json!({ "faults": data })));
            }
        }
        match value {
            Value::Object(arguments) => Ok(arguments),
            _ => Err(Error::internal("the arguments are no object")),
        }
    }

    /// Every fault of a value, as sentences; empty when it matches.
    pub fn faults(&self, value: &Value) -> Vec<String> {
        match self.compiled() {
            Some(compiled) if !compiled.is_valid(value) => faults::collect(compiled, &self.parsed(), value, MAX_FAULTS)
                .iter()
                .map(|fault| fault.to_string())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The schema again, for messages: calls with faults are rare enough not to keep it.
    fn parsed(&self) -> Value {
        serde_json::from_str(&self.schema).unwrap_or_default()
    }

    /// `None` when the schema cannot be compiled, which the log says once: the API then judges the arguments.
    fn compiled(&self) -> Option<&jsonschema::Validator> {
        self.compiled
            .get_or_init(|| {
                let mut schema: Value = match serde_json::from_str(&self.schema) {
                    Ok(schema) => schema,
                    Err(error) => {
                        tracing::error!(%error, "a schema is not JSON; values are not checked against it");
                        return None;
                    }
                };
                let compile = |schema: &Value| {
                    jsonschema::options()
                        .with_draft(jsonschema::Draft::Draft202012)
                        .should_validate_formats(false)
                        .offline()
                        .build(schema)
                };
                compile(&schema)
                    .or_else(|_| {
                        // Patterns are regular expressions of another dialect; without them the rest still counts.
                        without_patterns(&mut schema, 0);
                        compile(&schema)
                    })
                    .map_err(
                        |error| tracing::error!(%error, "a schema does not compile; values are not checked against it"),
                    )
                    .ok()
            })
            .as_ref()
    }
}

/// Takes out `pattern` and `patternProperties` wherever they are keywords.
fn without_patterns(schema: &mut Value, depth: usize) {
    if depth > 64 {
        return;
    }
    match schema {
        Value::Object(members) => {
            if members.get("pattern").is_some_and(Value::is_string) {
                members.shift_remove("pattern");
            }
            members.shift_remove("patternProperties");
            members.values_mut().for_each(|member| without_patterns(member, depth + 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| without_patterns(item, depth + 1)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn check(schema: &Value, arguments: Value) -> Result<Value, String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        match Validator::new(schema.to_string()).check(arguments) {
            Ok(arguments) => Ok(Value::Object(arguments)),
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::InvalidParams);
                Err(error.message.into_owned())
            }
        }
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
                "status": { "enum": ["available", "sold"] },
                "name": { "type": "string", "minLength": 2, "pattern": "^[a-z]+$" },
                "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 2 },
                "owner": { "type": "object", "properties": { "id": { "type": "integer" } }, "required": ["id"] },
                "flag": { "type": "boolean" },
                "either": { "anyOf": [{ "type": "integer" }, { "type": "array", "items": { "type": "integer" } }] },
                "maybe": { "type": ["object", "null"] },
                "text": { "type": ["string", "object"] },
            },
            "required": ["name"],
            "additionalProperties": false,
        })
    }

    #[test]
    fn one_message_names_every_fault_and_what_is_allowed() {
        let error = check(
            &schema(),
            json!({ "limit": 500, "status": "gone", "tags": [1, "b"], "owner": {}, "limt": 3, "flag": "perhaps" }),
        )
        .expect_err("faults");
        for part in [
            "`limit`: 500 is more than the maximum 100",
            "`status`: \"gone\" is not one of \"available\", \"sold\"",
            "`tags[0]`: 1 is not a string",
            "`owner.id` is missing",
            "`name` is missing",
            "`limt`: no such argument; did you mean `limit`?",
            "`flag`: \"perhaps\" is not a boolean",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn values_that_came_as_json_strings_are_healed() {
        assert_eq!(
            check(
                &schema(),
                json!({
                    "name": "rex", "limit": "5", "flag": "true", "owner": "{\"id\": \"7\"}", "tags": "[\"a\"]",
                    "either": "[1]", "maybe": "null", "text": "{\"stays\": \"text\"}",
                })
            ),
            Ok(json!({
                "name": "rex", "limit": 5, "flag": true, "owner": { "id": 7 }, "tags": ["a"], "either": [1], "maybe": null,
                "text": "{\"stays\": \"text\"}",
            }))
        );
        // What does not become right by it stays as it was, and the message is about that.
        let error = check(&schema(), json!({ "name": "rex", "limit": "500" })).expect_err("a fault");
        assert!(error.contains("`limit`"), "{error}");
    }

    #[test]
    fn an_optional_argument_that_cannot_be_null_is_absent_when_it_is() {
        assert_eq!(
            check(&schema(), json!({ "name": "rex", "limit": null, "status": null, "maybe": null, "owner": null })),
            Ok(json!({ "name": "rex", "maybe": null }))
        );
        for (arguments, expected) in [
            (json!({ "name": null, "limit": null }), "`name`: null is not a string"),
            (json!({ "name": "rex", "owner": { "id": null } }), "`owner.id`: null is not an integer"),
            (json!({ "name": "rex", "limt": null }), "`limt`: no such argument"),
        ] {
            let error = check(&schema(), arguments).expect_err("a fault");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn messages_are_bounded() {
        let long = "x".repeat(100_000);
        let error = check(&schema(), json!({ "name": long.to_uppercase(), "status": long })).expect_err("faults");
        assert!(error.len() < 1_000, "{}", error.len());
        let many: Map<String, Value> = (0..500).map(|index| (format!("unknown{index}"), json!(1))).collect();
        let error = check(&schema(), Value::Object(many)).expect_err("faults");
        assert!(error.len() < 3_000 && error.contains("more"), "{error}");
    }

    #[test]
    fn a_schema_with_a_foreign_pattern_still_checks_the_rest() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "string", "pattern": "(?<!x" } } });
        assert!(check(&schema, json!({ "a": [], "b": "y" })).is_err());
        assert!(check(&schema, json!({ "a": 1, "b": "y" })).is_ok());
    }
}
