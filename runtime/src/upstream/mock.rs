//! Answers without an API: from the document's example, else a sample of the output schema.

mod sample;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use serde_json::Value;

use super::{body::xml, media::MediaType, received::Received};
use crate::catalog::{Api, Operation};

/// The answer of an operation: the same for every call. An example that contradicts the output schema is passed over,
/// since clients check.
pub(super) fn answer(api: &Api, operation: &Operation, is_right: impl Fn(&str) -> bool) -> Received {
    let is_xml = MediaType::parse(operation.media_type).is_xml();
    let is_document = is_xml && operation.example.starts_with('<');
    let body = if !operation.example.is_empty()
        && (operation.output.is_none() || is_document || is_right(operation.example))
    {
        operation.example.to_owned()
    } else if let Some(output) = operation.output {
        sample::of(api, output.schema).to_string()
    } else {
        String::new()
    };
    let body = if is_xml && !body.is_empty() && !is_document { as_xml(operation, body) } else { body };
    let mut headers = HeaderMap::new();
    let media_type = match operation.media_type {
        "" => "application/json",
        media_type => media_type,
    };
    if !body.is_empty()
        && let Ok(value) = HeaderValue::from_str(media_type)
    {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let status = if body.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK };
    Received { status, headers, body: Bytes::from(body), cut: None }
}

/// JSON as the document that the schema of the answer describes.
fn as_xml(operation: &Operation, body: String) -> String {
    let Ok(value) = serde_json::from_str::<Value>(&body) else { return body };
    let schema: Value = serde_json::from_str(operation.answer_xml).unwrap_or_default();
    xml::document(&schema, &value).unwrap_or(body)
}
