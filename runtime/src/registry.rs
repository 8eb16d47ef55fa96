//! The components of a server, found by name, URI or template.

mod build;
mod complete;
mod live;
mod lookup;
mod merge;
mod origin;
mod problem;
mod schemas;
mod visibility;

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;

pub(crate) use build::RegistryBuilder;
pub use problem::Problem;
pub(crate) use visibility::Visibility;

use crate::{
    Error,
    component::{CompletionHandler, PromptEntry, ResourceEntry, TemplateEntry, ToolEntry, Transform},
    compose::Child,
    content::{ResourceContents, ToolResult},
    context::Context,
    message::{
        CallTool, GetPrompt, ListPage, Page, PromptInfo, PromptResult, ReadResource, ResourceInfo,
        ResourceTemplateInfo, ToolInfo,
    },
};

/// The components of a server. It never changes: what is added at run time makes a new registry.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    tools: IndexMap<String, Arc<ToolEntry>>,
    resources: IndexMap<String, Arc<ResourceEntry>>,
    templates: IndexMap<String, Arc<TemplateEntry>>,
    /// Indexes of `templates`, the most specific first: longest literal text, then order of registration.
    by_specificity: Vec<usize>,
    prompts: IndexMap<String, Arc<PromptEntry>>,
    completion: Option<CompletionHandler>,
    children: Vec<Arc<Child>>,
    visibility: Visibility,
    /// What tools become, by their own names.
    transforms: Arc<HashMap<String, Arc<Transform>>>,
    page_size: usize,
    lists: Lists,
    /// Whether every output schema describes an object, as all protocol versions allow.
    objects_only: bool,
    /// Whether calls of any tool may become tasks.
    offers_tasks: bool,
}

/// The lists as they go out, made once.
#[derive(Clone)]
struct Lists {
    tools: Pages<ToolInfo>,
    resources: Pages<ResourceInfo>,
    templates: Pages<ResourceTemplateInfo>,
    prompts: Pages<PromptInfo>,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            tools: Pages::new(Vec::new(), 0),
            resources: Pages::new(Vec::new(), 0),
            templates: Pages::new(Vec::new(), 0),
            prompts: Pages::new(Vec::new(), 0),
        }
    }
}

/// A list in pages. The cursor of a page is its number; it means nothing to clients.
struct Pages<T>(Arc<[Page<T>]>);

impl<T> Clone for Pages<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Pages<T> {
    /// Cuts a list. Everything is one page when `size` is 0.
    fn new(items: Vec<Arc<T>>, size: usize) -> Self {
        let size = if size == 0 { items.len().max(1) } else { size };
        let count = items.len().div_ceil(size).max(1);
        let mut items = items.into_iter();
        let pages = (1..=count).map(|number| {
            let next_cursor = (number < count).then(|| format!("page-{number}"));
            Page::new(items.by_ref().take(size).collect::<Vec<_>>(), next_cursor)
        });
        Self(pages.collect())
    }

    fn get(&self, request: &ListPage) -> Result<Page<T>, Error> {
        let number = match &request.cursor {
            None => Some(0),
            Some(cursor) => cursor.strip_prefix("page-").and_then(|number| number.parse::<usize>().ok()),
        };
        let page = number.and_then(|number| self.0.get(number)).cloned();
        page.ok_or_else(|| Error::invalid_params("The cursor is not one of this list. Begin again without a cursor."))
    }
}

impl Registry {
    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        self.tools.get(name)
    }

    pub(crate) fn list_tools(&self, page: &ListPage) -> Result<Page<ToolInfo>, Error> {
        self.lists.tools.get(page)
    }

    pub(crate) fn list_resources(&self, page: &ListPage) -> Result<Page<ResourceInfo>, Error> {
        self.lists.resources.get(page)
    }

    pub(crate) fn list_templates(&self, page: &ListPage) -> Result<Page<ResourceTemplateInfo>, Error> {
        self.lists.templates.get(page)
    }

    pub(crate) fn list_prompts(&self, page: &ListPage) -> Result<Page<PromptInfo>, Error> {
        self.lists.prompts.get(page)
    }

    pub(crate) async fn call(&self, context: Context, call: CallTool) -> Result<ToolResult, Error> {
        let Some(tool) = self.tools.get(&call.name) else {
            if let Some((child, name, _)) = self.layers_tool(&call.name) {
                return child.call(&context, CallTool { name, ..call }).await;
            }
            let hint = nearest(&call.name, self.tools.keys());
            return Err(Error::not_found(format!("Unknown tool: {}.{hint}", call.name.escape_debug())));
        };
        tool.call(context, call.arguments).await.map_err(own_subject)
    }

    pub(crate) async fn read(&self, context: Context, read: &ReadResource) -> Result<Vec<ResourceContents>, Error> {
        if let Some(resource) = self.resources.get(&read.uri) {
            return resource.read(context, &read.uri).await;
        }
        for &index in &self.by_specificity {
            let Some((_, entry)) = self.templates.get_index(index) else { continue };
            if let Some(captures) = entry.template.captures(&read.uri) {
                return entry.read(context, &captures, &read.uri).await;
            }
        }
        if let Some((child, uri)) = self.layers_resource(&read.uri) {
            return child.read(&context, uri).await;
        }
        Err(Error::not_found(format!("Resource not found: {}", read.uri.escape_debug()))
            .with_data(serde_json::json!({"uri": read.uri})))
    }

    pub(crate) async fn prompt(&self, context: Context, get: GetPrompt) -> Result<PromptResult, Error> {
        if !self.prompts.contains_key(&get.name)
            && let Some((child, name)) = self.layers_prompt(&get.name)
        {
            return child.prompt(&context, GetPrompt { name, ..get }).await;
        }
        let prompt = self.prompts.get(&get.name).ok_or_else(|| {
            let hint = nearest(&get.name, self.prompts.keys());
            Error::invalid_params(format!("Unknown prompt: {}.{hint}", get.name.escape_debug()))
        })?;
        prompt.get(context, get.arguments).await
    }
}

/// `NotFound` of a tool's handler is about the handler's own subject, not about the tool.
fn own_subject(mut error: Error) -> Error {
    if error.kind == crate::ErrorKind::NotFound {
        error.kind = crate::ErrorKind::Failed;
    }
    error
}

/// A remark with the known name that is most like a wrong one.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let name: String = name.chars().take(64).collect();
    known
        .map(|known| (strsim::jaro_winkler(&name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| format!(" Did you mean `{known}`?"))
        .unwrap_or_default()
}
