//! Servers within servers: what a mounted or imported server offers appears in the outer one under a prefix, and what is
//! asked of it there goes through its own layers.

mod naming;
#[cfg(feature = "proxy")]
mod remote;

use std::sync::Arc;

use serde_json::Value;

use crate::{
    Error,
    component::Answer,
    content::{Content, ResourceContents, ToolResult},
    context::Context,
    engine::{Change, Engine},
    message::{
        CallTool, Complete, Completion, CompletionTarget, GetPrompt, ListPage, Page, PromptInfo, PromptResult,
        ReadResource, Request, ResourceInfo, ResourceTemplateInfo, Response, ToolInfo,
    },
    server::Server,
    upstream,
};
pub(crate) use naming::Naming;
pub use naming::UriStyle;
#[cfg(feature = "proxy")]
pub use remote::Remote;
#[cfg(feature = "proxy")]
pub(crate) use remote::{Reach, keep};

/// More pages than this of an inner server's list are not read: a layer that always has a next page is broken.
const MOST_PAGES: usize = 1000;

/// A server on its way into another one, with what is special about it there.
#[must_use]
pub struct Mounted {
    pub(crate) server: Server,
    pub(crate) uris: UriStyle,
}

impl Mounted {
    /// How the prefix shows in URIs.
    pub fn uris(mut self, style: UriStyle) -> Self {
        self.uris = style;
        self
    }
}

impl From<Server> for Mounted {
    fn from(server: Server) -> Self {
        Self { server, uris: UriStyle::default() }
    }
}

/// A component of an inner server, as an entry of the outer one.
#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) child: Arc<Child>,
    /// Which of the outer server's children that is.
    pub(crate) index: usize,
    /// Its name, URI or template inside.
    pub(crate) name: String,
}

/// A running server within another one.
pub(crate) struct Child {
    pub(crate) engine: Arc<Engine>,
    pub(crate) naming: Naming,
    /// Whether what it adds and removes while it runs shows outside.
    pub(crate) live: bool,
}

impl Child {
    /// Whether its layers may make other lists than its components say.
    pub(crate) fn is_layered(&self) -> bool {
        self.engine.has_layers()
    }

    /// For people: which server this is.
    pub(crate) fn label(&self) -> String {
        let name = &self.engine.info.name;
        if self.naming.prefix().is_empty() {
            format!("the inner server `{name}`")
        } else {
            format!("the inner server `{name}` (prefix `{}`)", self.naming.prefix())
        }
    }

    /// Asks the inner server, through its layers, as part of the request that is under way outside.
    fn ask(&self, context: &Context, request: Request) -> Answer<Response> {
        let (engine, context) = (self.engine.clone(), context.within(self.engine.clone()));
        Box::pin(async move { engine.through(&context, request).await })
    }

    pub(crate) async fn call(&self, context: &Context, call: CallTool) -> Result<ToolResult, Error> {
        let Response::Tool(mut result) = self.ask(context, Request::CallTool(call)).await? else {
            return Err(unexpected());
        };
        for content in &mut result.content {
            self.outward(content);
        }
        self.outward_hints(&mut result);
        Ok(result)
    }

    pub(crate) async fn read(&self, context: &Context, uri: String) -> Result<Vec<ResourceContents>, Error> {
        let outer = self.naming.uri(&uri);
        let request = Request::ReadResource(ReadResource { uri: uri.clone() });
        let Response::Resource(mut contents) = self.ask(context, request).await? else { return Err(unexpected()) };
        for contents in &mut contents {
            if contents.uri == uri {
                contents.uri.clone_from(&outer);
            } else {
                self.outward_uri(&mut contents.uri);
            }
        }
        Ok(contents)
    }

    pub(crate) async fn prompt(&self, context: &Context, get: GetPrompt) -> Result<PromptResult, Error> {
        let Response::Prompt(mut result) = self.ask(context, Request::GetPrompt(get)).await? else {
            return Err(unexpected());
        };
        for message in &mut result.messages {
            self.outward(&mut message.content);
        }
        Ok(result)
    }

    /// Proposals for an argument of one of its prompts or templates, under the inner name.
    pub(crate) async fn complete(
        &self,
        context: &Context,
        target: CompletionTarget,
        request: Complete,
    ) -> Result<Completion, Error> {
        match self.ask(context, Request::Complete(Complete { target, ..request })).await? {
            Response::Completion(completion) => Ok(completion),
            _ => Err(unexpected()),
        }
    }

    /// Lets its layers see a request that wants no answer of it: a subscription.
    pub(crate) async fn tell(&self, context: &Context, request: Request) -> Result<(), Error> {
        self.ask(context, request).await.map(|_| ())
    }

    /// Its tools as its layers list them now, under their outer names.
    pub(crate) async fn tools(&self, context: &Context) -> Result<Vec<Arc<ToolInfo>>, Error> {
        let infos = self.list(context, Request::ListTools, |response| match response {
            Response::Tools(page) => Some(page),
            _ => None,
        });
        Ok(infos.await?.iter().filter_map(|info| self.tool_outside(info)).collect())
    }

    /// Its resources as its layers list them now.
    pub(crate) async fn resources(&self, context: &Context) -> Result<Vec<Arc<ResourceInfo>>, Error> {
        let infos = self.list(context, Request::ListResources, |response| match response {
            Response::Resources(page) => Some(page),
            _ => None,
        });
        Ok(infos.await?.iter().map(|info| self.resource_outside(info)).collect())
    }

    /// Its resource templates as its layers list them now.
    pub(crate) async fn templates(&self, context: &Context) -> Result<Vec<Arc<ResourceTemplateInfo>>, Error> {
        let infos = self.list(context, Request::ListResourceTemplates, |response| match response {
            Response::ResourceTemplates(page) => Some(page),
            _ => None,
        });
        Ok(infos.await?.iter().map(|info| self.template_outside(info)).collect())
    }

    /// Its prompts as its layers list them now.
    pub(crate) async fn prompts(&self, context: &Context) -> Result<Vec<Arc<PromptInfo>>, Error> {
        let infos = self.list(context, Request::ListPrompts, |response| match response {
            Response::Prompts(page) => Some(page),
            _ => None,
        });
        Ok(infos.await?.iter().map(|info| self.prompt_outside(info)).collect())
    }

    /// All pages of a list.
    async fn list<T>(
        &self,
        context: &Context,
        request: fn(ListPage) -> Request,
        page_of: fn(Response) -> Option<Page<T>>,
    ) -> Result<Vec<Arc<T>>, Error> {
        let mut items = Vec::new();
        let mut page = ListPage::default();
        for _ in 0..MOST_PAGES {
            let found = page_of(self.ask(context, request(page)).await?).ok_or_else(unexpected)?;
            items.extend(found.items.iter().cloned());
            if found.next_cursor.is_none() {
                break;
            }
            page = ListPage { cursor: found.next_cursor };
        }
        Ok(items)
    }

    /// A tool under its outer name; `None` for one that a layer offers under a name that cannot be led back.
    fn tool_outside(&self, info: &ToolInfo) -> Option<Arc<ToolInfo>> {
        let name = self.naming.tool(&info.name);
        let leads_back =
            self.naming.inner_name(&name) == Some(&info.name) || self.engine.registry().tool(&info.name).is_some();
        leads_back.then(|| Arc::new(ToolInfo { name: name.into(), ..info.clone() }))
    }

    pub(crate) fn resource_outside(&self, info: &ResourceInfo) -> Arc<ResourceInfo> {
        Arc::new(ResourceInfo { uri: self.naming.uri(&info.uri).into(), ..info.clone() })
    }

    pub(crate) fn template_outside(&self, info: &ResourceTemplateInfo) -> Arc<ResourceTemplateInfo> {
        Arc::new(ResourceTemplateInfo { uri_template: self.naming.uri(&info.uri_template).into(), ..info.clone() })
    }

    pub(crate) fn prompt_outside(&self, info: &PromptInfo) -> Arc<PromptInfo> {
        Arc::new(PromptInfo { name: self.naming.name(&info.name).into(), ..info.clone() })
    }

    /// A tool that only its layers know, by its outer name.
    pub(crate) fn layers_tool(&self, outer: &str) -> Option<(String, Arc<ToolInfo>)> {
        let inner = self.naming.inner_name(outer).filter(|_| self.is_layered())?;
        let info = self.engine.tool_info(inner)?;
        Some((inner.to_owned(), Arc::new(ToolInfo { name: outer.to_owned().into(), ..(*info).clone() })))
    }

    /// What changes outside when something changed inside.
    pub(crate) fn change_outside(&self, change: &Change) -> Option<Change> {
        match change {
            Change::Resource(uri) => Some(Change::Resource(self.naming.uri(uri))),
            list => self.live.then(|| list.clone()),
        }
    }

    fn outward(&self, content: &mut Content) {
        match content {
            Content::Resource(contents) => self.outward_uri(&mut contents.uri),
            Content::Link { uri, .. } => self.outward_uri(uri),
            Content::Text(_) | Content::Image { .. } | Content::Audio { .. } => {}
        }
    }

    /// Hints of what can follow name tools and templates of the inner server, in `_meta` and in the text for the model.
    fn outward_hints(&self, result: &mut ToolResult) {
        if self.naming.prefix().is_empty() {
            return;
        }
        let http = result.meta.get_mut(upstream::ANSWER_META);
        let hints = http.and_then(|http| http.get_mut("links")).and_then(Value::as_object_mut);
        let mut renamed = Vec::new();
        for hint in hints.into_iter().flat_map(|hints| hints.values_mut()) {
            if let Some(Value::String(tool)) = hint.get_mut("tool") {
                let outer = self.naming.tool(tool);
                renamed.push((std::mem::replace(tool, outer.clone()), outer));
            }
            if let Some(Value::String(uri)) = hint.get_mut("resource") {
                let outer = self.naming.uri(uri);
                renamed.push((std::mem::replace(uri, outer.clone()), outer));
            }
        }
        let texts = result.content.iter_mut().filter_map(|content| match content {
            Content::Text(text) if text.starts_with(upstream::HINTS) => Some(text),
            _ => None,
        });
        for text in texts {
            for (inner, outer) in &renamed {
                *text = text.replace(&format!(": `{inner}` with "), &format!(": `{outer}` with "));
            }
        }
    }

    /// A link to one of the inner server's own resources leads there from outside too.
    fn outward_uri(&self, uri: &mut String) {
        if !self.naming.prefix().is_empty() && self.engine.registry().resource_labels(uri).is_some() {
            *uri = self.naming.uri(uri);
        }
    }
}

/// A layer of the inner server answered something else.
fn unexpected() -> Error {
    Error::internal("The server answered with something else than was asked for.")
}
