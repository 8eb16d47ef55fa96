//! The other side of the protocol: this server as the client of another one that it passes on.

mod connect;
mod from_wire;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use futures_util::future::join_all;
use rmcp::{
    RoleClient, model as wire,
    service::{Peer, PeerRequestOptions, ServiceError},
};
use serde_json::{Map, Value, json};

use super::MODERN;
use crate::{
    Error, ErrorKind,
    content::{ResourceContents, ToolResult},
    context::Context,
    message::{Completion, CompletionTarget, PromptInfo, PromptResult, ResourceInfo, ResourceTemplateInfo, ToolInfo},
};
use connect::Hearing;

/// Through how many servers a request may be passed on: more are a circle.
const MOST_HOPS: u64 = 8;
/// Where the number of servers so far is kept, in `_meta` of requests and tools.
const HOPS: &str = "mcpwright/hops";
/// How often a server may ask back about one request.
const MOST_ROUNDS: usize = 10;
/// More pages of a list are not read.
const MOST_PAGES: usize = 1000;
/// More items of a list are not taken: no client can use so many, and memory is finite.
const MOST_ITEMS: usize = 10_000;
/// The contents of more resources are not followed.
const MOST_RESOURCES: usize = 1000;

/// Why another server did not answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It answered with an error, or the request cannot be passed on.
    Answered(Error),
    /// It cannot be reached; for the log.
    Broken(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Answered(error)
    }
}

/// What another server offers.
#[derive(Default)]
pub(crate) struct Offers {
    pub(crate) tools: Vec<ToolInfo>,
    pub(crate) resources: Vec<ResourceInfo>,
    pub(crate) templates: Vec<ResourceTemplateInfo>,
    pub(crate) prompts: Vec<PromptInfo>,
}

/// All pages of a list, none where the other server has no such list. Asked for by hand, since rmcp answers from its cache
/// also when the other server is gone.
macro_rules! pages {
    ($client:ident, $request:ident, $result:ident, $items:ident) => {{
        let (mut items, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = wire::PaginatedRequestParams::default().with_cursor(cursor.clone());
            let request = wire::ClientRequest::$request(wire::$request::with_param(page));
            let result = match $client.peer.send_request(request).await {
                Ok(wire::ServerResult::$result(result)) => result,
                Ok(other) => from_wire::other::<wire::$result>(other)?,
                Err(ServiceError::McpError(error)) if error.code == wire::ErrorCode::METHOD_NOT_FOUND => break,
                Err(error) => return Err(failure(error)),
            };
            items.extend(result.$items.into_iter().take(MOST_ITEMS - items.len()));
            // A cursor that leads to itself leads nowhere.
            if result.next_cursor.is_none() || result.next_cursor == cursor || items.len() >= MOST_ITEMS {
                break;
            }
            cursor = result.next_cursor;
        }
        items
    }};
}

/// A connection to another server.
pub(crate) struct Client {
    peer: Peer<RoleClient>,
    hearing: Arc<Hearing>,
    modern: bool,
}

impl Client {
    /// Hears of changes for as long as the other server tells of them: of lists, and of the contents of these resources,
    /// which go to `updated`. Says whether it ever did.
    pub(crate) async fn listen(&self, resources: &[String], updated: impl Fn(String)) -> bool {
        if !self.modern {
            return false;
        }
        let wanted = wire::SubscriptionFilter::builder()
            .tools_list_changed()
            .prompts_list_changed()
            .resources_list_changed()
            .resource_subscriptions(resources.iter().take(MOST_RESOURCES).cloned())
            .build();
        let Ok(mut subscription) = self.peer.listen(wanted).await else { return false };
        while let Ok(Some(told)) = subscription.next().await {
            match told {
                wire::ServerNotification::ResourceUpdatedNotification(told) => updated(told.params.uri),
                _ => self.hearing.changed.notify_one(),
            }
        }
        true
    }

    /// All that the other server offers.
    pub(crate) async fn offers(&self) -> Result<Offers, Failure> {
        let tools = pages!(self, ListToolsRequest, ListToolsResult, tools);
        let resources = pages!(self, ListResourcesRequest, ListResourcesResult, resources);
        let templates = pages!(self, ListResourceTemplatesRequest, ListResourceTemplatesResult, resource_templates);
        let prompts = pages!(self, ListPromptsRequest, ListPromptsResult, prompts);
        let hops = |info: &ToolInfo| info.meta.get(HOPS).and_then(Value::as_u64).unwrap_or_default();
        let further = |mut info: ToolInfo| {
            let hops = hops(&info) + 1;
            info.meta.insert(HOPS.to_owned(), hops.into());
            (hops <= MOST_HOPS).then_some(info)
        };
        Ok(Offers {
            tools: tools.into_iter().map(from_wire::tool).filter_map(further).collect(),
            resources: resources.into_iter().map(from_wire::resource).collect(),
            templates: templates.into_iter().map(from_wire::template).collect(),
            prompts: prompts.into_iter().map(from_wire::prompt).collect(),
        })
    }

    /// `tools/call`
    pub(crate) async fn call(
        &self,
        context: &Context,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<ToolResult, Failure> {
        let answer = self.converse(context, |responses, state| {
            let mut params = wire::CallToolRequestParams::new(name.to_owned()).with_arguments(arguments.clone());
            params.input_responses = responses;
            params.request_state = state;
            wire::ClientRequest::CallToolRequest(wire::CallToolRequest::new(params))
        });
        match answer.await? {
            wire::ServerResult::CallToolResult(result) => Ok(from_wire::tool_result(result)),
            other => from_wire::other::<wire::CallToolResult>(other).map(from_wire::tool_result),
        }
    }

    /// `resources/read`
    pub(crate) async fn read(&self, context: &Context, uri: &str) -> Result<Vec<ResourceContents>, Failure> {
        let answer = self.converse(context, |responses, state| {
            let mut params = wire::ReadResourceRequestParams::new(uri);
            params.input_responses = responses;
            params.request_state = state;
            wire::ClientRequest::ReadResourceRequest(wire::ReadResourceRequest::new(params))
        });
        let result = match answer.await? {
            wire::ServerResult::ReadResourceResult(result) => result,
            other => from_wire::other::<wire::ReadResourceResult>(other)?,
        };
        Ok(result.contents.into_iter().map(from_wire::resource_contents).collect())
    }

    /// `prompts/get`
    pub(crate) async fn prompt(
        &self,
        context: &Context,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<PromptResult, Failure> {
        let answer = self.converse(context, |responses, state| {
            let mut params = wire::GetPromptRequestParams::new(name);
            params.arguments = Some(arguments.clone());
            params.input_responses = responses;
            params.request_state = state;
            wire::ClientRequest::GetPromptRequest(wire::GetPromptRequest::new(params))
        });
        let result = match answer.await? {
            wire::ServerResult::GetPromptResult(result) => result,
            other => from_wire::other::<wire::GetPromptResult>(other)?,
        };
        let messages = result.messages.into_iter().map(from_wire::prompt_message).collect();
        Ok(PromptResult { description: result.description, messages })
    }

    /// `completion/complete`
    pub(crate) async fn complete(
        &self,
        context: &Context,
        target: CompletionTarget,
        argument: &str,
        value: &str,
        known: HashMap<String, String>,
    ) -> Result<Completion, Failure> {
        let reference = match target {
            CompletionTarget::Prompt(name) => wire::Reference::for_prompt(name),
            CompletionTarget::ResourceTemplate(template) => wire::Reference::for_resource(template),
        };
        let mut params = wire::CompleteRequestParams::new(reference, wire::ArgumentInfo::new(argument, value));
        if !known.is_empty() {
            params.context = Some(wire::CompletionContext::with_arguments(known));
        }
        let request = wire::ClientRequest::CompleteRequest(wire::CompleteRequest::new(params));
        let result = match self.send(context, request).await? {
            wire::ServerResult::CompleteResult(result) => result,
            other => from_wire::other::<wire::CompleteResult>(other)?,
        };
        Ok(Completion { values: result.completion.values, total: result.completion.total })
    }

    /// Sends a request, and answers what the other server asks about it by asking one's own client.
    async fn converse(
        &self,
        context: &Context,
        request: impl Fn(Option<wire::InputResponses>, Option<String>) -> wire::ClientRequest,
    ) -> Result<wire::ServerResult, Failure> {
        let (mut responses, mut state) = (None, None);
        for _ in 0..MOST_ROUNDS {
            let asked = match self.send(context, request(responses.take(), state.take())).await? {
                wire::ServerResult::InputRequiredResult(asked) => asked,
                done => return Ok(done),
            };
            state = asked.request_state;
            let questions = asked.input_requests.unwrap_or_default();
            // All at once, so that the client gets them in one round.
            let answers = join_all(questions.into_iter().map(async |(key, question)| {
                let question = serde_json::to_value(question).unwrap_or_default();
                let answer = context.pass_on(&key, question).await?;
                Ok::<_, Error>((key, answer))
            }));
            responses = Some(answers.await.into_iter().collect::<Result<BTreeMap<_, _>, _>>()?);
        }
        Err(Error::failed("The server behind this asks again and again.").into())
    }

    async fn send(&self, context: &Context, request: wire::ClientRequest) -> Result<wire::ServerResult, Failure> {
        let hops = context.meta().get(HOPS).and_then(Value::as_u64).unwrap_or_default();
        if hops >= MOST_HOPS {
            let message = "The request was passed on too often: a server is mounted in itself by way of others.";
            return Err(Error::failed(message).into());
        }
        let mut meta = wire::RequestMetaObject::default();
        meta.0.0.insert(HOPS.to_owned(), (hops + 1).into());
        if self.modern {
            meta.set_client_capabilities(capabilities(context));
        }
        let options = PeerRequestOptions::no_options().with_meta(meta);
        let handle = self.peer.send_request_with_option(request, options).await.map_err(failure)?;
        self.hearing.waiting().insert(handle.progress_token.clone(), context.clone());
        let mut under_way =
            UnderWay { client: self, token: handle.progress_token.clone(), request: Some(handle.id.clone()) };
        let answer = handle.await_response().await;
        under_way.request = None;
        answer.map_err(failure)
    }
}

/// A request that was sent. When nobody waits for its answer any more the other server is told.
struct UnderWay<'a> {
    client: &'a Client,
    token: wire::ProgressToken,
    request: Option<wire::RequestId>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.client.hearing.waiting().remove(&self.token);
        let Some(request) = self.request.take() else { return };
        let peer = self.client.peer.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let cancelled = wire::CancelledNotificationParam::new(Some(request), None);
                // Whoever is gone need not be told.
                let _ = peer.notify_cancelled(cancelled).await;
            });
        }
    }
}

/// What one's own client can do, for the other server to ask of it.
fn capabilities(context: &Context) -> wire::ClientCapabilities {
    let can = context.client_capabilities();
    let mut declared = Map::new();
    let mut elicitation = Map::new();
    for (mode, can) in [("form", can.elicitation), ("url", can.elicitation_url)] {
        if can {
            elicitation.insert(mode.to_owned(), json!({}));
        }
    }
    if !elicitation.is_empty() {
        declared.insert("elicitation".to_owned(), elicitation.into());
    }
    for (name, can) in [("sampling", can.sampling), ("roots", can.roots)] {
        if can {
            declared.insert(name.to_owned(), json!({}));
        }
    }
    serde_json::from_value(Value::Object(declared)).unwrap_or_default()
}

fn failure(error: ServiceError) -> Failure {
    match error {
        ServiceError::McpError(error) => {
            let kind = match error.code {
                wire::ErrorCode::INVALID_PARAMS => ErrorKind::InvalidParams,
                wire::ErrorCode::RESOURCE_NOT_FOUND => ErrorKind::NotFound,
                wire::ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY => ErrorKind::Unsupported,
                _ => ErrorKind::Failed,
            };
            Failure::Answered(Error { kind, message: error.message, data: error.data.map(Box::new) })
        }
        ServiceError::Timeout { .. } => {
            Error::new(ErrorKind::TimedOut, "The server behind this did not answer in time.").into()
        }
        ServiceError::Cancelled { .. } => Error::new(ErrorKind::Cancelled, "The request was cancelled.").into(),
        ServiceError::UnexpectedResponse => Error::failed("The server behind this answered nonsense.").into(),
        other => Failure::Broken(other.to_string()),
    }
}
