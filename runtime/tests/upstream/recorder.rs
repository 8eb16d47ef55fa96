//! A loopback server that records requests as they came and answers as the test says.

use std::sync::{Arc, Mutex};

use mcpwright_runtime::{
    catalog::{Api, Operation},
    content::{Content, ToolResult},
    upstream::{Scope, Upstream, UpstreamBuilder},
};
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// One recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// `GET /path?query HTTP/1.1`
    pub(crate) line: String,
    /// `name: value`, in the order of arrival.
    pub(crate) headers: Vec<String>,
    /// The body, dechunked.
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    /// What stands between method and version.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What to do with a request.
pub(crate) enum Reply {
    /// Send these bytes and go on.
    Bytes(Vec<u8>),
    /// Send these bytes and close.
    Close(Vec<u8>),
    /// Send these bytes and never more.
    Hang(Vec<u8>),
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body);
    Reply::Bytes(bytes)
}

/// `200` with JSON.
pub(crate) fn json(body: &str) -> Reply {
    response("200 OK", &[("content-type", "application/json")], body)
}

/// The server.
pub(crate) struct Recorder {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorder {
    /// Starts to listen; `answer` gets the number of the request, from 0, and the request.
    pub(crate) async fn start(answer: impl Fn(usize, &Recorded) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let recorded = requests.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, recorded) = (answer.clone(), recorded.clone());
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        let number = {
                            let mut recorded: std::sync::MutexGuard<'_, Vec<Recorded>> = recorded.lock().expect("lock");
                            recorded.push(request.clone());
                            recorded.len() - 1
                        };
                        let (bytes, then) = match answer(number, &request) {
                            Reply::Bytes(bytes) => (bytes, 0),
                            Reply::Close(bytes) => (bytes, 1),
                            Reply::Hang(bytes) => (bytes, 2),
                        };
                        if stream.write_all(&bytes).await.is_err() || then == 1 {
                            break;
                        }
                        if then == 2 {
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Answers every request with an empty JSON object.
    pub(crate) async fn plain() -> Self {
        Self::start(|_, _| json("{}")).await
    }

    /// What came so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().expect("lock").clone()
    }

    /// The only request.
    pub(crate) fn only(&self) -> Recorded {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    /// A builder for an API that is here, without anything of the process's environment.
    pub(crate) fn builder(&self, api: &'static Api) -> UpstreamBuilder {
        self.with(api, &[])
    }

    /// As [`builder`](Self::builder), with further variables; the prefix is `T`.
    pub(crate) fn with(&self, api: &'static Api, variables: &[(&str, &str)]) -> UpstreamBuilder {
        let all = [("T_BASE_URL", self.url.as_str()), ("T_PROXY", "none")];
        Upstream::builder(api).prefix("T").environment(all.iter().chain(variables).map(|(name, value)| (*name, *value)))
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> Option<Recorded> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8_192];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n").map(str::to_owned);
    let mut request = Recorded { line: lines.next()?, headers: lines.collect(), body: bytes[head + 4..].to_vec() };
    assert_eq!(request.header("transfer-encoding"), None, "bodies are framed by their length");
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while request.body.len() < length {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.body.extend_from_slice(&buffer[..read]),
        }
    }
    Some(request)
}

/// Calls an operation with JSON arguments.
pub(crate) async fn call(
    upstream: &Upstream,
    operation: &'static Operation,
    arguments: Value,
) -> Result<ToolResult, mcpwright_runtime::Error> {
    upstream.call_tool(operation, object(arguments), &Scope::default()).await
}

/// A JSON object.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// All text of a result.
pub(crate) fn text(result: &ToolResult) -> String {
    let texts: Vec<&str> = result
        .content
        .iter()
        .filter_map(|content| match content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.join("\n")
}

/// `structuredContent`.
pub(crate) fn structured(result: &ToolResult) -> Option<Value> {
    result.structured.as_ref().map(|json| serde_json::from_str(json.get()).expect("JSON"))
}
