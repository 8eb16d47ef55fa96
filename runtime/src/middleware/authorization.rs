//! Authorization: which principal may use which component.

use std::{borrow::Cow, collections::BTreeMap};

use async_trait::async_trait;
use serde::Deserialize;

use super::{Middleware, Next};
use crate::{
    Error, ErrorKind,
    auth::StepUp,
    content::{ResourceContents, ToolResult},
    context::Context,
    message::{
        CallTool, GetPrompt, ListPage, Page, PromptInfo, PromptResult, ReadResource, ResourceInfo,
        ResourceTemplateInfo, ToolInfo,
    },
};

/// The scopes that components need, beside those that the components name themselves. A component needs all that apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthorizationConfig {
    /// By the tool's or prompt's name, or the URI or template of the resource.
    pub components: BTreeMap<String, Vec<String>>,
    /// By tag.
    pub tags: BTreeMap<String, Vec<String>>,
}

/// Hides what the principal may not use from lists, and refuses it when it is used nevertheless. Where nothing was
/// authenticated, over stdio, everything may be used: whoever started the process owns it.
#[derive(Debug, Clone, Default)]
pub struct Authorization(AuthorizationConfig);

impl Authorization {
    /// Demands what the configuration says.
    pub fn new(config: AuthorizationConfig) -> Self {
        Self(config)
    }

    /// Demands scopes for one tool, prompt, resource or template.
    #[must_use]
    pub fn component<T: Into<String>>(mut self, name: impl Into<String>, scopes: impl IntoIterator<Item = T>) -> Self {
        self.0.components.entry(name.into()).or_default().extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Demands scopes for all components with a tag.
    #[must_use]
    pub fn tag<T: Into<String>>(mut self, tag: impl Into<String>, scopes: impl IntoIterator<Item = T>) -> Self {
        self.0.tags.entry(tag.into()).or_default().extend(scopes.into_iter().map(Into::into));
        self
    }

    /// All scopes that a component needs, each once.
    fn needed(&self, name: &str, tags: &[Cow<'static, str>]) -> Vec<String> {
        let by_tag = tags.iter().filter_map(|tag| self.0.tags.get(tag.as_ref()));
        let mut needed: Vec<String> = Vec::new();
        for scope in self.0.components.get(name).into_iter().chain(by_tag).flatten() {
            if !needed.contains(scope) {
                needed.push(scope.clone());
            }
        }
        needed
    }

    fn may(&self, context: &Context, name: &str, tags: &[Cow<'static, str>]) -> bool {
        context.is_local() || {
            let needed = self.needed(name, tags);
            needed.is_empty() || context.principal().is_some_and(|principal| principal.has_scopes(&needed))
        }
    }

    fn check(&self, context: &Context, name: &str, tags: &[Cow<'static, str>]) -> Result<(), Error> {
        if self.may(context, name, tags) {
            return Ok(());
        }
        let scopes = self.needed(name, tags);
        if let Some(step_up) = context.http_extension::<StepUp>() {
            step_up.demand(scopes.clone());
        }
        if context.principal().is_none() {
            return Err(Error::new(ErrorKind::Unauthorized, "This needs an authenticated client."));
        }
        let message = format!("This needs the scopes: {}.", scopes.join(" "));
        Err(Error::new(ErrorKind::Forbidden { scopes }, message))
    }

    fn filter<T>(page: Page<T>, may: impl Fn(&T) -> bool) -> Page<T> {
        if page.items.iter().all(|item| may(item)) {
            return page;
        }
        Page { items: page.items.iter().filter(|item| may(item)).cloned().collect(), next_cursor: page.next_cursor }
    }
}

#[async_trait]
impl Middleware for Authorization {
    async fn on_list_tools(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| self.may(context, &info.name, &info.tags)))
    }

    async fn on_list_resources(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ResourceInfo>>,
    ) -> Result<Page<ResourceInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| self.may(context, &info.uri, &info.tags)))
    }

    async fn on_list_resource_templates(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ResourceTemplateInfo>>,
    ) -> Result<Page<ResourceTemplateInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| self.may(context, &info.uri_template, &info.tags)))
    }

    async fn on_list_prompts(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<PromptInfo>>,
    ) -> Result<Page<PromptInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| self.may(context, &info.name, &info.tags)))
    }

    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        let info = context.tool_info(&call.name);
        self.check(context, &call.name, info.as_ref().map_or(&[], |info| &info.tags))?;
        next.run(call).await
    }

    async fn on_read_resource(
        &self,
        context: &Context,
        read: ReadResource,
        next: Next<'_, ReadResource, Vec<ResourceContents>>,
    ) -> Result<Vec<ResourceContents>, Error> {
        let (name, tags) = context.resource_labels(&read.uri).unwrap_or_else(|| (read.uri.clone(), Vec::new()));
        self.check(context, &name, &tags)?;
        next.run(read).await
    }

    async fn on_get_prompt(
        &self,
        context: &Context,
        get: GetPrompt,
        next: Next<'_, GetPrompt, PromptResult>,
    ) -> Result<PromptResult, Error> {
        let info = context.prompt_info(&get.name);
        self.check(context, &get.name, info.as_ref().map_or(&[], |info| &info.tags))?;
        next.run(get).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    fn guarded() -> Bench {
        let authorization = Authorization::default()
            .component("echo", ["use"])
            .component("greet", ["talk"])
            .component("bench://note", ["read"])
            .component("bench://notes/{id}", ["read"])
            .tag("danger", ["admin", "use"]);
        Bench::new().layer(authorization)
    }

    #[tokio::test]
    async fn lists_show_and_calls_allow_what_the_principal_may_use() {
        let server = guarded().of_principal(["use"]);
        let names = server.tool_names().await;
        assert!(names.contains(&"echo".to_owned()) && !names.contains(&"wipe".to_owned()), "{names:?}");
        server.call("echo", json!({"text": "x"})).await.unwrap();
        let error = server.call("wipe", json!({})).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden { scopes: vec!["admin".to_owned(), "use".to_owned()] });
        assert_eq!(server.demanded(), ["admin", "use"], "all scopes of the operation in one challenge");
        assert_eq!(server.calls("wipe"), 0);

        let admin = guarded().of_principal(["use", "admin"]);
        admin.call("wipe", json!({})).await.unwrap();
        assert!(admin.demanded().is_empty());
    }

    #[tokio::test]
    async fn resources_templates_and_prompts_are_guarded_too() {
        let server = guarded().of_principal(["use"]);
        for uri in ["bench://note", "bench://notes/7"] {
            let error = server.read(uri).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Forbidden { scopes: vec!["read".to_owned()] }, "{uri}");
        }
        server.prompt("greet").await.unwrap_err();
        assert_eq!(server.listed().await, (0, 0, 0));
        let reader = guarded().of_principal(["read", "talk"]);
        assert_eq!(reader.listed().await, (1, 1, 1));
        reader.read("bench://notes/7").await.unwrap();
        reader.prompt("greet").await.unwrap();
    }

    #[tokio::test]
    async fn an_unauthenticated_request_over_http_gets_nothing_that_needs_a_scope_and_stdio_everything() {
        let http = guarded().over_http();
        assert_eq!(http.call("wipe", json!({})).await.unwrap_err().kind, ErrorKind::Unauthorized);
        assert!(!http.tool_names().await.contains(&"wipe".to_owned()));
        guarded().call("wipe", json!({})).await.unwrap();
    }
}
