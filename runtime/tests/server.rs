//! Servers as clients see them, in memory and over HTTP.

#[path = "server/api.rs"]
mod api;
#[path = "server/asking.rs"]
mod asking;
#[path = "server/components.rs"]
mod components;
#[path = "server/composition.rs"]
mod composition;
#[path = "server/fence.rs"]
mod fence;
#[cfg(feature = "proxy")]
#[path = "server/hostile_remote.rs"]
mod hostile_remote;
#[path = "server/http.rs"]
mod http;
#[path = "server/layers.rs"]
mod layers;
#[path = "server/lifespan.rs"]
mod lifespan;
#[path = "server/mistakes.rs"]
mod mistakes;
#[path = "server/problems.rs"]
mod problems;
#[cfg(feature = "proxy")]
#[path = "server/proxy.rs"]
mod proxy;
#[path = "server/tasks.rs"]
mod tasks;
#[path = "server/telemetry.rs"]
mod telemetry;
#[path = "server/tracing.rs"]
mod tracing;
#[path = "server/transform.rs"]
mod transform;
#[path = "server/ways.rs"]
mod ways;
