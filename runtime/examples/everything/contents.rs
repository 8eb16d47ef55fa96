//! Tools that answer with each kind of content.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use mcpwright_runtime::{
    Error,
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    context::Context,
};
use serde_json::{Map, Value, json};

/// A red dot.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// Silence.
const WAV: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

pub(crate) async fn simple_text(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("This is a simple text response for testing.")
}

pub(crate) fn picture() -> Bytes {
    BASE64_STANDARD.decode(PNG).unwrap_or_default().into()
}

fn image_block() -> Content {
    Content::Image { data: picture(), media_type: "image/png".into() }
}

pub(crate) async fn image(_: Context, (): ()) -> Result<Content, Error> {
    Ok(image_block())
}

pub(crate) async fn audio(_: Context, (): ()) -> Result<Content, Error> {
    let data = BASE64_STANDARD.decode(WAV).unwrap_or_default().into();
    Ok(Content::Audio { data, media_type: "audio/wav".into() })
}

fn text_resource(uri: &str, media_type: &str, text: &str) -> ResourceContents {
    ResourceContents {
        uri: uri.into(),
        media_type: Some(media_type.into()),
        body: ResourceBody::Text(text.into()),
        meta: Map::new(),
    }
}

pub(crate) async fn embedded_resource(_: Context, (): ()) -> Result<Content, Error> {
    let text = "This is an embedded resource content.";
    Ok(Content::Resource(text_resource("test://embedded-resource", "text/plain", text)))
}

pub(crate) async fn mixed(_: Context, (): ()) -> Result<Vec<Content>, Error> {
    let resource = text_resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#);
    Ok(vec![Content::Text("Multiple content types test:".into()), image_block(), Content::Resource(resource)])
}

pub(crate) async fn failing(_: Context, (): ()) -> Result<ToolResult, Error> {
    Err(Error::failed("This tool intentionally returns an error for testing"))
}

pub(crate) fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

pub(crate) async fn rich(_: Context, arguments: Map<String, Value>) -> Result<String, Error> {
    Ok(format!("The arguments were {}", Value::Object(arguments)))
}
