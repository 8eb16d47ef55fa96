//! The example `secured` behind a real authorization server, and clients that find it, register there, send their user
//! there, and come back with a token, all by themselves.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use mcpwright_tests::peers::Installed;
use mcpwright_tests::process::{HttpServer, Launch, free_port};
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// What access tokens are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tokens {
    Jwt,
    Opaque,
}

/// A running oidc-provider; it ends with its standard input.
struct Provider {
    issuer: String,
    _process: Child,
    _input: Option<ChildStdin>,
    /// It has more to say, and would break off with nobody to hear it.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    async fn start(installed: &Installed, tokens: Tokens) -> Self {
        let mut command = installed.node("oidc_provider.mjs");
        command.arg(json!({"jwt": tokens == Tokens::Jwt}).to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().expect("the provider starts");
        let mut output = BufReader::new(process.stdout.take().expect("standard output is piped")).lines();
        let first = output.next_line().await.expect("a line").expect("the provider says where it is");
        let said: Value = serde_json::from_str(&first).expect("the line is JSON");
        let issuer = said["issuer"].as_str().expect("an issuer").to_owned();
        Self { issuer, _input: process.stdin.take(), _output: output, _process: process }
    }

    async fn form(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let encoded = reqwest::Url::parse_with_params("http://form/", form).expect("a form");
        let body = encoded.query().unwrap_or_default().to_owned();
        let request = http().post(format!("{}{path}", self.issuer)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.send().await.expect("an answer");
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What the provider knows of a token.
    async fn introspect(&self, token: &str) -> Value {
        let asking = [("client_id", "resource-server"), ("client_secret", "secret-of-the-resource-server")];
        self.form("/token/introspection", &[&[("token", token)], &asking[..]].concat()).await
    }

    /// A token of a client that is a program.
    async fn token_of_robot(&self, resource: &str, scope: &str) -> String {
        let answer = self
            .form(
                "/token",
                &[
                    ("grant_type", "client_credentials"),
                    ("client_id", "robot"),
                    ("client_secret", "secret-of-the-robot"),
                    ("resource", resource),
                    ("scope", scope),
                ],
            )
            .await;
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// The example, which takes tokens of the provider: by its environment for JWTs, and by `SECURED_AUTH` for others.
async fn secured(provider: &Provider, tokens: Tokens) -> HttpServer {
    let port = free_port();
    let audience = format!("http://127.0.0.1:{port}/mcp");
    let launch = Launch::program("secured").arguments(["--log-level", "trace"]);
    let launch = match tokens {
        Tokens::Jwt => launch
            .variable("SECURED_ISSUER", &provider.issuer)
            .variable("SECURED_JWKS_URL", &format!("{}/jwks", provider.issuer))
            .variable("SECURED_AUDIENCE", &audience),
        Tokens::Opaque => {
            let configuration = json!({
                "resource": audience,
                "authorization_servers": [provider.issuer],
                "required_scopes": ["use"],
                "verifiers": [{
                    "type": "introspection",
                    "url": format!("{}/token/introspection", provider.issuer),
                    "client_id": "resource-server",
                    "client_secret": "secret-of-the-resource-server",
                    "issuer": provider.issuer,
                    "audiences": [audience],
                    "remember_seconds": 1,
                    "private_network": true,
                }],
            });
            launch.variable("SECURED_AUTH", &configuration.to_string())
        }
    };
    launch.http_at(port).await
}

/// Calls a tool with a token: the status, the challenge, and the text of the result.
async fn call(server: &HttpServer, token: Option<&str>, tool: &str) -> (u16, String, String) {
    call_at(&server.endpoint(), token, tool).await
}

async fn call_at(endpoint: &str, token: Option<&str>, tool: &str) -> (u16, String, String) {
    let params = json!({"name": tool, "arguments": {}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let mut request = http()
        .post(endpoint)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
    let challenge = challenge.unwrap_or_default().to_owned();
    let body: Value = serde_json::from_str(&response.text().await.expect("a body")).unwrap_or_default();
    let text = body.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default();
    (status, challenge, text.to_owned())
}

/// Each official SDK goes the whole way: the refusal, the metadata of the resource and of the provider, registration, the
/// user's consent, the token, and a token with more scopes once it needs one.
async fn every_client_gets_through(tokens: Tokens) {
    let Some(installed) = Installed::find() else { return };
    let provider = Provider::start(&installed, tokens).await;
    let server = secured(&provider, tokens).await;
    // Where the server names all of its scopes clients ask for them at once; else they come back for more.
    let times = if tokens == Tokens::Jwt { 1 } else { 2 };
    let plan = |sdk: u8| json!({"sdk": sdk, "url": server.endpoint(), "tools": ["whoami", "admin"]});
    for (client, report) in [
        ("Python", installed.run("authorize.py", &plan(0)).await),
        ("TypeScript 1", installed.run_node("authorize.mjs", &plan(1)).await),
        ("TypeScript 2", installed.run_node("authorize.mjs", &plan(2)).await),
    ] {
        assert_eq!(report["texts"], json!({"whoami": "ada", "admin": "welcome"}), "{client}: {report}");
        assert_eq!(report["asked"], times, "{client}: {report}");
    }
}

#[tokio::test]
async fn every_client_gets_through_with_tokens_that_the_server_reads_itself() {
    every_client_gets_through(Tokens::Jwt).await;
}

#[tokio::test]
async fn every_client_gets_through_with_tokens_that_the_server_asks_about_and_comes_back_for_more_scopes() {
    every_client_gets_through(Tokens::Opaque).await;
}

#[tokio::test]
async fn a_program_gets_through_with_credentials_of_its_own_as_far_as_its_scopes_reach() {
    let Some(installed) = Installed::find() else { return };
    for tokens in [Tokens::Jwt, Tokens::Opaque] {
        let provider = Provider::start(&installed, tokens).await;
        let server = secured(&provider, tokens).await;
        let resource = server.endpoint();

        let (status, challenge, _) = call(&server, None, "whoami").await;
        assert_eq!(status, 401);
        assert!(challenge.contains("resource_metadata="), "{challenge}");

        let some = provider.token_of_robot(&resource, "use").await;
        let (status, _, text) = call(&server, Some(&some), "whoami").await;
        assert_eq!((status, text.as_str()), (200, "robot"), "{tokens:?}");
        let (status, challenge, _) = call(&server, Some(&some), "admin").await;
        assert_eq!(status, 403, "{challenge}");
        assert!(challenge.contains("insufficient_scope") && challenge.contains("admin"), "{challenge}");

        let all = provider.token_of_robot(&resource, "use admin").await;
        assert_eq!(call(&server, Some(&all), "admin").await.0, 200);

        let other = provider.token_of_robot("http://127.0.0.1:1/mcp", "use admin").await;
        let (status, challenge, _) = call(&server, Some(&other), "whoami").await;
        assert_eq!(status, 401, "a token for another server: {challenge}");

        let logged = server.process.standard_error();
        for secret in [&*some, &*all, &*other, "secret-of-the-resource-server"] {
            assert!(!logged.contains(secret), "{tokens:?}: a secret is in the log");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_is_refused_as_soon_as_it_is_asked_about_again() {
    let Some(installed) = Installed::find() else { return };
    let provider = Provider::start(&installed, Tokens::Opaque).await;
    let server = secured(&provider, Tokens::Opaque).await;
    let token = provider.token_of_robot(&server.endpoint(), "use").await;
    assert_eq!(call(&server, Some(&token), "whoami").await.0, 200);
    let revoked = [("token", &*token), ("client_id", "robot"), ("client_secret", "secret-of-the-robot")];
    provider.form("/token/revocation", &revoked).await;
    tokio::time::timeout(std::time::Duration::from_secs(60), async {
        while call(&server, Some(&token), "whoami").await.0 != 401 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("it is refused");
}

/// The other side: a generated server is itself a client of the provider, for the API that it calls.
#[tokio::test]
async fn calls_of_an_api_carry_one_token_of_the_provider_and_another_once_it_is_refused() {
    let Some(installed) = Installed::find() else { return };
    let provider = Provider::start(&installed, Tokens::Opaque).await;
    let refused = Arc::new(Mutex::new(None::<String>));
    let answering = refused.clone();
    let api = Upstream::start(move |request| {
        let bearer = bearer(request);
        let is_refused = answering.lock().expect("a lock").as_ref() == Some(&bearer);
        if bearer.is_empty() || is_refused { Answer::json(401, &json!({})) } else { Answer::json(200, &json!({})) }
    })
    .await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("api.json");
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {"/things": {"get": {
            "operationId": "list_things",
            "security": [{"oauth": ["use"]}],
            "responses": {"200": {"description": "OK"}},
        }}},
        "components": {"securitySchemes": {"oauth": {"type": "oauth2", "flows": {"clientCredentials": {
            "tokenUrl": format!("{}/token", provider.issuer),
            "scopes": {"use": "Use things."},
        }}}}},
    });
    std::fs::write(&file, document.to_string()).expect("a document can be written");
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*file.to_string_lossy(), "--preset", "tools", "--name", "api", "--base-url", &api.url()])
        .arguments(["--log-level", "trace"])
        .variable("API_OAUTH_CLIENT_ID", "robot")
        .variable("API_OAUTH_CLIENT_SECRET", "secret-of-the-robot")
        .http()
        .await;

    // Many at once have one token fetched, with the scope of the operation.
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let server = server.endpoint();
            tokio::spawn(async move { call_at(&server, None, "list_things").await.0 })
        })
        .collect();
    for called in calls {
        assert_eq!(called.await.expect("a task"), 200);
    }
    let requests = api.take();
    let first = bearer(&requests[0]);
    assert_eq!(requests.len(), 10);
    assert!(requests.iter().all(|request| bearer(request) == first), "one token for all");
    let known = provider.introspect(&first).await;
    assert_eq!(
        (&known["active"], &known["client_id"], &known["scope"]),
        (&json!(true), &json!("robot"), &json!("use"))
    );

    // A token that the API refuses is replaced, once.
    provider
        .form(
            "/token/revocation",
            &[("token", &first), ("client_id", "robot"), ("client_secret", "secret-of-the-robot")],
        )
        .await;
    *refused.lock().expect("a lock") = Some(first.clone());
    let (status, _, _) = call(&server, None, "list_things").await;
    assert_eq!(status, 200);
    let tokens: Vec<_> = api.take().iter().map(bearer).collect();
    assert_eq!(tokens.len(), 2, "refused, and again");
    assert_eq!(tokens[0], first);
    assert_eq!(provider.introspect(&tokens[1]).await["active"], true);

    let logged = server.process.standard_error();
    for secret in [first.as_str(), &tokens[1], "secret-of-the-robot"] {
        assert!(!logged.contains(secret), "a secret is in the log");
    }
}

/// The token of a request; empty without one.
fn bearer(request: &Recorded) -> String {
    let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned()
}
