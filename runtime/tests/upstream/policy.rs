//! Time, repetition, redirects, concurrency, cancellation.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use mcpwright_runtime::{
    Error, ErrorKind,
    catalog::{Api, Body, Method, Operation, Policy},
    upstream::{Scope, Upstream},
};
use serde_json::{Map, json};

use crate::recorder::{Recorder, Reply, call, json as ok, response, structured, text};

static GET: Operation = Operation { path: "/x", ..Operation::DEFAULT };
static POST: Operation = Operation { method: Method::Post, path: "/x", body: Some(&Body::JSON), ..Operation::DEFAULT };

#[tokio::test]
async fn a_failed_call_is_repeated_where_that_is_safe() {
    let flaky = |number: usize, _: &crate::recorder::Recorded| match number {
        0 => response("503 Service Unavailable", &[], ""),
        1 => response("429 Too Many Requests", &[("retry-after", "0")], ""),
        _ => ok("{}"),
    };
    let server = Recorder::start(flaky).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    assert!(!call(&upstream, &GET, json!({})).await.expect("a result").is_error);
    assert_eq!(server.requests().len(), 3);

    let server = Recorder::start(flaky).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    assert!(call(&upstream, &POST, json!({})).await.expect("a result").is_error);
    assert_eq!(server.requests().len(), 1, "a POST is sent once");

    static ONCE: Operation =
        Operation { path: "/x", policy: Policy { retries: Some(0), ..Policy::DEFAULT }, ..Operation::DEFAULT };
    let server = Recorder::start(flaky).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    assert!(call(&upstream, &ONCE, json!({})).await.expect("a result").is_error);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn retry_after_is_waited_for_and_told_when_it_is_too_long() {
    let server = Recorder::start(|number, _| match number {
        0 => response("429 Too Many Requests", &[("retry-after", "1")], ""),
        _ => ok("{}"),
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let start = Instant::now();
    assert!(!call(&upstream, &GET, json!({})).await.expect("a result").is_error);
    assert!(start.elapsed() >= Duration::from_millis(990));

    let server = Recorder::start(|_, _| response("429 Too Many Requests", &[("retry-after", "3600")], "")).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    assert!(result.is_error && text(&result).contains("Try again after: 3600 s"), "{}", text(&result));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = Recorder::start(move |number, _| match number {
        0 => response("503 Service Unavailable", &[("retry-after", past)], ""),
        _ => ok("{}"),
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    assert!(!call(&upstream, &GET, json!({})).await.expect("a result").is_error);
    assert_eq!(server.requests().len(), 2);

    let future = "Fri, 06 Nov 2099 08:49:37 GMT";
    let server = Recorder::start(move |_, _| response("503 Service Unavailable", &[("retry-after", future)], "")).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    assert!(text(&result).contains(future), "{}", text(&result));
    assert_eq!(server.requests().len(), 1, "nobody waits that long");
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_tried_again() {
    let server = Recorder::start(|number, _| if number == 0 { Reply::Close(Vec::new()) } else { ok("{}") }).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    assert!(call(&upstream, &GET, json!({})).await.is_ok());
    assert_eq!(server.requests().len(), 2);
}

async fn failure(upstream: &Upstream) -> Error {
    call(upstream, &GET, json!({})).await.expect_err("an error")
}

#[tokio::test]
async fn failures_of_the_network_are_told_apart() {
    let hangs = Recorder::start(|_, _| Reply::Hang(Vec::new())).await;
    let upstream = hangs.with(&Api::DEFAULT, &[("T_TIMEOUT", "0.3")]).build().expect("an upstream");
    let start = Instant::now();
    assert_eq!(failure(&upstream).await.kind, ErrorKind::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(20));

    let half = Recorder::start(|_, _| Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec())).await;
    let upstream = half.with(&Api::DEFAULT, &[("T_TIMEOUT", "0.3")]).build().expect("an upstream");
    assert_eq!(failure(&upstream).await.kind, ErrorKind::TimedOut);

    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let secret = "hunter2-secret";
    for (base, words) in [
        (format!("http://{closed}/{secret}"), &["refuses", "T_BASE_URL"][..]),
        (format!("http://no-such-host.invalid/{secret}"), &["DNS", "T_BASE_URL"]),
        (format!("https://{}/{secret}", hangs.url.trim_start_matches("http://")), &["in time"]),
    ] {
        let variables = [("T_BASE_URL", base.as_str()), ("T_TIMEOUT", "1"), ("T_RETRIES", "0")];
        let upstream = hangs.with(&Api::DEFAULT, &variables).build().expect("an upstream");
        let error = failure(&upstream).await.to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{base}: {error}");
        assert!(!error.contains(secret), "{error}");
    }
    let plain = Recorder::start(|_, _| Reply::Close(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let base = format!("https://{address}");
    let upstream =
        plain.with(&Api::DEFAULT, &[("T_BASE_URL", &base), ("T_RETRIES", "0")]).build().expect("an upstream");
    assert!(failure(&upstream).await.to_string().contains("TLS"));

    let garbage = Recorder::start(|_, _| Reply::Close(b"\x16\x03garbage\r\n\r\n".to_vec())).await;
    let upstream = garbage.with(&Api::DEFAULT, &[("T_RETRIES", "0")]).build().expect("an upstream");
    assert_eq!(failure(&upstream).await.kind, ErrorKind::Failed);
}

#[tokio::test]
async fn redirects_stay_within_the_origin() {
    let server = Recorder::start(|_, request| match request.target() {
        "/x" => response("302 Found", &[("location", "/y?z=1")], ""),
        _ => ok(r#"{"moved":true}"#),
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    assert_eq!(structured(&result), Some(json!({ "moved": true })));
    assert_eq!(server.requests()[1].line, "GET /y?z=1 HTTP/1.1");

    let server = Recorder::start(|_, request| match request.target() {
        "/x" => response("303 See Other", &[("location", "/done")], ""),
        _ => ok("{}"),
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    call(&upstream, &POST, json!({ "a": 1 })).await.expect("a result");
    let requests = server.requests();
    assert_eq!((requests[1].line.as_str(), requests[1].body.len()), ("GET /done HTTP/1.1", 0));

    let server = Recorder::start(|_, request| match request.target() {
        "/x" => response("307 Temporary Redirect", &[("location", "/again")], ""),
        _ => ok("{}"),
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    call(&upstream, &POST, json!({ "a": 1 })).await.expect("a result");
    assert_eq!(
        (server.requests()[1].line.as_str(), server.requests()[1].text().as_str()),
        ("POST /again HTTP/1.1", r#"{"a":1}"#)
    );

    let server = Recorder::start(|_, _| response("302 Found", &[("location", "/x")], "")).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    assert!(call(&upstream, &GET, json!({})).await.expect("a result").is_error, "a loop ends");
    assert!(server.requests().len() < 10);
}

#[tokio::test]
async fn calls_wait_for_their_turn() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let router = axum::Router::new().route(
        "/x",
        axum::routing::get(|| async {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            NOW.fetch_sub(1, Ordering::SeqCst);
            "ok"
        }),
    );
    let upstream = Upstream::builder(&Api::DEFAULT)
        .prefix("T")
        .environment([("T_CONCURRENCY", "2")])
        .service(router)
        .build()
        .expect("an upstream");
    let calls = (0..8).map(|_| {
        let upstream = upstream.clone();
        tokio::spawn(async move { call(&upstream, &GET, json!({})).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.expect("a task").is_ok());
    }
    assert_eq!(MOST.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_cancelled_call_ends_at_once() {
    let server = Recorder::start(|_, _| Reply::Hang(Vec::new())).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let scope = Scope::default();
    let cancelled = scope.cancelled.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancelled.cancel();
    });
    let start = Instant::now();
    let error = upstream.call_tool(&GET, Map::new(), &scope).await.expect_err("an error");
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn an_operation_s_own_time_limit_counts() {
    static SLOW: Operation =
        Operation { path: "/x", policy: Policy { timeout_ms: Some(200), ..Policy::DEFAULT }, ..Operation::DEFAULT };
    let server = Recorder::start(|_, _| Reply::Hang(Vec::new())).await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let start = Instant::now();
    assert_eq!(call(&upstream, &SLOW, json!({})).await.expect_err("an error").kind, ErrorKind::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(20));
}
