//! Timing: how long requests take.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{Middleware, Next};
use crate::{
    Error,
    context::Context,
    message::{Request, Response},
};

/// Measures every request, by method and, for tools and prompts, by name. Keep a clone to read the measurements:
///
/// ```
/// use mcpwright_runtime::middleware::Timing;
///
/// let timing = Timing::new();
/// // server.middleware(timing.clone())
/// for operation in timing.report() {
///     println!("{} {:?} {:?}", operation.method, operation.target, operation.p95);
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Timing(Arc<Mutex<BTreeMap<(&'static str, String), Histogram>>>);

/// What was measured of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationTiming {
    /// `tools/call` …
    pub method: &'static str,
    /// The tool or prompt; empty for other methods.
    pub target: String,
    /// How many requests.
    pub count: u64,
    /// How many of them failed; a tool's `isError` counts.
    pub failures: u64,
    /// The time of all together.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    /// Half were faster than this; exact to a fifth.
    pub p50: Duration,
    /// 95 of 100 were faster than this.
    pub p95: Duration,
    /// 99 of 100 were faster than this.
    pub p99: Duration,
}

/// More names than this share one line: clients may invent any number.
const MAX_OPERATIONS: usize = 2000;

/// Bounds of the buckets: 0.1 ms, each next 1.2 times as far, up to more than ten minutes.
const BUCKETS: usize = 88;

#[derive(Debug, Clone)]
struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
    failures: u64,
    total: Duration,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], count: 0, failures: 0, total: Duration::ZERO, max: Duration::ZERO }
    }
}

fn bound(bucket: usize) -> Duration {
    let exponent = i32::try_from(bucket).unwrap_or(i32::MAX);
    Duration::from_secs_f64(0.0001 * 1.2_f64.powi(exponent))
}

impl Histogram {
    fn record(&mut self, time: Duration, failed: bool) {
        let bucket = (0..BUCKETS).find(|bucket| time <= bound(*bucket)).unwrap_or(BUCKETS - 1);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.count += 1;
        self.failures += u64::from(failed);
        self.total = self.total.saturating_add(time);
        self.max = self.max.max(time);
    }

    fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map_or(self.max, |bucket| bound(bucket).min(self.max))
    }
}

impl Timing {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was measured since the start, in the order of methods and names.
    pub fn report(&self) -> Vec<OperationTiming> {
        let operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let report = |((method, target), histogram): (&(&'static str, String), &Histogram)| OperationTiming {
            method,
            target: target.clone(),
            count: histogram.count,
            failures: histogram.failures,
            total: histogram.total,
            max: histogram.max,
            p50: histogram.percentile(50),
            p95: histogram.percentile(95),
            p99: histogram.percentile(99),
        };
        operations.iter().map(report).collect()
    }

    /// The measurements as a histogram and a counter in the Prometheus text format, version 0.0.4.
    pub fn prometheus(&self) -> String {
        const DURATION: &str = "mcp_request_duration_seconds";
        const FAILURES: &str = "mcp_request_failures_total";
        let operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = format!("# HELP {DURATION} How long requests took.\n# TYPE {DURATION} histogram\n");
        // All lines of one family have to follow each other.
        let mut failed = format!("# HELP {FAILURES} How many requests failed.\n# TYPE {FAILURES} counter\n");
        for ((method, target), histogram) in operations.iter() {
            let target = target.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let labels = format!("method=\"{method}\",target=\"{target}\"");
            let mut sum = 0;
            for (bucket, count) in histogram.buckets.iter().enumerate() {
                sum += count;
                // Every sixth bound is about three times the one before: enough for a chart.
                if bucket % 6 == 0 {
                    let bound = bound(bucket).as_secs_f64();
                    let _ = writeln!(text, "{DURATION}_bucket{{{labels},le=\"{bound:.4}\"}} {sum}");
                }
            }
            let Histogram { count, failures, total, .. } = histogram;
            let _ = writeln!(text, "{DURATION}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{DURATION}_sum{{{labels}}} {}", total.as_secs_f64());
            let _ = writeln!(text, "{DURATION}_count{{{labels}}} {count}");
            let _ = writeln!(failed, "{FAILURES}{{{labels}}} {failures}");
        }
        text + &failed
    }

    fn record(&self, method: &'static str, target: String, time: Duration, failed: bool) {
        let mut operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (method, target);
        if operations.len() >= MAX_OPERATIONS && !operations.contains_key(&key) {
            key.1 = "(others)".to_owned();
        }
        operations.entry(key).or_default().record(time, failed);
    }
}

#[async_trait]
impl Middleware for Timing {
    async fn on_request(
        &self,
        _: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        let method = request.method();
        let target = match &request {
            Request::CallTool(call) => call.name.clone(),
            Request::GetPrompt(get) => get.name.clone(),
            // There is no end to the URIs of resources.
            _ => String::new(),
        };
        let start = Instant::now();
        let answer = next.run(request).await;
        let time = start.elapsed();
        let failed = match &answer {
            Ok(Response::Tool(result)) => result.is_error,
            answer => answer.is_err(),
        };
        tracing::debug!(method, component = target, ms = time.as_secs_f64() * 1000.0, failed, "request");
        self.record(method, target, time, failed);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::{super::bench, *};

    #[tokio::test]
    async fn requests_are_measured_by_tool_with_their_failures() {
        let timing = Timing::new();
        let server = bench::Bench::new().layer(timing.clone());
        server.call("echo", serde_json::json!({"text": "a"})).await.unwrap();
        server.call("echo", serde_json::json!({"text": "b"})).await.unwrap();
        server.call("fail", serde_json::json!({})).await.unwrap_err();
        server.request(Request::ListTools(Default::default())).await.unwrap();
        let report = timing.report();
        let seen: Vec<_> =
            report.iter().map(|line| (line.method, line.target.as_str(), line.count, line.failures)).collect();
        assert_eq!(seen, [("tools/call", "echo", 2, 0), ("tools/call", "fail", 1, 1), ("tools/list", "", 1, 0)]);
        let text = timing.prometheus();
        assert!(text.contains(r#"mcp_request_duration_seconds_count{method="tools/call",target="echo"} 2"#), "{text}");
        assert!(text.contains(r#"mcp_request_failures_total{method="tools/call",target="fail"} 1"#), "{text}");
    }

    /// The rules of the text format that parsers insist on: each family once, with its type, all its lines together,
    /// buckets that grow up to `+Inf`, which is the count.
    #[test]
    fn the_exposition_is_what_prometheus_expects() {
        let timing = Timing::new();
        for (target, ms) in [("a\"b\\c\nd", 1), ("", 5), ("z", 3_600_000)] {
            timing.record("tools/call", target.to_owned(), Duration::from_millis(ms), ms == 1);
        }
        let text = timing.prometheus();
        let mut families: Vec<(&str, &str)> = Vec::new();
        let mut last = 0;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (family, kind) = rest.split_once(' ').unwrap();
                assert!(families.iter().all(|(known, _)| *known != family), "{line}");
                families.push((family, kind));
            } else if !line.starts_with("# HELP ") {
                let (family, kind) = families.last().unwrap();
                let (name, rest) = line.split_once('{').unwrap();
                let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} is not of {family}"));
                let value = rest.rsplit_once("} ").unwrap().1;
                match (*kind, suffix) {
                    ("counter", "") | ("histogram", "_sum") => {}
                    ("histogram", "_bucket") => {
                        let count: u64 = value.parse().unwrap();
                        assert!(count >= last, "{line}");
                        last = if rest.contains("+Inf") { 0 } else { count };
                    }
                    ("histogram", "_count") => assert_eq!(value, "1"),
                    other => panic!("{other:?} {line}"),
                }
            }
        }
        assert_eq!(
            families,
            [("mcp_request_duration_seconds", "histogram"), ("mcp_request_failures_total", "counter")]
        );
        assert!(text.contains(r#"target="a\"b\\c\nd""#), "{text}");
    }

    #[test]
    fn percentiles_are_close_and_names_bounded() {
        let timing = Timing::new();
        for ms in 1..=1000 {
            timing.record("m", String::new(), Duration::from_millis(ms), false);
        }
        let line = timing.report().remove(0);
        for (measured, exact) in [(line.p50, 500.0), (line.p95, 950.0), (line.p99, 990.0)] {
            let ratio = measured.as_secs_f64() * 1000.0 / exact;
            assert!((0.8..=1.2).contains(&ratio), "{measured:?} instead of {exact}");
        }
        for name in 0..5000 {
            timing.record("m", format!("t{name}"), Duration::ZERO, false);
        }
        assert!(timing.report().len() <= MAX_OPERATIONS + 1);
    }
}
