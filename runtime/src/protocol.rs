//! The Model Context Protocol, all of its versions at once. The only module that names rmcp: it turns rmcp's requests into
//! [`crate::message::Request`]s for the engine, and the answers back.

#[cfg(feature = "proxy")]
mod client;
mod convert;
mod direct;
mod link;
mod serve;
mod sessions;
mod state;
mod subscription;
mod tasks;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, model as wire,
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use serde_json::Value;

#[cfg(feature = "proxy")]
pub(crate) use client::{Client, Failure, Offers};
#[cfg(feature = "otel")]
pub(crate) use convert::error_code;
pub(crate) use convert::prompt_message_json;
pub(crate) use serve::{HttpSettings, http_service, serve_pipe, serve_stdio};
use state::Seal;

use crate::{
    component::TaskSupport,
    context::{Context, Outcome, Question, Rounds},
    engine::Engine,
    message::{
        CallTool, Complete, CompletionTarget, GetPrompt, ListPage, LogLevel, Notification, ReadResource, Request,
        Response,
    },
};
use link::RequestLink;
use subscription::Subscriptions;
use tasks::Tasks;

/// The first version without `initialize` and sessions.
const MODERN: &str = "2026-07-28";

/// What all connections of a server share.
pub(crate) struct Shared {
    seal: Seal,
    tasks: Arc<Tasks>,
}

impl Shared {
    /// `secret` is what all instances of a server share.
    ///
    /// # Errors
    /// A secret of less than 32 bytes, in words for its user.
    pub(crate) fn new(secret: Option<&str>) -> Result<Self, String> {
        Ok(Self { seal: Seal::new(secret)?, tasks: Arc::default() })
    }

    /// Ends what outlives its request.
    pub(crate) fn stop(&self) {
        self.tasks.stop();
    }
}

/// One connection's view of the server: one per process over stdio, one per session or request over HTTP.
#[derive(Clone)]
pub(crate) struct Protocol {
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    /// Whether the connection outlives a request: it then has a log level and can tell of changes.
    lasting: bool,
    /// The level of `logging/setLevel`.
    level: Arc<AtomicU8>,
    subscriptions: Arc<Subscriptions>,
    /// The id of the one connection over pipes; over HTTP the header tells.
    session: Option<Arc<str>>,
    /// What handlers keep for the session, where there is one.
    kept: Option<Arc<Mutex<http::Extensions>>>,
}

impl Protocol {
    pub(crate) fn new(engine: Arc<Engine>, shared: Arc<Shared>, lasting: bool) -> Self {
        let level = Arc::new(AtomicU8::new(LogLevel::Info as u8));
        let kept = lasting.then(Arc::default);
        Self { engine, shared, lasting, level, subscriptions: Arc::default(), session: None, kept }
    }

    /// Takes the connection as one session.
    fn with_session(self) -> Self {
        let mut random = [0; 16];
        let filled = getrandom::fill(&mut random).is_ok();
        Self { session: filled.then(|| format!("{:032x}", u128::from_be_bytes(random)).into()), ..self }
    }

    fn link(&self, cx: RequestContext<RoleServer>) -> RequestLink {
        RequestLink::new(cx, self.level.load(Ordering::Relaxed), self.session.clone(), self.kept.clone())
    }

    fn context(&self, cx: RequestContext<RoleServer>, rounds: Rounds) -> Context {
        let cancelled = cx.ct.clone();
        Context::new(Arc::new(self.link(cx)), cancelled, self.engine.clone(), rounds)
    }

    /// A request that cannot ask back.
    async fn plain(&self, cx: RequestContext<RoleServer>, request: Request) -> Result<Response, ErrorData> {
        let context = self.context(cx, Rounds::default());
        match self.engine.request(&context, request).await {
            Outcome::Done(answer) => answer.map_err(convert::error),
            Outcome::Asks { .. } => {
                Err(ErrorData::internal_error("Only tools, resources and prompts can ask the client.", None))
            }
        }
    }

    /// A request whose handler may ask back.
    async fn asking(
        &self,
        cx: RequestContext<RoleServer>,
        request: Request,
        responses: Option<wire::InputResponses>,
        sealed: Option<String>,
    ) -> Result<Answer, ErrorData> {
        let Round { answers, binding, .. } = self.round(&cx, &request, responses, sealed)?;
        let context = self.context(cx, Rounds::new(answers));
        match self.engine.request(&context, request).await {
            Outcome::Done(Ok(response)) => Ok(Answer::Response(response)),
            Outcome::Done(Err(error)) => Ok(Answer::Error(error)),
            Outcome::Asks { questions, answers } => {
                asks(&self.shared.seal, questions, &answers, &binding).map(Answer::Asks)
            }
        }
    }

    /// What the rounds before this one brought.
    fn round(
        &self,
        cx: &RequestContext<RoleServer>,
        request: &Request,
        responses: Option<wire::InputResponses>,
        sealed: Option<String>,
    ) -> Result<Round, ErrorData> {
        let owner = owner(cx);
        let binding = state::binding(request, &owner);
        let mut answers: BTreeMap<String, Value> = BTreeMap::new();
        if let Some(sealed) = sealed {
            answers = self.shared.seal.open(&sealed, &binding)?;
        }
        // What is no object answers no question: it is asked again.
        answers.extend(responses.unwrap_or_default().into_iter().filter(|(_, answer)| answer.is_object()));
        Ok(Round { answers, binding, owner })
    }

    fn list(request: Option<wire::PaginatedRequestParams>) -> ListPage {
        ListPage { cursor: request.and_then(|request| request.cursor) }
    }
}

/// The result that asks the client.
fn asks(
    seal: &Seal,
    questions: impl IntoIterator<Item = (String, Question)>,
    answers: &BTreeMap<String, Value>,
    binding: &[u8],
) -> Result<wire::InputRequiredResult, ErrorData> {
    let sealed = seal.close(answers, binding)?;
    let mut requests = wire::InputRequests::new();
    for (key, question) in questions {
        requests.insert(key, convert::input_request(&question)?);
    }
    Ok(wire::InputRequiredResult::new(Some(requests), Some(sealed)))
}

/// One round of a request whose handler may ask back.
struct Round {
    /// The client's answers so far.
    answers: BTreeMap<String, Value>,
    /// What the state of the round belongs to.
    binding: Vec<u8>,
    /// The principal, as [`owner`] writes it.
    owner: String,
}

/// The principal of a request: a digest; empty where nobody is authenticated.
fn owner(cx: &RequestContext<RoleServer>) -> String {
    let parts = cx.extensions.get::<http::request::Parts>();
    state::owner(parts.and_then(|parts| parts.extensions.get::<Arc<crate::auth::Principal>>()).map(|who| &**who))
}

fn is_modern(cx: &RequestContext<RoleServer>) -> bool {
    cx.protocol_version().is_some_and(|version| version.as_str() >= MODERN)
}

enum Answer {
    Response(Response),
    Error(crate::Error),
    Asks(wire::InputRequiredResult),
}

/// A middleware answered with something else than was asked for.
fn mismatch() -> ErrorData {
    ErrorData::internal_error("The server answered with something else than was asked for.", None)
}

macro_rules! list {
    ($self:ident, $cx:ident, $request:ident, $variant:ident, $convert:path, $result:ident, $items:ident) => {{
        let ttl = $self.engine.list_ttl_ms;
        match $self.plain($cx, Request::$variant(Self::list($request))).await? {
            Response::$items(page) => {
                let mut result = wire::$result::with_all_items(page.items.iter().map(|item| $convert(item)).collect());
                result.next_cursor = page.next_cursor;
                result.ttl_ms = Some(ttl);
                result.cache_scope = Some(wire::CacheScope::Private);
                Ok(result)
            }
            _ => Err(mismatch()),
        }
    }};
}

#[expect(deprecated, reason = "logging and resource subscriptions of older protocol versions")]
impl ServerHandler for Protocol {
    fn get_info(&self) -> wire::ServerConfig {
        convert::server_config(&self.engine.info, self.engine.registry().offers_tasks())
    }

    async fn initialize(
        &self,
        request: wire::InitializeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::InitializeResult, ErrorData> {
        cx.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        // The tasks of these versions were others.
        result.capabilities.extensions = None;
        if !self.lasting {
            convert::without_changes(&mut result.capabilities);
        }
        if let Response::Server(info) = self.plain(cx, Request::Initialize).await? {
            convert::describe(&info, &mut result);
        }
        Ok(result)
    }

    async fn discover(&self, cx: RequestContext<RoleServer>) -> Result<wire::DiscoverResult, ErrorData> {
        let mut config = self.get_info();
        if let Response::Server(info) = self.plain(cx, Request::Discover).await? {
            convert::describe(&info, &mut config);
        }
        let mut result =
            wire::DiscoverResult::from_server_info(self.supported_protocol_versions().into_owned(), config);
        result.ttl_ms = self.engine.list_ttl_ms;
        result.cache_scope = wire::CacheScope::Public;
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<wire::PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::ListToolsResult, ErrorData> {
        list!(self, cx, request, ListTools, convert::tool, ListToolsResult, Tools)
    }

    async fn list_resources(
        &self,
        request: Option<wire::PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::ListResourcesResult, ErrorData> {
        list!(self, cx, request, ListResources, convert::resource, ListResourcesResult, Resources)
    }

    async fn list_resource_templates(
        &self,
        request: Option<wire::PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::ListResourceTemplatesResult, ErrorData> {
        list!(
            self,
            cx,
            request,
            ListResourceTemplates,
            convert::template,
            ListResourceTemplatesResult,
            ResourceTemplates
        )
    }

    async fn list_prompts(
        &self,
        request: Option<wire::PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::ListPromptsResult, ErrorData> {
        list!(self, cx, request, ListPrompts, convert::prompt, ListPromptsResult, Prompts)
    }

    fn get_tool(&self, name: &str) -> Option<wire::Tool> {
        self.engine.tool_info(name).map(|info| convert::tool(&info))
    }

    async fn call_tool(
        &self,
        request: wire::CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::CallToolResponse, ErrorData> {
        let call = CallTool { name: request.name.into_owned(), arguments: request.arguments.unwrap_or_default() };
        let terms = self.engine.call_terms(&call.name);
        let call = Request::CallTool(call);
        if terms.task_support != TaskSupport::Forbidden {
            let knows_tasks = cx.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks());
            if knows_tasks && is_modern(&cx) {
                let round = self.round(&cx, &call, request.input_responses, request.request_state)?;
                return self.call_as_task(cx, call, terms, round).await;
            }
            if terms.task_support == TaskSupport::Required {
                return Err(tasks::required());
            }
        }
        match self.asking(cx, call, request.input_responses, request.request_state).await? {
            Answer::Response(Response::Tool(result)) => Ok(convert::tool_result(result)?.into()),
            Answer::Response(_) => Err(mismatch()),
            Answer::Error(error) => convert::tool_error(error).map(Into::into),
            Answer::Asks(questions) => Ok(questions.into()),
        }
    }

    async fn get_task(
        &self,
        request: wire::GetTaskParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::GetTaskResult, ErrorData> {
        Ok(wire::GetTaskResult::new(self.task_of(&cx, &request.task_id)?.detailed()))
    }

    async fn update_task(
        &self,
        request: wire::UpdateTaskParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.task_of(&cx, &request.task_id)?.answer(request.input_responses);
        Ok(())
    }

    async fn cancel_task(
        &self,
        request: wire::CancelTaskParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.task_of(&cx, &request.task_id)?.cancel();
        Ok(())
    }

    async fn read_resource(
        &self,
        request: wire::ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::ReadResourceResponse, ErrorData> {
        let read = Request::ReadResource(ReadResource { uri: request.uri });
        match self.asking(cx, read, request.input_responses, request.request_state).await? {
            Answer::Response(Response::Resource(contents)) => {
                let contents = contents.into_iter().map(convert::resource_contents).collect();
                let mut result = wire::ReadResourceResult::new(contents);
                result.ttl_ms = Some(0);
                result.cache_scope = Some(wire::CacheScope::Private);
                Ok(result.into())
            }
            Answer::Response(_) => Err(mismatch()),
            Answer::Error(error) => Err(convert::error(error)),
            Answer::Asks(questions) => Ok(questions.into()),
        }
    }

    async fn get_prompt(
        &self,
        request: wire::GetPromptRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::GetPromptResponse, ErrorData> {
        let get = GetPrompt { name: request.name, arguments: request.arguments.unwrap_or_default() };
        match self.asking(cx, Request::GetPrompt(get), request.input_responses, request.request_state).await? {
            Answer::Response(Response::Prompt(prompt)) => {
                let messages = prompt.messages.into_iter().map(convert::prompt_message).collect();
                let mut result = wire::GetPromptResult::new(messages);
                result.description = prompt.description;
                Ok(result.into())
            }
            Answer::Response(_) => Err(mismatch()),
            Answer::Error(error) => Err(convert::error(error)),
            Answer::Asks(questions) => Ok(questions.into()),
        }
    }

    async fn complete(
        &self,
        request: wire::CompleteRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::CompleteResult, ErrorData> {
        let target = match request.r#ref {
            wire::Reference::Prompt(prompt) => CompletionTarget::Prompt(prompt.name),
            wire::Reference::Resource(template) => CompletionTarget::ResourceTemplate(template.uri),
            _ => return Err(ErrorData::invalid_params("The reference is neither a prompt nor a resource.", None)),
        };
        let known = request.context.and_then(|context| context.arguments).unwrap_or_default();
        let complete = Complete { target, argument: request.argument.name, value: request.argument.value, known };
        match self.plain(cx, Request::Complete(complete)).await? {
            Response::Completion(completion) => convert::completion(completion),
            _ => Err(mismatch()),
        }
    }

    async fn set_level(
        &self,
        request: wire::SetLevelRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if is_modern(&cx) {
            return Err(ErrorData::method_not_found::<wire::SetLevelRequestMethod>());
        }
        let level = convert::level(request.level);
        self.plain(cx, Request::SetLevel(level)).await?;
        self.level.store(level as u8, Ordering::Relaxed);
        Ok(())
    }

    async fn subscribe(
        &self,
        request: wire::SubscribeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !self.lasting {
            return Err(ErrorData::method_not_found::<wire::SubscribeRequestMethod>());
        }
        self.plain(cx, Request::Subscribe(request.uri.clone())).await?;
        self.subscriptions.add(request.uri)
    }

    async fn unsubscribe(
        &self,
        request: wire::UnsubscribeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.plain(cx, Request::Unsubscribe(request.uri.clone())).await?;
        self.subscriptions.remove(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &wire::SubscriptionFilter) -> Option<wire::SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        subscription::listen(self.engine.changes(), context).await;
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        subscription::forward(self.engine.changes(), self.subscriptions.clone(), context.peer.clone());
        self.note(Notification::Initialized, context).await;
    }

    async fn on_cancelled(
        &self,
        notification: wire::CancelledNotificationParam,
        context: NotificationContext<RoleServer>,
    ) {
        let request_id = notification.request_id.map(|id| id.to_string()).unwrap_or_default();
        self.note(Notification::Cancelled { request_id, reason: notification.reason }, context).await;
    }

    async fn on_roots_list_changed(&self, context: NotificationContext<RoleServer>) {
        self.note(Notification::RootsListChanged, context).await;
    }

    async fn on_custom_notification(
        &self,
        notification: wire::CustomNotification,
        context: NotificationContext<RoleServer>,
    ) {
        let told = Notification::Other { method: notification.method, params: notification.params };
        self.note(told, context).await;
    }

    /// Only a request of an unknown method, or one with parameters of the wrong type, gets here.
    async fn on_custom_request(
        &self,
        request: wire::CustomRequest,
        cx: RequestContext<RoleServer>,
    ) -> Result<wire::CustomResult, ErrorData> {
        if convert::is_known_method(&request.method, is_modern(&cx)) {
            let message = format!("The parameters of {} are missing or of the wrong type.", request.method);
            return Err(ErrorData::invalid_params(message, None));
        }
        Err(ErrorData::new(wire::ErrorCode::METHOD_NOT_FOUND, request.method, None))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [wire::ProtocolVersion]> {
        Cow::Borrowed(wire::ProtocolVersion::KNOWN_VERSIONS)
    }
}

impl Protocol {
    async fn note(&self, notification: Notification, context: NotificationContext<RoleServer>) {
        if !self.engine.has_layers() {
            return;
        }
        let mut cx = RequestContext::new(wire::NumberOrString::Number(0), context.peer);
        cx.extensions = context.extensions;
        let context = self.context(cx, Rounds::default());
        self.engine.notification(&context, notification).await;
    }
}
