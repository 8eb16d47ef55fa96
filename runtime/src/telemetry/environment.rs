//! Exporters as the environment describes them, in the variables that all SDKs of OpenTelemetry know.

use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};

use super::Telemetry;

/// The environment asks for an exporter that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the exporter of {0} cannot be set up: check OTEL_EXPORTER_OTLP_ENDPOINT (a URL, usually http://HOST:4318) and the \
     other variables OTEL_EXPORTER_OTLP_…; of compressions there is gzip"
)]
pub struct TelemetryError(&'static str);

impl Telemetry {
    /// Exports by OTLP over HTTP, where `OTEL_EXPORTER_OTLP_ENDPOINT` or the variable of one signal says to what
    /// collector; `None` where none does, or `OTEL_SDK_DISABLED` is `true`. The service has this name unless the
    /// environment gives it another.
    ///
    /// # Errors
    /// When a variable has a value that does not work.
    pub fn from_environment(name: &str, version: &str) -> Result<Option<Self>, TelemetryError> {
        let wants = Wants::of(&|variable| std::env::var(variable).ok());
        if wants == Wants::default() {
            return Ok(None);
        }
        let mut resource = Resource::builder();
        let service = Resource::builder().build().get(&Key::from_static_str("service.name"));
        if service.is_none_or(|service| service.as_str().starts_with("unknown_service")) {
            resource = resource.with_service_name(name.to_owned());
        }
        let resource = resource.with_attribute(KeyValue::new("service.version", version.to_owned())).build();
        let mut tracers = SdkTracerProvider::builder().with_resource(resource.clone());
        if wants.traces {
            let exporter = SpanExporter::builder().with_http().build().map_err(|_| TelemetryError("traces"))?;
            tracers = tracers.with_batch_exporter(exporter);
        }
        let mut meters = SdkMeterProvider::builder().with_resource(resource);
        if wants.metrics {
            let exporter = MetricExporter::builder().with_http().build().map_err(|_| TelemetryError("metrics"))?;
            meters = meters.with_periodic_exporter(exporter);
        }
        Ok(Some(Self::new(tracers.build(), meters.build())))
    }
}

/// Which signals are exported.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wants {
    traces: bool,
    metrics: bool,
}

impl Wants {
    fn of(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        // The specification has empty variables count as absent.
        let value = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let is = |name: &str, text: &str| value(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(text));
        if is("OTEL_SDK_DISABLED", "true") {
            return Self::default();
        }
        let wants = |signal: &str| {
            let endpoint = value("OTEL_EXPORTER_OTLP_ENDPOINT")
                .or_else(|| value(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")));
            endpoint.is_some() && !is(&format!("OTEL_{signal}_EXPORTER"), "none")
        };
        Self { traces: wants("TRACES"), metrics: wants("METRICS") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_exported_unless_a_collector_is_named() {
        let both = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        for (variables, traces, metrics) in [
            (vec![], false, false),
            (vec![("OTEL_SERVICE_NAME", "x")], false, false),
            (vec![("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], false, false),
            (vec![both], true, true),
            (vec![both, ("OTEL_SDK_DISABLED", "True")], false, false),
            (vec![both, ("OTEL_SDK_DISABLED", "false")], true, true),
            (vec![both, ("OTEL_METRICS_EXPORTER", "none")], true, false),
            (vec![("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost/v1/metrics")], false, true),
        ] {
            let found = Wants::of(&|name| {
                variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found, Wants { traces, metrics }, "{variables:?}");
        }
    }
}
