//! Between the runtime's vocabulary and rmcp's types.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rmcp::{ErrorData, model as wire};
use serde_json::{Map, Value, json};

use crate::{
    Error, ErrorKind,
    component::{Icon, Theme},
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    context::{ClientCapabilities, Question},
    message::{
        Completion, LogLevel, PromptInfo, PromptMessage, ResourceInfo, ResourceTemplateInfo, Role, ServerInfo, ToolInfo,
    },
};

/// JSON-RPC's range for errors of implementations.
const SERVER_ERROR: wire::ErrorCode = wire::ErrorCode(-32000);

/// What the server can do. Everything is declared, since components can be added while it runs: an empty list says that
/// there is nothing of a kind now.
pub(super) fn server_config(info: &ServerInfo, tasks: bool) -> wire::ServerConfig {
    let mut tools = wire::ToolsCapability::default();
    tools.list_changed = Some(true);
    let mut resources = wire::ResourcesCapability::default();
    resources.list_changed = Some(true);
    resources.subscribe = Some(true);
    let mut prompts = wire::PromptsCapability::default();
    prompts.list_changed = Some(true);
    let mut capabilities = wire::ServerCapabilities::default();
    capabilities.tools = Some(tools);
    capabilities.resources = Some(resources);
    capabilities.prompts = Some(prompts);
    capabilities.completions = Some(Map::new());
    capabilities.logging = Some(Map::new());
    if tasks {
        capabilities.extensions.get_or_insert_default().insert(wire::TASKS_EXTENSION_ID.to_owned(), Map::new());
    }
    let mut config = wire::ServerConfig::new(capabilities);
    describe(info, &mut config);
    config
}

/// What remains where the server cannot tell the client anything between requests.
pub(super) fn without_changes(capabilities: &mut wire::ServerCapabilities) {
    capabilities.tools = Some(wire::ToolsCapability::default());
    capabilities.resources = Some(wire::ResourcesCapability::default());
    capabilities.prompts = Some(wire::PromptsCapability::default());
}

/// Writes what the server says of itself.
pub(super) fn describe(info: &ServerInfo, config: &mut wire::ServerConfig) {
    let mut server = wire::Implementation::new(info.name.clone(), info.version.clone());
    server.title.clone_from(&info.title);
    server.website_url.clone_from(&info.website_url);
    server.icons = icons(&info.icons);
    config.server_info = server;
    config.instructions.clone_from(&info.instructions);
}

pub(super) fn icons(icons: &[Icon]) -> Option<Vec<wire::Icon>> {
    let convert = |icon: &Icon| {
        let mut wire = wire::Icon::new(icon.source.to_string());
        wire.mime_type = icon.media_type.as_ref().map(ToString::to_string);
        wire.sizes = (!icon.sizes.is_empty()).then(|| icon.sizes.iter().map(ToString::to_string).collect());
        wire.theme = icon.theme.map(|theme| match theme {
            Theme::Light => wire::IconTheme::Light,
            Theme::Dark => wire::IconTheme::Dark,
        });
        wire
    };
    (!icons.is_empty()).then(|| icons.iter().map(convert).collect())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `_meta`, with the tags where there are any.
pub(super) fn meta(meta: &Map<String, Value>, tags: &[std::borrow::Cow<'static, str>]) -> Option<wire::MetaObject> {
    if meta.is_empty() && tags.is_empty() {
        return None;
    }
    let mut meta = meta.clone();
    if !tags.is_empty() {
        meta.insert("mcpwright/tags".to_owned(), tags.iter().map(|tag| Value::from(tag.as_ref())).collect());
    }
    Some(wire::MetaObject(meta))
}

pub(super) fn tool(info: &ToolInfo) -> wire::Tool {
    let description = (!info.description.is_empty()).then(|| info.description.clone());
    let mut tool = wire::Tool::new_with_raw(info.name.clone(), description, info.input_schema.object().clone());
    tool.title = some(&info.title);
    tool.output_schema = info.output_schema.as_ref().map(|schema| schema.object().clone());
    tool.annotations = annotations(info);
    tool.icons = icons(&info.icons);
    tool.meta = meta(&info.meta, &info.tags);
    tool
}

pub(super) fn annotations(info: &ToolInfo) -> Option<wire::ToolAnnotations> {
    info.hints.map(|hints| {
        wire::ToolAnnotations::from_raw(
            None,
            Some(hints.read_only),
            Some(hints.destructive),
            Some(hints.idempotent),
            Some(hints.open_world),
        )
    })
}

pub(super) fn resource(info: &ResourceInfo) -> wire::Resource {
    let mut resource = wire::Resource::new(info.uri.as_ref(), info.name.as_ref());
    resource.title = some(&info.title);
    resource.description = some(&info.description);
    resource.mime_type = some(&info.media_type);
    resource.size = info.size;
    resource.icons = icons(&info.icons);
    resource.meta = meta(&info.meta, &info.tags);
    resource
}

pub(super) fn template(info: &ResourceTemplateInfo) -> wire::ResourceTemplate {
    let mut template = wire::ResourceTemplate::new(info.uri_template.as_ref(), info.name.as_ref());
    template.title = some(&info.title);
    template.description = some(&info.description);
    template.mime_type = some(&info.media_type);
    template.icons = icons(&info.icons);
    template.meta = meta(&info.meta, &info.tags);
    template
}

pub(super) fn prompt(info: &PromptInfo) -> wire::Prompt {
    let arguments = info.arguments.iter().map(|argument| {
        let mut wire = wire::PromptArgument::new(argument.name.clone()).with_required(argument.required);
        wire.description.clone_from(&argument.description);
        wire
    });
    let arguments: Vec<_> = arguments.collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    let mut prompt = wire::Prompt::new(info.name.as_ref(), some(&info.description), arguments);
    prompt.title = some(&info.title);
    prompt.icons = icons(&info.icons);
    prompt.meta = meta(&info.meta, &info.tags);
    prompt
}

pub(super) fn content(content: Content) -> wire::ContentBlock {
    match content {
        Content::Text(text) => wire::ContentBlock::text(text),
        Content::Image { data, media_type } => wire::ContentBlock::image(BASE64_STANDARD.encode(data), media_type),
        Content::Audio { data, media_type } => wire::ContentBlock::audio(BASE64_STANDARD.encode(data), media_type),
        Content::Resource(contents) => wire::ContentBlock::resource(resource_contents(contents)),
        Content::Link { uri, name, description, media_type } => {
            let mut link = wire::Resource::new(uri, name);
            link.description = description;
            link.mime_type = media_type;
            wire::ContentBlock::resource_link(link)
        }
    }
}

pub(super) fn resource_contents(contents: ResourceContents) -> wire::ResourceContents {
    let converted = match contents.body {
        ResourceBody::Text(text) => wire::ResourceContents::text(text, contents.uri),
        ResourceBody::Blob(bytes) => wire::ResourceContents::blob(BASE64_STANDARD.encode(bytes), contents.uri),
    };
    let converted = match contents.media_type {
        Some(media_type) => converted.with_mime_type(media_type),
        None => converted,
    };
    if contents.meta.is_empty() { converted } else { converted.with_meta(wire::MetaObject(contents.meta)) }
}

pub(super) fn prompt_message(message: PromptMessage) -> wire::PromptMessage {
    let role = match message.role {
        Role::User => wire::Role::User,
        Role::Assistant => wire::Role::Assistant,
    };
    wire::PromptMessage::new(role, content(message.content))
}

/// A message of a conversation as JSON, for sampling requests.
pub(crate) fn prompt_message_json(message: &PromptMessage) -> Value {
    serde_json::to_value(prompt_message(message.clone())).unwrap_or_default()
}

pub(super) fn tool_result(result: ToolResult) -> Result<wire::CallToolResult, ErrorData> {
    let blocks = result.content.into_iter().map(content).collect();
    let mut converted =
        if result.is_error { wire::CallToolResult::error(blocks) } else { wire::CallToolResult::success(blocks) };
    if let Some(raw) = result.structured {
        let value = serde_json::from_str(raw.get()).map_err(|error| {
            tracing::error!(%error, "a tool's structured result is no JSON");
            ErrorData::internal_error("The tool's result is no JSON.", None)
        })?;
        converted.structured_content = Some(value);
    }
    if !result.meta.is_empty() {
        converted.meta = Some(wire::MetaObject(result.meta));
    }
    Ok(converted)
}

/// A failed call: what the model can mend or should know is a result, what concerns the client is a protocol error.
pub(super) fn tool_error(failure: Error) -> Result<wire::CallToolResult, ErrorData> {
    match failure.kind {
        ErrorKind::InvalidParams | ErrorKind::Failed | ErrorKind::Internal | ErrorKind::TimedOut => {
            Ok(wire::CallToolResult::error(vec![wire::ContentBlock::text(failure.message)]))
        }
        ErrorKind::NotFound => Err(ErrorData::invalid_params(failure.message, failure.data.map(|data| *data))),
        _ => Err(error(failure)),
    }
}

/// The code of the JSON-RPC error that a client gets; `None` where it gets a result that says what failed.
#[cfg(feature = "otel")]
pub(crate) fn error_code(is_tool: bool, failure: &Error) -> Option<i32> {
    let answer = if is_tool { tool_error(failure.clone()) } else { Err(error(failure.clone())) };
    answer.err().map(|error| error.code.0)
}

/// A failed request that is no tool call.
pub(super) fn error(error: Error) -> ErrorData {
    let data = error.data.map(|data| *data);
    let with = |code, extra: Option<Value>| ErrorData::new(code, error.message.clone(), data.clone().or(extra));
    match error.kind {
        ErrorKind::InvalidParams => with(wire::ErrorCode::INVALID_PARAMS, None),
        // rmcp sends -32602 instead from 2026-07-28 on.
        ErrorKind::NotFound => with(wire::ErrorCode::RESOURCE_NOT_FOUND, None),
        ErrorKind::Unsupported => with(wire::ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY, None),
        ErrorKind::Unauthorized => with(SERVER_ERROR, Some(json!({"reason": "unauthorized"}))),
        ErrorKind::Forbidden { scopes } => {
            ErrorData::new(SERVER_ERROR, error.message, Some(json!({"reason": "forbidden", "scopes": scopes})))
        }
        ErrorKind::RateLimited { retry_after } => {
            let seconds = retry_after.map(|after| after.as_secs_f64().ceil());
            ErrorData::new(SERVER_ERROR, error.message, Some(json!({"reason": "rate limited", "retryAfter": seconds})))
        }
        ErrorKind::Overloaded => with(SERVER_ERROR, Some(json!({"reason": "overloaded"}))),
        ErrorKind::TimedOut => with(SERVER_ERROR, Some(json!({"reason": "timed out"}))),
        ErrorKind::Cancelled => with(SERVER_ERROR, Some(json!({"reason": "cancelled"}))),
        ErrorKind::Failed | ErrorKind::Internal => with(wire::ErrorCode::INTERNAL_ERROR, None),
    }
}

pub(super) fn completion(completion: Completion) -> Result<wire::CompleteResult, ErrorData> {
    let shown = completion.values.len();
    let more = completion.total.is_some_and(|total| total as usize > shown);
    let info = wire::CompletionInfo::with_pagination(completion.values, completion.total, more)
        .map_err(|error| ErrorData::internal_error(error, None))?;
    Ok(wire::CompleteResult::new(info))
}

/// A question as part of a result (2026-07-28).
pub(super) fn input_request(question: &Question) -> Result<wire::InputRequest, ErrorData> {
    let request = json!({"method": question.method, "params": question.params});
    serde_json::from_value(request).map_err(|error| {
        tracing::error!(%error, method = question.method, "a question to the client is not well-formed");
        ErrorData::internal_error("The server's question to the client is not well-formed.", None)
    })
}

/// What a client says that it can do.
pub(super) fn capabilities(capabilities: &wire::ClientCapabilities) -> ClientCapabilities {
    let elicitation = capabilities.elicitation.as_ref();
    ClientCapabilities {
        // An empty object is a declaration of forms (2025-06-18).
        elicitation: elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none()),
        elicitation_url: elicitation.is_some_and(|modes| modes.url.is_some()),
        sampling: capabilities.sampling.is_some(),
        roots: capabilities.roots.is_some(),
    }
}

#[expect(deprecated, reason = "logging is part of every protocol version that is served")]
pub(super) fn level(level: wire::LoggingLevel) -> LogLevel {
    match level {
        wire::LoggingLevel::Debug => LogLevel::Debug,
        wire::LoggingLevel::Info => LogLevel::Info,
        wire::LoggingLevel::Notice => LogLevel::Notice,
        wire::LoggingLevel::Warning => LogLevel::Warning,
        wire::LoggingLevel::Error => LogLevel::Error,
        wire::LoggingLevel::Critical => LogLevel::Critical,
        wire::LoggingLevel::Alert => LogLevel::Alert,
        _ => LogLevel::Emergency,
    }
}

#[expect(deprecated, reason = "logging is part of every protocol version that is served")]
pub(super) fn wire_level(level: LogLevel) -> wire::LoggingLevel {
    match level {
        LogLevel::Debug => wire::LoggingLevel::Debug,
        LogLevel::Info => wire::LoggingLevel::Info,
        LogLevel::Notice => wire::LoggingLevel::Notice,
        LogLevel::Warning => wire::LoggingLevel::Warning,
        LogLevel::Error => wire::LoggingLevel::Error,
        LogLevel::Critical => wire::LoggingLevel::Critical,
        LogLevel::Alert => wire::LoggingLevel::Alert,
        LogLevel::Emergency => wire::LoggingLevel::Emergency,
    }
}

/// The methods that are answered when their parameters are right.
pub(super) fn is_known_method(method: &str, modern: bool) -> bool {
    match method {
        "tools/call"
        | "tools/list"
        | "resources/read"
        | "resources/list"
        | "resources/templates/list"
        | "prompts/get"
        | "prompts/list"
        | "completion/complete" => true,
        "initialize" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => !modern,
        "server/discover" | "subscriptions/listen" => modern,
        _ => false,
    }
}
