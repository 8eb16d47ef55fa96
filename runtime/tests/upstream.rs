//! The upstream client on the wire: against a server that records every byte.

#[path = "upstream/recorder.rs"]
mod recorder;

#[path = "upstream/credentials.rs"]
mod credentials;
#[path = "upstream/in_process.rs"]
mod in_process;
#[path = "upstream/policy.rs"]
mod policy;
#[path = "upstream/results.rs"]
mod results;
#[path = "upstream/safety.rs"]
mod safety;
#[path = "upstream/wire.rs"]
mod wire;
