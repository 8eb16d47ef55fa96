//! Calls that go on as tasks.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use mcpwright_runtime::{
    Error, Server,
    component::{TaskSupport, Tool},
    context::{Context, Elicitation},
    testing::{LEGACY, TestClient},
};
use serde_json::{Value, json};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name {
    name: String,
}

async fn hanging(_: Context, (): ()) -> Result<(), Error> {
    std::future::pending().await
}

async fn quick(context: Context, (): ()) -> Result<&'static str, Error> {
    context.progress(1.0, Some(2.0), Some("half")).await;
    Ok("done")
}

async fn asking(context: Context, (): ()) -> Result<String, Error> {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let runs = RUNS.fetch_add(1, Ordering::SeqCst);
    match context.elicit::<Name>("Who?").await? {
        Elicitation::Accepted(Name { name }) => Ok(format!("{name} after {} runs", RUNS.load(Ordering::SeqCst) - runs)),
        _ => Ok("nobody".to_owned()),
    }
}

async fn panicking(_: Context, (): ()) -> Result<(), Error> {
    panic!("this is on purpose")
}

async fn refusing(context: Context, (): ()) -> Result<(), Error> {
    if context.elicit::<Name>("Who?").await?.accepted().is_none() {
        return Err(Error::failed("Nobody is there."));
    }
    context.start_task();
    Err(Error::failed("Not today."))
}

fn server() -> Server {
    let lasting = |tool: Tool| tool.task_support(TaskSupport::Optional);
    Server::named("tasks")
        .tool(Tool::new("plain", "No task.", quick))
        .tool(lasting(Tool::new("quick", "Done at once.", quick)))
        .tool(lasting(Tool::new("hang", "Hangs.", hanging)))
        .tool(lasting(Tool::new("brief", "Hangs.", hanging).task_lifetime(Duration::from_millis(30))))
        .tool(lasting(Tool::new("ask", "Asks.", asking)))
        .tool(lasting(Tool::new("panic", "Panics.", panicking)))
        .tool(Tool::new("only", "Only as a task.", quick).task_support(TaskSupport::Required))
        .tool(Tool::new("refuse", "Asks first.", refusing).task_support(TaskSupport::Optional).task_when_started())
}

async fn client(server: Server) -> TestClient {
    let capabilities = json!({"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}});
    let answers = |_: &str, _: &Value| Ok(json!({"action": "accept", "content": {"name": "Ada"}}));
    let client = TestClient::builder().capabilities(capabilities).answers(answers).start(server).await;
    client.expect("a client")
}

async fn begin(client: &TestClient, tool: &str) -> String {
    let handle = client.call_tool(tool, json!({})).await.expect("a handle");
    assert_eq!(handle["resultType"], "task", "{handle}");
    handle["taskId"].as_str().expect("an id").to_owned()
}

async fn look(client: &TestClient, id: &str) -> Value {
    client.request("tasks/get", json!({"taskId": id})).await.expect("a task")
}

/// The task once its status is no longer `working`.
async fn settled(client: &TestClient, id: &str) -> Value {
    tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let task = look(client, id).await;
            if task["status"] != "working" {
                return task;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it settles")
}

#[tokio::test]
async fn a_task_keeps_its_result_until_it_is_asked_for() {
    let client = client(server()).await;
    let id = begin(&client, "quick").await;
    let task = settled(&client, &id).await;
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(task["result"]["content"][0]["text"], "done");
    assert_eq!(task["statusMessage"], "half (1 of 2)");
    assert_eq!(look(&client, &id).await["result"], task["result"], "and again");
}

#[tokio::test]
async fn a_tool_without_tasks_answers_at_once() {
    let client = client(server()).await;
    assert_eq!(client.call_tool("plain", json!({})).await.expect("a result")["content"][0]["text"], "done");
}

#[tokio::test]
async fn a_client_that_knows_no_tasks_waits_or_is_refused() {
    for builder in [TestClient::builder(), TestClient::builder().version(LEGACY)] {
        let client = builder.start(server()).await.expect("a client");
        assert_eq!(client.call_tool("quick", json!({})).await.expect("a result")["content"][0]["text"], "done");
        let refused = client.call_tool("only", json!({})).await.expect_err("a refusal");
        assert_eq!(refused.code, -32021, "{refused}");
        assert!(client.request("tasks/get", json!({"taskId": "x"})).await.is_err());
    }
}

#[tokio::test]
async fn a_question_waits_in_the_task_and_the_handler_goes_on_where_it_was() {
    let client = client(server()).await;
    let id = begin(&client, "ask").await;
    let task = settled(&client, &id).await;
    assert_eq!(task["status"], "input_required", "{task}");
    assert_eq!(task["inputRequests"]["elicitation-1"]["method"], "elicitation/create", "{task}");
    let answer = |key: &str, answer: Value| json!({"taskId": id, "inputResponses": {key: answer}});
    let accepted = json!({"action": "accept", "content": {"name": "Ada"}});
    for noise in [answer("other", accepted.clone()), answer("elicitation-1", json!("no object"))] {
        client.request("tasks/update", noise).await.expect("noise is passed over");
    }
    assert_eq!(look(&client, &id).await["status"], "input_required");
    client.request("tasks/update", answer("elicitation-1", accepted)).await.expect("taken");
    assert_eq!(settled(&client, &id).await["result"]["content"][0]["text"], "Ada after 1 runs");
}

#[tokio::test]
async fn a_cancelled_task_ends_as_such() {
    let client = client(server()).await;
    let id = begin(&client, "hang").await;
    assert_eq!(look(&client, &id).await["status"], "working");
    for _ in 0..2 {
        client.request("tasks/cancel", json!({"taskId": id})).await.expect("cancelled");
        assert_eq!(settled(&client, &id).await["status"], "cancelled");
    }
}

#[tokio::test]
async fn what_breaks_or_takes_too_long_is_a_failure() {
    let client = client(server()).await;
    for tool in ["panic", "brief"] {
        let id = begin(&client, tool).await;
        let task = settled(&client, &id).await;
        assert_eq!(task["status"], "failed", "{task}");
        assert!(task["error"]["code"].is_i64() && !task.to_string().contains("on purpose"), "{task}");
    }
}

#[tokio::test]
async fn a_handler_may_ask_before_its_call_becomes_a_task() {
    let client = client(server()).await;
    let first = client.request_once("tools/call", json!({"name": "refuse", "arguments": {}})).await.expect("questions");
    assert_eq!(first["resultType"], "input_required", "{first}");
    let id = begin(&client, "refuse").await;
    let task = settled(&client, &id).await;
    assert_eq!((&task["status"], &task["result"]["isError"]), (&json!("completed"), &json!(true)), "{task}");
}

#[tokio::test]
async fn tasks_beyond_the_limit_are_refused_and_other_calls_are_not() {
    let client = client(server()).await;
    let mut begun = Vec::new();
    let refused = loop {
        match client.call_tool("hang", json!({})).await {
            Ok(handle) => begun.push(handle["taskId"].as_str().expect("an id").to_owned()),
            Err(error) => break error,
        }
        assert!(begun.len() <= 1_000);
    };
    assert_eq!(begun.len(), 1_000);
    assert_eq!(refused.data, Some(json!({"reason": "overloaded"})));
    assert_eq!(client.call_tool("plain", json!({})).await.expect("a result")["content"][0]["text"], "done");
}

#[tokio::test]
async fn only_who_offers_tasks_says_so() {
    for (server, offers) in [(server(), true), (Server::named("none").tool(Tool::new("plain", "No.", quick)), false)] {
        let client = client(server).await;
        let found = client.request("server/discover", json!({})).await.expect("a description");
        let extension = &found["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"];
        assert_eq!(extension.is_object(), offers, "{found}");
        let asked = client.request("tasks/get", json!({"taskId": "x"})).await.expect_err("no such task");
        assert_eq!(asked.code, if offers { -32602 } else { -32601 });
    }
}

#[tokio::test]
async fn tools_of_mounted_servers_become_tasks_too() {
    let client = client(Server::named("outer").mount("in", server())).await;
    let id = begin(&client, "in_ask").await;
    assert_eq!(settled(&client, &id).await["status"], "input_required");
}
