//! Exporters as the environment describes them, in the variables that all SDKs of OpenTelemetry know.

use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use url::Url;

use super::Telemetry;

/// The environment asks for an exporter that cannot be made. Holds no value: an address may hold a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// A variable names no collector.
    #[error("{0} is not the http or https URL of a collector, which is usually http://HOST:4318")]
    Endpoint(String),
    /// Another variable has a value that does not work.
    #[error(
        "the exporter of {0} cannot be set up: check the variables OTEL_EXPORTER_OTLP_…; of compressions there is gzip"
    )]
    Exporter(&'static str),
}

impl Telemetry {
    /// Exports by OTLP over HTTP, where `OTEL_EXPORTER_OTLP_ENDPOINT` or the variable of one signal says to what
    /// collector; `None` where none does, or `OTEL_SDK_DISABLED` is `true`. The service has this name unless the
    /// environment gives it another.
    ///
    /// # Errors
    /// When a variable has a value that does not work.
    pub fn from_environment(name: &str, version: &str) -> Result<Option<Self>, TelemetryError> {
        let wants = Wants::of(&|variable| std::env::var(variable).ok())?;
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
            let exporter =
                SpanExporter::builder().with_http().build().map_err(|_| TelemetryError::Exporter("traces"))?;
            tracers = tracers.with_batch_exporter(exporter);
        }
        let mut meters = SdkMeterProvider::builder().with_resource(resource);
        if wants.metrics {
            let exporter =
                MetricExporter::builder().with_http().build().map_err(|_| TelemetryError::Exporter("metrics"))?;
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
    fn of(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, TelemetryError> {
        // The specification has empty variables count as absent.
        let value = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let is = |name: &str, text: &str| value(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(text));
        if is("OTEL_SDK_DISABLED", "true") {
            return Ok(Self::default());
        }
        let wants = |signal: &str| {
            if is(&format!("OTEL_{signal}_EXPORTER"), "none") {
                return Ok(false);
            }
            // That of the signal goes first.
            let names = [format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()];
            let named = names.into_iter().find_map(|name| value(&name).map(|value| (name, value)));
            match named {
                Some((name, value)) if !is_http(&value) => Err(TelemetryError::Endpoint(name)),
                named => Ok(named.is_some()),
            }
        };
        Ok(Self { traces: wants("TRACES")?, metrics: wants("METRICS")? })
    }
}

fn is_http(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
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
            assert_eq!(found, Ok(Wants { traces, metrics }), "{variables:?}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_told_by_its_variable() {
        for wrong in ["no url", "ftp://user:secret@x", "http://", "localhost:4318"] {
            for variable in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
                let error = Wants::of(&|name| (name == variable).then(|| wrong.to_owned())).unwrap_err();
                assert_eq!(error, TelemetryError::Endpoint(variable.to_owned()), "{wrong}");
                assert!(!error.to_string().contains("secret"));
            }
        }
    }
}
