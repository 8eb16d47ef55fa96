//! Several instances of one server over one store: they share limits, cache and the list of tokens.
//!
//! ```text
//! FLEET_BASE_URL=https://api.example.com FLEET_STORAGE=redis://127.0.0.1 \
//! FLEET_MIDDLEWARE='{"rate_limiting": {"requests": 100, "per_ms": 60000}, "response_caching": {}}' \
//!     cargo run -p mcpwright-runtime --example fleet -- --transport http --port 8000
//! ```
//!
//! `FLEET_MIDDLEWARE` and `FLEET_STORAGE` work in every server. With `FLEET_TOKENS=1` clients need one of the tokens that
//! lie in the store as well: `token`, named by the [`digest`] of a token, holds its subject.

use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use mcpwright_runtime::{
    Server,
    auth::{Principal, Rejection, Verifier},
    catalog::{Api, Hints, Kind, Method, Operation, Parameter},
    storage::{self, Capabilities, Key, KvStore, digest},
};
use secrecy::{ExposeSecret, SecretString};

static SYMBOL: Parameter = Parameter { name: "symbol", schema: r#"{"type":"string"}"#, ..Parameter::PATH };
static QUOTE: Operation = Operation {
    id: "quote",
    name: "quote",
    kind: Kind::ResourceTemplate,
    description: "The price of a share.",
    path: "/quotes/{symbol}",
    uri: "api://fleet/quotes/{symbol}",
    parameters: &[&SYMBOL],
    ..Operation::DEFAULT
};
static ORDER: Operation = Operation {
    id: "order",
    name: "order",
    description: "Buys a share.",
    method: Method::Post,
    path: "/orders/{symbol}",
    parameters: &[&SYMBOL],
    hints: Hints::CREATE,
    ..Operation::DEFAULT
};
static API: Api =
    Api { name: "fleet", title: "Fleet", version: "1.0.0", operations: &[&[&QUOTE, &ORDER]], ..Api::DEFAULT };

fn main() -> ExitCode {
    let server = Server::new(&API);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable("FLEET_TOKENS"), variable("FLEET_STORAGE")) {
        (Some(_), Some(url)) => {
            let tokens = IssuedTokens::default();
            let opened = tokens.clone();
            server.lifespan(async move || opened.open(&url).await).auth(tokens).main()
        }
        _ => server.main(),
    }
}

/// The tokens in a store, which is opened when the server starts.
#[derive(Debug, Clone, Default)]
struct IssuedTokens(Arc<OnceLock<Arc<dyn KvStore>>>);

impl IssuedTokens {
    /// Opens the store, unless it could forget a token or keep it from other instances.
    async fn open(&self, url: &str) -> Result<(), storage::Error> {
        let store = storage::open(url).await?;
        let needs = Capabilities { durable: true, shared: true, ..Capabilities::default() };
        storage::require(&*store, "the list of tokens", needs)?;
        let _ = self.0.set(store);
        Ok(())
    }
}

#[async_trait]
impl Verifier for IssuedTokens {
    async fn verify(&self, token: &SecretString) -> Result<Principal, Rejection> {
        let unavailable = |error: &dyn std::fmt::Display| Rejection::Unavailable(error.to_string());
        let store = self.0.get().ok_or_else(|| unavailable(&"the store is not open"))?;
        let name = digest([token.expose_secret()]);
        let key = Key::new("token", &name).map_err(|error| unavailable(&error))?;
        // A store that does not answer is no reason to let anybody pass.
        let subject = store.get(key).await.map_err(|error| unavailable(&error))?;
        let subject = subject.ok_or(Rejection::Invalid("it was never issued, or was taken back"))?;
        Ok(Principal::new("fleet", String::from_utf8_lossy(&subject)))
    }
}
