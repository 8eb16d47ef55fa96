//! The chain: a list of layers around what finally answers.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;

use super::{Message, Middleware};
use crate::{
    Error,
    context::Context,
    message::{Notification, Request, Response},
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What finally answers, inside all layers.
#[async_trait]
pub(crate) trait Terminal: Send + Sync {
    async fn request(&self, context: &Context, request: Request) -> Result<Response, Error>;
    async fn notification(&self, context: &Context, notification: Notification);
}

/// The rest of the chain.
type Rest<'a, I, O> = Box<dyn Fn(&'a Context, I) -> Boxed<'a, O> + Send + Sync + 'a>;

/// The layers further in, for a message of one kind.
#[must_use = "without `run` the message goes no further"]
pub struct Next<'a, I, O>(Rest<'a, I, O>, &'a Context);

/// The layers further in, for any message.
pub type NextMessage<'a> = Next<'a, Message, Response>;

impl<I, O> Next<'_, I, O> {
    /// Hands the message on and waits for the answer.
    ///
    /// # Errors
    /// Whatever went wrong further in.
    pub async fn run(self, message: I) -> Result<O, Error> {
        let Self(rest, context) = self;
        rest(context, message).await
    }

    /// [`Next::run`] for layers that must be able to run what is further in several times: a retry, a list that is made
    /// of several. Not public, since a handler that runs twice surprises whoever wrote it.
    pub(super) async fn run_again(&self, message: I) -> Result<O, Error> {
        (self.0)(self.1, message).await
    }
}

/// Sends a request through the layers.
pub(crate) async fn run(
    layers: &[Arc<dyn Middleware>],
    terminal: &dyn Terminal,
    context: &Context,
    request: Request,
) -> Result<Response, Error> {
    message(layers, terminal, context, Message::Request(request)).await
}

/// Sends a notification through the layers.
pub(crate) async fn run_notification(
    layers: &[Arc<dyn Middleware>],
    terminal: &dyn Terminal,
    context: &Context,
    notification: Notification,
) -> Result<(), Error> {
    message(layers, terminal, context, Message::Notification(notification)).await.map(|_| ())
}

fn message<'a>(
    layers: &'a [Arc<dyn Middleware>],
    terminal: &'a dyn Terminal,
    context: &'a Context,
    asked: Message,
) -> Boxed<'a, Response> {
    let Some((layer, rest)) = layers.split_first() else {
        return Box::pin(async move {
            match asked {
                Message::Request(request) => terminal.request(context, request).await,
                Message::Notification(notification) => {
                    terminal.notification(context, notification).await;
                    Ok(Response::Empty)
                }
            }
        });
    };
    let further: Rest<'a, Message, Response> = Box::new(move |context, asked| match asked {
        Message::Request(asked) => {
            let kind: Rest<'a, Request, Response> =
                Box::new(move |context, asked| by_kind(&**layer, rest, terminal, context, asked));
            layer.on_request(context, asked, Next(kind, context))
        }
        Message::Notification(told) => {
            let further: Rest<'a, Notification, ()> = Box::new(move |context, told| {
                let told = message(rest, terminal, context, Message::Notification(told));
                Box::pin(async move { told.await.map(|_| ()) })
            });
            let told = layer.on_notification(context, told, Next(further, context));
            Box::pin(async move { told.await.map(|()| Response::Empty) })
        }
    });
    layer.on_message(context, asked, Next(further, context))
}

/// The hook of the request's kind, then the layers further in.
fn by_kind<'a>(
    layer: &'a dyn Middleware,
    rest: &'a [Arc<dyn Middleware>],
    terminal: &'a dyn Terminal,
    context: &'a Context,
    asked: Request,
) -> Boxed<'a, Response> {
    macro_rules! hook {
        ($hook:ident, $inner:expr, $request:expr, $response:path) => {{
            let further = Box::new(move |context: &'a Context, inner| {
                let answer = message(rest, terminal, context, Message::Request($request(inner)));
                let answer: Boxed<'a, _> = Box::pin(async move {
                    match answer.await? {
                        $response(answer) => Ok(answer),
                        other => Err(mismatch(&other)),
                    }
                });
                answer
            });
            let answer = layer.$hook(context, $inner, Next(further, context));
            Box::pin(async move { answer.await.map($response) })
        }};
        ($hook:ident, $request:expr, $response:path) => {{
            let further = Box::new(move |context: &'a Context, ()| {
                let answer = message(rest, terminal, context, Message::Request($request));
                let answer: Boxed<'a, _> = Box::pin(async move {
                    match answer.await? {
                        $response(answer) => Ok(answer),
                        other => Err(mismatch(&other)),
                    }
                });
                answer
            });
            let answer = layer.$hook(context, Next(further, context));
            Box::pin(async move { answer.await.map($response) })
        }};
    }
    match asked {
        Request::Initialize => hook!(on_initialize, Request::Initialize, Response::Server),
        Request::Discover => hook!(on_discover, Request::Discover, Response::Server),
        Request::CallTool(call) => hook!(on_call_tool, call, Request::CallTool, Response::Tool),
        Request::ReadResource(read) => hook!(on_read_resource, read, Request::ReadResource, Response::Resource),
        Request::GetPrompt(get) => hook!(on_get_prompt, get, Request::GetPrompt, Response::Prompt),
        Request::Complete(complete) => hook!(on_complete, complete, Request::Complete, Response::Completion),
        Request::ListTools(page) => hook!(on_list_tools, page, Request::ListTools, Response::Tools),
        Request::ListResources(page) => hook!(on_list_resources, page, Request::ListResources, Response::Resources),
        Request::ListResourceTemplates(page) => {
            hook!(on_list_resource_templates, page, Request::ListResourceTemplates, Response::ResourceTemplates)
        }
        Request::ListPrompts(page) => hook!(on_list_prompts, page, Request::ListPrompts, Response::Prompts),
        other @ (Request::SetLevel(_) | Request::Subscribe(_) | Request::Unsubscribe(_)) => {
            message(rest, terminal, context, Message::Request(other))
        }
    }
}

/// A layer further in answered with something else than was asked for.
fn mismatch(answer: &Response) -> Error {
    tracing::error!(?answer, "a middleware answered a request with a response of another kind");
    Error::internal("The server answered with something else than was asked for.")
}
