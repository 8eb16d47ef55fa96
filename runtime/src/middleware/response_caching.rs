//! Response caching: the same question again within a while gets the same answer.

mod encoding;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Middleware, Next};
use crate::{
    Error,
    context::Context,
    message::{Request, Response},
    storage::{self, Key, KvStore, MemoryStore, digest},
    upstream::Freshness,
};

/// What [`ResponseCaching`] keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseCachingConfig {
    /// How long results of tools that only read are kept, in milliseconds; zero for not at all.
    pub tools_ms: u64,
    /// How long contents of resources are kept, in milliseconds.
    pub resources_ms: u64,
    /// How long prompts are kept, in milliseconds.
    pub prompts_ms: u64,
    /// How long what one tool, prompt or resource answers is kept, in milliseconds. A tool that is named here is kept even
    /// if it does not say that it only reads. What the API forbids to keep is not kept all the same.
    pub components: BTreeMap<String, u64>,
    /// The largest answer that is kept, in bytes.
    pub max_bytes: usize,
    /// Headers of the HTTP request that answers depend on, beside those that carry credentials. Where the server hands
    /// headers on to the API, nothing is kept unless they are all named here.
    pub vary: Vec<String>,
    /// Fails requests while the store does not answer, instead of working without it.
    pub fail_closed: bool,
}

impl Default for ResponseCachingConfig {
    fn default() -> Self {
        Self {
            tools_ms: 60_000,
            resources_ms: 60_000,
            prompts_ms: 60_000,
            components: BTreeMap::new(),
            max_bytes: 1 << 20,
            vary: Vec::new(),
            fail_closed: false,
        }
    }
}

/// Headers of the HTTP request that carry credentials.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "x-api-key", "api-key"];

/// Keep nothing of what answers this request: a handler puts it into [`Context::insert`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoStore;

/// Answers again what was answered before, to the same principal with the same scopes. Failures are not kept, nor what
/// depended on a question to the user, nor longer than the API's own `Cache-Control` or `Expires` allows, nor with
/// `Set-Cookie` or `Vary: *`. Of equal requests at the same time one is worked on and the others wait for it.
///
/// Lists need no cache: they are made once, at start.
#[derive(Clone)]
pub struct ResponseCaching {
    config: Arc<ResponseCachingConfig>,
    store: Arc<dyn KvStore>,
    flights: Arc<Flights>,
}

impl fmt::Debug for ResponseCaching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseCaching")
            .field("config", &self.config)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl ResponseCaching {
    /// Keeps answers in the memory of this process, at most 64 MiB: new ones take the place of those that end first.
    pub fn new(config: ResponseCachingConfig) -> Self {
        Self::in_store(config, Arc::new(MemoryStore::evicting(100_000, 64 << 20)))
    }

    /// Keeps answers in a store, which several instances may share. Encrypt one that others can write to.
    pub fn in_store(config: ResponseCachingConfig, store: Arc<dyn KvStore>) -> Self {
        Self { config: Arc::new(config), store, flights: Arc::default() }
    }

    /// How many requests it remembers to be worked on.
    #[cfg(test)]
    pub(super) fn flights(&self) -> usize {
        self.flights.0.lock().unwrap().len()
    }

    /// How long an answer is kept; `None` for not at all.
    fn lifetime(&self, context: &Context, request: &Request) -> Option<Duration> {
        let named = self.config.components.get(request.target()?);
        let ms = match request {
            Request::CallTool(call) => match named {
                Some(ms) => *ms,
                None if context.tool_info(&call.name)?.hints?.read_only => self.config.tools_ms,
                None => 0,
            },
            Request::ReadResource(_) => *named.unwrap_or(&self.config.resources_ms),
            Request::GetPrompt(_) => *named.unwrap_or(&self.config.prompts_ms),
            _ => 0,
        };
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    /// A name for a request of a principal. Each part is delimited by its length, so that none can pass for another.
    fn name(&self, context: &Context, request: &Request) -> String {
        let empty = Map::new();
        let (target, arguments) = match request {
            Request::CallTool(call) => (call.name.as_str(), &call.arguments),
            Request::GetPrompt(get) => (get.name.as_str(), &get.arguments),
            Request::ReadResource(read) => (read.uri.as_str(), &empty),
            _ => ("", &empty),
        };
        let mut parts = vec!["1".to_owned(), context.server_name(), request.method().to_owned(), target.to_owned()];
        parts.push(canonical(&Value::Object(arguments.clone()), 0));
        match context.principal() {
            None => parts.push("anonymous".to_owned()),
            Some(who) => {
                parts.extend(["principal".to_owned(), who.issuer.clone(), who.subject.clone()]);
                parts.push(who.client.clone().unwrap_or_default());
                parts.push(digest(&who.scopes));
            }
        }
        if let Some(headers) = context.headers() {
            // Credentials may be passed on to the API, if the server is told to; then the answer depends on them.
            for name in CREDENTIALS.into_iter().chain(self.config.vary.iter().map(String::as_str)) {
                for value in headers.get_all(name) {
                    parts.push(name.to_owned());
                    parts.push(digest([value.as_bytes()]));
                }
            }
        }
        digest(parts)
    }

    /// How long an answer may be kept, as the API sees it too.
    fn allowed(&self, context: &Context, lifetime: Duration) -> Option<Duration> {
        let Some(freshness) = context.get::<Freshness>() else { return Some(lifetime) };
        freshness.within(lifetime, |name| {
            // Over stdio there are no headers that could be handed on.
            context.headers().is_none()
                || CREDENTIALS.contains(&name)
                || self.config.vary.iter().any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    async fn find(&self, key: Key<'_>) -> Result<Option<Response>, Error> {
        match self.store.get(key).await {
            Ok(found) => Ok(found.and_then(|bytes| encoding::decode(&bytes))),
            Err(error) => self.outage(&error).map(|()| None),
        }
    }

    async fn keep(&self, key: Key<'_>, answer: &Response, lifetime: Duration) -> Result<(), Error> {
        let Some(bytes) = encoding::encode(answer) else { return Ok(()) };
        if bytes.len() > self.config.max_bytes {
            return Ok(());
        }
        match self.store.put(key, &bytes, Some(lifetime)).await {
            Ok(()) | Err(storage::Error::Full(_) | storage::Error::TooLarge { .. }) => Ok(()),
            Err(error) => self.outage(&error),
        }
    }

    fn outage(&self, error: &storage::Error) -> Result<(), Error> {
        tracing::warn!(%error, "the cache cannot be used");
        if self.config.fail_closed {
            return Err(Error::internal("The server cannot answer at the moment. Its log says why."));
        }
        Ok(())
    }
}

/// JSON with sorted members, so that equal arguments are equal text.
fn canonical(value: &Value, depth: usize) -> String {
    match value {
        // Deeper than any JSON that was parsed.
        _ if depth > 200 => value.to_string(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value, depth + 1)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| canonical(item, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        plain => plain.to_string(),
    }
}

/// The requests that are being worked on.
#[derive(Default)]
struct Flights(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Flights {
    fn of(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(name).and_then(Weak::upgrade) {
            return flight;
        }
        if flights.len() >= 1000 {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::default();
        flights.insert(name.to_owned(), Arc::downgrade(&flight));
        flight
    }
}

#[async_trait]
impl Middleware for ResponseCaching {
    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        // A request that carries the user's answers is the rest of a conversation.
        let lifetime = self.lifetime(context, &request).filter(|_| !context.was_interactive());
        let Some(lifetime) = lifetime else { return next.run(request).await };
        let name = self.name(context, &request);
        let Ok(key) = Key::new("response-cache", &name) else { return next.run(request).await };
        if let Some(answer) = self.find(key).await? {
            return Ok(answer);
        }
        let flight = self.flights.of(&name);
        let _alone = flight.lock().await;
        if let Some(answer) = self.find(key).await? {
            return Ok(answer);
        }
        let answer = next.run(request).await?;
        let failed = matches!(&answer, Response::Tool(result) if result.is_error);
        if !failed
            && !context.was_interactive()
            && context.get::<NoStore>().is_none()
            && let Some(lifetime) = self.allowed(context, lifetime)
        {
            self.keep(key, &answer, lifetime).await?;
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    fn caching() -> ResponseCaching {
        ResponseCaching::new(ResponseCachingConfig::default())
    }

    #[tokio::test]
    async fn equal_questions_are_answered_once() {
        let server = Bench::new().layer(caching());
        for arguments in [r#"{"text":"x","more":{"a":1,"b":2}}"#, r#"{"more":{"b":2,"a":1},"text":"x"}"#] {
            let result = server.call("echo", serde_json::from_str(arguments).unwrap()).await.unwrap();
            assert_eq!(Bench::text(&result), "x");
        }
        assert_eq!(server.calls("echo"), 1, "the order of members does not matter");
        server.call("echo", json!({"text": "x", "more": {"a": "1", "b": 2}})).await.unwrap();
        assert_eq!(server.calls("echo"), 2, "their types do");
        for _ in 0..2 {
            server.read("bench://note").await.unwrap();
            server.prompt("greet").await.unwrap();
        }
        assert_eq!((server.calls("note"), server.calls("greet")), (1, 1));
    }

    #[tokio::test]
    async fn c1_nobody_is_answered_what_another_was() {
        let caching = caching();
        let one = |bench: Bench| bench.layer(caching.clone());
        let principals = [
            one(Bench::new()),
            one(Bench::new()).over_http(),
            one(Bench::new()).of_subject("one"),
            one(Bench::new()).of_subject("two"),
            one(Bench::new()).of_principal(["a", "b"]),
            one(Bench::new()).of_principal(["a b"]),
            one(Bench::new()).header("x-api-key", "1"),
            one(Bench::new()).header("x-api-key", "2"),
        ];
        for (index, server) in principals.iter().enumerate() {
            server.call("echo", json!({"text": "x"})).await.unwrap();
            server.call("echo", json!({"text": "x"})).await.unwrap();
            // The first two are both anonymous.
            assert_eq!(server.calls("echo"), usize::from(index != 1), "{index}");
        }
    }

    #[tokio::test]
    async fn c3_no_request_can_pass_for_another() {
        let (caching, server) = (caching(), Bench::new());
        let context = server.context();
        let name = |tool: &str, arguments: Value| {
            let Value::Object(arguments) = arguments else { panic!() };
            caching.name(&context, &Request::CallTool(crate::message::CallTool { name: tool.to_owned(), arguments }))
        };
        let different = [
            name("a:b", json!({"c": "d"})),
            name("a", json!({"b:c": "d"})),
            name("a", json!({"b": "c\":\"d"})),
            name("a", json!({"b": ["c", "d"]})),
            name("a", json!({"b": [["c"], "d"]})),
            name("a", json!({"b": "1"})),
            name("a", json!({"b": 1})),
            name("a", json!({"b": 1.5})),
            name("a", json!({"b": null})),
            name("a", json!({})),
            name("a", json!({"b": "\u{e9}"})),
            name("a", json!({"b": "e\u{301}"})),
        ];
        let distinct: std::collections::BTreeSet<_> = different.iter().collect();
        assert_eq!(distinct.len(), different.len());
        assert_eq!(
            name("a", json!({"x": 1, "b": {"y": 2, "c": 3}})),
            name("a", json!({"b": {"c": 3, "y": 2}, "x": 1}))
        );
    }

    #[tokio::test]
    async fn c2_failures_changes_and_what_must_not_be_kept_are_not_kept() {
        let server = Bench::new().layer(caching());
        for _ in 0..2 {
            let _ = server.call("fail", json!({})).await;
            let _ = server.call("fail_softly", json!({})).await;
            let _ = server.call("wipe", json!({})).await;
            let _ = server.call("personal", json!({})).await;
        }
        for tool in ["fail", "fail_softly", "wipe", "personal"] {
            assert_eq!(server.calls(tool), 2, "{tool}");
        }
        let mut config = ResponseCachingConfig::default();
        config.components.extend([("wipe".to_owned(), 1000), ("echo".to_owned(), 0)]);
        let server = Bench::new().layer(ResponseCaching::new(config));
        for _ in 0..2 {
            server.call("wipe", json!({})).await.unwrap();
            server.call("echo", json!({"text": "x"})).await.unwrap();
        }
        assert_eq!((server.calls("wipe"), server.calls("echo")), (1, 2), "unless it is asked for by name");
    }

    #[tokio::test]
    async fn c2_what_the_api_says_about_keeping_holds() {
        for (header, value, calls) in [
            ("cache-control", "no-store", 2),
            ("cache-control", "max-age=60", 1),
            ("set-cookie", "session=1", 2),
            ("vary", "*", 2),
            ("x-other", "1", 1),
        ] {
            let server = Bench::new().layer(caching());
            for _ in 0..2 {
                server.call("api", json!({"header": header, "value": value})).await.unwrap();
            }
            assert_eq!(server.calls("api"), calls, "{header}: {value}");
        }
    }

    #[tokio::test]
    async fn a_full_cache_makes_room_for_new_answers() {
        let store = Arc::new(MemoryStore::evicting(2, 1 << 20));
        let server = Bench::new().layer(ResponseCaching::in_store(ResponseCachingConfig::default(), store));
        for text in ["1", "2", "3", "3"] {
            server.call("echo", json!({"text": text})).await.unwrap();
        }
        assert_eq!(server.calls("echo"), 3, "the third was kept");
        server.call("echo", json!({"text": "1"})).await.unwrap();
        assert_eq!(server.calls("echo"), 4, "in the place of the first");
    }

    #[tokio::test]
    async fn answers_are_forgotten_in_time_and_large_ones_never_kept() {
        let config = ResponseCachingConfig { tools_ms: 30, max_bytes: 500, ..Default::default() };
        let server = Bench::new().layer(ResponseCaching::new(config));
        server.call("echo", json!({"text": "x"})).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.call("echo", json!({"text": "x"})).await.unwrap();
        assert_eq!(server.calls("echo"), 2);
        for _ in 0..2 {
            server.call("echo", json!({"text": "x".repeat(500)})).await.unwrap();
        }
        assert_eq!(server.calls("echo"), 4);
    }

    #[tokio::test]
    async fn equal_questions_at_the_same_time_are_worked_on_once() {
        let server = Bench::new().layer(caching());
        let all = futures_util::future::join_all((0..20).map(|_| server.call("slow", json!({})))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(server.calls("slow"), 1);
    }

    #[tokio::test]
    async fn c4_what_an_attacker_wrote_into_the_store_is_not_answered() {
        let inner = Arc::new(MemoryStore::default());
        let keys = storage::KeyRing::new([[7; 32]]).unwrap();
        let store = Arc::new(storage::Encrypted::new(inner.clone(), keys));
        let caching = ResponseCaching::in_store(ResponseCachingConfig::default(), store);
        let server = Bench::new().layer(caching.clone());
        server.call("echo", json!({"text": "x"})).await.unwrap();
        let call = crate::message::CallTool {
            name: "echo".to_owned(),
            arguments: Map::from_iter([("text".to_owned(), json!("x"))]),
        };
        let name = caching.name(&server.context(), &Request::CallTool(call));
        let key = Key::new("response-cache", &name).unwrap();
        assert!(inner.get(key).await.unwrap().is_some());
        inner.put(key, br#"{"Tool":{"content":[{"Text":"poison"}]}}"#, None).await.unwrap();
        let result = server.call("echo", json!({"text": "x"})).await.unwrap();
        assert_eq!(Bench::text(&result), "x");
    }

    #[tokio::test]
    async fn c6_without_its_store_it_works_without_or_fails_as_configured() {
        let broken = || Arc::new(super::super::bench::Broken);
        let open = Bench::new().layer(ResponseCaching::in_store(ResponseCachingConfig::default(), broken()));
        open.call("echo", json!({"text": "x"})).await.unwrap();
        let config = ResponseCachingConfig { fail_closed: true, ..Default::default() };
        let closed = Bench::new().layer(ResponseCaching::in_store(config, broken()));
        closed.call("echo", json!({"text": "x"})).await.unwrap_err();
    }
}
