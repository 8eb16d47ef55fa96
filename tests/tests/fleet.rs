//! Three instances of a server over one Redis: what they share under load, while Redis is dead and after its return.

use std::{collections::BTreeMap, path::Path, process::Stdio, sync::Arc, time::Duration};

use mcpwright_runtime::storage::{Key, KvStore, digest, open};
use mcpwright_tests::process::{HttpServer, Launch, free_port};
use mcpwright_tests::upstream::{Answer, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// How many orders a principal may give. The period is longer than any test takes.
const LIMIT: usize = 30;
const MONTH_MS: u64 = 30 * 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_share_limit_cache_and_tokens_and_are_closed_while_redis_is_dead() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(mut redis) = Redis::start(folder.path(), free_port()).await else { return };
    for (token, subject) in [("token-of-anna", "anna"), ("token-of-ben", "ben")] {
        let name = digest([token]);
        redis
            .store()
            .await
            .put(Key::new("token", &name).expect("a key"), subject.as_bytes(), None)
            .await
            .expect("kept");
    }
    for algorithm in ["token_bucket", "sliding_window"] {
        let upstream = exchange().await;
        let limiting = json!({
            "requests": LIMIT,
            "per_ms": MONTH_MS,
            "algorithm": algorithm,
            "methods": ["tools/call"],
            "on_outage": "closed",
        });
        let caching = json!({ "resources_ms": MONTH_MS, "fail_closed": true });
        let layers = json!({ "rate_limiting": limiting, "response_caching": caching });
        let mut fleet = Vec::new();
        for _ in 0..3 {
            fleet.push(instance(&upstream, &redis, &layers).variable("FLEET_TOKENS", "1").http().await);
        }

        // Nobody gets more than his limit, however many instances he asks at once, and nobody another's.
        let [anna, ben] = [Some("token-of-anna"), Some("token-of-ben")];
        let (of_anna, of_ben) = tokio::join!(orders(&fleet, anna, 20), orders(&fleet, ben, 5));
        assert_eq!(of_anna, seen([("done", LIMIT), ("rate limited", 60 - LIMIT)]), "{algorithm}");
        assert_eq!(of_ben, seen([("done", 15)]), "{algorithm}");
        assert_eq!(upstream.take().len(), LIMIT + 15, "{algorithm}: what was refused did not reach the API");

        // Within an instance one question flies; what it brings is for all instances, but for nobody else.
        let symbol = algorithm.replace('_', "-");
        assert_eq!(quotes(&fleet, anna, &symbol, 20).await, seen([("done", 60)]), "{algorithm}");
        let asked = upstream.take().len();
        assert!((1..=fleet.len()).contains(&asked), "{algorithm}: the API was asked {asked} times");
        assert_eq!(quotes(&fleet, anna, &symbol, 20).await, seen([("done", 60)]), "{algorithm}");
        assert_eq!(upstream.take().len(), 0, "{algorithm}: all of it is in the cache");
        assert_eq!(quotes(&fleet[..1], ben, &symbol, 1).await, seen([("done", 1)]), "{algorithm}");
        assert_eq!(upstream.take().len(), 1, "{algorithm}: the cache of another");

        // A dead store lets nobody pass, with a token that was good or with one that never was.
        redis.kill().await;
        for token in [anna, ben, Some("invented")] {
            assert_eq!(orders(&fleet, token, 2).await, seen([("status 503", 6)]), "{algorithm}: {token:?}");
            assert_eq!(quotes(&fleet, token, &symbol, 2).await, seen([("status 503", 6)]), "{algorithm}: {token:?}");
        }
        assert_eq!(orders(&fleet, None, 1).await, seen([("status 401", 3)]), "{algorithm}: no token is no question");
        assert_eq!(upstream.take().len(), 0, "{algorithm}");

        // After its return everything is as it was, without a restart of anything.
        redis = Redis::start(folder.path(), redis.port).await.expect("it was there before");
        for instance in &fleet {
            let instance = std::slice::from_ref(instance);
            until(async || quotes(instance, anna, &symbol, 1).await == seen([("done", 1)])).await;
            until(async || orders(instance, ben, 1).await == seen([("done", 1)])).await;
        }
        assert_eq!(orders(&fleet, anna, 5).await, seen([("rate limited", 15)]), "{algorithm}: it is still used up");
        let left = LIMIT - 15 - fleet.len();
        assert_eq!(orders(&fleet, ben, 10).await, seen([("done", left), ("rate limited", 30 - left)]), "{algorithm}");
        assert_eq!(orders(&fleet, Some("invented"), 1).await, seen([("status 401", 3)]), "{algorithm}");
        assert_eq!(upstream.take().len(), LIMIT - 15, "{algorithm}: orders alone; the cache has the quotes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_limit_and_cache_do_what_each_instance_was_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(mut redis) = Redis::start(folder.path(), free_port()).await else { return };
    let upstream = exchange().await;
    let mut fleet = Vec::new();
    for (on_outage, fail_closed) in [("local", false), ("open", false), ("closed", true)] {
        let limiting =
            json!({ "requests": LIMIT, "per_ms": MONTH_MS, "methods": ["tools/call"], "on_outage": on_outage });
        let caching = json!({ "resources_ms": MONTH_MS, "fail_closed": fail_closed });
        let layers = json!({ "rate_limiting": limiting, "response_caching": caching });
        fleet.push(instance(&upstream, &redis, &layers).http().await);
    }
    let [local, open, closed] = [0, 1, 2].map(|index| std::slice::from_ref(&fleet[index]));
    assert_eq!(orders(&fleet, None, LIMIT).await, seen([("done", LIMIT), ("rate limited", 2 * LIMIT)]));
    assert_eq!(quotes(local, None, "A", 5).await, seen([("done", 5)]));
    assert_eq!(upstream.take().len(), LIMIT + 1);

    redis.kill().await;
    let more = LIMIT + 10;
    assert_eq!(orders(local, None, more).await, seen([("done", LIMIT), ("rate limited", 10)]), "one of its own");
    assert_eq!(orders(open, None, more).await, seen([("done", more)]));
    assert_eq!(orders(closed, None, more).await, seen([("rate limited", more)]));
    assert_eq!(upstream.take().len(), LIMIT + more);
    for open in [local, open] {
        assert_eq!(quotes(open, None, "A", 3).await, seen([("done", 3)]), "without a cache each question is asked");
        assert_eq!(upstream.take().len(), 3);
    }
    assert_eq!(quotes(closed, None, "A", 3).await, seen([("failed", 3)]));
    assert_eq!(upstream.take().len(), 0);

    let redis = Redis::start(folder.path(), redis.port).await.expect("it was there before");
    for instance in [local, open, closed] {
        // The limit was used up before; what was given while Redis was dead is not counted there.
        until(async || orders(instance, None, 1).await == seen([("rate limited", 1)])).await;
    }
    for instance in [local, open, closed] {
        let from_cache = async || {
            upstream.take();
            quotes(instance, None, "A", 3).await == seen([("done", 3)]) && upstream.take().is_empty()
        };
        until(from_cache).await;
    }
    drop(redis);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_not_kept_where_they_could_be_lost() {
    let upstream = exchange().await;
    let mut server = Launch::program("fleet")
        .variable("FLEET_BASE_URL", &upstream.url())
        .variable("FLEET_STORAGE", "memory://")
        .variable("FLEET_TOKENS", "1")
        .stdio();
    assert!(!server.process.wait().await.success());
    let told = "the list of tokens needs a store that keeps values over a restart";
    server.process.standard_error_when(|error| error.contains(told)).await;
}

/// The API: orders and quotes.
async fn exchange() -> Upstream {
    Upstream::start(|_| Answer::json(200, &json!({ "price": 7 }))).await
}

fn instance(upstream: &Upstream, redis: &Redis, layers: &Value) -> Launch {
    Launch::program("fleet")
        .variable("FLEET_BASE_URL", &upstream.url())
        .variable("FLEET_STORAGE", &redis.url())
        .variable("FLEET_MIDDLEWARE", &layers.to_string())
}

/// How often each outcome was seen.
fn seen<'a>(outcomes: impl IntoIterator<Item = (&'a str, usize)>) -> BTreeMap<String, usize> {
    outcomes.into_iter().map(|(outcome, count)| (outcome.to_owned(), count)).collect()
}

/// Orders at each instance, so many at once.
async fn orders(fleet: &[HttpServer], token: Option<&str>, each: usize) -> BTreeMap<String, usize> {
    at_once(fleet, token, each, "tools/call", json!({ "name": "order", "arguments": { "symbol": "A" } })).await
}

/// Reads the same at each instance, so many times at once.
async fn quotes(fleet: &[HttpServer], token: Option<&str>, symbol: &str, each: usize) -> BTreeMap<String, usize> {
    at_once(fleet, token, each, "resources/read", json!({ "uri": format!("api://fleet/quotes/{symbol}") })).await
}

async fn at_once(
    fleet: &[HttpServer],
    token: Option<&str>,
    each: usize,
    method: &str,
    parameters: Value,
) -> BTreeMap<String, usize> {
    let client = reqwest::Client::new();
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..each {
        for instance in fleet {
            requests.spawn(ask(client.clone(), instance.endpoint(), token.map(str::to_owned), method.to_owned(), {
                let mut parameters = parameters.clone();
                parameters["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": { "name": format!("client {number}"), "version": "0" },
                });
                parameters
            }));
        }
    }
    let mut outcomes = BTreeMap::new();
    while let Some(outcome) = requests.join_next().await {
        *outcomes.entry(outcome.expect("a request ends")).or_default() += 1;
    }
    outcomes
}

/// One request, and in short what became of it.
async fn ask(
    client: reqwest::Client,
    endpoint: String,
    token: Option<String>,
    method: String,
    parameters: Value,
) -> String {
    let name = parameters.get("name").or(parameters.get("uri")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut request = client
        .post(endpoint)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", &method)
        .header("mcp-name", name);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
    let answer = request.body(message.to_string()).send().await.expect("the server answers");
    let status = answer.status().as_u16();
    if [401, 403, 503].contains(&status) {
        return format!("status {status}");
    }
    let text = answer.text().await.expect("the answer is text");
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{status} {text}: {error}"));
    match answer.get("error") {
        Some(error) if error["data"]["reason"] == "rate limited" => {
            assert!(error["data"]["retryAfter"].as_f64().is_some_and(|seconds| seconds > 0.0), "says when: {error}");
            "rate limited".to_owned()
        }
        Some(_) => "failed".to_owned(),
        None if answer["result"]["isError"] == true => format!("the tool failed: {text}"),
        None => "done".to_owned(),
    }
}

/// Waits for a state.
async fn until(holds: impl AsyncFn() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the state is reached");
}

/// A Redis that writes what it acknowledges to a log in a folder. Killed when dropped.
struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    /// `None`, said aloud, where Redis is not installed.
    async fn start(folder: &Path, port: u16) -> Option<Redis> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let Ok(process) = command.spawn() else {
            workspace::skip("redis-server is not installed");
            return None;
        };
        let redis = Redis { process, port };
        let url = redis.url();
        until(async || open(&url).await.is_ok()).await;
        Some(redis)
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn store(&self) -> Arc<dyn KvStore> {
        open(&self.url()).await.expect("Redis answers")
    }

    /// Ends it as a crash would.
    async fn kill(&mut self) {
        self.process.kill().await.expect("it can be killed");
    }
}
