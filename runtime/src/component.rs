//! What a server offers: tools, resources, resource templates, prompts and completions, each with its description for
//! clients and its handler. Handlers are boxed here, once, so that nothing further in is generic.

mod call;
mod handler;
mod icon;
mod prompt;
mod resource;
mod result;
mod schema;
mod task;
mod template;
mod tool;
mod transform;

use std::{future::Future, pin::Pin, sync::Arc};

pub use crate::catalog::Hints;
pub use call::Call;
pub use icon::{Icon, IconError, Theme};
pub use prompt::{IntoPrompt, Prompt};
pub use resource::{IntoResource, Resource};
pub use result::{IntoToolResult, Json};
pub use schema::LazySchema;
pub use task::TaskSupport;
pub use template::ResourceTemplate;
pub use tool::Tool;
pub use transform::{Transform, TransformedCall};

#[cfg(test)]
pub(crate) use call::scope;
pub(crate) use call::{OperationTool, WrapHandler, tool_info, wrap_handler};
pub(crate) use handler::schema_of;
pub(crate) use prompt::{PromptEntry, PromptSource};
pub(crate) use resource::{ResourceEntry, ResourceSource};
pub(crate) use task::CallTerms;
#[cfg(feature = "proxy")]
pub(crate) use template::TemplateHandler;
pub(crate) use template::{OperationResource, TemplateEntry, TemplateSource, choices};
pub(crate) use tool::{ToolEntry, ToolSource};
pub(crate) use transform::Transformed;

use crate::{
    Error,
    context::Context,
    message::{Complete, Completion},
};

pub(crate) type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
pub(crate) type CompletionHandler = Arc<dyn Fn(Context, Complete) -> Answer<Completion> + Send + Sync>;

/// Boxes a completion handler.
pub(crate) fn completion_handler<F, Fut, R>(handler: F) -> CompletionHandler
where
    F: Fn(Context, Complete) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send + 'static,
    R: Into<Completion>,
{
    let handler = Arc::new(handler);
    Arc::new(move |context, request| {
        let answer = handler(context, request);
        Box::pin(async move { answer.await.map(Into::into) })
    })
}
