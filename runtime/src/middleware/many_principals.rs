//! More principals than a server remembers: what is kept of them has an end.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{ErrorHandling, Logging, RateLimiting, ResponseCaching, ResponseCachingConfig, Timing, bench::Bench};
use crate::{
    message::{CallTool, Request},
    storage::MemoryStore,
};

/// Beyond the bounds of all layers.
const PRINCIPALS: usize = 102_000;

#[tokio::test]
async fn a_hundred_thousand_principals_do_not_grow_memory_without_bound() {
    let store = Arc::new(MemoryStore::evicting(100_000, 64 << 20));
    let limiting = RateLimiting::token_bucket(1, Duration::from_secs(30 * 86_400));
    let config = ResponseCachingConfig { tools_ms: 30 * 86_400_000, ..ResponseCachingConfig::default() };
    let (timing, errors) = (Timing::new(), ErrorHandling::default());
    let caching = ResponseCaching::in_store(config, store.clone());
    let server = Bench::new()
        .layer(timing.clone())
        .layer(Logging::default())
        .layer(errors.clone())
        .layer(limiting.clone())
        .layer(caching.clone());
    let serde_json::Value::Object(arguments) = json!({"text": "x"}) else { unreachable!() };
    let request = Request::CallTool(CallTool { name: "echo".to_owned(), arguments });
    server.requests_of((0..PRINCIPALS).map(|index| format!("principal-{index}")), &request).await;

    assert_eq!(
        server.calls("echo") + refused(&errors),
        PRINCIPALS,
        "each has a cache, and at first a limit, of his own"
    );
    assert!(server.calls("echo") >= 100_000);
    assert_eq!(limiting.names(), 100_001, "those who come last share one limit");
    let (entries, bytes) = store.size();
    assert_eq!(entries, 100_000, "new answers take the place of old ones");
    assert!(bytes <= 64 << 20, "{bytes}");
    assert!(caching.flights() <= 1000, "{}", caching.flights());
    assert_eq!(timing.report().len(), 1, "statistics are of tools, not of principals");
    assert!(errors.counts().len() <= 1);
}

/// How many requests were beyond a limit.
fn refused(errors: &ErrorHandling) -> usize {
    errors.counts().get(&("tools/call", "rate_limited")).map_or(0, |count| usize::try_from(*count).unwrap())
}
