//! Error handling: what clients learn of failures, and how many there were.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use serde::Deserialize;

use super::{Middleware, Next};
use crate::{
    Error, ErrorKind,
    context::Context,
    message::{Request, Response},
};

/// What [`ErrorHandling`] does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorHandlingConfig {
    /// Replaces the messages of failures by general ones, so that nothing of the inside shows. Messages about wrong
    /// arguments, missing scopes and limits stay: clients need them.
    pub mask: bool,
}

/// The message of this request's failure is written for its client: it tells nothing of the inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForClient;

type Map = Arc<dyn Fn(&Request, Error) -> Error + Send + Sync>;

/// Logs, counts, masks and changes errors. Keep a clone to read the counts. Put it outermost.
#[derive(Clone, Default)]
pub struct ErrorHandling {
    config: ErrorHandlingConfig,
    map: Option<Map>,
    counts: Arc<Mutex<BTreeMap<(&'static str, &'static str), u64>>>,
}

impl fmt::Debug for ErrorHandling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorHandling").field("config", &self.config).finish_non_exhaustive()
    }
}

impl ErrorHandling {
    /// Does what the configuration says.
    pub fn new(config: ErrorHandlingConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Changes errors, before they are masked.
    #[must_use]
    pub fn map(mut self, map: impl Fn(&Request, Error) -> Error + Send + Sync + 'static) -> Self {
        self.map = Some(Arc::new(map));
        self
    }

    /// How many errors there were since the start, by method and kind.
    pub fn counts(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn name(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidParams => "invalid_params",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Failed => "failed",
        ErrorKind::Internal => "internal",
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::Forbidden { .. } => "forbidden",
        ErrorKind::RateLimited { .. } => "rate_limited",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Unsupported => "unsupported",
    }
}

#[async_trait]
impl Middleware for ErrorHandling {
    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        let method = request.method();
        let about = self.map.is_some().then(|| request.clone());
        let error = match next.run(request).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let error = match (&self.map, about) {
            (Some(map), Some(request)) => map(&request, error),
            _ => error,
        };
        let kind = name(&error.kind);
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry((method, kind)).or_default() += 1;
        match error.kind {
            ErrorKind::Failed | ErrorKind::Internal => {
                let id = context.request_id();
                tracing::warn!(method, kind, id, %error, "a request failed");
                if self.config.mask && context.get::<ForClient>().is_none() {
                    let message = format!("The request failed. The server's log has the details under {id}.");
                    return Err(Error::new(error.kind, message));
                }
            }
            _ => tracing::debug!(method, kind, %error, "a request was refused"),
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    #[tokio::test]
    async fn failures_are_counted_and_masked_but_advice_stays() {
        let errors = ErrorHandling::new(ErrorHandlingConfig { mask: true });
        let server = Bench::new().layer(errors.clone());
        let failed = server.call("fail", json!({})).await.unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Failed);
        assert!(!failed.message.contains("database") && failed.message.contains("log"));
        let wrong = server.call("echo", json!({"text": 7})).await.unwrap_err();
        assert!(wrong.kind == ErrorKind::InvalidParams && wrong.message.contains("text"));
        server.call("none", json!({})).await.unwrap_err();
        let counts: Vec<_> = errors.counts().into_iter().map(|((_, kind), count)| (kind, count)).collect();
        assert_eq!(counts, [("failed", 1), ("invalid_params", 1), ("not_found", 1)]);
    }

    #[tokio::test]
    async fn errors_can_be_mapped() {
        let errors = ErrorHandling::default().map(|request, mut error| {
            error.message = format!("{} {}", request.target().unwrap_or_default(), error.message).into();
            error
        });
        let error = Bench::new().layer(errors).call("fail", json!({})).await.unwrap_err();
        assert_eq!(error.message, "fail the database at 10.0.0.7 is down");
    }
}
