use std::sync::{Arc, Mutex};

use mcpwright_runtime::{Error, Server, component::Tool, context::Context, server::Options, testing::TestClient};
use serde_json::json;

type Log = Arc<Mutex<Vec<&'static str>>>;

struct First(&'static str);
struct Second;

fn server(log: &Log, fails: bool) -> Server {
    let (start, stop, second, second_stop) = (log.clone(), log.clone(), log.clone(), log.clone());
    let push = |log: &Log, what| log.lock().expect("a log").push(what);
    async fn read(context: Context, (): ()) -> Result<String, Error> {
        let first = context.lifespan::<First>().ok_or_else(|| Error::internal("no value"))?;
        Ok(first.0.to_owned())
    }
    Server::named("life")
        .lifespan_until(
            async move || {
                push(&start, "first starts");
                Ok::<_, Error>(First("here"))
            },
            async move |_| push(&stop, "first stops"),
        )
        .lifespan_until(
            async move || {
                push(&second, "second starts");
                if fails { Err("no database") } else { Ok(Second) }
            },
            async move |_| push(&second_stop, "second stops"),
        )
        .tool(Tool::new("read", "Reads the value.", read))
}

async fn settled(log: &Log, length: usize) -> Vec<&'static str> {
    for _ in 0..500 {
        let now = log.lock().expect("a log").clone();
        if now.len() >= length {
            return now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    log.lock().expect("a log").clone()
}

#[tokio::test]
async fn values_start_in_order_reach_handlers_and_stop_in_reverse() {
    let log = Log::default();
    let client = TestClient::start(server(&log, false)).await.expect("a client");
    let result = client.call_tool("read", json!({})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], "here");
    drop(client);
    assert_eq!(settled(&log, 4).await, ["first starts", "second starts", "second stops", "first stops"]);
}

#[tokio::test]
async fn a_failed_start_stops_what_has_started() {
    let log = Log::default();
    let error = TestClient::start(server(&log, true)).await.err().expect("it cannot start").to_string();
    assert!(error.contains("no database") && error.contains("Second"), "{error}");
    assert_eq!(settled(&log, 3).await, ["first starts", "second starts", "first stops"]);
}

#[tokio::test]
async fn an_embedded_server_needs_nothing_of_its_host() {
    let log = Log::default();
    let router = server(&log, false).into_router(&Options::default()).await.expect("a router");
    let host = axum::Router::new().nest("/tools", router);
    assert_eq!(log.lock().expect("a log").len(), 2);
    drop(host);
    assert_eq!(settled(&log, 4).await[2..], ["second stops", "first stops"]);
}
