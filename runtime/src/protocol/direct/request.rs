//! Recognising plain requests.

use std::borrow::Cow;

use rmcp::model as wire;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    context::{ClientCapabilities, ClientInfo},
    message::{CallTool, ListPage, Notification, ReadResource, Request},
};

use super::super::{MODERN, convert};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// How a request says which protocol version it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// In its own `_meta`.
    Modern,
    /// Nowhere, or in a header: `initialize` settled it.
    Legacy,
}

/// A request in which everything is in order.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) id: Box<RawValue>,
    pub(super) request: Request,
    pub(super) era: Era,
    pub(super) version: &'static str,
    pub(super) meta: Map<String, Value>,
    pub(super) client: Option<ClientInfo>,
    pub(super) capabilities: ClientCapabilities,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParams {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default, rename = "_meta")]
    meta: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallParams {
    name: String,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
    #[serde(default, rename = "_meta")]
    meta: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadParams {
    uri: String,
    #[serde(default, rename = "_meta")]
    meta: Map<String, Value>,
}

impl Plain {
    /// Reads a JSON-RPC message. `None` where anything is out of the ordinary.
    pub(super) fn recognise(message: &[u8]) -> Option<Self> {
        let message: Message<'_> = serde_json::from_slice(message).ok()?;
        if message.jsonrpc != "2.0" || !is_id(message.id.get()) {
            return None;
        }
        let list = || -> Option<(ListPage, Map<String, Value>)> {
            let ListParams { cursor, meta } = match message.params {
                Some(params) => serde_json::from_str(params.get()).ok()?,
                None => ListParams::default(),
            };
            Some((ListPage { cursor }, meta))
        };
        let (request, meta) = match &*message.method {
            "tools/call" => {
                let CallParams { name, arguments, meta } = serde_json::from_str(message.params?.get()).ok()?;
                (Request::CallTool(CallTool { name, arguments: arguments.unwrap_or_default() }), meta)
            }
            "resources/read" => {
                let ReadParams { uri, meta } = serde_json::from_str(message.params?.get()).ok()?;
                (Request::ReadResource(ReadResource { uri }), meta)
            }
            "tools/list" => list().map(|(page, meta)| (Request::ListTools(page), meta))?,
            "resources/list" => list().map(|(page, meta)| (Request::ListResources(page), meta))?,
            "resources/templates/list" => list().map(|(page, meta)| (Request::ListResourceTemplates(page), meta))?,
            "prompts/list" => list().map(|(page, meta)| (Request::ListPrompts(page), meta))?,
            _ => return None,
        };
        // Who wants to hear of progress or to read logs needs a stream.
        if meta.contains_key("progressToken") || meta.contains_key(LOG_LEVEL) {
            return None;
        }
        let id = message.id.to_owned();
        let Some(version) = meta.get(VERSION) else {
            let (client, capabilities) = Default::default();
            let version = wire::ProtocolVersion::V_2025_03_26.as_str();
            return Some(Self { id, request, era: Era::Legacy, version, meta, client, capabilities });
        };
        if version != MODERN {
            return None;
        }
        let capabilities = wire::ClientCapabilities::deserialize(meta.get(CAPABILITIES)?).ok()?;
        let client = match meta.get(CLIENT) {
            Some(client) => Some(wire::Implementation::deserialize(client).ok()?),
            None => None,
        };
        Some(Self {
            id,
            request,
            era: Era::Modern,
            version: MODERN,
            client: client.map(|client| ClientInfo { name: client.name, version: client.version }),
            capabilities: convert::capabilities(&capabilities),
            meta,
        })
    }
}

/// Reads a notification.
pub(super) fn notification(message: &[u8]) -> Option<Notification> {
    #[derive(Deserialize)]
    struct Message {
        method: String,
        params: Option<Value>,
    }
    let Message { method, mut params } = serde_json::from_slice(message).ok()?;
    Some(match &*method {
        "notifications/initialized" => Notification::Initialized,
        "notifications/roots/list_changed" => Notification::RootsListChanged,
        "notifications/cancelled" => {
            let mut take = |key: &str| params.as_mut().and_then(|params| params.get_mut(key)).map(Value::take);
            let text = |value: Value| value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
            let request_id = take("requestId").map(text).unwrap_or_default();
            Notification::Cancelled { request_id, reason: take("reason").map(text) }
        }
        _ => Notification::Other { method, params },
    })
}

/// A string or an integer.
fn is_id(text: &str) -> bool {
    text.starts_with('"') || text.parse::<i64>().is_ok()
}
