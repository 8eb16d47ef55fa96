//! A whole server with authentication: what its clients get over HTTP.

use axum::body::Body;
use http::StatusCode;
use tower::ServiceExt;

use super::*;
use crate::{
    Error, Server,
    component::Tool,
    context::{Context, Elicitation},
    middleware::Authorization,
    server::Options,
};

fn server(sessions: usize) -> Server {
    let tokens = StaticTokens::new()
        .token(&"admin".into(), Principal::new("static", "ada").with_scopes(["admin"]))
        .token(&"plain".into(), Principal::new("static", "bob"))
        .token(&"other".into(), Principal::new("static", "eve"));
    let whoami = |context: Context, (): ()| async move {
        let headers = format!("{:?}", context.headers());
        assert!(!headers.contains("Bearer"), "no handler sees the token");
        Ok(context.principal().map(|who| who.subject.clone()).unwrap_or_default())
    };
    Server::named("secured")
        .sessions(sessions)
        .tool(Tool::new("whoami", "Says who.", whoami))
        .tool(Tool::new("admin", "For some.", |_, ()| async { Ok("welcome") }))
        .tool(Tool::new("asks", "Asks back.", asks))
        .middleware(Authorization::default().component("admin", ["admin"]))
        .auth(Auth::from(tokens).resource(AUDIENCE).authorization_server(ISSUER))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name {
    name: String,
}

async fn asks(context: Context, (): ()) -> Result<String, Error> {
    match context.elicit::<Name>("Your name?").await? {
        Elicitation::Accepted(Name { name }) => Ok(name),
        _ => Ok("nobody".to_owned()),
    }
}

/// A client with a token.
struct Client {
    router: Router,
    token: &'static str,
    session: Option<String>,
}

impl Client {
    async fn new(token: &'static str) -> Self {
        Self { router: router(0).await, token, session: None }
    }

    async fn post(&self, version: &str, message: Value) -> http::Response<String> {
        let mut request = Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", version)
            .header("mcp-method", message["method"].as_str().unwrap());
        if let Some(name) = message["params"]["name"].as_str() {
            request = request.header("mcp-name", name);
        }
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        let response =
            self.router.clone().oneshot(request.body(Body::from(message.to_string())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        http::Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
    }

    /// A request of the stateless protocol.
    async fn ask(&self, method: &str, mut params: Value) -> http::Response<String> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        });
        self.post("2026-07-28", json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await
    }

    async fn call(&self, tool: &str) -> http::Response<String> {
        self.ask("tools/call", json!({"name": tool, "arguments": {}})).await
    }
}

async fn router(sessions: usize) -> Router {
    let server = server(sessions);
    let options = server.options();
    server.into_router(&Options { ..options }).await.unwrap()
}

#[tokio::test]
async fn t10_lists_hide_and_calls_refuse_what_the_scopes_do_not_cover() {
    let (admin, plain) = (Client::new("admin").await, Client::new("plain").await);
    assert!(admin.call("whoami").await.body().contains("ada") && plain.call("whoami").await.body().contains("bob"));

    assert!(admin.ask("tools/list", json!({})).await.body().contains(r#""name":"admin""#));
    let list = plain.ask("tools/list", json!({})).await;
    assert!(
        list.body().contains(r#""name":"whoami""#) && !list.body().contains(r#""name":"admin""#),
        "{}",
        list.body()
    );

    assert!(admin.call("admin").await.body().contains("welcome"));
    let refused = plain.call("admin").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{}", refused.body());
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"admin\", error=\"insufficient_scope\""), "{challenge}");

    let nobody = Client::new("").await.call("whoami").await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_and_metadata_need_no_token() {
    let router = router(0).await;
    for path in
        ["/health", "/ready", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]
    {
        let request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn x2_concurrent_users_with_the_same_ids_are_told_apart() {
    let router = router(0).await;
    let client = |token| Client { router: router.clone(), token, session: None };
    let all = (0..60).map(|index| {
        let (token, name) = [("admin", "ada"), ("plain", "bob"), ("other", "eve")][index % 3];
        let client = client(token);
        async move { client.call("whoami").await.body().contains(&format!("\"{name}\"")) }
    });
    assert!(futures_util::future::join_all(all).await.into_iter().all(|own| own));
}

#[tokio::test]
async fn x3_neither_a_session_nor_a_state_serves_another_user() {
    let router = router(10).await;
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }});
    let mut owner = Client { router: router.clone(), token: "plain", session: None };
    let begun = owner.post("2025-06-18", initialize).await;
    owner.session = Some(begun.headers()["mcp-session-id"].to_str().unwrap().to_owned());
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    assert_eq!(owner.post("2025-06-18", ping.clone()).await.status(), StatusCode::OK);
    let thief = Client { router: router.clone(), token: "other", session: owner.session.clone() };
    assert_eq!(thief.post("2025-06-18", ping.clone()).await.status(), StatusCode::NOT_FOUND);
    let nobody = Client { token: "", ..thief };
    assert_eq!(nobody.post("2025-06-18", ping).await.status(), StatusCode::UNAUTHORIZED);

    let client = |token| Client { router: router.clone(), token, session: None };
    let asked: Value = serde_json::from_str(client("plain").call("asks").await.body()).unwrap();
    let state = asked["result"]["requestState"].as_str().unwrap_or_else(|| panic!("{asked}"));
    let key = asked["result"]["inputRequests"].as_object().unwrap().keys().next().unwrap();
    let answer = json!({
        "name": "asks", "arguments": {}, "requestState": state,
        "inputResponses": {key: {"action": "accept", "content": {"name": "Rex"}}},
    });
    let own = client("plain").ask("tools/call", answer.clone()).await;
    assert!(own.body().contains("Rex"), "{}", own.body());
    let stolen = client("other").ask("tools/call", answer).await;
    assert!(stolen.body().contains("requestState is not one of this request"), "{}", stolen.body());
}

#[tokio::test]
async fn x1_hosts_and_origins_are_checked_with_a_valid_token_too() {
    let router = router(0).await;
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost.evil"),
    ] {
        let mut request =
            Request::post("/mcp").header("authorization", "Bearer plain").header("content-type", "application/json");
        if name != "host" {
            request = request.header("host", "localhost");
        }
        let request = request.header(name, value).body(Body::from("{}")).unwrap();
        let status = router.clone().oneshot(request).await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
}

#[tokio::test]
async fn x1_a_request_to_no_host_or_two_is_refused() {
    let router = router(0).await;
    for hosts in [&[][..], &["localhost", "evil.example"], &["localhost", "localhost"]] {
        let mut request =
            Request::post("/mcp").header("authorization", "Bearer plain").header("content-type", "application/json");
        for host in hosts {
            request = request.header("host", *host);
        }
        let request = request.body(Body::from("{}")).unwrap();
        let status = router.clone().oneshot(request).await.unwrap().status();
        assert!(matches!(status, StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST), "{hosts:?}: {status}");
    }
}

#[tokio::test]
async fn x4_headers_that_say_another_thing_than_the_body_are_refused() {
    let router = router(0).await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "whoami", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    for (version, method, name, status) in [
        ("2026-07-28", Some("tools/call"), Some("whoami"), StatusCode::OK),
        ("2026-07-28", Some("tools/call"), Some("admin"), StatusCode::BAD_REQUEST),
        ("2026-07-28", Some("tools/call"), None, StatusCode::BAD_REQUEST),
        ("2026-07-28", Some("tools/list"), Some("whoami"), StatusCode::BAD_REQUEST),
        ("2026-07-28", None, Some("whoami"), StatusCode::BAD_REQUEST),
        ("2025-11-25", Some("tools/call"), Some("whoami"), StatusCode::BAD_REQUEST),
    ] {
        let mut request = Request::post("/mcp")
            .header("host", "localhost")
            .header("authorization", "Bearer plain")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", version);
        for (header, value) in [("mcp-method", method), ("mcp-name", name)] {
            if let Some(value) = value {
                request = request.header(header, value);
            }
        }
        let response = router.clone().oneshot(request.body(Body::from(message.to_string())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert_eq!(parts.status, status, "{version} {method:?} {name:?}: {body}");
        assert_eq!(body.contains("-32020"), status != StatusCode::OK, "{version} {method:?} {name:?}: {body}");
    }
}
