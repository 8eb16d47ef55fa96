//! Rate limiting: so many requests in so much time.

mod formula;
#[cfg(feature = "redis")]
mod shared;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde::Deserialize;

use super::{Middleware, Next};
use crate::{
    Error, ErrorKind,
    context::Context,
    message::{Request, Response},
    storage::digest,
};
use formula::{Formula, State};

/// What [`RateLimiting`] allows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitingConfig {
    /// How many requests …
    pub requests: u32,
    /// … in how many milliseconds.
    pub per_ms: u64,
    /// How requests are counted.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Who shares a limit.
    #[serde(default)]
    pub scope: LimitScope,
    /// Whether each tool, prompt and resource has a limit of its own.
    #[serde(default)]
    pub per_target: bool,
    /// The methods that count; those that do work, when empty: `tools/call`, `resources/read`, `prompts/get`.
    #[serde(default)]
    pub methods: Vec<String>,
    /// What happens while the shared store does not answer.
    #[serde(default)]
    pub on_outage: OnOutage,
}

/// How requests are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// A bucket that refills steadily and holds all requests of one period: bursts are allowed.
    #[default]
    TokenBucket,
    /// No more than the limit in any stretch of one period, as good as two counters can tell.
    SlidingWindow,
}

/// Who shares a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Each principal has its own; all clients without one share one.
    #[default]
    Principal,
    /// Each application of each principal has its own.
    Client,
    /// Everybody shares one.
    Global,
}

/// What happens while the shared store does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOutage {
    /// Each instance limits by itself.
    #[default]
    Local,
    /// Everything is allowed.
    Open,
    /// Everything is refused.
    Closed,
}

/// Refuses requests beyond a limit, and says when to try again. What clients call themselves does not count: only who
/// they were authenticated as.
#[derive(Clone)]
pub struct RateLimiting {
    config: RateLimitingConfig,
    formula: Formula,
    local: Arc<Local>,
    #[cfg(feature = "redis")]
    shared: Option<crate::storage::RedisStore>,
}

impl fmt::Debug for RateLimiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiting").field("config", &self.config).finish_non_exhaustive()
    }
}

impl RateLimiting {
    /// Allows what the configuration says.
    pub fn new(config: RateLimitingConfig) -> Self {
        Self {
            formula: Formula::new(&config),
            config,
            local: Arc::default(),
            #[cfg(feature = "redis")]
            shared: None,
        }
    }

    /// Allows each principal so many requests in a time, in bursts too.
    pub fn token_bucket(requests: u32, per: Duration) -> Self {
        Self::with(Algorithm::TokenBucket, requests, per)
    }

    /// Allows each principal so many requests in any stretch of a time.
    pub fn sliding_window(requests: u32, per: Duration) -> Self {
        Self::with(Algorithm::SlidingWindow, requests, per)
    }

    fn with(algorithm: Algorithm, requests: u32, per: Duration) -> Self {
        Self::new(RateLimitingConfig {
            requests,
            per_ms: u64::try_from(per.as_millis()).unwrap_or(u64::MAX),
            algorithm,
            scope: LimitScope::default(),
            per_target: false,
            methods: Vec::new(),
            on_outage: OnOutage::default(),
        })
    }

    /// Counts in Redis, together with all other instances that do.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn shared(mut self, store: crate::storage::RedisStore) -> Self {
        self.shared = Some(store);
        self
    }

    /// How many names are kept apart.
    #[cfg(test)]
    pub(super) fn names(&self) -> usize {
        self.local.states.lock().unwrap().by_name.len()
    }

    fn counts(&self, method: &str) -> bool {
        match self.config.methods.as_slice() {
            [] => matches!(method, "tools/call" | "resources/read" | "prompts/get"),
            methods => methods.iter().any(|wanted| wanted == method),
        }
    }

    /// Whose limit a request counts for.
    fn name(&self, context: &Context, request: &Request) -> String {
        let principal = context.principal();
        let mut parts = match (self.config.scope, principal) {
            (LimitScope::Global, _) => vec!["global"],
            (_, None) => vec!["anonymous"],
            (LimitScope::Principal, Some(who)) => vec!["principal", &who.issuer, &who.subject],
            (LimitScope::Client, Some(who)) => {
                vec!["client", &who.issuer, &who.subject, who.client.as_deref().unwrap_or_default()]
            }
        };
        if self.config.per_target {
            // Names that do not exist share one limit, so that inventing names gains nothing.
            let known = request.target().filter(|target| context.knows(target));
            parts.extend([request.method(), known.unwrap_or_default()]);
        }
        // Other servers may count in the same store.
        let server = context.server_name();
        parts.push(&server);
        digest(parts)
    }

    /// How long to wait; zero when the request may pass.
    async fn wait(&self, name: String) -> Duration {
        #[cfg(feature = "redis")]
        if let Some(store) = &self.shared {
            match shared::wait(store, &self.formula, &name).await {
                Ok(wait) => return wait,
                Err(error) => {
                    tracing::warn!(%error, "the shared rate limit cannot be asked");
                    match self.config.on_outage {
                        OnOutage::Local => {}
                        OnOutage::Open => return Duration::ZERO,
                        OnOutage::Closed => return Duration::from_secs(1),
                    }
                }
            }
        }
        self.local.wait(&self.formula, name)
    }
}

/// The most names that are kept apart.
const MAX_NAMES: usize = 100_000;

/// Between two searches for names that count for nothing any more, in microseconds: a search looks at all of them.
const PAUSE: u64 = 1_000_000;

/// Counts in this process.
struct Local {
    start: Instant,
    states: Mutex<States>,
}

#[derive(Default)]
struct States {
    by_name: HashMap<String, State>,
    next_search: u64,
}

impl Default for Local {
    fn default() -> Self {
        Self { start: Instant::now(), states: Mutex::default() }
    }
}

impl Local {
    fn wait(&self, formula: &Formula, mut name: String) -> Duration {
        let now = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.by_name.len() >= MAX_NAMES && !states.by_name.contains_key(&name) {
            if now >= states.next_search {
                states.by_name.retain(|_, state| !formula.is_over(state, now));
                states.next_search = now + PAUSE;
            }
            if states.by_name.len() >= MAX_NAMES {
                // The newcomers share one limit: less than they should have, but neither memory nor no limit at all.
                name = String::new();
            }
        }
        Duration::from_micros(formula.wait(states.by_name.entry(name).or_default(), now))
    }
}

#[async_trait]
impl Middleware for RateLimiting {
    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        if !self.counts(request.method()) {
            return next.run(request).await;
        }
        let wait = self.wait(self.name(context, &request)).await;
        if wait.is_zero() {
            return next.run(request).await;
        }
        let seconds = wait.as_secs_f64();
        let message = format!("Too many requests. Try again in {seconds:.1} s.");
        Err(Error::new(ErrorKind::RateLimited { retry_after: Some(wait) }, message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    fn config(requests: u32, scope: LimitScope, per_target: bool) -> RateLimitingConfig {
        let limiting = RateLimiting::token_bucket(requests, Duration::from_secs(3600));
        RateLimitingConfig { scope, per_target, ..limiting.config }
    }

    async fn allowed(server: &Bench, tool: &str, tries: usize) -> usize {
        let mut allowed = 0;
        for _ in 0..tries {
            match server.call(tool, json!({"text": "x"})).await {
                Err(error) if matches!(error.kind, ErrorKind::RateLimited { .. }) => {}
                _ => allowed += 1,
            }
        }
        allowed
    }

    #[tokio::test]
    async fn beyond_the_limit_a_client_learns_when_to_try_again() {
        let server = Bench::new().layer(RateLimiting::token_bucket(2, Duration::from_secs(7200)));
        assert_eq!(allowed(&server, "echo", 5).await, 2);
        let error = server.call("echo", json!({"text": "x"})).await.unwrap_err();
        let ErrorKind::RateLimited { retry_after: Some(after) } = error.kind else { panic!() };
        assert!(after > Duration::from_secs(1800) && after <= Duration::from_secs(3600), "{after:?}");
        assert_eq!(server.calls("echo"), 2, "a refused call does nothing");
        assert!(!server.tool_names().await.is_empty(), "lists do not count");
    }

    #[tokio::test]
    async fn limits_are_shared_by_those_who_should() {
        let limiting = RateLimiting::new(config(2, LimitScope::Principal, false));
        let (one, two) = (Bench::new().layer(limiting.clone()), Bench::new().layer(limiting));
        let (one, two) = (one.of_subject("one"), two.of_subject("two"));
        assert_eq!((allowed(&one, "echo", 3).await, allowed(&two, "echo", 3).await), (2, 2));

        let limiting = RateLimiting::new(config(2, LimitScope::Global, false));
        let (one, two) = (Bench::new().layer(limiting.clone()), Bench::new().layer(limiting));
        let (one, two) = (one.of_subject("one"), two.of_subject("two"));
        assert_eq!((allowed(&one, "echo", 3).await, allowed(&two, "echo", 3).await), (2, 0));

        let server = Bench::new().layer(RateLimiting::new(config(2, LimitScope::Global, true)));
        assert_eq!((allowed(&server, "echo", 3).await, allowed(&server, "wipe", 3).await), (2, 2));
        let mut invented = 0;
        for index in 0..10 {
            invented += allowed(&server, &format!("none-{index}"), 1).await;
        }
        assert_eq!(invented, 2, "invented names share one limit");
    }

    #[tokio::test]
    async fn c7_what_a_client_says_of_itself_gains_nothing() {
        let limiting = RateLimiting::new(config(2, LimitScope::Client, false));
        let one = |header, value| Bench::new().layer(limiting.clone()).header(header, value);
        let mut passed = 0;
        for server in [
            one("x-forwarded-for", "192.0.2.1"),
            one("x-forwarded-for", "192.0.2.2"),
            one("forwarded", "for=192.0.2.3"),
            one("x-client-id", "another"),
            one("mcp-session-id", "another"),
        ] {
            passed += allowed(&server, "echo", 2).await;
        }
        assert_eq!(passed, 2);
    }

    /// Each instance has a connection of its own.
    #[cfg(feature = "redis")]
    #[tokio::test(flavor = "multi_thread")]
    async fn three_instances_share_one_limit_and_go_on_alone_when_redis_dies() {
        use crate::storage::{RedisStore, free_port, service};
        let arguments = ["--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--appendonly", "no"];
        let Some(redis) = service("redis-server", free_port(), &arguments) else { return };
        let url = format!("redis://127.0.0.1:{}", redis.port).parse().unwrap();
        for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
            let config =
                |on_outage| RateLimitingConfig { algorithm, on_outage, ..config(10, LimitScope::Principal, true) };
            let mut instances = Vec::new();
            for on_outage in [OnOutage::Local, OnOutage::Open, OnOutage::Closed] {
                let limiting = RateLimiting::new(config(on_outage)).shared(RedisStore::connect(&url).await.unwrap());
                instances.push(Bench::new().layer(limiting).of_subject(&format!("{algorithm:?}")));
            }
            let together =
                futures_util::future::join_all(instances.iter().map(|server| allowed(server, "echo", 12))).await;
            assert_eq!(together.iter().sum::<usize>(), 10, "{algorithm:?} {together:?}");
            let error = instances[0].call("echo", json!({"text": "x"})).await.unwrap_err();
            let ErrorKind::RateLimited { retry_after: Some(after) } = error.kind else { panic!() };
            let longest = if algorithm == Algorithm::TokenBucket { 360 } else { 7200 };
            assert!(after > Duration::from_secs(1) && after <= Duration::from_secs(longest), "{after:?}");
        }
        let mut orphans = Vec::new();
        for on_outage in [OnOutage::Local, OnOutage::Open, OnOutage::Closed] {
            let config = RateLimitingConfig { on_outage, ..config(2, LimitScope::Global, false) };
            orphans
                .push(Bench::new().layer(RateLimiting::new(config).shared(RedisStore::connect(&url).await.unwrap())));
        }
        drop(redis);
        let apart = futures_util::future::join_all(orphans.iter().map(|server| allowed(server, "echo", 3))).await;
        assert_eq!(apart, [2, 3, 0]);
    }

    #[test]
    fn a_hundred_thousand_principals_and_more_do_not_grow_memory() {
        let limiting = RateLimiting::token_bucket(1, Duration::from_secs(3600));
        for index in 0..MAX_NAMES + 5000 {
            limiting.local.wait(&limiting.formula, index.to_string());
        }
        assert!(limiting.names() <= MAX_NAMES + 1);
        assert!(limiting.local.wait(&limiting.formula, "newcomer".to_owned()) > Duration::ZERO, "and stay limited");

        let short = RateLimiting::token_bucket(1, Duration::from_micros(1));
        for index in 0..MAX_NAMES + 10 {
            short.local.wait(&short.formula, index.to_string());
        }
        assert!(short.names() < MAX_NAMES / 2, "what is over makes room");
    }
}
