//! The fence around handlers: a panic, a hang or a flood of requests ends in an error of that one request.

use std::{any::Any, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::sync::Semaphore;

use crate::{
    Error, ErrorKind,
    context::{Context, Outcome},
};

pub(crate) struct Limits {
    /// How long a handler may take.
    pub(super) timeout: Duration,
    /// How many requests are under way at most; more are refused at once.
    permits: Semaphore,
    most: usize,
}

impl Limits {
    pub(crate) fn new(timeout: Duration, concurrency: usize) -> Self {
        let most = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self { timeout, permits: Semaphore::new(most), most }
    }

    /// Waits until no request is under way, but no longer than `within`.
    pub(crate) async fn idle(&self, within: Duration) {
        let idle = async {
            while self.permits.available_permits() < self.most {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // The answer is made, and now on its way out.
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        if tokio::time::timeout(within, idle).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
    }

    pub(crate) async fn guard<T>(
        &self,
        context: &Context,
        timeout: Option<Duration>,
        handler: impl Future<Output = Outcome<Result<T, Error>>>,
    ) -> Outcome<Result<T, Error>> {
        let Ok(_permit) = self.permits.try_acquire() else {
            let error = Error::new(ErrorKind::Overloaded, "The server is busy. Try again in a moment.");
            return Outcome::Done(Err(error));
        };
        self.fence(context, timeout.unwrap_or(self.timeout), handler).await
    }

    /// [`Limits::guard`] for what takes no place among the requests under way.
    pub(crate) async fn fence<T>(
        &self,
        context: &Context,
        timeout: Duration,
        handler: impl Future<Output = Outcome<Result<T, Error>>>,
    ) -> Outcome<Result<T, Error>> {
        let handler = AssertUnwindSafe(handler).catch_unwind();
        tokio::select! {
            biased;
            answer = handler => answer.unwrap_or_else(|panic| {
                tracing::error!(panic = said(&*panic), "a handler panicked");
                Outcome::Done(Err(Error::internal("The server failed at this request. Its log says why.")))
            }),
            () = context.cancelled() => {
                Outcome::Done(Err(Error::new(ErrorKind::Cancelled, "The request was cancelled.")))
            }
            () = tokio::time::sleep(timeout) => {
                let message = format!("The request took longer than {} s and was given up.", timeout.as_secs_f64());
                Outcome::Done(Err(Error::new(ErrorKind::TimedOut, message)))
            }
        }
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}
