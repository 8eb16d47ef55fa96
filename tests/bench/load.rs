//! The load: JSON-RPC requests over keep-alive connections, every answer checked, every latency kept.
//!
//! Written by hand, since a library's client would take more of the machine than the servers that it measures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mcpwright_tests::client::Era;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What to ask a server.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// A JSON-RPC request to `/mcp`.
    Rpc { era: Era, method: &'static str, parameters: Value },
    /// A plain HTTP request.
    Http { method: &'static str, path: String, body: String },
}

impl Question {
    /// `tools/call`
    pub(crate) fn call(era: Era, name: &str, arguments: &Value) -> Question {
        Question::Rpc { era, method: "tools/call", parameters: json!({ "name": name, "arguments": arguments }) }
    }

    /// The bytes of the request with JSON-RPC id `id`.
    pub(crate) fn bytes(&self, id: u64) -> Vec<u8> {
        match self {
            Question::Http { method, path, body } => format!(
                "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
            Question::Rpc { era, method, parameters } => {
                let mut parameters = parameters.clone();
                let mut headers = format!("mcp-protocol-version: {}\r\n", era.version());
                if *era == Era::Modern {
                    headers += &format!("mcp-method: {method}\r\n");
                    if let Some(name) = parameters.get("name").or(parameters.get("uri")).and_then(Value::as_str) {
                        headers += &format!("mcp-name: {name}\r\n");
                    }
                    parameters["_meta"] = json!({
                        "io.modelcontextprotocol/protocolVersion": era.version(),
                        "io.modelcontextprotocol/clientCapabilities": {},
                        "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "0" },
                    });
                }
                let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }).to_string();
                format!(
                    "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json, text/event-stream\r\n\
                     content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes()
            }
        }
    }

    /// Whether an answer is the right one, as far as a glance tells.
    fn answered_by(&self, answer: &[u8]) -> bool {
        let has = |needle: &[u8]| answer.windows(needle.len()).any(|window| window == needle);
        answer.starts_with(b"HTTP/1.1 200")
            && match self {
                Question::Http { .. } => true,
                Question::Rpc { method: "tools/call", .. } => has(b"\"result\"") && !has(b"\"isError\":true"),
                // Long lists are not searched to their end: an error is short.
                Question::Rpc { .. } => answer.len() > 4096 || has(b"\"result\""),
            }
    }
}

/// How much load, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    /// The number of requests after which to stop early.
    pub(crate) requests: u64,
    /// The pause between the starts of two requests of a connection; none to send as fast as answers come.
    pub(crate) pace: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) elapsed: Duration,
    pub(crate) bytes: u64,
    /// Microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
}

impl Outcome {
    /// The latency that `share` of the requests did not exceed, in microseconds.
    pub(crate) fn quantile(&self, share: f64) -> u32 {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// Puts a server under load.
pub(crate) async fn run(address: SocketAddr, question: &Question, shape: Shape) -> Outcome {
    let start = Instant::now();
    let each = shape.requests.div_ceil(shape.connections as u64);
    let tasks: Vec<_> = (0..shape.connections)
        .map(|number| {
            let question = question.clone();
            tokio::spawn(async move { connection(address, &question, shape, each, number as u64, start).await })
        })
        .collect();
    let mut total = Outcome::default();
    for task in tasks {
        let one = task.await.unwrap_or_default();
        total.requests += one.requests;
        total.errors += one.errors;
        total.bytes += one.bytes;
        total.latencies.extend(one.latencies);
    }
    total.elapsed = start.elapsed();
    total.latencies.sort_unstable();
    total
}

async fn connection(
    address: SocketAddr,
    question: &Question,
    shape: Shape,
    requests: u64,
    number: u64,
    start: Instant,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut stream = None;
    let mut answer = Vec::new();
    let mut next = Instant::now();
    while start.elapsed() < shape.duration && outcome.requests + outcome.errors < requests {
        if let Some(pace) = shape.pace {
            tokio::time::sleep_until(next.into()).await;
            next += pace;
        }
        let message = question.bytes(number << 32 | outcome.requests);
        let asked = Instant::now();
        let right =
            exchange(&mut stream, address, &message, &mut answer).await.is_some() && question.answered_by(&answer);
        if right {
            outcome.requests += 1;
            outcome.bytes += answer.len() as u64;
            outcome.latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        } else {
            outcome.errors += 1;
            stream = None;
        }
    }
    outcome
}

/// Sends one request and reads its answer, on a connection that is opened when there is none.
pub(crate) async fn exchange(
    stream: &mut Option<TcpStream>,
    address: SocketAddr,
    message: &[u8],
    answer: &mut Vec<u8>,
) -> Option<()> {
    if stream.is_none() {
        let opened = TcpStream::connect(address).await.ok()?;
        opened.set_nodelay(true).ok()?;
        *stream = Some(opened);
    }
    let stream = stream.as_mut()?;
    answer.clear();
    stream.write_all(message).await.ok()?;
    let mut whole = None;
    loop {
        if stream.read_buf(answer).await.ok()? == 0 {
            return None;
        }
        if whole.is_none() {
            whole = end_of_answer(answer);
        }
        match whole {
            Some(End::Length(length)) if answer.len() >= length => return Some(()),
            Some(End::Chunked) if answer.ends_with(b"0\r\n\r\n") => return Some(()),
            _ => {}
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum End {
    Length(usize),
    Chunked,
}

/// Where an answer ends, once its head is there.
fn end_of_answer(answer: &[u8]) -> Option<End> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        Some(length) => End::Length(head + length),
        None if text.contains("transfer-encoding: chunked") => End::Chunked,
        None => End::Length(head),
    })
}
