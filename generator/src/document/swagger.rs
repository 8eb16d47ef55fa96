//! Swagger 2.0: its parameters, bodies, responses and servers as OpenAPI 3 writes them.

use serde_json::{Map, Value, json};

use super::{
    codes, extra,
    files::Target,
    shape::{Shaper, child, operation::origin, scalar_text},
};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// The members of a parameter that are not of its value.
const NOT_SCHEMA: [&str; 9] =
    ["name", "in", "description", "required", "collectionFormat", "allowEmptyValue", "deprecated", "schema", "$ref"];

/// A parameter of `in: formData`.
struct Field {
    name: String,
    required: bool,
    schema: Value,
    encoding: Option<Value>,
}

/// `schemes`, `host` and `basePath` as servers, `https` first.
pub(super) fn servers(root: &Value) -> Vec<openapiv3::Server> {
    let text = |key: &str| root.get(key).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let base = text("basePath").trim_end_matches('/');
    let base = if base.is_empty() || base.starts_with('/') { base.to_owned() } else { format!("/{base}") };
    if let Some(server) = root.get("x-ms-parameterized-host").and_then(|host| parameterized_host(host, &base)) {
        return vec![server];
    }
    let host = text("host").trim_end_matches('/');
    let server = |url: String| openapiv3::Server { url, ..Default::default() };
    if host.is_empty() {
        return if base.is_empty() { Vec::new() } else { vec![server(base)] };
    }
    if host.contains("://") {
        return vec![server(format!("{host}{base}"))];
    }
    let mut schemes: Vec<&str> = match root.get("schemes") {
        Some(Value::Array(schemes)) => schemes.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(scheme)) => vec![scheme],
        _ => Vec::new(),
    };
    schemes.retain(|scheme| matches!(*scheme, "http" | "https"));
    if schemes.is_empty() {
        schemes.push("https");
    }
    schemes.sort_by_key(|scheme| *scheme != "https");
    schemes.dedup();
    schemes.into_iter().map(|scheme| server(format!("{scheme}://{host}{base}"))).collect()
}

/// The extension by which Azure's documents have variables in the host.
fn parameterized_host(host: &Value, base: &str) -> Option<openapiv3::Server> {
    let template = host.get("hostTemplate")?.as_str()?.trim_end_matches('/');
    let prefix = if template.contains("://") || host.get("useSchemePrefix") == Some(&Value::Bool(false)) {
        ""
    } else {
        "https://"
    };
    let declared = host.get("parameters").and_then(Value::as_array);
    let declaration = |name: &str| {
        declared.into_iter().flatten().find(|declared| declared.get("name").and_then(Value::as_str) == Some(name))
    };
    let variables = template
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| {
            let member = |key: &str| declaration(name).and_then(|declaration| declaration.get(key));
            let variable = openapiv3::ServerVariable {
                default: member("default").map(scalar_text).unwrap_or_default(),
                enumeration: member("enum").and_then(Value::as_array).into_iter().flatten().map(scalar_text).collect(),
                description: member("description").and_then(Value::as_str).map(str::to_owned),
                ..Default::default()
            };
            (name.to_owned(), variable)
        })
        .collect();
    Some(openapiv3::Server {
        url: format!("{prefix}{template}{base}"),
        variables: Some(variables),
        ..Default::default()
    })
}

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

    fn field(&mut self, members: &Map<String, Value>, at: &Target) -> Option<Field> {
        let Some(name) = members.get("name").map(scalar_text).filter(|name| !name.is_empty()) else {
            self.report(&codes::INVALID_MEMBER, at, "a parameter without a name is left out");
            return None;
        };
        let mut schema = self.value_schema(members, at);
        let style = self.collection_style(members, &schema, &name, "formData", at);
        if let (Some(schema), Some(text)) = (schema.as_object_mut(), self.text(members.get("description"), at)) {
            schema.entry("description").or_insert(Value::String(text));
        }
        let encoding = style.map(|(style, explode)| {
            // openapiv3 knows no tabs; the extension counts.
            let known = if style == "tabDelimited" { "form" } else { style };
            json!({
                "style": known,
                "explode": explode,
                "allowReserved": false,
                extra::STYLED: true,
                extra::STYLE: style,
                extra::HEADERS: {},
            })
        });
        Some(Field { name, required: self.flag(members, "required", at), schema, encoding })
    }

    /// Form fields as a request body.
    fn form(&mut self, fields: Vec<Field>, operation: &Map<String, Value>, at: &Target) -> Value {
        let has_file = fields.iter().any(|field| field.schema.get("type").and_then(Value::as_str) == Some("file"));
        let consumed = self.media_types(operation, "consumes", at);
        let mut media_types: Vec<String> = consumed
            .into_iter()
            .filter(|media_type| {
                let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                essence == MULTIPART || (essence == FORM && !has_file)
            })
            .collect();
        if media_types.is_empty() {
            media_types.push(if has_file { MULTIPART } else { FORM }.to_owned());
        }
        let required: Vec<&str> =
            fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        let mut schema = json!({ "type": "object" });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let body_required = !required.is_empty();
        let mut properties = Map::new();
        let mut encoding = Map::new();
        for field in fields {
            if let Some(own) = field.encoding {
                encoding.insert(field.name.clone(), own);
            }
            properties.insert(field.name, field.schema);
        }
        schema["properties"] = Value::Object(properties);
        let mut media_type = json!({ "schema": self.schema(&schema, at), extra::ORIGIN: origin(at) });
        if !encoding.is_empty() {
            media_type["encoding"] = Value::Object(encoding);
        }
        let content: Map<String, Value> = media_types.into_iter().map(|name| (name, media_type.clone())).collect();
        json!({ "required": body_required, "content": content, extra::ORIGIN: origin(at) })
    }

    /// A parameter of `in: body` as a request body.
    fn body(&mut self, members: &Map<String, Value>, at: &Target, operation: &Map<String, Value>) -> Value {
        let schema = match members.get("schema") {
            Some(schema @ (Value::Object(_) | Value::Bool(_))) => self.schema(schema, &child(at, "schema")),
            _ => {
                // `type` beside `in: body` is a common slip.
                let schema = self.value_schema(members, at);
                let name = members.get("name").map(scalar_text).unwrap_or_default();
                self.report(
                    &codes::REPAIRED,
                    at,
                    format!("the body `{name}` has no schema; its own members are read as one"),
                );
                self.schema(&schema, at)
            }
        };
        let mut media_types = self.media_types(operation, "consumes", at);
        if media_types.is_empty() {
            media_types.push("application/json".to_owned());
        }
        let examples = members.get("x-examples").and_then(Value::as_object);
        let content: Map<String, Value> = media_types
            .into_iter()
            .map(|name| {
                let mut media_type = json!({ "schema": schema, extra::ORIGIN: origin(at) });
                if let Some(example) = examples.and_then(|examples| examples.get(&name)) {
                    media_type["example"] = example.clone();
                }
                (name, media_type)
            })
            .collect();
        let mut body =
            json!({ "required": self.flag(members, "required", at), "content": content, extra::ORIGIN: origin(at) });
        if let Some(text) = self.text(members.get("description"), &child(at, "description")) {
            body["description"] = Value::String(text);
        }
        body
    }

    /// `schema`, `produces` and `examples` of a response as its content.
    pub(in crate::document) fn swagger_response_content(
        &mut self,
        response: &Map<String, Value>,
        operation: &Map<String, Value>,
        at: &Target,
    ) -> Map<String, Value> {
        let examples = response.get("examples").and_then(Value::as_object);
        let schema = response.get("schema").filter(|schema| schema.is_object() || schema.is_boolean());
        if schema.is_none() && examples.is_none_or(Map::is_empty) {
            return Map::new();
        }
        let mut media_types = self.media_types(operation, "produces", at);
        for name in examples.into_iter().flat_map(Map::keys).filter(|name| name.contains('/')) {
            if !media_types.contains(name) {
                media_types.push(name.clone());
            }
        }
        if media_types.is_empty() {
            let file = schema.is_some_and(|schema| schema.get("type").and_then(Value::as_str) == Some("file"));
            media_types.push(if file { "application/octet-stream" } else { "application/json" }.to_owned());
        }
        let schema = schema.map(|schema| self.schema(schema, &child(at, "schema")));
        media_types
            .into_iter()
            .map(|name| {
                let mut media_type = json!({ extra::ORIGIN: origin(at) });
                if let Some(schema) = &schema {
                    media_type["schema"] = schema.clone();
                }
                if let Some(example) = examples.and_then(|examples| examples.get(&name)) {
                    media_type["example"] = example.clone();
                }
                (name, media_type)
            })
            .collect()
    }

    /// `consumes` or `produces` of the operation, else of the document, in their order.
    fn media_types(&mut self, operation: &Map<String, Value>, key: &str, at: &Target) -> Vec<String> {
        let root = self.files.value(self.root);
        let mut media_types: Vec<String> = Vec::new();
        for media_type in match operation.get(key).or_else(|| root.get(key)) {
            Some(Value::Array(list)) => list.as_slice(),
            Some(single @ Value::String(_)) => std::slice::from_ref(single),
            _ => &[],
        } {
            let media_type = scalar_text(media_type);
            let media_type = media_type.trim();
            if !media_type.contains('/') {
                let message = format!("`{media_type}` in `{key}` is no media type; it is left out");
                self.report(&codes::INVALID_MEMBER, at, message);
            } else if !media_types.iter().any(|known| known == media_type) {
                media_types.push(media_type.to_owned());
            }
        }
        media_types
    }
}

/// What makes a parameter the same as another one (Swagger 2.0, Operation Object).
fn identity(members: &Map<String, Value>) -> (String, String) {
    let location = members.get("in").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let name =
        if location == "body" { String::new() } else { members.get("name").map(scalar_text).unwrap_or_default() };
    (location, name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemes_host_and_base_path_become_servers() {
        for (root, expected) in [
            (
                json!({"host": "api.example.com", "basePath": "/v1/", "schemes": ["http", "https"]}),
                vec!["https://api.example.com/v1", "http://api.example.com/v1"],
            ),
            (json!({"host": "api.example.com:8080"}), vec!["https://api.example.com:8080"]),
            (json!({"host": "https://api.example.com/", "basePath": "v1"}), vec!["https://api.example.com/v1"]),
            (json!({"host": "api.example.com", "schemes": ["ws"]}), vec!["https://api.example.com"]),
            (json!({"basePath": "/v1"}), vec!["/v1"]),
            (json!({"basePath": "/"}), vec![]),
            (json!({}), vec![]),
        ] {
            let urls: Vec<String> = servers(&root).into_iter().map(|server| server.url).collect();
            assert_eq!(urls, expected, "{root}");
        }
    }

    #[test]
    fn a_parameterised_host_becomes_server_variables() {
        let root = json!({
            "host": "ignored.example.com",
            "basePath": "/v2",
            "x-ms-parameterized-host": {
                "hostTemplate": "{account}.example.com",
                "parameters": [{"name": "account", "default": "me", "description": "Whose"}],
            },
        });
        let servers = servers(&root);
        assert_eq!(servers[0].url, "https://{account}.example.com/v2");
        assert_eq!(servers[0].variables.as_ref().unwrap()["account"].default, "me");
    }
}
