//! Bodies of Swagger 2.0: `in: body` and `in: formData` as request bodies.

use serde_json::{Map, Value, json};

use crate::document::{
    codes, extra,
    files::Target,
    shape::{Shaper, child, operation::origin, scalar_text},
};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A parameter of `in: formData`.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) required: bool,
    schema: Value,
    encoding: Option<Value>,
}

impl Shaper<'_, '_, '_> {
    /// A field of a form; `None` for one without a name.
    pub(super) fn field(&mut self, members: &Map<String, Value>, at: &Target) -> Option<Field> {
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
    pub(super) fn form(&mut self, fields: Vec<Field>, operation: &Map<String, Value>, at: &Target) -> Value {
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
    pub(super) fn body(&mut self, members: &Map<String, Value>, at: &Target, operation: &Map<String, Value>) -> Value {
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
}
