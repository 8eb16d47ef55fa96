//! What a client sees: statuses, challenges and metadata.

use axum::{Extension, body::Body, routing::post};
use http::{HeaderMap, Method, StatusCode, header};
use tower::ServiceExt;

use super::*;

const RESOURCE: &str = "https://MCP.example/public/mcp";
const METADATA: &str = "https://mcp.example/.well-known/oauth-protected-resource/public/mcp";

fn auth() -> Auth {
    let tokens = StaticTokens::new()
        .token(&"full".into(), Principal::new("static", "full").with_scopes(["use", "admin"]))
        .token(&"plain".into(), Principal::new("static", "plain").with_scopes(["use"]))
        .token(&"bare".into(), Principal::new("static", "bare"));
    Auth::from(tokens)
        .resource(RESOURCE)
        .authorization_server("https://issuer.example")
        .required_scopes(["use", "offline_access"])
        .supported_scopes(["admin", "use"])
        .scope_rule(|granted, required| granted == "use" && required == "offline_access")
}

/// A server that says who called, and demands `admin` and more where the path says so.
fn app(auth: Auth) -> Router {
    let whoami = post(
        |Extension(principal): Extension<Arc<Principal>>,
         Extension(step_up): Extension<StepUp>,
         headers: HeaderMap,
         body: String| async move {
            assert!(!headers.contains_key(header::AUTHORIZATION), "the token goes no further");
            if body == "admin" && !principal.has_scope("admin") {
                step_up.demand(["use", "admin", "x\"\r\ny"]);
            }
            principal.subject.clone()
        },
    );
    auth.protect(Router::new().route("/mcp", whoami), "/mcp", "http://127.0.0.1:8000/mcp").unwrap()
}

async fn call(path: &str, authorization: &[&[u8]], body: &str) -> (StatusCode, HeaderMap, String) {
    let mut request = http::Request::builder().method(Method::POST).uri(path);
    request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example\", x=\"");
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn send(request: Request) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = app(auth()).oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn challenge(headers: &HeaderMap) -> &str {
    headers[header::WWW_AUTHENTICATE].to_str().unwrap()
}

#[tokio::test]
async fn t8_only_one_well_formed_bearer_header_counts() {
    let long = [b"Bearer ".to_vec(), vec![b'a'; 64 << 10]].concat();
    type Case<'a> = (&'a str, &'a str, Vec<&'a [u8]>, StatusCode);
    let cases: [Case<'_>; 14] = [
        ("valid", "/mcp", vec![b"Bearer full"], StatusCode::OK),
        ("case of the scheme", "/mcp", vec![b"bEARER  full"], StatusCode::OK),
        ("nothing", "/mcp", vec![], StatusCode::UNAUTHORIZED),
        ("another scheme", "/mcp", vec![b"Basic ZnVsbA=="], StatusCode::UNAUTHORIZED),
        ("unknown token", "/mcp", vec![b"Bearer nobody"], StatusCode::UNAUTHORIZED),
        ("a prefix of a token", "/mcp", vec![b"Bearer ful"], StatusCode::UNAUTHORIZED),
        ("64 KiB", "/mcp", vec![&long], StatusCode::UNAUTHORIZED),
        ("empty token", "/mcp", vec![b"Bearer "], StatusCode::BAD_REQUEST),
        ("no token", "/mcp", vec![b"Bearer"], StatusCode::BAD_REQUEST),
        ("two tokens", "/mcp", vec![b"Bearer full full"], StatusCode::BAD_REQUEST),
        ("not ASCII", "/mcp", vec!["Bearer füll".as_bytes()], StatusCode::BAD_REQUEST),
        ("two headers", "/mcp", vec![b"Bearer full", b"Bearer full"], StatusCode::BAD_REQUEST),
        ("in the query", "/mcp?access_token=full", vec![], StatusCode::BAD_REQUEST),
        ("in query and header", "/mcp?a=b&access%5Ftoken=full", vec![b"Bearer full"], StatusCode::BAD_REQUEST),
    ];
    for (what, path, headers, expected) in cases {
        let (status, headers, body) = call(path, &headers, "access_token=full").await;
        assert_eq!(status, expected, "{what}: {body}");
        assert_eq!(headers.contains_key(header::WWW_AUTHENTICATE), status != StatusCode::OK, "{what}");
    }
    let (_, _, body) = call("/mcp", &[b"Bearer full"], "").await;
    assert_eq!(body, "full");
}

#[tokio::test]
async fn challenges_say_where_to_get_which_token() {
    let (_, headers, _) = call("/mcp", &[], "").await;
    assert_eq!(challenge(&headers), format!("Bearer resource_metadata=\"{METADATA}\", scope=\"use\""));
    let (_, headers, body) = call("/mcp", &[b"Bearer nobody"], "").await;
    assert_eq!(
        challenge(&headers),
        format!(
            "Bearer resource_metadata=\"{METADATA}\", scope=\"use\", error=\"invalid_token\", \
             error_description=\"the token is not valid here\""
        )
    );
    assert_eq!(body, r#"{"error":"invalid_token","error_description":"the token is not valid here"}"#);
    let (_, headers, _) = call("/mcp", &[b"Bearer "], "").await;
    assert!(challenge(&headers).contains("error=\"invalid_request\""));
}

#[tokio::test]
async fn t10_a_lack_of_scopes_is_answered_with_all_that_are_needed() {
    let (status, headers, _) = call("/mcp", &[b"Bearer bare"], "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(challenge(&headers).contains("scope=\"use offline_access\", error=\"insufficient_scope\""));
    let (status, headers, _) = call("/mcp", &[b"Bearer plain"], "admin").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "found out by the component");
    assert!(challenge(&headers).contains("scope=\"use offline_access admin\", error=\"insufficient_scope\""));
    assert!(challenge(&headers).starts_with(&format!("Bearer resource_metadata=\"{METADATA}\"")));
    assert_eq!(call("/mcp", &[b"Bearer full"], "admin").await.0, StatusCode::OK);
    assert_eq!(call("/mcp", &[b"Bearer plain"], "").await.0, StatusCode::OK, "a broader scope includes others");
}

#[tokio::test]
async fn t11_nothing_of_a_request_reaches_a_challenge_or_the_metadata() {
    for (path, headers) in [("/mcp?x=%22%0d%0a", vec![]), ("/mcp", vec![&b"Bearer evil.example"[..]])] {
        let (_, headers, body) = call(path, &headers, "").await;
        assert!(!format!("{headers:?}{body}").contains("evil"));
    }
    for scope in ["a b", "a\"b", "a\\b", "a\r\nb", "", "ü"] {
        let bad = auth().supported_scopes([scope]);
        assert!(bad.protect(Router::new(), "/mcp", RESOURCE).is_err(), "{scope:?}");
    }
    for resource in
        ["mcp.example", "ftp://mcp.example", "https://u:p@mcp.example", "https://mcp.example/?a=b", "https:///"]
    {
        let bad = auth().resource(resource).protect(Router::new(), "/mcp", RESOURCE);
        assert!(resource == "https:///" || bad.is_err(), "{resource}");
    }
}

#[tokio::test]
async fn metadata_lie_at_all_places_for_everybody() {
    let places = ["", "/mcp", "/public/mcp"].map(|path| format!("/.well-known/oauth-protected-resource{path}"));
    for place in places {
        let (status, headers, body) = send(Request::get(&place).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{place}");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            document,
            json!({
                "resource": "https://mcp.example/public/mcp",
                "bearer_methods_supported": ["header"],
                "authorization_servers": ["https://issuer.example"],
                "scopes_supported": ["use", "admin"],
            })
        );
    }
    let (status, ..) =
        send(Request::get("/.well-known/oauth-protected-resource/other").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn doubt_is_503_and_no_challenge() {
    #[derive(Debug)]
    struct Doubtful;
    #[async_trait]
    impl Verifier for Doubtful {
        async fn verify(&self, _: &SecretString) -> Result<Principal, Rejection> {
            Err(Rejection::Unavailable("secret reason".to_owned()))
        }
    }
    let request = Request::post("/mcp").header(header::AUTHORIZATION, "Bearer x").body(Body::empty()).unwrap();
    let response = app(Auth::from(Doubtful).resource(RESOURCE)).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("secret"));
}

#[test]
fn t9_no_token_shows_in_debug() {
    let text =
        format!("{:?} {:?}", auth(), Auth::from(StaticTokens::new().token(&"s3cr3t".into(), Principal::new("i", "s"))));
    assert!(!text.contains("s3cr3t") && !text.contains("full"));
    let request = Request::post("/mcp").header(header::AUTHORIZATION, "Bearer s3cr3t").body(()).unwrap();
    let (mut parts, ()) = request.into_parts();
    let presented = bearer::take(&mut parts);
    assert!(matches!(presented, bearer::Presented::Token(_)) && !format!("{presented:?}").contains("s3cr3t"));
}
