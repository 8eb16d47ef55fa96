//! What a handler does stays its own affair: a real process serves on while its tools panic, hang, flood and answer with
//! 100 MiB, over one pipe that carries everything and over HTTP.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcpwright_tests::{client::Era, process::Launch, workspace};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

const MUCH: usize = 100 << 20;
const UNRULY: [&str; 5] = ["panic", "hang", "flood", "large", "spin"];

/// A call, in the form of an era.
fn call(era: Era, id: &str, tool: &str) -> Value {
    let mut params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": id}});
    if era == Era::Modern {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = era.version().into();
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    }
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

/// The answers to all calls are as they should be.
fn judge(answers: &BTreeMap<String, Value>) {
    let text = |id: &str| answers[id]["result"]["content"][0]["text"].as_str().unwrap_or_default();
    let failed = |id: &str| answers[id]["result"]["isError"] == true;
    assert!(failed("panic") && !text("panic").contains("on purpose"), "{:.300}", text("panic"));
    assert!(failed("hang") && text("hang").contains("5 s"), "{:.300}", text("hang"));
    assert!(failed("flood") && text("flood").contains("5 s"), "{:.300}", text("flood"));
    assert_eq!(text("large").len(), MUCH);
    assert!(!failed("spin"));
    for (id, answer) in answers.iter().filter(|(id, _)| id.starts_with("fine")) {
        assert_eq!(answer["result"]["content"][0]["text"], "fine", "{id}");
    }
}

#[tokio::test]
async fn unruly_handlers_harm_no_other_request_of_a_process_over_standard_input() {
    for era in Era::BOTH {
        let mut command = Command::new(workspace::program("unruly"));
        command.args(["--handler-timeout", "5", "--log-level", "off"]).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the example starts");
        let mut input = process.stdin.take().expect("standard input is piped");
        let mut output = BufReader::with_capacity(1 << 20, process.stdout.take().expect("standard output is piped"));
        let mut lines = Vec::new();
        if era == Era::Legacy {
            let params = json!({"protocolVersion": era.version(), "capabilities": {},
                "clientInfo": {"name": "test", "version": "0"}});
            lines.push(json!({"jsonrpc": "2.0", "id": "start", "method": "initialize", "params": params}));
            lines.push(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        }
        lines.extend(UNRULY.iter().map(|tool| call(era, tool, tool)));
        lines.extend((0..50).map(|number| call(era, &format!("fine-{number}"), "fine")));
        let expected = lines.iter().filter(|line| line.get("id").is_some()).count();
        for line in lines {
            input.write_all(format!("{line}\n").as_bytes()).await.expect("the server reads");
        }
        let mut answers = BTreeMap::new();
        let mut before_the_limit = 0;
        let mut line = Vec::new();
        while answers.len() < expected {
            line.clear();
            let read = tokio::time::timeout(Duration::from_secs(120), output.read_until(b'\n', &mut line)).await;
            assert!(read.expect("a line in time").expect("a line") > 0, "{era:?}: it ended: {:?}", answers.keys());
            let message: Value = serde_json::from_slice(&line).expect("each line is JSON");
            let Some(id) = message.get("id").and_then(Value::as_str) else { continue };
            before_the_limit += usize::from(id.starts_with("fine") && !answers.contains_key("hang"));
            answers.insert(id.to_owned(), message);
        }
        judge(&answers);
        assert_eq!(before_the_limit, 50, "{era:?}: nobody waited for the one that hangs");
        drop(input);
        let ended = tokio::time::timeout(Duration::from_secs(60), process.wait()).await;
        assert!(ended.expect("it ends with its input").expect("a status").success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unruly_handlers_harm_no_other_request_of_a_process_over_http() {
    let server = Launch::program("unruly").arguments(["--handler-timeout", "5"]).http().await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for era in Era::BOTH {
        let ask = |tool: &'static str, id: String| {
            let mut request = client.post(server.endpoint()).json(&call(era, &id, tool));
            request = request.header("accept", "application/json, text/event-stream");
            request = request.header("mcp-protocol-version", era.version());
            if era == Era::Modern {
                request = request.header("mcp-method", "tools/call").header("mcp-name", tool);
            }
            async move {
                let body = request.send().await.expect("an answer").bytes().await.expect("a body");
                // The only text, or the last event of a stream.
                let last = body.split(|byte| *byte == b'\n').rev().find_map(|line| line.strip_prefix(b"data: "));
                let body = last.unwrap_or(&body);
                (id, serde_json::from_slice::<Value>(body).expect("JSON"))
            }
        };
        let all_done = Arc::new(AtomicBool::new(false));
        let unruly: Vec<_> = UNRULY.iter().map(|tool| tokio::spawn(ask(tool, (*tool).to_owned()))).collect();
        let done = all_done.clone();
        let waiting = tokio::spawn(async move {
            let mut answers = BTreeMap::new();
            for call in unruly {
                let (id, answer) = call.await.expect("a task");
                answers.insert(id, answer);
            }
            done.store(true, Ordering::SeqCst);
            answers
        });
        let mut fine = BTreeMap::new();
        let mut meanwhile = 0;
        for number in 0..50 {
            let (id, answer) = ask("fine", format!("fine-{number}")).await;
            fine.insert(id, answer);
            meanwhile += usize::from(!all_done.load(Ordering::SeqCst));
        }
        let mut answers = waiting.await.expect("a task");
        answers.append(&mut fine);
        judge(&answers);
        assert!(meanwhile > 0, "{era:?}: nobody waited for the one that hangs");
    }
}
