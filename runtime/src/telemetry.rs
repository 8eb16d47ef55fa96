//! OpenTelemetry: a span and a measurement of every request, and a span of every request to the API.
//!
//! They follow the [semantic conventions for MCP](https://github.com/open-telemetry/semantic-conventions-genai) and those
//! for HTTP clients. Arguments, results, headers and query strings are in none of them.

mod client_span;
mod environment;
mod server_span;

use std::{sync::Arc, time::Duration};

use opentelemetry::{
    metrics::{Histogram, MeterProvider as _},
    trace::TracerProvider as _,
};
use opentelemetry_sdk::{
    metrics::SdkMeterProvider,
    trace::{SdkTracer, SdkTracerProvider},
};

pub use environment::TelemetryError;
pub use server_span::Parent;
// Whoever makes providers needs the versions that the runtime has.
pub use {opentelemetry, opentelemetry_otlp, opentelemetry_sdk};

const SCOPE: &str = "mcpwright";

/// The bounds that the conventions advise, in seconds.
const BOUNDS: [f64; 14] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// The longest time for handing over what was not yet exported.
const FLUSH: Duration = Duration::from_secs(5);

/// A layer that tells OpenTelemetry of every request. A server has it by itself when the environment names a collector.
#[derive(Clone, Debug)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracer: SdkTracer,
    duration: Histogram<f64>,
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Telemetry {
    /// Tells providers of one's own, which their owner shuts down.
    pub fn new(tracers: SdkTracerProvider, meters: SdkMeterProvider) -> Self {
        let duration = meters
            .meter(SCOPE)
            .f64_histogram("mcp.server.operation.duration")
            .with_unit("s")
            .with_description("How long requests took, as the server sees it.")
            .with_boundaries(BOUNDS.to_vec())
            .build();
        Self(Arc::new(Inner { tracer: tracers.tracer(SCOPE), duration, tracers, meters }))
    }

    /// Exports what is left, for some seconds at most.
    pub(crate) async fn stop(self) {
        let flush = tokio::task::spawn_blocking(move || {
            let spans = self.0.tracers.shutdown_with_timeout(FLUSH);
            let metrics = self.0.meters.shutdown_with_timeout(FLUSH);
            spans.is_ok() && metrics.is_ok()
        });
        // The cause may name the collector's address with a credential in it.
        if !matches!(flush.await, Ok(true)) {
            tracing::warn!("the last spans and measurements did not reach the collector");
        }
    }
}
