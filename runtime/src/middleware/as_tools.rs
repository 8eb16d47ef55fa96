//! Prompts and resources as tools, for clients that know nothing but tools. What such a tool stands for is asked from the
//! outermost layer on, so that no layer is evaded: neither one outside nor one inside.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use serde_json::{Map, Value, json, value::to_raw_value};

use super::{Middleware, Next, tool_injection::add};
use crate::{
    Error,
    arguments::Validator,
    component::{Hints, LazySchema},
    content::{Content, ToolResult},
    context::Context,
    message::{
        GetPrompt, ListPage, Page, PromptInfo, ReadResource, Request, ResourceInfo, ResourceTemplateInfo, Response,
        Role, ToolInfo,
    },
};

/// Offers the tools `list_prompts` and `get_prompt`.
#[derive(Debug, Clone, Copy, Default)]
pub struct PromptsAsTools;

/// Offers the tools `list_resources` and `read_resource`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourcesAsTools;

/// A tool that stands for another request.
struct Stand {
    info: Arc<ToolInfo>,
    arguments: Validator,
}

impl Stand {
    fn new(name: &'static str, description: &'static str, schema: &Value) -> Self {
        let input_schema = LazySchema::given(schema);
        let info = ToolInfo {
            name: name.into(),
            title: "".into(),
            description: description.into(),
            input_schema,
            output_schema: None,
            hints: Some(Hints { open_world: false, ..Hints::READ }),
            icons: Vec::new(),
            tags: Vec::new(),
            meta: Map::new(),
        };
        Self { arguments: Validator::new(schema.to_string()), info: Arc::new(info) }
    }
}

fn list_schema() -> Value {
    json!({
        "type": "object",
        "properties": {"cursor": {"type": "string", "description": "`next_cursor` of the page before."}},
        "additionalProperties": false,
    })
}

static LIST_PROMPTS: LazyLock<Stand> =
    LazyLock::new(|| Stand::new("list_prompts", "Lists the prompts that this server offers.", &list_schema()));

static GET_PROMPT: LazyLock<Stand> = LazyLock::new(|| {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "The prompt, as `list_prompts` names it."},
            "arguments": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["name"],
        "additionalProperties": false,
    });
    Stand::new("get_prompt", "Fills in a prompt and returns its messages.", &schema)
});

static LIST_RESOURCES: LazyLock<Stand> = LazyLock::new(|| {
    Stand::new("list_resources", "Lists the resources and resource templates that this server offers.", &list_schema())
});

static READ_RESOURCE: LazyLock<Stand> = LazyLock::new(|| {
    let schema = json!({
        "type": "object",
        "properties": {"uri": {"type": "string", "description": "A URI of `list_resources`, or a template filled in."}},
        "required": ["uri"],
        "additionalProperties": false,
    });
    Stand::new("read_resource", "Reads a resource.", &schema)
});

/// An answer in JSON, as text and structured.
fn answer(value: &Value) -> Result<ToolResult, Error> {
    let structured = to_raw_value(value).map_err(|_| Error::internal("The answer cannot be written as JSON."))?;
    Ok(ToolResult { structured: Some(structured), ..ToolResult::text(value.to_string()) })
}

fn text(arguments: &Map<String, Value>, name: &str) -> Option<String> {
    arguments.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn prompt(info: &PromptInfo) -> Value {
    let arguments: Vec<Value> = info
        .arguments
        .iter()
        .map(|argument| {
            json!({"name": argument.name, "description": argument.description, "required": argument.required})
        })
        .collect();
    json!({"name": info.name, "description": info.description, "arguments": arguments})
}

fn resource(info: &ResourceInfo) -> Value {
    json!({"uri": info.uri, "name": info.name, "description": info.description, "mimeType": info.media_type})
}

fn template(info: &ResourceTemplateInfo) -> Value {
    json!({"uriTemplate": info.uri_template, "name": info.name, "description": info.description, "mimeType": info.media_type})
}

/// A layer further in answered something else.
fn unexpected() -> Error {
    Error::internal("The server answered with something else than was asked for.")
}

/// Whether there is another tool under the name of the stand, which then goes first.
fn is_taken(context: &Context, stand: &Stand) -> bool {
    context.tool_info(&stand.info.name).is_some_and(|info| !Arc::ptr_eq(&info, &stand.info))
}

fn offered(context: &Context, stands: [&Stand; 2]) -> Vec<Arc<ToolInfo>> {
    stands.into_iter().filter(|stand| !is_taken(context, stand)).map(|stand| stand.info.clone()).collect()
}

/// What is offered under a name: what is further in, or else the stand.
fn stand_in(stands: [&Stand; 2], name: &str, inner: Option<Arc<ToolInfo>>) -> Option<Arc<ToolInfo>> {
    inner.or_else(|| stands.into_iter().find(|stand| stand.info.name == name).map(|stand| stand.info.clone()))
}

/// The arguments of a call, if it is one of this stand.
fn called(context: &Context, request: &Request, stand: &Stand) -> Option<Result<Map<String, Value>, Error>> {
    match request {
        Request::CallTool(call) if call.name == stand.info.name && !is_taken(context, stand) => {
            Some(stand.arguments.check(call.arguments.clone()))
        }
        _ => None,
    }
}

#[async_trait]
impl Middleware for PromptsAsTools {
    fn tool_info(&self, name: &str, inner: Option<Arc<ToolInfo>>) -> Option<Arc<ToolInfo>> {
        stand_in([&LIST_PROMPTS, &GET_PROMPT], name, inner)
    }

    async fn on_list_tools(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        Ok(add(next.run(page).await?, &offered(context, [&LIST_PROMPTS, &GET_PROMPT])))
    }

    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        if let Some(arguments) = called(context, &request, &LIST_PROMPTS) {
            let cursor = text(&arguments?, "cursor");
            let Response::Prompts(page) = context.request(Request::ListPrompts(ListPage { cursor })).await? else {
                return Err(unexpected());
            };
            let prompts: Vec<Value> = page.items.iter().map(|info| prompt(info)).collect();
            return answer(&json!({"prompts": prompts, "next_cursor": page.next_cursor})).map(Response::Tool);
        }
        if let Some(arguments) = called(context, &request, &GET_PROMPT) {
            let arguments = arguments?;
            let get = GetPrompt {
                name: text(&arguments, "name").unwrap_or_default(),
                arguments: arguments.get("arguments").and_then(Value::as_object).cloned().unwrap_or_default(),
            };
            let Response::Prompt(result) = context.request(Request::GetPrompt(get)).await? else {
                return Err(unexpected());
            };
            let mut content = Vec::new();
            for message in result.messages {
                let role = match message.role {
                    Role::User => "user",
                    Role::Assistant => "assistant",
                };
                match message.content {
                    Content::Text(text) => content.push(Content::Text(format!("{role}: {text}"))),
                    other => content.extend([Content::Text(format!("{role}:")), other]),
                }
            }
            return Ok(Response::Tool(ToolResult { content, ..ToolResult::default() }));
        }
        next.run(request).await
    }
}

#[async_trait]
impl Middleware for ResourcesAsTools {
    fn tool_info(&self, name: &str, inner: Option<Arc<ToolInfo>>) -> Option<Arc<ToolInfo>> {
        stand_in([&LIST_RESOURCES, &READ_RESOURCE], name, inner)
    }

    async fn on_list_tools(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        Ok(add(next.run(page).await?, &offered(context, [&LIST_RESOURCES, &READ_RESOURCE])))
    }

    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        if let Some(arguments) = called(context, &request, &LIST_RESOURCES) {
            let cursor = text(&arguments?, "cursor");
            let is_first = cursor.is_none();
            let Response::Resources(page) = context.request(Request::ListResources(ListPage { cursor })).await? else {
                return Err(unexpected());
            };
            // Templates are few: all of them come with the first page.
            let mut templates = Vec::new();
            let mut cursor = is_first.then_some(None::<String>);
            while let Some(at) = cursor.take() {
                let page = context.request(Request::ListResourceTemplates(ListPage { cursor: at })).await?;
                let Response::ResourceTemplates(page) = page else { return Err(unexpected()) };
                templates.extend(page.items.iter().map(|info| template(info)));
                cursor = page.next_cursor.map(Some);
            }
            let resources: Vec<Value> = page.items.iter().map(|info| resource(info)).collect();
            let all = json!({"resources": resources, "resource_templates": templates, "next_cursor": page.next_cursor});
            return answer(&all).map(Response::Tool);
        }
        if let Some(arguments) = called(context, &request, &READ_RESOURCE) {
            let uri = text(&arguments?, "uri").unwrap_or_default();
            let Response::Resource(contents) = context.request(Request::ReadResource(ReadResource { uri })).await?
            else {
                return Err(unexpected());
            };
            let content = contents.into_iter().map(Content::Resource).collect();
            return Ok(Response::Tool(ToolResult { content, ..ToolResult::default() }));
        }
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Authorization, bench::Bench},
        *,
    };
    use crate::ErrorKind;

    #[tokio::test]
    async fn a_client_that_knows_only_tools_reaches_prompts() {
        let server = Bench::new().layer(PromptsAsTools);
        assert!(server.tool_names().await.ends_with(&["list_prompts".to_owned(), "get_prompt".to_owned()]));
        let list = Bench::text(&server.call("list_prompts", json!({})).await.unwrap());
        assert!(list.contains(r#""name":"greet""#), "{list}");
        let arguments = json!({"name": "greet", "arguments": {"whom": "Ada"}});
        let prompt = server.call("get_prompt", arguments).await.unwrap();
        assert_eq!(Bench::text(&prompt), "user: Hello Ada");
        for wrong in [json!({}), json!({"name": 7}), json!({"name": "greet", "extra": 1})] {
            assert_eq!(server.call("get_prompt", wrong).await.unwrap_err().kind, ErrorKind::InvalidParams);
        }
        server.call("get_prompt", json!({"name": "none"})).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_client_that_knows_only_tools_reaches_resources() {
        let server = Bench::new().layer(ResourcesAsTools);
        let list = Bench::text(&server.call("list_resources", json!({})).await.unwrap());
        assert!(list.contains("bench://note") && list.contains("bench://notes/{id}"), "{list}");
        let read = server.call("read_resource", json!({"uri": "bench://note"})).await.unwrap();
        assert!(matches!(&read.content[..], [Content::Resource(contents)] if contents.uri == "bench://note"));
        server.call("read_resource", json!({"uri": "bench://none"})).await.unwrap_err();
    }

    #[tokio::test]
    async fn authorization_holds_on_whichever_side_of_the_stand_ins_it_is() {
        let rules = || {
            Authorization::default()
                .component("greet", ["talk"])
                .component("bench://note", ["read"])
                .component("bench://notes/{id}", ["read"])
        };
        let outside = Bench::new().layer(rules()).layer(PromptsAsTools).layer(ResourcesAsTools);
        let inside = Bench::new().layer(PromptsAsTools).layer(ResourcesAsTools).layer(rules());
        for (side, server) in [("outside", outside.of_principal(["use"])), ("inside", inside.of_principal(["use"]))] {
            for (tool, arguments) in [
                ("get_prompt", json!({"name": "greet"})),
                ("read_resource", json!({"uri": "bench://note"})),
                ("read_resource", json!({"uri": "bench://notes/7"})),
            ] {
                let error = server.call(tool, arguments.clone()).await.unwrap_err();
                assert!(matches!(error.kind, ErrorKind::Forbidden { .. }), "{side} {tool} {arguments}: {error}");
            }
            let prompts = Bench::text(&server.call("list_prompts", json!({})).await.unwrap());
            let resources = Bench::text(&server.call("list_resources", json!({})).await.unwrap());
            assert!(!prompts.contains("greet") && !resources.contains("bench://note"), "{side}: {prompts} {resources}");
            assert_eq!((server.calls("greet"), server.calls("note")), (0, 0), "{side}");
        }
    }
}
