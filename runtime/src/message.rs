//! What clients ask and what servers answer, in the runtime's own words: the vocabulary between protocol, middleware and
//! registry. No type of a protocol library shows here.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{
    component::{Hints, Icon, LazySchema},
    content::{Content, ResourceContents, ToolResult},
};

/// A request of a client.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Request {
    /// `initialize`, up to protocol version 2025-11-25.
    Initialize,
    /// `server/discover`, from 2026-07-28.
    Discover,
    /// `tools/list`
    ListTools(ListPage),
    /// `resources/list`
    ListResources(ListPage),
    /// `resources/templates/list`
    ListResourceTemplates(ListPage),
    /// `prompts/list`
    ListPrompts(ListPage),
    /// `tools/call`
    CallTool(CallTool),
    /// `resources/read`
    ReadResource(ReadResource),
    /// `prompts/get`
    GetPrompt(GetPrompt),
    /// `completion/complete`
    Complete(Complete),
    /// `logging/setLevel`, up to 2025-11-25.
    SetLevel(LogLevel),
    /// `resources/subscribe` of a URI, up to 2025-11-25.
    Subscribe(String),
    /// `resources/unsubscribe` of a URI, up to 2025-11-25.
    Unsubscribe(String),
}

impl Request {
    /// The method's name on the wire.
    pub const fn method(&self) -> &'static str {
        match self {
            Request::Initialize => "initialize",
            Request::Discover => "server/discover",
            Request::ListTools(_) => "tools/list",
            Request::ListResources(_) => "resources/list",
            Request::ListResourceTemplates(_) => "resources/templates/list",
            Request::ListPrompts(_) => "prompts/list",
            Request::CallTool(_) => "tools/call",
            Request::ReadResource(_) => "resources/read",
            Request::GetPrompt(_) => "prompts/get",
            Request::Complete(_) => "completion/complete",
            Request::SetLevel(_) => "logging/setLevel",
            Request::Subscribe(_) => "resources/subscribe",
            Request::Unsubscribe(_) => "resources/unsubscribe",
        }
    }

    /// The tool's or prompt's name, or the resource's URI, where the request is about one.
    pub fn target(&self) -> Option<&str> {
        match self {
            Request::CallTool(call) => Some(&call.name),
            Request::ReadResource(read) => Some(&read.uri),
            Request::GetPrompt(get) => Some(&get.name),
            Request::Subscribe(uri) | Request::Unsubscribe(uri) => Some(uri),
            _ => None,
        }
    }
}

/// The answer to a [`Request`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Response {
    /// Nothing but that it was done.
    Empty,
    /// What the server is: to `initialize` and `server/discover`.
    Server(Arc<ServerInfo>),
    /// To `tools/list`.
    Tools(Page<ToolInfo>),
    /// To `resources/list`.
    Resources(Page<ResourceInfo>),
    /// To `resources/templates/list`.
    ResourceTemplates(Page<ResourceTemplateInfo>),
    /// To `prompts/list`.
    Prompts(Page<PromptInfo>),
    /// To `tools/call`.
    Tool(ToolResult),
    /// To `resources/read`.
    Resource(Vec<ResourceContents>),
    /// To `prompts/get`.
    Prompt(PromptResult),
    /// To `completion/complete`.
    Completion(Completion),
}

/// A message that wants no answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notification {
    /// `notifications/initialized`
    Initialized,
    /// `notifications/cancelled`: the request's id and the reason. The request was cancelled already.
    Cancelled {
        /// The cancelled request.
        request_id: String,
        /// Why, for people.
        reason: Option<String>,
    },
    /// `notifications/roots/list_changed`
    RootsListChanged,
    /// Any other notification.
    Other {
        /// The method.
        method: String,
        /// The parameters.
        params: Option<Value>,
    },
}

impl Notification {
    /// The method's name on the wire.
    pub fn method(&self) -> &str {
        match self {
            Notification::Initialized => "notifications/initialized",
            Notification::Cancelled { .. } => "notifications/cancelled",
            Notification::RootsListChanged => "notifications/roots/list_changed",
            Notification::Other { method, .. } => method,
        }
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct ListPage {
    /// `nextCursor` of the page before; `None` for the first page.
    pub cursor: Option<String>,
}

/// One page of a list. Cloning it copies pointers, not descriptions.
#[derive(Debug)]
pub struct Page<T> {
    /// The components, in their stable order.
    pub items: Arc<[Arc<T>]>,
    /// The cursor of the next page, if there is one.
    pub next_cursor: Option<String>,
    /// Items as they go over the wire, once somebody asked for them, and which items those are: `items` can be changed.
    encoded: Arc<OnceLock<Encoded<T>>>,
}

/// Items and their text.
type Encoded<T> = (Arc<[Arc<T>]>, Bytes);

impl<T> Page<T> {
    /// A page of these components.
    pub fn new(items: impl Into<Arc<[Arc<T>]>>, next_cursor: Option<String>) -> Self {
        Self { items: items.into(), next_cursor, encoded: Arc::default() }
    }

    /// The items as text, written once as long as they stay.
    pub(crate) fn encoded(&self, write: impl Fn(&[Arc<T>]) -> Bytes) -> Bytes {
        let (items, text) = self.encoded.get_or_init(|| (self.items.clone(), write(&self.items)));
        if Arc::ptr_eq(items, &self.items) { text.clone() } else { write(&self.items) }
    }
}

impl<T> Clone for Page<T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), next_cursor: self.next_cursor.clone(), encoded: self.encoded.clone() }
    }
}

/// `tools/call`
#[derive(Debug, Clone)]
pub struct CallTool {
    /// The tool.
    pub name: String,
    /// The arguments as the client sent them.
    pub arguments: Map<String, Value>,
}

/// `resources/read`
#[derive(Debug, Clone)]
pub struct ReadResource {
    /// The URI.
    pub uri: String,
}

/// `prompts/get`
#[derive(Debug, Clone)]
pub struct GetPrompt {
    /// The prompt.
    pub name: String,
    /// The arguments; strings, unless a client strays from the specification.
    pub arguments: Map<String, Value>,
}

/// `completion/complete`
#[derive(Debug, Clone)]
pub struct Complete {
    /// What is being filled in.
    pub target: CompletionTarget,
    /// The argument or variable.
    pub argument: String,
    /// What the user typed so far.
    pub value: String,
    /// Arguments that are known already.
    pub known: std::collections::HashMap<String, String>,
}

/// What a completion is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletionTarget {
    /// A prompt, by name.
    Prompt(String),
    /// A resource template, by its template text.
    ResourceTemplate(String),
}

/// Proposals for an argument.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    /// At most 100 values (the specification's limit); more are cut.
    pub values: Vec<String>,
    /// How many there are in all, where known.
    pub total: Option<u32>,
}

impl From<Vec<String>> for Completion {
    fn from(values: Vec<String>) -> Self {
        let total = u32::try_from(values.len()).ok();
        Self { values, total }
    }
}

/// The result of `prompts/get`.
#[derive(Debug, Clone, Default)]
pub struct PromptResult {
    /// What the prompt does.
    pub description: Option<String>,
    /// The messages.
    pub messages: Vec<PromptMessage>,
}

/// One message of a prompt or of a sampling request.
#[derive(Debug, Clone)]
pub struct PromptMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl PromptMessage {
    /// Text of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, content: Content::Text(text.into()) }
    }

    /// Text of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: Content::Text(text.into()) }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// The levels of RFC 5424, as `logging/setLevel` and log messages name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words of RFC 5424")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct ServerInfo {
    /// The name, for programs.
    pub name: String,
    /// The name, for people.
    pub title: Option<String>,
    /// The version.
    pub version: String,
    /// How to use the server, for models.
    pub instructions: Option<String>,
    /// A page about it.
    pub website_url: Option<String>,
    /// Icons.
    pub icons: Vec<Icon>,
}

/// A tool as clients see it.
#[derive(Debug, Clone)]
pub struct ToolInfo {
    /// The name.
    pub name: Cow<'static, str>,
    /// The name, for people; empty for none.
    pub title: Cow<'static, str>,
    /// What it does, for models.
    pub description: Cow<'static, str>,
    /// JSON Schema of the arguments.
    pub input_schema: LazySchema,
    /// JSON Schema of the structured result.
    pub output_schema: Option<LazySchema>,
    /// The annotations; `None` sends none.
    pub hints: Option<Hints>,
    /// Icons.
    pub icons: Vec<Icon>,
    /// Tags; clients see them in `_meta`.
    pub tags: Vec<Cow<'static, str>>,
    /// `_meta`
    pub meta: Map<String, Value>,
}

/// A resource as clients see it.
#[derive(Debug, Clone)]
pub struct ResourceInfo {
    /// The URI.
    pub uri: Cow<'static, str>,
    /// The name.
    pub name: Cow<'static, str>,
    /// The name, for people; empty for none.
    pub title: Cow<'static, str>,
    /// What it holds.
    pub description: Cow<'static, str>,
    /// The media type; empty when unknown.
    pub media_type: Cow<'static, str>,
    /// The size in bytes, where known.
    pub size: Option<u64>,
    /// Icons.
    pub icons: Vec<Icon>,
    /// Tags; clients see them in `_meta`.
    pub tags: Vec<Cow<'static, str>>,
    /// `_meta`
    pub meta: Map<String, Value>,
}

/// A resource template as clients see it.
#[derive(Debug, Clone)]
pub struct ResourceTemplateInfo {
    /// The template (RFC 6570).
    pub uri_template: Cow<'static, str>,
    /// The name.
    pub name: Cow<'static, str>,
    /// The name, for people; empty for none.
    pub title: Cow<'static, str>,
    /// What the resources hold.
    pub description: Cow<'static, str>,
    /// The media type of all of them; empty when unknown.
    pub media_type: Cow<'static, str>,
    /// Icons.
    pub icons: Vec<Icon>,
    /// Tags; clients see them in `_meta`.
    pub tags: Vec<Cow<'static, str>>,
    /// `_meta`
    pub meta: Map<String, Value>,
}

/// A prompt as clients see it.
#[derive(Debug, Clone)]
pub struct PromptInfo {
    /// The name.
    pub name: Cow<'static, str>,
    /// The name, for people; empty for none.
    pub title: Cow<'static, str>,
    /// What it is for.
    pub description: Cow<'static, str>,
    /// The arguments.
    pub arguments: Vec<PromptArgument>,
    /// Icons.
    pub icons: Vec<Icon>,
    /// Tags; clients see them in `_meta`.
    pub tags: Vec<Cow<'static, str>>,
    /// `_meta`
    pub meta: Map<String, Value>,
}

/// An argument of a prompt.
#[derive(Debug, Clone, Default)]
pub struct PromptArgument {
    /// The name.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// Whether the prompt cannot do without.
    pub required: bool,
}
