//! Authorization: which principal may use which component.

use std::{borrow::Cow, collections::BTreeMap};

use async_trait::async_trait;
use serde::Deserialize;

use super::{Middleware, Next};
use crate::{
    Error, ErrorKind,
    auth::{Principal, StepUp},
    catalog::Operation,
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
    /// By the tool's or prompt's name, or the URI or template of the resource, also of one that is offered as a tool.
    pub components: BTreeMap<String, Vec<String>>,
    /// By tag.
    pub tags: BTreeMap<String, Vec<String>>,
    /// Whether components made of operations need the scopes that the document's `security` names. Right where the
    /// API's authorization server is also that of this server's clients.
    pub document: bool,
}

/// What is decided about.
#[derive(Clone, Copy)]
struct Component<'a> {
    name: &'a str,
    tags: &'a [Cow<'static, str>],
    operation: Option<&'static Operation>,
}

/// The scopes that a document demands for an operation and that are not granted: none when one of its alternatives is
/// met, else those of the first one.
fn of_document(operation: &Operation, principal: Option<&Principal>) -> Vec<String> {
    let mut first = None;
    for alternative in operation.security {
        let scopes: Vec<String> =
            alternative.iter().flat_map(|requirement| requirement.scopes).map(|scope| (*scope).to_owned()).collect();
        if scopes.is_empty() || principal.is_some_and(|principal| principal.has_scopes(&scopes)) {
            return Vec::new();
        }
        first.get_or_insert(scopes);
    }
    first.unwrap_or_default()
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

    /// Demands the scopes that the document names for its operations.
    #[must_use]
    pub fn document(mut self) -> Self {
        self.0.document = true;
        self
    }

    /// All scopes that a component needs, each once.
    fn needed(&self, context: &Context, component: Component<'_>) -> Vec<String> {
        let Component { name, tags, operation } = component;
        let by_tag = tags.iter().filter_map(|tag| self.0.tags.get(tag.as_ref()));
        // A resource of the API that is offered as a tool has its URI still, and what was demanded for it holds.
        let uris = operation.map(|operation| [operation.uri, operation.plain_uri]).into_iter().flatten();
        let by_name = std::iter::once(name).chain(uris.filter(|uri| !uri.is_empty() && *uri != name));
        let by_name = by_name.filter_map(|name| self.0.components.get(name));
        let mut needed: Vec<String> = Vec::new();
        for scope in by_name.chain(by_tag).flatten() {
            if !needed.contains(scope) {
                needed.push(scope.clone());
            }
        }
        if let (true, Some(operation)) = (self.0.document, operation) {
            let lacks = |scope: &String| !needed.contains(scope);
            let more: Vec<String> = of_document(operation, context.principal()).into_iter().filter(lacks).collect();
            needed.extend(more);
        }
        needed
    }

    fn may(&self, context: &Context, component: Component<'_>) -> bool {
        context.is_local() || {
            let needed = self.needed(context, component);
            needed.is_empty() || context.principal().is_some_and(|principal| principal.has_scopes(&needed))
        }
    }

    fn check(&self, context: &Context, component: Component<'_>) -> Result<(), Error> {
        if self.may(context, component) {
            return Ok(());
        }
        let scopes = self.needed(context, component);
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
        Page::new(page.items.iter().filter(|item| may(item)).cloned().collect::<Vec<_>>(), page.next_cursor)
    }
}

fn tool<'a>(context: &Context, info: &'a ToolInfo) -> Component<'a> {
    Component { name: &info.name, tags: &info.tags, operation: context.tool_operation(&info.name) }
}

fn resource<'a>(context: &Context, name: &'a str, tags: &'a [Cow<'static, str>]) -> Component<'a> {
    Component { name, tags, operation: context.resource_operation(name) }
}

#[async_trait]
impl Middleware for Authorization {
    async fn on_list_tools(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| self.may(context, tool(context, info))))
    }

    async fn on_list_resources(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ResourceInfo>>,
    ) -> Result<Page<ResourceInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| self.may(context, resource(context, &info.uri, &info.tags))))
    }

    async fn on_list_resource_templates(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ResourceTemplateInfo>>,
    ) -> Result<Page<ResourceTemplateInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| {
            self.may(context, resource(context, &info.uri_template, &info.tags))
        }))
    }

    async fn on_list_prompts(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<PromptInfo>>,
    ) -> Result<Page<PromptInfo>, Error> {
        Ok(Self::filter(next.run(page).await?, |info| {
            self.may(context, Component { name: &info.name, tags: &info.tags, operation: None })
        }))
    }

    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        let info = context.tool_info(&call.name);
        let tags = info.as_ref().map_or(&[][..], |info| &info.tags);
        let operation = context.tool_operation(&call.name);
        self.check(context, Component { name: &call.name, tags, operation })?;
        next.run(call).await
    }

    async fn on_read_resource(
        &self,
        context: &Context,
        read: ReadResource,
        next: Next<'_, ReadResource, Vec<ResourceContents>>,
    ) -> Result<Vec<ResourceContents>, Error> {
        let (name, tags) = context.resource_labels(&read.uri).unwrap_or_else(|| (read.uri.clone(), Vec::new()));
        self.check(context, resource(context, &name, &tags))?;
        next.run(read).await
    }

    async fn on_get_prompt(
        &self,
        context: &Context,
        get: GetPrompt,
        next: Next<'_, GetPrompt, PromptResult>,
    ) -> Result<PromptResult, Error> {
        let info = context.prompt_info(&get.name);
        let tags = info.as_ref().map_or(&[][..], |info| &info.tags);
        self.check(context, Component { name: &get.name, tags, operation: None })?;
        next.run(get).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{ToolInjection, bench::Bench},
        *,
    };

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
    async fn the_tags_of_injected_tools_count_when_they_are_called() {
        let wipe = || crate::component::Tool::new("purge", "Purges.", |_, ()| async { Ok("purged") }).tag("danger");
        let rules = || Authorization::default().tag("danger", ["admin"]);
        for server in [
            Bench::new().layer(rules()).layer(ToolInjection::new([wipe()])).of_principal(["use"]),
            Bench::new().layer(ToolInjection::new([wipe()])).layer(rules()).of_principal(["admin"]),
        ] {
            let may = server.context().principal().is_some_and(|who| who.has_scopes(&["admin".to_owned()]));
            assert_eq!(server.tool_names().await.contains(&"purge".to_owned()), may);
            assert_eq!(server.call("purge", json!({})).await.is_ok(), may);
        }
    }

    #[test]
    fn what_is_demanded_for_a_resource_holds_where_it_is_offered_as_a_tool() {
        static PETS: Operation = Operation {
            name: "list_pets",
            uri: "api://p/pets{?limit}",
            plain_uri: "api://p/pets",
            ..Operation::DEFAULT
        };
        let server = Bench::new().over_http();
        let context = server.context();
        for uri in [PETS.uri, PETS.plain_uri] {
            let rules = Authorization::default().component(uri, ["read"]);
            let tool = Component { name: PETS.name, tags: &[], operation: Some(&PETS) };
            assert_eq!(rules.needed(&context, tool), ["read"], "{uri}");
            assert!(!rules.may(&context, tool));
        }
    }

    #[test]
    fn of_alternatives_of_the_document_one_is_enough() {
        use crate::catalog::{Requirement, SecurityScheme, SecuritySchemeKind};
        static SCHEME: SecurityScheme =
            SecurityScheme { name: "oauth", kind: SecuritySchemeKind::OAuth2 { flows: &[] }, description: "" };
        static BOTH: [Requirement; 1] = [Requirement { scheme: &SCHEME, scopes: &["read", "write"] }];
        static ADMIN: [Requirement; 1] = [Requirement { scheme: &SCHEME, scopes: &["admin"] }];
        static KEY: [Requirement; 1] = [Requirement { scheme: &SCHEME, scopes: &[] }];
        static EITHER: Operation = Operation { security: &[&BOTH, &ADMIN], ..Operation::DEFAULT };
        static OR_KEY: Operation = Operation { security: &[&BOTH, &KEY], ..Operation::DEFAULT };
        let who = |scopes: &[&str]| Principal::new("i", "s").with_scopes(scopes.iter().copied());
        assert_eq!(of_document(&EITHER, Some(&who(&["read"]))), ["read", "write"]);
        assert!(of_document(&EITHER, Some(&who(&["admin"]))).is_empty());
        assert!(of_document(&OR_KEY, Some(&who(&[]))).is_empty());
        assert_eq!(of_document(&EITHER, None), ["read", "write"]);
    }

    #[tokio::test]
    async fn an_unauthenticated_request_over_http_gets_nothing_that_needs_a_scope_and_stdio_everything() {
        let http = guarded().over_http();
        assert_eq!(http.call("wipe", json!({})).await.unwrap_err().kind, ErrorKind::Unauthorized);
        assert!(!http.tool_names().await.contains(&"wipe".to_owned()));
        guarded().call("wipe", json!({})).await.unwrap();
    }
}
