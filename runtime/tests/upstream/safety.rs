//! Attacks through the API's answers, its document and the inbound side. Attacks through arguments are tested where
//! requests are built.

use mcpwright_runtime::{
    catalog::{Api, ApiKeyLocation, Operation, Requirement, SecurityScheme, SecuritySchemeKind, Server},
    upstream::{Scope, Settings, Upstream},
};
use serde_json::{Map, json};

use crate::recorder::{Recorder, call, json as ok, response, text};

static KEY: SecurityScheme = SecurityScheme {
    name: "key",
    kind: SecuritySchemeKind::ApiKey { name: "X-API-Key", location: ApiKeyLocation::Header },
    description: "",
};
static QUERY_KEY: SecurityScheme = SecurityScheme {
    name: "query",
    kind: SecuritySchemeKind::ApiKey { name: "key", location: ApiKeyLocation::Query },
    description: "",
};
static API: Api = Api { security_schemes: &[&KEY, &QUERY_KEY, &OIDC], ..Api::DEFAULT };
static GET: Operation = Operation {
    path: "/x",
    security: &[&[Requirement { scheme: &KEY, scopes: &[] }, Requirement { scheme: &QUERY_KEY, scopes: &[] }]],
    ..Operation::DEFAULT
};
static OIDC: SecurityScheme = SecurityScheme {
    name: "oidc",
    kind: SecuritySchemeKind::OpenIdConnect { url: "/.well-known/openid-configuration" },
    description: "",
};
static WITH_OIDC: Operation =
    Operation { path: "/x", security: &[&[Requirement { scheme: &OIDC, scopes: &[] }]], ..Operation::DEFAULT };
static OPEN: Operation = Operation { path: "/x", ..Operation::DEFAULT };

const KEYS: [(&str, &str); 2] = [("T_KEY", "s3cret-header-key"), ("T_QUERY", "s3cret/query key")];

#[test]
fn u8_servers_of_the_document_cannot_name_files() {
    static LOCAL: Api = Api { servers: &[&Server { url: "file:///etc", ..Server::DEFAULT }], ..Api::DEFAULT };
    let upstream = Upstream::builder(&LOCAL).settings(Settings::default()).build().expect("an upstream");
    assert!(upstream.warnings().iter().any(|warning| warning.contains("http or https")), "{:?}", upstream.warnings());
}

#[tokio::test]
async fn u9_a_redirect_to_another_origin_is_not_followed_and_no_key_goes_there() {
    let other = Recorder::plain().await;
    let elsewhere = format!("{}/steal", other.url);
    let same_host_by_name = elsewhere.replace("127.0.0.1", "localhost");
    for location in [
        elsewhere.clone(),
        same_host_by_name,
        "http://169.254.169.254/latest".to_owned(),
        format!("//{}", &elsewhere[7..]),
    ] {
        let target = location.clone();
        let server = Recorder::start(move |_, _| response("302 Found", &[("location", &target)], "")).await;
        let upstream = server.with(&API, &KEYS).build().expect("an upstream");
        let result = call(&upstream, &GET, json!({})).await.expect("a result");
        assert!(result.is_error && text(&result).contains("does not follow"), "{}", text(&result));
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn u11_errors_hold_no_secret_no_markup_and_no_stack() {
    let echo = |_: usize, request: &crate::recorder::Recorded| {
        let body = format!(
            r#"{{"message":"bad key {} for {}","stack":"at internal.rs:7"}}"#,
            request.header("x-api-key").unwrap_or_default(),
            request.target()
        );
        response("403 Forbidden", &[("content-type", "application/json"), ("x-request-id", "s3cret-header-key")], body)
    };
    let server = Recorder::start(echo).await;
    let upstream = server.with(&API, &KEYS).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    let everything = format!("{result:?}{upstream:?}");
    assert!(text(&result).contains("bad key [redacted]"), "{}", text(&result));
    assert!(!everything.contains("s3cret") && !everything.contains("internal.rs"), "{everything}");

    let html = "<html><head><title>502 Bad Gateway</title></head><body><script>evil()</script></body></html>";
    let server = Recorder::start(move |_, _| response("500 Oops", &[("content-type", "text/html")], html)).await;
    let upstream = server.builder(&API).build().expect("an upstream");
    let result = call(&upstream, &OPEN, json!({})).await.expect("a result");
    assert!(text(&result).contains("502 Bad Gateway") && !text(&result).contains('<'), "{}", text(&result));
}

#[tokio::test]
async fn u12_inbound_headers_stay_here() {
    let server = Recorder::plain().await;
    let upstream = server.with(&API, &[("T_FORWARD_HEADERS", "X-Tenant")]).build().expect("an upstream");
    let mut scope = Scope::default();
    for name in
        ["authorization", "cookie", "x-forwarded-for", "x-api-key", "origin", "mcp-session-id", "host", "x-tenant"]
    {
        scope.headers.insert(name, "inbound".parse().expect("a value"));
    }
    upstream.call_tool(&OPEN, Map::new(), &scope).await.expect("a result");
    let request = server.only();
    let inbound: Vec<&String> = request.headers.iter().filter(|header| header.ends_with(": inbound")).collect();
    assert_eq!(inbound, ["x-tenant: inbound"]);
    for name in ["Host", "Content-Length", "Cookie", "Transfer-Encoding", "Mcp-Session-Id", "no header"] {
        assert!(server.with(&API, &[("T_FORWARD_HEADERS", name)]).build().is_err(), "{name}");
    }
}

const CLIENT: [(&str, &str); 2] = [("T_OIDC_CLIENT_ID", "id"), ("T_OIDC_CLIENT_SECRET", "hunter2-secret")];

#[tokio::test]
async fn s1_a_discovery_document_of_another_issuer_gets_no_secret() {
    for (issuer, token_endpoint) in [
        ("https://evil.test", "/token"),
        ("", "http://10.0.0.1/token"),
        ("", "file:///etc/passwd"),
        ("", "http://evil.test/token"),
        ("", "not a url"),
    ] {
        let server = Recorder::start(move |_, request| {
            let own = format!("http://{}", request.header("host").unwrap_or_default());
            let issuer = if issuer.is_empty() { own.clone() } else { issuer.to_owned() };
            let endpoint = if token_endpoint.starts_with('/') {
                format!("{own}{token_endpoint}")
            } else {
                token_endpoint.to_owned()
            };
            ok(&format!(r#"{{"issuer":"{issuer}","token_endpoint":"{endpoint}"}}"#))
        })
        .await;
        let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
        let error = call(&upstream, &WITH_OIDC, json!({})).await.expect_err("an error").to_string();
        assert!(error.contains("discovery document"), "{error}");
        assert_eq!(server.requests().len(), 1, "only the discovery document was fetched");
    }
}

#[tokio::test]
async fn discovery_leads_to_the_token_endpoint() {
    let server = Recorder::start(|_, request| {
        let own = format!("http://{}", request.header("host").unwrap_or_default());
        match request.target() {
            "/.well-known/openid-configuration" => {
                ok(&format!(r#"{{"issuer":"{own}","token_endpoint":"{own}/token"}}"#))
            }
            "/token" => ok(r#"{"access_token":"tok","token_type":"Bearer","expires_in":60}"#),
            _ => ok("{}"),
        }
    })
    .await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    call(&upstream, &WITH_OIDC, json!({})).await.expect("a result");
    assert_eq!(server.requests()[2].header("authorization"), Some("Bearer tok"));
}

#[tokio::test]
async fn s2_a_proxy_is_used_only_as_configured() {
    let api = Recorder::plain().await;
    let proxy = Recorder::start(|_, _| ok(r#"{"proxied":true}"#)).await;
    let upstream = api.with(&API, &[("T_PROXY", &proxy.url)]).build().expect("an upstream");
    call(&upstream, &OPEN, json!({})).await.expect("a result");
    assert_eq!((api.requests().len(), proxy.requests().len()), (0, 1));
    let upstream = api.with(&API, &[("T_PROXY", "none")]).build().expect("an upstream");
    call(&upstream, &OPEN, json!({})).await.expect("a result");
    assert_eq!((api.requests().len(), proxy.requests().len()), (1, 1));
    assert!(
        api.with(&API, &[("T_PROXY", "::not a url::")])
            .build()
            .is_err_and(|error| error.to_string().contains("T_PROXY"))
    );
}

#[tokio::test]
async fn e2_a_token_that_the_api_echoes_does_not_reach_the_client() {
    let server = Recorder::start(|_, request| {
        let key = request.header("x-api-key").unwrap_or_default().to_owned();
        response(
            "200 OK",
            &[("content-type", "application/json"), ("x-request-id", &key)],
            format!(r#"{{"you_sent":"{key}"}}"#),
        )
    })
    .await;
    let upstream = server.with(&API, &KEYS).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    assert!(!format!("{result:?}").contains("s3cret"), "{result:?}");
    assert_eq!(crate::recorder::structured(&result), Some(json!({ "you_sent": "[redacted]" })));
}

#[tokio::test]
async fn e3_a_token_of_another_kind_is_refused() {
    let server = Recorder::start(|_, request| {
        let own = format!("http://{}", request.header("host").unwrap_or_default());
        match request.target() {
            "/.well-known/openid-configuration" => {
                ok(&format!(r#"{{"issuer":"{own}","token_endpoint":"{own}/token"}}"#))
            }
            _ => ok(r#"{"access_token":"tok","token_type":"DPoP","expires_in":99999999999999}"#),
        }
    })
    .await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    let error = call(&upstream, &WITH_OIDC, json!({})).await.expect_err("an error").to_string();
    assert!(error.contains("no bearer token"), "{error}");
}

#[tokio::test]
async fn an_operator_s_mistakes_are_found_at_start() {
    let server = Recorder::plain().await;
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").expect("a file");
    let empty = empty.to_str().expect("text");
    for (variable, value) in [
        ("T_CA_FILE", "/no/such/file"),
        ("T_CA_FILE", empty),
        ("T_CLIENT_CERTIFICATE", "/no/such/file"),
        ("T_CLIENT_CERTIFICATE", empty),
        ("T_BASE_URL", "not a url"),
        ("T_TIMEOUT", "never"),
    ] {
        let error = server.with(&API, &[(variable, value)]).build().expect_err("an error").to_string();
        assert!(error.contains(variable), "{error}");
    }
}
