//! Values that live as long as the server does.

use std::{fmt::Display, future::Future, pin::Pin, sync::Arc};

type Stop = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;
type Started = Result<(Value, Stop), String>;
type Value = Box<dyn FnOnce(&mut http::Extensions) + Send>;

/// How to make a value and how to end it.
pub(super) struct Lifespan {
    type_name: &'static str,
    start: Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Started> + Send>> + Send>,
}

impl Lifespan {
    pub(super) fn new<F, Fut, T, E, S, Stopped>(start: F, stop: S) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + Sync + 'static,
        E: Display + 'static,
        S: FnOnce(Arc<T>) -> Stopped + Send + 'static,
        Stopped: Future<Output = ()> + Send + 'static,
    {
        let start = move || -> Pin<Box<dyn Future<Output = Started> + Send>> {
            let starting = start();
            Box::pin(async move {
                let value = Arc::new(starting.await.map_err(|error| error.to_string())?);
                let kept = value.clone();
                let keep: Value = Box::new(move |extensions| {
                    extensions.insert(kept);
                });
                let end: Stop = Box::new(move || Box::pin(stop(value)));
                Ok((keep, end))
            })
        };
        Self { type_name: std::any::type_name::<T>(), start: Box::new(start) }
    }
}

/// The ends of the lifespans that have started, in the order of their starts.
#[derive(Default)]
pub(super) struct Stops(Vec<Stop>);

impl Stops {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds something to do at the end.
    #[cfg(any(feature = "proxy", feature = "otel"))]
    pub(super) fn push(&mut self, stop: impl Future<Output = ()> + Send + 'static) {
        self.0.push(Box::new(move || Box::pin(stop)));
    }

    /// Runs all ends, the last start first. A panic in one does not keep the others from running.
    pub(super) async fn run(self) {
        for stop in self.0.into_iter().rev() {
            if tokio::spawn(stop()).await.is_err() {
                tracing::error!("a lifespan failed to stop");
            }
        }
    }
}

/// Starts all in order, until one fails; notes how those that started are stopped.
pub(super) async fn start(
    lifespans: Vec<Lifespan>,
    values: &mut http::Extensions,
    stops: &mut Stops,
) -> Result<(), String> {
    for lifespan in lifespans {
        let started = match tokio::spawn((lifespan.start)()).await {
            Ok(started) => started,
            Err(_) => Err("it panicked".to_owned()),
        };
        match started {
            Ok((keep, stop)) => {
                keep(values);
                stops.0.push(stop);
            }
            Err(error) => return Err(format!("{}: {error}", lifespan.type_name)),
        }
    }
    Ok(())
}
