//! A small server with one of everything, to try middleware on.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::Middleware;
use crate::{
    Error, ErrorKind,
    auth::{Principal, StepUp},
    component::{Hints, Prompt, Resource, ResourceTemplate, Tool},
    content::{Content, ResourceContents, ToolResult},
    context::{ClientCapabilities, ClientInfo, Context, Link, Outcome, Question, Rounds},
    engine::{Engine, Limits},
    message::{CallTool, GetPrompt, ListPage, LogLevel, PromptResult, ReadResource, Request, Response, ServerInfo},
    registry::RegistryBuilder,
    storage::{self, Capabilities, Key, KvStore, Lifetime},
};

type Counts = Arc<Mutex<HashMap<&'static str, usize>>>;

pub(super) struct Bench {
    layers: Vec<Arc<dyn Middleware>>,
    counts: Counts,
    http: Option<http::request::Parts>,
    step_up: StepUp,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Text {
    text: String,
    #[serde(default)]
    #[expect(dead_code, reason = "only its value in the arguments matters")]
    more: Option<Value>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Header {
    header: String,
    value: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Whom {
    whom: Option<String>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Id {
    id: String,
}

fn count(counts: &Counts, name: &'static str) -> usize {
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(name).or_default();
    *count += 1;
    *count
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { layers: Vec::new(), counts: Counts::default(), http: None, step_up: StepUp::default() }
    }

    pub(super) fn layer(mut self, layer: impl Middleware) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    pub(super) fn shared_layer(mut self, layer: Arc<dyn Middleware>) -> Self {
        self.layers.push(layer);
        self
    }

    fn parts(&mut self) -> &mut http::request::Parts {
        self.http.get_or_insert_with(|| http::Request::new(()).into_parts().0)
    }

    pub(super) fn over_http(mut self) -> Self {
        self.parts();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.parts().headers.insert(name, http::HeaderValue::from_static(value));
        self
    }

    fn principal(mut self, principal: Principal) -> Self {
        let step_up = self.step_up.clone();
        self.parts().extensions.insert(Arc::new(principal));
        self.parts().extensions.insert(step_up);
        self
    }

    pub(super) fn of_subject(self, subject: &str) -> Self {
        self.principal(Principal::new("https://issuer.example", subject))
    }

    pub(super) fn of_principal<const N: usize>(self, scopes: [&str; N]) -> Self {
        self.principal(Principal::new("https://issuer.example", "me").with_scopes(scopes))
    }

    pub(super) fn demanded(&self) -> Vec<String> {
        self.step_up.demanded()
    }

    pub(super) fn calls(&self, name: &str) -> usize {
        self.counts.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    pub(super) fn text(result: &ToolResult) -> String {
        let text = |content: &Content| match content {
            Content::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        result.content.iter().map(text).collect()
    }

    fn engine(&self) -> Arc<Engine> {
        let mut registry = RegistryBuilder::new(0, Vec::new(), crate::registry::Visibility::default());
        let tool = |name: &'static str, hints: Hints, answer: fn(usize) -> Result<ToolResult, Error>| {
            let counts = self.counts.clone();
            Tool::new(name, "A tool.", move |_, ()| {
                let answer = answer(count(&counts, name));
                async move { answer }
            })
            .hints(hints)
        };
        let busy = |_: usize| Err(Error::new(ErrorKind::Overloaded, "busy"));
        let counts = self.counts.clone();
        let echo = move |_: Context, Text { text, .. }: Text| {
            count(&counts, "echo");
            async move { Ok(text) }
        };
        let counts = self.counts.clone();
        let slow = move |_: Context, (): ()| {
            count(&counts, "slow");
            async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok("slow")
            }
        };
        let counts = self.counts.clone();
        let personal = move |context: Context, (): ()| {
            count(&counts, "personal");
            context.insert(super::NoStore);
            async { Ok("personal") }
        };
        let counts = self.counts.clone();
        let api = move |context: Context, Header { header, value }: Header| {
            count(&counts, "api");
            let header = (header.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap());
            crate::component::scope(&context).freshness.note(&http::HeaderMap::from_iter([header]), false, &[]);
            async { Ok("api") }
        };
        for tool in [
            Tool::new("api", "Answers as an API does.", api).hints(Hints::READ),
            Tool::new("echo", "Says it again.", echo).hints(Hints::READ),
            Tool::new("slow", "Takes its time.", slow).hints(Hints::READ),
            Tool::new("personal", "Is not to be kept.", personal).hints(Hints::READ),
            tool("fail", Hints::READ, |_| Err(Error::failed("the database at 10.0.0.7 is down"))),
            tool("fail_softly", Hints::READ, |_| Ok(ToolResult::error("no"))),
            tool("wipe", Hints::UPDATE, |_| Ok(ToolResult::text("wiped"))).tag("danger"),
            tool("busy_twice", Hints::READ, |count| match count {
                1 | 2 => Err(Error::new(ErrorKind::Overloaded, "busy")),
                _ => Ok(ToolResult::text("third time")),
            }),
            tool("busy_write", Hints::CREATE, busy),
        ] {
            registry.tool(tool);
        }
        let counts = self.counts.clone();
        registry.resource(Resource::new("bench://note", "note", move |_| {
            count(&counts, "note");
            async { Ok("note") }
        }));
        registry.template(ResourceTemplate::new("bench://notes/{id}", "notes", |_, Id { id }: Id| async { Ok(id) }));
        let counts = self.counts.clone();
        registry.prompt(Prompt::new("greet", "Greets.", move |_, Whom { whom }: Whom| {
            count(&counts, "greet");
            async move { Ok(format!("Hello {}", whom.unwrap_or_default())) }
        }));
        let registry = registry.finish().ok().unwrap();
        let info = ServerInfo {
            name: "bench".to_owned(),
            title: None,
            version: "1".to_owned(),
            instructions: None,
            website_url: None,
            icons: Vec::new(),
        };
        let limits = Limits::new(Duration::from_secs(10), 100);
        Engine::new(info, registry, self.layers.clone(), limits, 0, Duration::ZERO)
    }

    pub(super) fn context(&self) -> Context {
        let link = Silent { http: self.http.clone(), meta: Map::new() };
        Context::new(Arc::new(link), CancellationToken::new(), self.engine(), Rounds::new(BTreeMap::new()))
    }

    /// Lets each subject send a request to the same server, one after the other.
    pub(super) async fn requests_of(&self, subjects: impl Iterator<Item = String>, request: &Request) {
        let engine = self.engine();
        for subject in subjects {
            let Bench { http, .. } = Bench::new().of_subject(&subject);
            let link = Silent { http, meta: Map::new() };
            let rounds = Rounds::new(BTreeMap::new());
            let context = Context::new(Arc::new(link), CancellationToken::new(), engine.clone(), rounds);
            if let Outcome::Asks { .. } = engine.request(&context, request.clone()).await {
                panic!("nobody asks");
            }
        }
    }

    pub(super) async fn request(&self, request: Request) -> Result<Response, Error> {
        let context = self.context();
        match self.engine().request(&context, request).await {
            Outcome::Done(answer) => answer,
            Outcome::Asks { .. } => panic!("nobody asks"),
        }
    }

    pub(super) async fn call(&self, name: &str, arguments: Value) -> Result<ToolResult, Error> {
        let Value::Object(arguments) = arguments else { panic!() };
        let Response::Tool(result) =
            self.request(Request::CallTool(CallTool { name: name.to_owned(), arguments })).await?
        else {
            panic!()
        };
        Ok(result)
    }

    pub(super) async fn read(&self, uri: &str) -> Result<Vec<ResourceContents>, Error> {
        match self.request(Request::ReadResource(ReadResource { uri: uri.to_owned() })).await? {
            Response::Resource(contents) => Ok(contents),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn prompt(&self, name: &str) -> Result<PromptResult, Error> {
        let Value::Object(arguments) = json!({"whom": "you"}) else { panic!() };
        match self.request(Request::GetPrompt(GetPrompt { name: name.to_owned(), arguments })).await? {
            Response::Prompt(result) => Ok(result),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn tool_names(&self) -> Vec<String> {
        let Response::Tools(page) = self.request(Request::ListTools(ListPage::default())).await.unwrap() else {
            panic!()
        };
        page.items.iter().map(|info| info.name.to_string()).collect()
    }

    /// How many resources, templates and prompts are listed.
    pub(super) async fn listed(&self) -> (usize, usize, usize) {
        let page = ListPage::default;
        let Response::Resources(resources) = self.request(Request::ListResources(page())).await.unwrap() else {
            panic!()
        };
        let Response::ResourceTemplates(templates) =
            self.request(Request::ListResourceTemplates(page())).await.unwrap()
        else {
            panic!()
        };
        let Response::Prompts(prompts) = self.request(Request::ListPrompts(page())).await.unwrap() else { panic!() };
        (resources.items.len(), templates.items.len(), prompts.items.len())
    }
}

/// A client that says nothing.
struct Silent {
    http: Option<http::request::Parts>,
    meta: Map<String, Value>,
}

#[async_trait]
impl Link for Silent {
    fn request_id(&self) -> String {
        "1".to_owned()
    }
    fn protocol_version(&self) -> &str {
        "2025-11-25"
    }
    fn client(&self) -> Option<ClientInfo> {
        None
    }
    fn client_capabilities(&self) -> ClientCapabilities {
        ClientCapabilities::default()
    }
    fn session_id(&self) -> Option<String> {
        None
    }
    fn meta(&self) -> &Map<String, Value> {
        &self.meta
    }
    fn http(&self) -> Option<&http::request::Parts> {
        self.http.as_ref()
    }
    fn asks_in_result(&self) -> bool {
        false
    }
    fn wants_log(&self, _: LogLevel) -> bool {
        false
    }
    async fn progress(&self, _: f64, _: Option<f64>, _: Option<&str>) {}
    async fn log(&self, _: LogLevel, _: Value) {}
    async fn ask(&self, _: Option<&str>, _: Question) -> Result<Value, Error> {
        Err(Error::new(ErrorKind::Unsupported, "nobody is there"))
    }
}

/// A store that never answers.
#[derive(Debug)]
pub(super) struct Broken;

fn broken<T>() -> Result<T, storage::Error> {
    Err(storage::Error::Unavailable { store: "broken", reason: "as always".to_owned() })
}

#[async_trait]
impl KvStore for Broken {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    async fn get(&self, _: Key<'_>) -> Result<Option<Bytes>, storage::Error> {
        broken()
    }
    async fn put(&self, _: Key<'_>, _: &[u8], _: Option<Duration>) -> Result<(), storage::Error> {
        broken()
    }
    async fn put_if_absent(&self, _: Key<'_>, _: &[u8], _: Option<Duration>) -> Result<bool, storage::Error> {
        broken()
    }
    async fn take(&self, _: Key<'_>) -> Result<Option<Bytes>, storage::Error> {
        broken()
    }
    async fn delete(&self, _: Key<'_>) -> Result<bool, storage::Error> {
        broken()
    }
    async fn ttl(&self, _: Key<'_>) -> Result<Lifetime, storage::Error> {
        broken()
    }
    async fn compare_and_swap(
        &self,
        _: Key<'_>,
        _: &[u8],
        _: &[u8],
        _: Option<Duration>,
    ) -> Result<bool, storage::Error> {
        broken()
    }
    async fn incr(&self, _: Key<'_>, _: i64, _: Option<Duration>) -> Result<i64, storage::Error> {
        broken()
    }
}
