//! Media types: schemas, examples and encodings of bodies, responses and parameters.

use serde_json::{Map, Value, json};

use super::{
    Shaper, child, extensions,
    operation::{origin, truthy},
};
use crate::document::{codes, extra, files::Target};

impl Shaper<'_, '_, '_> {
    /// A map of media types.
    pub(super) fn content(&mut self, value: Option<&Value>, at: &Target) -> Map<String, Value> {
        let Some(value) = value else { return Map::new() };
        self.follow(value, at, |shaper, value, at| {
            let mut content = Map::new();
            for (media_type, value) in shaper.members(value, "content", at).into_iter().flatten() {
                let at = child(at, media_type);
                if media_type.starts_with("x-") {
                    continue;
                }
                let trimmed = media_type.trim();
                if !trimmed.contains('/') {
                    shaper.report(
                        &codes::INVALID_MEMBER,
                        &at,
                        format!("`{media_type}` is no media type; it is left out"),
                    );
                    continue;
                }
                let shaped = shaper.follow(value, &at, |shaper, value, at| shaper.media_type(trimmed, value, at));
                if let Some(shaped) = shaped {
                    content.insert(trimmed.to_owned(), shaped);
                }
            }
            content
        })
        .unwrap_or_default()
    }

    fn media_type(&mut self, name: &str, value: &Value, at: &Target) -> Value {
        self.shaped += 1;
        let empty = Map::new();
        let members = self.members(value, "media type", at).unwrap_or(&empty);
        let mut media_type = extensions(Some(members));
        match (members.get("schema"), members.get("itemSchema")) {
            (Some(schema @ (Value::Object(_) | Value::Bool(_))), _) => {
                let schema = self.schema(schema, &child(at, "schema"));
                media_type.insert("schema".to_owned(), schema);
            }
            (_, Some(schema @ (Value::Object(_) | Value::Bool(_)))) => {
                let schema = self.schema(schema, &child(at, "itemSchema"));
                media_type.insert("schema".to_owned(), schema);
                media_type.insert(extra::SEQUENTIAL.to_owned(), Value::Bool(true));
            }
            (Some(Value::Array(items)), _) if items.is_empty() => {}
            (Some(_), _) => {
                self.report(&codes::INVALID_MEMBER, &child(at, "schema"), "a schema that is no object is left out");
            }
            (None, _) => {}
        }
        if let Some(example) = self.example(members, at) {
            media_type.insert("example".to_owned(), example);
        }
        for key in ["prefixEncoding", "itemEncoding"] {
            if members.contains_key(key) {
                let message =
                    format!("`{key}` is not applied; the parts of the body have the media types of their schemas");
                self.report(&codes::NOT_SUPPORTED, &child(at, key), message);
            }
        }
        let encodings: Map<String, Value> = members
            .get("encoding")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(property, value)| {
                let at = child(&child(at, "encoding"), property);
                Some((property.clone(), self.encoding(name, value.as_object()?, &at)))
            })
            .collect();
        if !encodings.is_empty() {
            media_type.insert("encoding".to_owned(), Value::Object(encodings));
        }
        media_type.insert(extra::ORIGIN.to_owned(), origin(at));
        Value::Object(media_type)
    }

    fn encoding(&mut self, media_type: &str, members: &Map<String, Value>, at: &Target) -> Value {
        let mut encoding = Map::new();
        if let Some(content_type) = members.get("contentType").and_then(Value::as_str) {
            encoding.insert("contentType".to_owned(), json!(content_type));
        }
        let styled: Vec<&str> =
            ["style", "explode", "allowReserved"].into_iter().filter(|key| members.contains_key(*key)).collect();
        if !styled.is_empty() && !takes_styles(media_type) {
            let message = format!("`{}` has no effect on parts of {media_type}; it is left out", styled.join("`, `"));
            self.report(&codes::INVALID_MEMBER, at, message);
        } else if !styled.is_empty() {
            encoding.insert(extra::STYLED.to_owned(), Value::Bool(true));
            let known = |style: &&str| matches!(*style, "spaceDelimited" | "pipeDelimited" | "deepObject");
            let style = members.get("style").and_then(Value::as_str).filter(known).unwrap_or("form");
            let explode =
                members.get("explode").map_or(style == "form" || style == "deepObject", |value| truthy(Some(value)));
            encoding.insert("style".to_owned(), json!(style));
            encoding.insert("explode".to_owned(), json!(explode));
            encoding.insert("allowReserved".to_owned(), json!(truthy(members.get("allowReserved"))));
        }
        let headers: Map<String, Value> = members
            .get("headers")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"))
            .filter_map(|(name, header)| {
                let value = self
                    .follow(header, at, |_, header, _| {
                        let schema = header.get("schema")?;
                        let constant = schema.get("const").or_else(|| schema.get("default"));
                        constant.or_else(|| schema.get("enum")?.as_array()?.first()).map(super::scalar_text)
                    })
                    .flatten()?;
                Some((name.clone(), Value::String(value)))
            })
            .collect();
        encoding.insert(extra::HEADERS.to_owned(), Value::Object(headers));
        Value::Object(encoding)
    }

    /// `example`, or the value of the first of `examples`.
    pub(super) fn example(&mut self, members: &Map<String, Value>, at: &Target) -> Option<Value> {
        if let Some(example) = members.get("example") {
            return match example {
                Value::Object(inner) if inner.len() == 1 && inner.contains_key("$ref") => {
                    self.follow(example, &child(at, "example"), |_, value, _| example_value(value)).flatten()
                }
                other => Some(other.clone()),
            };
        }
        let at = child(at, "examples");
        match members.get("examples")? {
            Value::Array(examples) => examples.first().cloned(),
            examples @ Value::Object(_) => self
                .follow(examples, &at, |shaper, examples, at| {
                    let (name, first) = examples.as_object()?.iter().next()?;
                    shaper.follow(first, &child(at, name), |_, value, _| example_value(value)).flatten()
                })
                .flatten(),
            _ => None,
        }
    }
}

/// The value of an Example Object, or an example given bare.
fn example_value(value: &Value) -> Option<Value> {
    let Value::Object(members) = value else { return Some(value.clone()) };
    if members.contains_key("externalValue") {
        return None;
    }
    members
        .get("value")
        .or_else(|| members.get("dataValue"))
        .or_else(|| members.get("serializedValue"))
        .cloned()
        .or_else(|| {
            let described = members.keys().all(|key| matches!(key.as_str(), "summary" | "description"));
            (!described).then(|| value.clone())
        })
}

/// Whether an Encoding Object of this media type may have a style (OpenAPI 3.1 §4.8.15). OpenAPI 3.0 gives it a meaning in
/// forms only, but whoever writes it for `multipart/form-data` there means the same.
fn takes_styles(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ["application/x-www-form-urlencoded", "multipart/form-data"].iter().any(|one| essence.eq_ignore_ascii_case(one))
}
