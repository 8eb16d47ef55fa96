//! Swagger 2.0: its parameters as OpenAPI 3 writes them; its bodies, responses and servers are below.

mod body;
mod response;
mod server;

use serde_json::{Map, Value, json};

use body::Field;

use super::{
    codes, extra,
    files::Target,
    shape::{Shaper, child, scalar_text},
};

pub(super) use server::servers;

/// The members of a parameter that are not of its value.
const NOT_SCHEMA: [&str; 9] =
    ["name", "in", "description", "required", "collectionFormat", "allowEmptyValue", "deprecated", "schema", "$ref"];

impl Shaper<'_, '_, '_> {
    /// The parameters of an operation and of its path item as parameters and request body of OpenAPI 3.
    pub(in crate::document) fn swagger_parameters(
        &mut self,
        operation: &Map<String, Value>,
        item: &Map<String, Value>,
        at: &Target,
    ) -> (Vec<Value>, Option<Value>) {
        let above = at.pointer.rsplit_once('/').map_or("", |(above, _)| above);
        let item_at = Target { file: at.file, pointer: above.to_owned() };
        let own = self.behind_references(operation.get("parameters"), &child(at, "parameters"));
        let mut effective = self.behind_references(item.get("parameters"), &child(&item_at, "parameters"));
        effective.retain(|(inherited, ..)| !own.iter().any(|(own, ..)| identity(own) == identity(inherited)));
        effective.extend(own);

        let mut parameters = Vec::new();
        let mut bodies: Vec<(Map<String, Value>, Target)> = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        for (members, at, component) in effective {
            match members.get("in").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase().as_str() {
                "body" => bodies.push((members, at)),
                "formdata" | "form" => fields.extend(self.field(&members, &at)),
                _ => {
                    if let Some(mut parameter) = self.swagger_parameter(members, &at) {
                        if let Some(component) = component {
                            parameter.insert(extra::COMPONENT.to_owned(), Value::String(component));
                        }
                        parameters.push(Value::Object(parameter));
                    }
                }
            }
        }
        for (_, at) in bodies.iter().skip(1) {
            self.report(&codes::INVALID_MEMBER, at, "an operation has one body; this further one is left out");
        }
        let body = match bodies.into_iter().next() {
            Some((members, body_at)) => {
                if !fields.is_empty() {
                    let message = "an operation has either a body or form fields; its form fields are left out";
                    self.report(&codes::INVALID_MEMBER, at, message);
                }
                Some(self.body(&members, &body_at, operation))
            }
            None if fields.is_empty() => None,
            None => Some(self.form(fields, operation, &child(at, "parameters"))),
        };
        (parameters, body)
    }

    /// What stands behind the elements of `parameters`, with the name of the component that an element refers to.
    fn behind_references(
        &mut self,
        value: Option<&Value>,
        at: &Target,
    ) -> Vec<(Map<String, Value>, Target, Option<String>)> {
        let mut list = Vec::new();
        let Some(value) = value else { return list };
        let Value::Array(items) = value else {
            if !value.is_null() {
                self.report(&codes::INVALID_MEMBER, at, "`parameters` is not an array; it is left out");
            }
            return list;
        };
        for (index, item) in items.iter().enumerate() {
            let at = child(at, &index.to_string());
            let component = self.component_of(item, &at, "/parameters");
            let behind = self.follow(item, &at, |_, value, at| (value.clone(), at.clone()));
            match behind {
                Some((Value::Object(members), at)) => list.push((members, at, component)),
                Some(_) => {
                    self.report(&codes::INVALID_MEMBER, &at, "a parameter that is not an object is left out");
                }
                None => {}
            }
        }
        list
    }

    /// A parameter outside of the body: written as OpenAPI 3 would, then read like any other.
    fn swagger_parameter(&mut self, mut members: Map<String, Value>, at: &Target) -> Option<Map<String, Value>> {
        let name = members.get("name").map(scalar_text).unwrap_or_default();
        let location = members.get("in").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let schema = self.value_schema(&members, at);
        let style = self.collection_style(&members, &schema, &name, &location, at);
        members.retain(|key, _| key.starts_with("x-") || NOT_SCHEMA.contains(&key.as_str()));
        if members.get("example").is_none()
            && let Some(example) = members.get("x-example").cloned()
        {
            members.insert("example".to_owned(), example);
        }
        members.insert("schema".to_owned(), schema);
        let mut parameter = self.parameter(&Value::Object(members), at)?;
        if let Some((style, explode)) = style {
            parameter.insert(extra::STYLE.to_owned(), json!(style));
            parameter.insert("explode".to_owned(), json!(explode));
        }
        Some(parameter)
    }

    /// The schema that the members of a parameter make up; a parameter that has one as in OpenAPI 3 keeps it.
    pub(in crate::document) fn value_schema(&mut self, members: &Map<String, Value>, at: &Target) -> Value {
        if let Some(schema @ Value::Object(_)) = members.get("schema") {
            return schema.clone();
        }
        let mut schema: Map<String, Value> = members
            .iter()
            .filter(|(key, _)| !NOT_SCHEMA.contains(&key.as_str()))
            .filter(|(key, _)| !key.starts_with("x-") || *key == "x-nullable")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut)
            && let Some(format) = items.remove("collectionFormat")
            && format != "csv"
        {
            let message = format!("arrays inside of arrays are separated by commas, not as {format} says");
            self.report(&codes::NOT_SUPPORTED, &child(at, "items"), message);
        }
        Value::Object(schema)
    }

    /// `collectionFormat` as style and explode; `None` for what is no array.
    fn collection_style(
        &mut self,
        members: &Map<String, Value>,
        schema: &Value,
        name: &str,
        location: &str,
        at: &Target,
    ) -> Option<(&'static str, bool)> {
        let array = schema.get("type").and_then(Value::as_str) == Some("array") || schema.get("items").is_some();
        if !array {
            return None;
        }
        let plain = if matches!(location, "path" | "header") { "simple" } else { "form" };
        let written = members.get("collectionFormat").and_then(Value::as_str);
        match (written.unwrap_or("csv"), plain) {
            ("csv", _) => Some((plain, false)),
            ("multi", "form") => Some(("form", true)),
            ("ssv", "form") => Some(("spaceDelimited", false)),
            ("pipes", "form") => Some(("pipeDelimited", false)),
            ("tsv", "form") => Some(("tabDelimited", false)),
            (other, _) => {
                let message = format!(
                    "the collectionFormat `{other}` is not defined for `{name}` in {location}; `csv` is used instead"
                );
                self.report(&codes::INVALID_MEMBER, &child(at, "collectionFormat"), message);
                Some((plain, false))
            }
        }
    }
}

/// What makes a parameter the same as another one (Swagger 2.0, Operation Object).
fn identity(members: &Map<String, Value>) -> (String, String) {
    let location = members.get("in").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let name =
        if location == "body" { String::new() } else { members.get("name").map(scalar_text).unwrap_or_default() };
    (location, name)
}
