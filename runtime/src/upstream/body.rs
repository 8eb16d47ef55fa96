//! Bodies: the arguments that no parameter takes, written as the media type wants them.

mod file;
mod form;
mod multipart;
pub(super) mod xml;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value};

use super::{media::MediaType, style::text};
use crate::{Error, catalog::Body};

pub(super) use file::File;

/// A body and its `Content-Type`.
#[derive(Debug)]
pub(super) struct Content {
    /// `Content-Type`.
    pub(super) media_type: HeaderValue,
    /// The body.
    pub(super) bytes: Bytes,
}

impl Content {
    fn new(media_type: &str, bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let media_type = HeaderValue::from_str(media_type)
            .map_err(|_| Error::invalid_params(format!("`{}` is no media type", media_type.escape_default())))?;
        Ok(Self { media_type, bytes: bytes.into() })
    }
}

/// Writes the body of a request; `None` when there is none to send.
pub(super) fn build(body: &Body, arguments: Map<String, Value>) -> Result<Option<Content>, Error> {
    let Some(value) = value(body, arguments)? else { return Ok(None) };
    encode(body, value).map(Some)
}

/// The value of the body: the one argument that holds it, or all arguments that are left, with the fixed members.
fn value(body: &Body, mut arguments: Map<String, Value>) -> Result<Option<Value>, Error> {
    let mut value = if body.argument.is_empty() {
        (body.required || !arguments.is_empty()).then_some(Value::Object(arguments))
    } else {
        let value = arguments.shift_remove(body.argument);
        if let Some(name) = arguments.keys().next() {
            return Err(Error::invalid_params(format!("`{name}`: no such argument")));
        }
        if value.is_none() && body.required && body.fixed.is_empty() {
            return Err(Error::invalid_params(format!("`{}` is missing", body.argument)));
        }
        value
    };
    if !body.fixed.is_empty() {
        let Value::Object(members) = value.get_or_insert_with(|| Value::Object(Map::new())) else {
            return Err(Error::invalid_params(format!("`{}`: has to be an object", body.argument)));
        };
        for (name, json) in body.fixed {
            let fixed = serde_json::from_str(json)
                .map_err(|_| Error::internal(format!("the fixed value of `{name}` is not JSON")))?;
            members.insert((*name).to_owned(), fixed);
        }
    }
    Ok(value)
}

fn encode(body: &Body, value: Value) -> Result<Content, Error> {
    let media_type = MediaType::parse(body.media_type);
    if media_type.is_json() {
        return Content::new(body.media_type, value.to_string());
    }
    if media_type.is_json_sequence() {
        return Content::new(body.media_type, sequence(media_type, &value));
    }
    if media_type.is_form() {
        return Content::new(body.media_type, form::encode(body, &value)?);
    }
    if media_type.is_multipart() {
        return multipart::encode(body, media_type, value);
    }
    if media_type.is_xml() {
        return Content::new(body.media_type, xml::encode(body, &value)?);
    }
    if media_type.is_text() || media_type.is_yaml() {
        let text = match File::explicit(&value) {
            Some(file) => return Content::new(body.media_type, file.map_err(|error| named(body, error))?.bytes),
            None if value.is_object() || value.is_array() => value.to_string(),
            None => text(&value),
        };
        return Content::new(body.media_type, text);
    }
    if media_type.is_range() && !media_type.essence().starts_with(|first: char| first.is_ascii_alphabetic()) {
        return any(body, &value);
    }
    let file = File::of(&value).map_err(|error| named(body, error))?;
    let sent = match &file.content_type {
        Some(own) => own.as_str(),
        None if media_type.is_range() => "application/octet-stream",
        None => body.media_type,
    };
    Content::new(sent, file.bytes)
}

/// A body of `*/*` or of no media type at all: a file says what it is, anything else is JSON.
fn any(body: &Body, value: &Value) -> Result<Content, Error> {
    match File::explicit(value) {
        Some(file) => {
            let file = file.map_err(|error| named(body, error))?;
            Content::new(file.content_type.as_deref().unwrap_or("application/octet-stream"), file.bytes)
        }
        None => Content::new("application/json", value.to_string()),
    }
}

/// One JSON value per line; anything but an array is a sequence of one.
fn sequence(media_type: MediaType<'_>, value: &Value) -> String {
    let mut lines = String::new();
    let items = match value {
        Value::Array(items) => items.as_slice(),
        value => std::slice::from_ref(value),
    };
    for item in items {
        if media_type.has_record_separators() {
            lines.push('\u{1e}');
        }
        lines.push_str(&item.to_string());
        lines.push('\n');
    }
    lines
}

fn named(body: &Body, what: String) -> Error {
    let name = if body.argument.is_empty() { "body" } else { body.argument };
    Error::invalid_params(format!("`{name}`: {what}"))
}
