//! Responses of Swagger 2.0, and the media types of `consumes` and `produces`.

use serde_json::{Map, Value, json};

use crate::document::{
    codes, extra,
    files::Target,
    shape::{Shaper, child, operation::origin, scalar_text},
};

impl Shaper<'_, '_, '_> {
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
        let file = schema.is_some_and(|schema| schema.get("type").and_then(Value::as_str) == Some("file"));
        if file {
            // The document's `produces` says what its other operations answer; a file is no JSON text.
            media_types.retain(|media_type| !media_type.to_ascii_lowercase().contains("json"));
        }
        if media_types.is_empty() {
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
    pub(super) fn media_types(&mut self, operation: &Map<String, Value>, key: &str, at: &Target) -> Vec<String> {
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
