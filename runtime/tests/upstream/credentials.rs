//! Credentials of every security scheme, and where they come from.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::BoxFuture;
use mcpwright_runtime::{
    Error,
    catalog::{
        Api, ApiKeyLocation, Flow, FlowKind, Method, Operation, Parameter, Requirement, SecurityScheme,
        SecuritySchemeKind,
    },
    upstream::{Credential, Credentials, Scope, variables},
};
use serde_json::{Map, json};

use crate::recorder::{Recorder, call, json as ok, response, text};

static HEADER_KEY: SecurityScheme = SecurityScheme {
    name: "apiKey",
    kind: SecuritySchemeKind::ApiKey { name: "X-API-Key", location: ApiKeyLocation::Header },
    description: "",
};
static QUERY_KEY: SecurityScheme = SecurityScheme {
    name: "queryKey",
    kind: SecuritySchemeKind::ApiKey { name: "key", location: ApiKeyLocation::Query },
    description: "",
};
static COOKIE_KEY: SecurityScheme = SecurityScheme {
    name: "cookieKey",
    kind: SecuritySchemeKind::ApiKey { name: "session", location: ApiKeyLocation::Cookie },
    description: "",
};
static BASIC: SecurityScheme = SecurityScheme { name: "basic", kind: SecuritySchemeKind::HttpBasic, description: "" };
static BEARER: SecurityScheme =
    SecurityScheme { name: "bearer", kind: SecuritySchemeKind::HttpBearer { format: "" }, description: "" };
static DIGEST: SecurityScheme =
    SecurityScheme { name: "hoba", kind: SecuritySchemeKind::Http { scheme: "HOBA" }, description: "" };
static OAUTH: SecurityScheme = SecurityScheme {
    name: "oauth",
    kind: SecuritySchemeKind::OAuth2 {
        flows: &[
            Flow {
                kind: FlowKind::ClientCredentials,
                authorization_url: "",
                token_url: "/token",
                refresh_url: "",
                scopes: &[],
            },
            Flow { kind: FlowKind::Password, authorization_url: "", token_url: "/token", refresh_url: "", scopes: &[] },
        ],
    },
    description: "",
};
static API: Api = Api {
    name: "t",
    security_schemes: &[&HEADER_KEY, &QUERY_KEY, &COOKIE_KEY, &BASIC, &BEARER, &DIGEST, &OAUTH],
    ..Api::DEFAULT
};

const fn of(scheme: &'static SecurityScheme) -> Requirement {
    Requirement { scheme, scopes: &[] }
}

macro_rules! operation {
    ($name:ident, $($alternative:expr),*) => {
        static $name: Operation = Operation { path: "/x", security: &[$(&$alternative),*], ..Operation::DEFAULT };
    };
}
operation!(HEADER, [of(&HEADER_KEY)]);
operation!(QUERY, [of(&QUERY_KEY)]);
operation!(COOKIE, [of(&COOKIE_KEY)]);
operation!(BASIC_ONLY, [of(&BASIC)]);
operation!(BEARER_ONLY, [of(&BEARER)]);
operation!(HOBA_ONLY, [of(&DIGEST)]);
operation!(BOTH, [of(&HEADER_KEY), of(&QUERY_KEY)]);
operation!(EITHER, [of(&BEARER)], [of(&HEADER_KEY)]);
operation!(OPTIONAL, [], [of(&HEADER_KEY)]);
operation!(SCOPED, [Requirement { scheme: &OAUTH, scopes: &["write", "read"] }]);

#[tokio::test]
async fn each_scheme_goes_where_it_belongs() {
    for (operation, variables, target, header, value) in [
        (&HEADER, &[("T_API_KEY", "k")][..], "/x", "x-api-key", Some("k")),
        (&QUERY, &[("T_QUERY_KEY", "k&v")], "/x?key=k%26v", "authorization", None),
        (&COOKIE, &[("T_COOKIE_KEY", "abc")], "/x", "cookie", Some("session=abc")),
        (
            &BASIC_ONLY,
            &[("T_BASIC_USERNAME", "me"), ("T_BASIC_PASSWORD", "a:b")],
            "/x",
            "authorization",
            Some("Basic bWU6YTpi"),
        ),
        (&BASIC_ONLY, &[("T_BASIC", "me:a:b")], "/x", "authorization", Some("Basic bWU6YTpi")),
        (&BEARER_ONLY, &[("T_BEARER", "tok")], "/x", "authorization", Some("Bearer tok")),
        (&BEARER_ONLY, &[("T_BEARER", "Bearer tok")], "/x", "authorization", Some("Bearer tok")),
        (&HOBA_ONLY, &[("T_HOBA", "result=1")], "/x", "authorization", Some("HOBA result=1")),
        (&SCOPED, &[("T_OAUTH", "ready")], "/x", "authorization", Some("Bearer ready")),
        (&BOTH, &[("T_API_KEY", "k"), ("T_QUERY_KEY", "q")], "/x?key=q", "x-api-key", Some("k")),
        (&EITHER, &[("T_API_KEY", "k")], "/x", "x-api-key", Some("k")),
        (&EITHER, &[("T_API_KEY", "k"), ("T_BEARER", "tok")], "/x", "authorization", Some("Bearer tok")),
        (&OPTIONAL, &[("T_API_KEY", "k")], "/x", "x-api-key", Some("k")),
        (&OPTIONAL, &[], "/x", "x-api-key", None),
    ] {
        let server = Recorder::plain().await;
        let upstream = server.with(&API, variables).build().expect("an upstream");
        call(&upstream, operation, json!({})).await.expect("a result");
        let request = server.only();
        assert_eq!((request.target(), request.header(header)), (target, value), "{variables:?}");
    }
}

#[tokio::test]
async fn a_missing_credential_names_its_variables_and_nothing_is_sent() {
    let server = Recorder::plain().await;
    let upstream = server.with(&API, &[("T_API_KEY", "k")]).build().expect("an upstream");
    let bare = server.builder(&API).build().expect("an upstream");
    for (upstream, operation, names) in [
        (&bare, &HEADER, &["T_API_KEY"][..]),
        (&upstream, &BOTH, &["T_API_KEY and T_QUERY_KEY"]),
        (&bare, &EITHER, &["T_BEARER, or T_API_KEY"]),
        (&bare, &BASIC_ONLY, &["T_BASIC_USERNAME and T_BASIC_PASSWORD"]),
        (&bare, &SCOPED, &["T_OAUTH", "T_OAUTH_CLIENT_ID"]),
    ] {
        let error = call(upstream, operation, json!({})).await.expect_err("an error").to_string();
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn secrets_come_from_files_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "from-file\n").expect("a file");
    let server = Recorder::plain().await;
    let upstream = server.with(&API, &[("T_API_KEY_FILE", path.to_str().expect("text"))]).build().expect("an upstream");
    call(&upstream, &HEADER, json!({})).await.expect("a result");
    assert_eq!(server.only().header("x-api-key"), Some("from-file"));

    let error = server.with(&API, &[("T_API_KEY_FILE", "/no/such/file")]).build().expect_err("an error").to_string();
    assert!(error.contains("T_API_KEY_FILE") && error.contains("/no/such/file"), "{error}");
}

#[tokio::test]
async fn configuration_errors_name_the_variable() {
    let server = Recorder::plain().await;
    for (variables, expected) in [
        (&[("T_BASIC_PASSWORD", "x")][..], "T_BASIC_USERNAME"),
        (&[("T_BASIC", "no-colon-secret")], "NAME:PASSWORD"),
        (&[("T_OAUTH_CLIENT_ID", "x")], "T_OAUTH_CLIENT_SECRET"),
        (&[("T_OAUTH_CLIENT_SECRET", "x")], "T_OAUTH_CLIENT_ID"),
        (&[("T_OAUTH_USERNAME", "x")], "T_OAUTH_PASSWORD"),
        (
            &[("T_OAUTH_CLIENT_ID", "x"), ("T_OAUTH_CLIENT_SECRET", "y"), ("T_OAUTH_TOKEN_URL", "file:///x")],
            "T_OAUTH_TOKEN_URL",
        ),
    ] {
        let error = server.with(&API, variables).build().expect_err("an error").to_string();
        assert!(error.contains(expected) && !error.contains("no-colon-secret"), "{error}");
    }
    let error = server.builder(&API).credential("nonsense", "x").build().expect_err("an error").to_string();
    assert!(error.contains("nonsense") && error.contains("apiKey"), "{error}");
}

#[test]
fn the_variables_of_an_api_are_listed() {
    let names: Vec<String> = variables(&API, "T").into_iter().map(|variable| variable.name).collect();
    for name in [
        "T_API_KEY",
        "T_QUERY_KEY",
        "T_BASIC_USERNAME",
        "T_BASIC_PASSWORD",
        "T_BEARER",
        "T_OAUTH_CLIENT_SECRET",
        "T_OAUTH_USERNAME",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
}

#[tokio::test]
async fn an_argument_cannot_replace_a_credential() {
    static KEY: Parameter = Parameter { name: "key", ..Parameter::QUERY };
    static OWN: Parameter = Parameter { name: "X-API-Key", ..Parameter::HEADER };
    static BOTH_WAYS: Operation = Operation {
        path: "/x",
        parameters: &[&KEY, &OWN],
        security: &[&[of(&QUERY_KEY), of(&HEADER_KEY)]],
        ..Operation::DEFAULT
    };
    let server = Recorder::plain().await;
    let upstream = server.with(&API, &[("T_API_KEY", "k"), ("T_QUERY_KEY", "q")]).build().expect("an upstream");
    call(&upstream, &BOTH_WAYS, json!({ "key": "evil", "X-API-Key": "evil" })).await.expect("a result");
    let request = server.only();
    assert_eq!((request.target(), request.header("x-api-key")), ("/x?key=q", Some("k")));
}

/// A token endpoint at `/token` that gives `tok0`, `tok1` … and an API at `/x` that accepts what `accepts` says.
async fn with_tokens(expires: u32, accepts: fn(&str) -> bool) -> (Recorder, Arc<AtomicUsize>) {
    let issued = Arc::new(AtomicUsize::new(0));
    let counter = issued.clone();
    let server = Recorder::start(move |_, request| {
        if request.target() == "/token" {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            return ok(&format!(r#"{{"access_token":"tok{number}","token_type":"Bearer","expires_in":{expires}}}"#));
        }
        match request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            Some(token) if accepts(token) => ok("{}"),
            _ => response("401 Unauthorized", &[], ""),
        }
    })
    .await;
    (server, issued)
}

const CLIENT: [(&str, &str); 2] = [("T_OAUTH_CLIENT_ID", "my id"), ("T_OAUTH_CLIENT_SECRET", "s:%")];

#[tokio::test]
async fn a_token_is_fetched_once_for_all_and_kept() {
    let (server, issued) = with_tokens(3_600, |_| true).await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let upstream = upstream.clone();
            tokio::spawn(async move { call(&upstream, &SCOPED, json!({})).await.expect("a result").is_error })
        })
        .collect();
    for call in calls {
        assert!(!call.await.expect("a task"));
    }
    assert_eq!(issued.load(Ordering::SeqCst), 1);
    let request = server.requests()[0].clone();
    assert_eq!(request.text(), "grant_type=client_credentials&scope=read+write");
    // `my+id:s%3A%25`, RFC 6749 §2.3.1
    assert_eq!(request.header("authorization"), Some("Basic bXkraWQ6cyUzQSUyNQ=="));
}

#[tokio::test]
async fn a_token_that_ends_is_renewed_early_and_one_that_is_refused_once() {
    let (server, issued) = with_tokens(0, |_| true).await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    for _ in 0..2 {
        call(&upstream, &SCOPED, json!({})).await.expect("a result");
    }
    assert_eq!(issued.load(Ordering::SeqCst), 2);

    let (server, issued) = with_tokens(3_600, |token| token == "tok1").await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    assert!(!call(&upstream, &SCOPED, json!({})).await.expect("a result").is_error);
    assert_eq!(issued.load(Ordering::SeqCst), 2);

    let (server, issued) = with_tokens(3_600, |_| false).await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    let result = call(&upstream, &SCOPED, json!({})).await.expect("a result");
    assert!(result.is_error && text(&result).contains("T_OAUTH"), "{}", text(&result));
    assert_eq!(issued.load(Ordering::SeqCst), 2, "one renewal, not a loop");
}

#[tokio::test]
async fn the_other_grants_send_their_own_forms() {
    for (variables, form) in [
        (
            &[("T_OAUTH_REFRESH_TOKEN", "r1"), ("T_OAUTH_CLIENT_ID", "public")][..],
            "grant_type=refresh_token&refresh_token=r1&client_id=public",
        ),
        (
            &[("T_OAUTH_USERNAME", "me"), ("T_OAUTH_PASSWORD", "p&w"), ("T_OAUTH_SCOPES", "all")],
            "grant_type=password&username=me&password=p%26w&scope=all",
        ),
        (
            &[("T_OAUTH_CLIENT_ID", "id"), ("T_OAUTH_CLIENT_SECRET", "s"), ("T_OAUTH_CLIENT_AUTHENTICATION", "post")],
            "grant_type=client_credentials&scope=read+write&client_id=id&client_secret=s",
        ),
    ] {
        let (server, _) = with_tokens(3_600, |_| true).await;
        let upstream = server.with(&API, variables).build().expect("an upstream");
        call(&upstream, &SCOPED, json!({})).await.expect("a result");
        assert_eq!(server.requests()[0].text(), form);
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_replaces_the_first() {
    let server = Recorder::start(|number, request| match request.target() {
        "/token" => ok(&format!(r#"{{"access_token":"a{number}","expires_in":"0","refresh_token":"r{number}"}}"#)),
        _ => ok("{}"),
    })
    .await;
    let upstream = server.with(&API, &[("T_OAUTH_REFRESH_TOKEN", "first")]).build().expect("an upstream");
    for _ in 0..2 {
        call(&upstream, &SCOPED, json!({})).await.expect("a result");
    }
    let requests = server.requests();
    assert_eq!(requests[0].text(), "grant_type=refresh_token&refresh_token=first");
    assert_eq!(requests[2].text(), "grant_type=refresh_token&refresh_token=r0");
}

#[tokio::test]
async fn a_client_that_may_not_use_basic_uses_the_form() {
    let server = Recorder::start(|_, request| match request.target() {
        "/token" if request.header("authorization").is_some() => {
            response("401 Unauthorized", &[("content-type", "application/json")], r#"{"error":"invalid_client"}"#)
        }
        "/token" => ok(r#"{"access_token":"tok","token_type":"bearer","expires_in":60}"#),
        _ => ok("{}"),
    })
    .await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    assert!(!call(&upstream, &SCOPED, json!({})).await.expect("a result").is_error);
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_says_why_without_the_secret() {
    let server = Recorder::start(|_, _| {
        response(
            "400 Bad Request",
            &[("content-type", "application/json")],
            r#"{"error":"invalid_scope","error_description":"no such scope"}"#,
        )
    })
    .await;
    let upstream = server
        .with(&API, &[("T_OAUTH_CLIENT_ID", "id"), ("T_OAUTH_CLIENT_SECRET", "hunter2-secret")])
        .build()
        .expect("an upstream");
    let error = call(&upstream, &SCOPED, json!({})).await.expect_err("an error").to_string();
    assert!(error.contains("invalid_scope (no such scope)") && !error.contains("hunter2"), "{error}");
}

struct PerUser;

impl Credentials for PerUser {
    fn credential<'a>(
        &'a self,
        _scheme: &'static SecurityScheme,
        scopes: &'static [&'static str],
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Credential>, Error>> {
        Box::pin(
            async move { Ok(scope.subject.as_ref().map(|subject| format!("{subject}-{}", scopes.join("+")).into())) },
        )
    }
}

#[tokio::test]
async fn code_may_give_each_user_another_credential() {
    let server = Recorder::plain().await;
    let upstream = server.builder(&API).credentials("oauth", PerUser).build().expect("an upstream");
    for user in ["ann", "bob"] {
        let scope = Scope { subject: Some(user.to_owned()), ..Scope::default() };
        upstream.call_tool(&SCOPED, Map::new(), &scope).await.expect("a result");
    }
    assert!(upstream.call_tool(&SCOPED, Map::new(), &Scope::default()).await.is_err());
    let sent: Vec<_> =
        server.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer ann-write+read".to_owned()), Some("Bearer bob-write+read".to_owned())]);
}

#[tokio::test]
async fn a_listed_inbound_header_meets_its_scheme() {
    let server = Recorder::plain().await;
    let upstream =
        server.with(&API, &[("T_FORWARD_HEADERS", "X-API-Key, Authorization")]).build().expect("an upstream");
    let mut scope = Scope::default();
    scope.headers.insert("x-api-key", "mine".parse().expect("a value"));
    scope.headers.insert("authorization", "Bearer theirs".parse().expect("a value"));
    upstream.call_tool(&HEADER, Map::new(), &scope).await.expect("a result");
    scope.authenticated = true;
    upstream.call_tool(&HEADER, Map::new(), &scope).await.expect("a result");
    let requests = server.requests();
    assert_eq!(requests[0].header("x-api-key"), Some("mine"));
    assert_eq!(requests[0].header("authorization"), Some("Bearer theirs"));
    assert_eq!(requests[1].header("authorization"), None, "a token for this server is not for the API");
}

#[tokio::test]
async fn a_post_that_was_refused_for_its_token_is_sent_again_whole() {
    static WRITE: Operation = Operation {
        method: Method::Post,
        path: "/x",
        body: Some(&mcpwright_runtime::catalog::Body::JSON),
        security: &[&[Requirement { scheme: &OAUTH, scopes: &[] }]],
        ..Operation::DEFAULT
    };
    let (server, _) = with_tokens(3_600, |token| token == "tok1").await;
    let upstream = server.with(&API, &CLIENT).build().expect("an upstream");
    assert!(!call(&upstream, &WRITE, json!({ "a": 1 })).await.expect("a result").is_error);
    let last = server.requests().pop().expect("a request");
    assert_eq!((last.line.as_str(), last.text().as_str()), ("POST /x HTTP/1.1", r#"{"a":1}"#));
}
