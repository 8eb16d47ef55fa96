//! Parameters of OpenAPI 3.

use serde_json::{Map, Value};

use super::{Shaper, child, extensions, operation::origin};
use crate::document::{SpecificationVersion, codes, extra, files::Target, lift::kind_of};

impl Shaper<'_, '_, '_> {
    /// The parameters of a path item or an operation.
    pub(super) fn parameters(&mut self, value: &Value, at: &Target) -> Vec<Value> {
        if self.version == SpecificationVersion::V2_0 {
            return Vec::new();
        }
        let mut parameters: Vec<Value> = Vec::new();
        let items = match value {
            Value::Array(items) => items.as_slice(),
            Value::Null => &[],
            other => {
                let message = format!("`parameters` is {}, not an array; it is left out", kind_of(other));
                self.report(&codes::INVALID_MEMBER, at, message);
                &[]
            }
        };
        for (index, value) in items.iter().enumerate() {
            let at = child(at, &index.to_string());
            let component = self.component_of(value, &at, "/components/parameters");
            let parameter = self.follow(value, &at, |shaper, value, at| shaper.parameter(value, at)).flatten();
            if let Some(mut parameter) = parameter {
                if let Some(component) = component {
                    parameter.insert(extra::COMPONENT.to_owned(), Value::String(component));
                }
                parameters.push(Value::Object(parameter));
            }
        }
        parameters
    }

    pub(in crate::document) fn parameter(&mut self, value: &Value, at: &Target) -> Option<Map<String, Value>> {
        self.shaped += 1;
        let Value::Object(members) = value else {
            self.report(&codes::INVALID_MEMBER, at, "a parameter that is not an object is left out");
            return None;
        };
        let Some(name) = members.get("name").map(super::scalar_text).filter(|name| !name.is_empty()) else {
            self.report(&codes::INVALID_MEMBER, at, "a parameter without a name is left out");
            return None;
        };
        let written = members.get("in").and_then(Value::as_str).unwrap_or_default();
        let location = match written.to_ascii_lowercase().as_str() {
            "path" => "path",
            "query" => "query",
            "header" => "header",
            "cookie" => "cookie",
            "querystring" => "querystring",
            place => {
                let message = match place {
                    "" => format!("the parameter `{name}` does not say where it belongs; it is left out"),
                    _ => format!("the parameter `{name}` is in `{written}`, which is no place for one; it is left out"),
                };
                let help = if matches!(place, "body" | "formdata") {
                    "in OpenAPI 3 a body stands under `requestBody`"
                } else {
                    "`in` is one of path, query, header and cookie"
                };
                if let Some(diagnostic) = self.report(&codes::INVALID_MEMBER, at, message) {
                    diagnostic.help(help);
                }
                return None;
            }
        };
        if location == "header"
            && ["accept", "content-type", "authorization"].contains(&name.to_ascii_lowercase().as_str())
        {
            self.report(&codes::IGNORED_PARAMETER, at, format!("the header parameter `{name}` is ignored"));
            return None;
        }
        let mut parameter = extensions(Some(members));
        if location == "querystring" {
            parameter.insert(extra::LOCATION.to_owned(), Value::String("querystring".to_owned()));
            parameter.insert("in".to_owned(), Value::String("query".to_owned()));
        } else {
            parameter.insert("in".to_owned(), Value::String(location.to_owned()));
        }
        let required = self.flag(members, "required", at);
        if location == "path" && !required {
            self.report(
                &codes::REPAIRED,
                at,
                format!("the path parameter `{name}` is required, although it does not say so"),
            );
        }
        parameter.insert("required".to_owned(), Value::Bool(required || location == "path"));
        parameter.insert("deprecated".to_owned(), Value::Bool(self.flag(members, "deprecated", at)));
        if let Some(text) = self.text(members.get("description"), &child(at, "description")) {
            parameter.insert("description".to_owned(), Value::String(text));
        }
        self.style(members, &name, location, at, &mut parameter);
        for (key, kept) in [("allowReserved", extra::ALLOW_RESERVED), ("allowEmptyValue", extra::ALLOW_EMPTY_VALUE)] {
            if self.flag(members, key, at) {
                parameter.insert(kept.to_owned(), Value::Bool(true));
            }
        }
        let content = self.content(members.get("content"), &child(at, "content"));
        if let Some((media_type, value)) = content.into_iter().next() {
            let mut one = Map::new();
            one.insert(media_type, value);
            parameter.insert("content".to_owned(), Value::Object(one));
        } else {
            let schema = match members.get("schema") {
                Some(schema @ (Value::Object(_) | Value::Bool(_))) => self.schema(schema, &child(at, "schema")),
                // The members of a schema beside those of the parameter are a slip from Swagger 2.0.
                None if members.contains_key("type") || members.contains_key("enum") => {
                    let message = format!("the parameter `{name}` has no schema; its own members are read as one");
                    self.report(&codes::REPAIRED, at, message);
                    let schema = self.value_schema(members, at);
                    self.schema(&schema, at)
                }
                _ => {
                    self.report(
                        &codes::REPAIRED,
                        at,
                        format!("the parameter `{name}` has no schema; any value is admitted"),
                    );
                    self.schema(&Value::Bool(true), at)
                }
            };
            parameter.insert("schema".to_owned(), schema);
        }
        if let Some(example) = self.example(members, at) {
            parameter.insert("example".to_owned(), example);
        }
        parameter.insert("name".to_owned(), Value::String(name));
        parameter.insert(extra::ORIGIN.to_owned(), origin(at));
        Some(parameter)
    }

    fn style(
        &mut self,
        members: &Map<String, Value>,
        name: &str,
        location: &str,
        at: &Target,
        parameter: &mut Map<String, Value>,
    ) {
        let default = if matches!(location, "path" | "header") { "simple" } else { "form" };
        let written = members.get("style").and_then(Value::as_str);
        let style = match (location, written) {
            (_, None) => default,
            ("path", Some(style @ ("simple" | "label" | "matrix")))
            | ("query", Some(style @ ("form" | "spaceDelimited" | "pipeDelimited" | "deepObject")))
            | ("header", Some(style @ "simple"))
            | ("cookie", Some(style @ ("form" | "cookie"))) => style,
            (_, Some(other)) => {
                self.report(
                    &codes::INVALID_MEMBER,
                    &child(at, "style"),
                    format!("the style `{other}` is not defined for `{name}` in {location}; `{default}` is used"),
                );
                default
            }
        };
        // openapiv3 is told the style by the extension alone: its own default for the location is always legal.
        parameter.insert(extra::STYLE.to_owned(), Value::String(style.to_owned()));
        let explode = match members.get("explode") {
            Some(Value::Bool(explode)) => *explode,
            _ => matches!(style, "form" | "cookie" | "deepObject"),
        };
        parameter.insert("explode".to_owned(), Value::Bool(explode));
    }
}
