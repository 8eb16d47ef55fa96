//! Assembles the schemas that clients see out of descriptors: by concatenation, never through parsed values.
//!
//! The texts of a catalog are trusted to be JSON. Where one is not, the schema is weaker than meant, but the assembly
//! neither panics nor fails.

#[cfg(feature = "server")]
mod compact;
mod members;

use crate::catalog::{Api, Body, Operation, Parameter};
#[cfg(feature = "server")]
pub(crate) use compact::compact;
use members::members;

/// The input schema of an operation as one self-contained JSON Schema 2020-12 object, MCP's `inputSchema`.
///
/// Parameters and the members of a flattened body lie side by side under `properties`; a parameter with a fixed value
/// does not appear. Other arguments than these are refused unless the schema of a flattened body states
/// `additionalProperties`. The members that an optional flattened body requires are not required of the arguments.
pub fn input(api: &Api, operation: &Operation) -> String {
    let mut properties = Members::default();
    let mut required = Vec::new();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.fixed.is_empty()) {
        let name = quote(parameter.argument());
        if parameter.required {
            required.push(name.clone());
        }
        properties.push(name, &parameter_schema(parameter));
    }
    let mut additional = "false";
    if let Some(body) = operation.body {
        if body.argument.is_empty() {
            additional = flatten(body, &mut properties, &mut required);
        } else {
            let name = quote(body.argument);
            if body.required {
                required.push(name.clone());
            }
            properties.push(name, schema_text(body.schema));
        }
    }

    let mut text = String::with_capacity(properties.text.len() + 128);
    text.push_str(r#"{"type":"object","properties":{"#);
    text.push_str(&properties.text);
    text.push('}');
    if !required.is_empty() {
        text.push_str(r#","required":["#);
        text.push_str(&required.join(","));
        text.push(']');
    }
    text.push_str(r#","additionalProperties":"#);
    text.push_str(additional);
    push_definitions(&mut text, api, operation.definitions);
    text.push('}');
    text
}

/// The output schema of an operation, if it offers one, as one self-contained JSON Schema 2020-12 object, MCP's
/// `outputSchema`. Its root says `"type":"object"`, as MCP requires.
pub fn output(api: &Api, operation: &Operation) -> Option<String> {
    let output = operation.output?;
    let schema = schema_text(output.schema);
    let mut text = String::with_capacity(schema.len() + 128);
    text.push_str(r#"{"type":"object""#);
    if output.wrapped {
        text.push_str(r#","properties":{"result":"#);
        text.push_str(schema);
        text.push_str(r#"},"required":["result"]"#);
    } else {
        for (name, value) in members(schema).unwrap_or_default() {
            if name != r#""type""# {
                push_member(&mut text, name, value);
            }
        }
    }
    push_definitions(&mut text, api, output.definitions);
    text.push('}');
    Some(text)
}

/// The members of an object under construction; the first of two with one name stays.
#[derive(Default)]
struct Members {
    text: String,
    names: std::collections::HashSet<String>,
}

impl Members {
    /// Adds a member; `name` is a JSON string with its quotes.
    fn push(&mut self, name: String, value: &str) {
        if self.names.contains(&name) {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(&name);
        self.text.push(':');
        self.text.push_str(value);
        self.names.insert(name);
    }
}

/// Adds the members of a flattened body; returns its `additionalProperties`.
fn flatten(body: &Body, properties: &mut Members, required: &mut Vec<String>) -> &'static str {
    let mut additional = "false";
    let is_fixed = |name: &str| body.fixed.iter().any(|(fixed, _)| quote(fixed) == name);
    for (name, value) in members(body.schema).unwrap_or_default() {
        match name {
            r#""properties""# => {
                for (name, schema) in members(value).unwrap_or_default() {
                    if !is_fixed(name) {
                        properties.push(name.to_owned(), schema);
                    }
                }
            }
            r#""required""# if body.required => {
                for name in members::strings(value).unwrap_or_default() {
                    if !is_fixed(name) && !required.iter().any(|present| present == name) {
                        required.push(name.to_owned());
                    }
                }
            }
            r#""additionalProperties""# => additional = value,
            _ => {}
        }
    }
    additional
}

/// The schema of a parameter with its description and deprecation. The parameter's words replace those of its schema.
fn parameter_schema(parameter: &Parameter) -> String {
    let schema = schema_text(parameter.schema);
    let mut text = String::with_capacity(schema.len() + parameter.description.len() + 40);
    text.push('{');
    if !parameter.description.is_empty() {
        push_member(&mut text, r#""description""#, &quote(parameter.description));
    }
    if parameter.deprecated {
        push_member(&mut text, r#""deprecated""#, "true");
    }
    if schema == "false" {
        push_member(&mut text, r#""not""#, "{}");
    } else if text.len() == 1 {
        return schema.to_owned();
    } else {
        for (name, value) in members(schema).unwrap_or_default() {
            let replaced = match name {
                r#""description""# => !parameter.description.is_empty(),
                r#""deprecated""# => parameter.deprecated,
                _ => false,
            };
            if !replaced {
                push_member(&mut text, name, value);
            }
        }
    }
    text.push('}');
    text
}

/// The text of a schema, `{}` for what cannot be one.
fn schema_text(text: &str) -> &str {
    let text = text.trim();
    let is_object = text.starts_with('{') && text.ends_with('}');
    if is_object || matches!(text, "true" | "false") { text } else { "{}" }
}

fn push_definitions(text: &mut String, api: &Api, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        text.push_str(if index == 0 { r#","$defs":{"# } else { "," });
        text.push_str(&quote(name));
        text.push(':');
        text.push_str(schema_text(api.definition(name).unwrap_or("{}")));
    }
    if !names.is_empty() {
        text.push('}');
    }
}

fn push_member(text: &mut String, name: &str, value: &str) {
    if !text.ends_with('{') {
        text.push(',');
    }
    text.push_str(name);
    text.push(':');
    text.push_str(value);
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
