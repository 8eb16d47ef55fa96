//! From rmcp's types to the runtime's vocabulary: what another server offers and answers.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use rmcp::model as wire;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, value::to_raw_value};

use super::Failure;
use crate::{
    Error,
    component::{Hints, Icon, LazySchema, Theme},
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    message::{PromptArgument, PromptInfo, PromptMessage, ResourceInfo, ResourceTemplateInfo, Role, ToolInfo},
};

/// Where tags are in `_meta`.
const TAGS: &str = "mcpwright/tags";

fn text(text: Option<impl Into<Cow<'static, str>>>) -> Cow<'static, str> {
    text.map(Into::into).unwrap_or_default()
}

/// `_meta` without the tags, and the tags.
fn meta(meta: Option<wire::MetaObject>) -> (Map<String, Value>, Vec<Cow<'static, str>>) {
    let mut meta = meta.map(|meta| meta.0).unwrap_or_default();
    let tags = match meta.shift_remove(TAGS) {
        Some(Value::Array(tags)) => {
            tags.into_iter().filter_map(|tag| tag.as_str().map(|tag| tag.to_owned().into())).collect()
        }
        _ => Vec::new(),
    };
    (meta, tags)
}

fn icons(icons: Option<Vec<wire::Icon>>) -> Vec<Icon> {
    let convert = |icon: wire::Icon| Icon {
        source: icon.src.into(),
        media_type: icon.mime_type.map(Into::into),
        sizes: icon.sizes.unwrap_or_default().into_iter().map(Into::into).collect(),
        theme: icon.theme.and_then(|theme| match theme {
            wire::IconTheme::Light => Some(Theme::Light),
            wire::IconTheme::Dark => Some(Theme::Dark),
            _ => None,
        }),
    };
    icons.unwrap_or_default().into_iter().map(convert).collect()
}

pub(super) fn tool(tool: wire::Tool) -> ToolInfo {
    let schema = |schema: &Map<String, Value>| LazySchema::given(&Value::Object(schema.clone()));
    let (meta, tags) = meta(tool.meta);
    // What is not said means the worst (2025-11-25, ToolAnnotations).
    let hints = tool.annotations.as_ref().map(|hints| Hints {
        read_only: hints.read_only_hint.unwrap_or(false),
        destructive: hints.destructive_hint.unwrap_or(true),
        idempotent: hints.idempotent_hint.unwrap_or(false),
        open_world: hints.open_world_hint.unwrap_or(true),
    });
    ToolInfo {
        name: tool.name,
        title: text(tool.title.or_else(|| tool.annotations.and_then(|annotations| annotations.title))),
        description: text(tool.description),
        input_schema: schema(&tool.input_schema),
        output_schema: tool.output_schema.as_deref().map(schema),
        hints,
        icons: icons(tool.icons),
        tags,
        meta,
    }
}

pub(super) fn resource(resource: wire::Resource) -> ResourceInfo {
    let (meta, tags) = meta(resource.meta);
    ResourceInfo {
        uri: resource.uri.into(),
        name: resource.name.into(),
        title: text(resource.title),
        description: text(resource.description),
        media_type: text(resource.mime_type),
        size: resource.size,
        icons: icons(resource.icons),
        tags,
        meta,
    }
}

pub(super) fn template(template: wire::ResourceTemplate) -> ResourceTemplateInfo {
    let (meta, tags) = meta(template.meta);
    ResourceTemplateInfo {
        uri_template: template.uri_template.into(),
        name: template.name.into(),
        title: text(template.title),
        description: text(template.description),
        media_type: text(template.mime_type),
        icons: icons(template.icons),
        tags,
        meta,
    }
}

pub(super) fn prompt(prompt: wire::Prompt) -> PromptInfo {
    let (meta, tags) = meta(prompt.meta);
    let argument = |argument: wire::PromptArgument| PromptArgument {
        name: argument.name,
        description: argument.description,
        required: argument.required.unwrap_or(false),
    };
    PromptInfo {
        name: prompt.name.into(),
        title: text(prompt.title),
        description: text(prompt.description),
        arguments: prompt.arguments.unwrap_or_default().into_iter().map(argument).collect(),
        icons: icons(prompt.icons),
        tags,
        meta,
    }
}

/// Bytes of base64; what is none is kept as it is, for whoever can make sense of it.
fn bytes(encoded: String) -> Bytes {
    BASE64_STANDARD.decode(&encoded).unwrap_or_else(|_| encoded.into_bytes()).into()
}

pub(super) fn resource_contents(contents: wire::ResourceContents) -> ResourceContents {
    let keep = |meta: Option<wire::MetaObject>| meta.map(|meta| meta.0).unwrap_or_default();
    match contents {
        wire::ResourceContents::TextResourceContents { uri, mime_type, text, meta } => {
            ResourceContents { uri, media_type: mime_type, body: ResourceBody::Text(text), meta: keep(meta) }
        }
        wire::ResourceContents::BlobResourceContents { uri, mime_type, blob, meta } => {
            ResourceContents { uri, media_type: mime_type, body: ResourceBody::Blob(bytes(blob)), meta: keep(meta) }
        }
        _ => ResourceContents {
            uri: String::new(),
            media_type: None,
            body: ResourceBody::Text(String::new()),
            meta: Map::new(),
        },
    }
}

fn content(block: wire::ContentBlock) -> Content {
    match block {
        wire::ContentBlock::Text(text) => Content::Text(text.text),
        wire::ContentBlock::Image(image) => Content::Image { data: bytes(image.data), media_type: image.mime_type },
        wire::ContentBlock::Audio(audio) => Content::Audio { data: bytes(audio.data), media_type: audio.mime_type },
        wire::ContentBlock::Resource(embedded) => Content::Resource(resource_contents(embedded.resource)),
        wire::ContentBlock::ResourceLink(link) => {
            Content::Link { uri: link.uri, name: link.name, description: link.description, media_type: link.mime_type }
        }
        other => Content::Text(serde_json::to_string(&other).unwrap_or_default()),
    }
}

pub(super) fn tool_result(result: wire::CallToolResult) -> ToolResult {
    ToolResult {
        content: result.content.into_iter().map(content).collect(),
        structured: result.structured_content.and_then(|value| to_raw_value(&value).ok()),
        is_error: result.is_error.unwrap_or(false),
        meta: result.meta.map(|meta| meta.0).unwrap_or_default(),
    }
}

pub(super) fn prompt_message(message: wire::PromptMessage) -> PromptMessage {
    let role = match message.role {
        wire::Role::Assistant => Role::Assistant,
        _ => Role::User,
    };
    PromptMessage { role, content: content(message.content) }
}

/// A result that was taken for another kind, since results do not say of what kind they are.
pub(super) fn other<T: DeserializeOwned>(result: wire::ServerResult) -> Result<T, Failure> {
    let result = serde_json::to_value(result).and_then(serde_json::from_value);
    result.map_err(|_| Error::failed("The server behind this answered nonsense.").into())
}
