//! Retry: once more, where that is harmless.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::{Middleware, Next};
use crate::{
    Error, ErrorKind,
    context::Context,
    message::{Request, Response},
};

/// How [`Retry`] tries again.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// How often a request is tried, the first time included.
    pub attempts: u32,
    /// The pause before the second try, in milliseconds; each further one is twice as long.
    pub pause_ms: u64,
    /// The longest pause, in milliseconds. A limit that asks for a longer one is not waited for.
    pub max_pause_ms: u64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { attempts: 3, pause_ms: 200, max_pause_ms: 5000 }
    }
}

/// Tries requests again that were refused for a reason that passes: overload, a limit, a time-out. Only what changes
/// nothing is tried again: reads, prompts, and tools that declare themselves read-only or idempotent. Calls of the API
/// behind the server have a retry of their own, which knows HTTP; this is for tools that are written by hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retry(RetryConfig);

impl Retry {
    /// Tries as the configuration says.
    pub fn new(config: RetryConfig) -> Self {
        Self(config)
    }

    /// The pause before the next try; `None` when the error does not pass, or not soon.
    fn pause(&self, error: &Error, tried: u32) -> Option<Duration> {
        let longest = Duration::from_millis(self.0.max_pause_ms);
        let doubled = Duration::from_millis(self.0.pause_ms).saturating_mul(1 << tried.saturating_sub(1).min(16));
        match error.kind {
            ErrorKind::Overloaded | ErrorKind::TimedOut | ErrorKind::RateLimited { retry_after: None } => {
                Some(doubled.min(longest))
            }
            ErrorKind::RateLimited { retry_after: Some(after) } => (after <= longest).then_some(after),
            _ => None,
        }
    }
}

fn is_harmless(context: &Context, request: &Request) -> bool {
    match request {
        Request::CallTool(call) => context
            .tool_info(&call.name)
            .and_then(|info| info.hints)
            .is_some_and(|hints| hints.read_only || hints.idempotent),
        Request::ReadResource(_) | Request::GetPrompt(_) | Request::Complete(_) => true,
        _ => false,
    }
}

#[async_trait]
impl Middleware for Retry {
    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        if !is_harmless(context, &request) {
            return next.run(request).await;
        }
        let mut tried = 1;
        loop {
            let error = match next.run_again(request.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = self.pause(&error, tried).filter(|_| tried < self.0.attempts && !context.is_cancelled());
            let Some(pause) = pause else { return Err(error) };
            tracing::debug!(method = request.method(), %error, tried, "tried again");
            tokio::time::sleep(pause).await;
            tried += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    fn quick(attempts: u32) -> Retry {
        Retry::new(RetryConfig { attempts, pause_ms: 1, max_pause_ms: 10 })
    }

    #[tokio::test]
    async fn what_is_harmless_is_tried_again_until_it_works() {
        let server = Bench::new().layer(quick(3));
        let result = server.call("busy_twice", json!({})).await.unwrap();
        assert_eq!(Bench::text(&result), "third time");
        assert_eq!(server.calls("busy_twice"), 3);
        let server = Bench::new().layer(quick(2));
        assert_eq!(server.call("busy_twice", json!({})).await.unwrap_err().kind, ErrorKind::Overloaded);
        assert_eq!(server.calls("busy_twice"), 2);
    }

    #[tokio::test]
    async fn what_may_change_something_or_fails_for_good_is_tried_once() {
        let server = Bench::new().layer(quick(3));
        server.call("busy_write", json!({})).await.unwrap_err();
        server.call("fail", json!({})).await.unwrap_err();
        assert_eq!((server.calls("busy_write"), server.calls("fail")), (1, 1));
    }

    #[test]
    fn a_long_wait_is_not_waited_for() {
        let limited =
            |after| Error::new(ErrorKind::RateLimited { retry_after: Some(Duration::from_millis(after)) }, "");
        assert_eq!(quick(3).pause(&limited(7), 1), Some(Duration::from_millis(7)));
        assert_eq!(quick(3).pause(&limited(11), 1), None);
        let busy = Error::new(ErrorKind::Overloaded, "");
        let pauses: Vec<_> = [1, 2, 3, 9, 100].map(|tried| quick(3).pause(&busy, tried).unwrap().as_millis()).into();
        assert_eq!(pauses, [1, 2, 4, 10, 10]);
    }
}
