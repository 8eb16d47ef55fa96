//! The built-in layers, chosen and configured without code: in `mcpwright.toml`, and by environment variables.

use std::sync::Arc;

use axum::{Router, routing::get};
use http::header;
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Authorization, AuthorizationConfig, ErrorHandling, ErrorHandlingConfig, Logging, LoggingConfig, Middleware,
    PromptsAsTools, RateLimiting, RateLimitingConfig, ResourcesAsTools, ResponseCaching, ResponseCachingConfig,
    ResponseLimiting, ResponseLimitingConfig, Retry, RetryConfig, Timing,
};
use crate::{
    catalog,
    storage::{self, KvStore},
};

/// The built-in layers of a server. One that is absent is not there.
///
/// As JSON, in the environment variable `<PREFIX>_MIDDLEWARE`: `{"logging": {}, "rate_limiting": {"requests": 100,
/// "per_ms": 60000}}`. In `mcpwright.toml` the same as tables: `[middleware.logging]`. Whatever order they are written in,
/// they lie around each other as the members stand here, the first outermost.
#[derive(Debug, Clone, Default)]
pub struct MiddlewareConfig {
    /// [`Timing`]
    pub timing: Option<TimingConfig>,
    /// [`Logging`]
    pub logging: Option<LoggingConfig>,
    /// [`ErrorHandling`]
    pub error_handling: Option<ErrorHandlingConfig>,
    /// [`Authorization`]
    pub authorization: Option<AuthorizationConfig>,
    /// [`RateLimiting`]
    pub rate_limiting: Option<RateLimitingConfig>,
    /// [`ResponseLimiting`]
    pub response_limiting: Option<ResponseLimitingConfig>,
    /// [`ResponseCaching`]
    pub response_caching: Option<ResponseCachingConfig>,
    /// [`Retry`]
    pub retry: Option<RetryConfig>,
    /// [`ResourcesAsTools`]
    pub resources_as_tools: Option<NoSettings>,
    /// [`PromptsAsTools`]
    pub prompts_as_tools: Option<NoSettings>,
}

/// What [`Timing`] does with its measurements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimingConfig {
    /// Serves them over HTTP at `/metrics`, in the Prometheus text format. Where the server demands tokens it demands them
    /// there too.
    pub metrics: bool,
}

/// The settings of a layer that has none: `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// What is wrong with the configuration of layers, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MiddlewareConfigError(String);

impl MiddlewareConfig {
    /// Puts together what several texts say, each a JSON object or empty. A layer is as the last text says that names it;
    /// `null` takes it away.
    ///
    /// # Errors
    /// When a text is no JSON object, names an unknown layer, or one with a setting that is unknown or wrong.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, MiddlewareConfigError> {
        let mut sections = Map::new();
        for text in texts.into_iter().filter(|text| !text.trim().is_empty()) {
            match serde_json::from_str(text) {
                Ok(Value::Object(members)) => sections.extend(members),
                Ok(_) => return Err(MiddlewareConfigError("expected a JSON object of layers by name".to_owned())),
                Err(error) => return Err(MiddlewareConfigError(format!("the JSON is not well-formed: {error}"))),
            }
        }
        if let Some(unknown) = sections.keys().find(|name| !catalog::MIDDLEWARE.contains(&name.as_str())) {
            return Err(MiddlewareConfigError(format!(
                "there is no layer `{}`; there are {}",
                unknown.escape_debug(),
                catalog::MIDDLEWARE.join(", ")
            )));
        }
        Ok(Self {
            timing: section(&mut sections, "timing")?,
            logging: section(&mut sections, "logging")?,
            error_handling: section(&mut sections, "error_handling")?,
            authorization: section(&mut sections, "authorization")?,
            rate_limiting: section(&mut sections, "rate_limiting")?,
            response_limiting: section(&mut sections, "response_limiting")?,
            response_caching: section(&mut sections, "response_caching")?,
            retry: section(&mut sections, "retry")?,
            resources_as_tools: section(&mut sections, "resources_as_tools")?,
            prompts_as_tools: section(&mut sections, "prompts_as_tools")?,
        })
    }

    /// Makes the layers. Those that keep something keep it in `store`, if there is one.
    pub(crate) fn build(self, store: Option<&Store>) -> Built {
        let mut built = Built::default();
        if let Some(config) = self.timing {
            let timing = Timing::new();
            built.layers.push(Arc::new(timing.clone()));
            built.metrics = config.metrics.then_some(timing);
        }
        built.add(self.logging.map(Logging::new));
        built.add(self.error_handling.map(ErrorHandling::new));
        built.add(self.authorization.map(Authorization::new));
        built.add(self.rate_limiting.map(|config| {
            let limiting = RateLimiting::new(config);
            #[cfg(feature = "redis")]
            if let Some(redis) = store.and_then(|store| store.redis.clone()) {
                return limiting.shared(redis);
            }
            limiting
        }));
        built.add(self.response_limiting.map(ResponseLimiting::new));
        built.add(self.response_caching.map(|config| match store {
            Some(store) => ResponseCaching::in_store(config, store.values.clone()),
            None => ResponseCaching::new(config),
        }));
        built.add(self.retry.map(Retry::new));
        built.add(self.resources_as_tools.map(|_| ResourcesAsTools));
        built.add(self.prompts_as_tools.map(|_| PromptsAsTools));
        built
    }

    /// What to tell whoever believes that instances share a limit because they share a store.
    pub(crate) fn counts_apart(&self, store: Option<&Store>) -> Option<&'static str> {
        let is_alone = |store: &&Store| {
            #[cfg(feature = "redis")]
            if store.redis.is_some() {
                return false;
            }
            store.values.capabilities().shared
        };
        (self.rate_limiting.is_some() && store.filter(is_alone).is_some()).then_some(
            "the rate limit is counted in this process alone: processes share one in a store of Redis or Valkey, not in \
             others",
        )
    }

    /// Whether a layer would use a store.
    pub(crate) fn keeps(&self) -> bool {
        self.rate_limiting.is_some() || self.response_caching.is_some()
    }
}

fn section<T: DeserializeOwned>(
    sections: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, MiddlewareConfigError> {
    let Some(section) = sections.remove(name) else { return Ok(None) };
    serde_json::from_value(section).map_err(|error| MiddlewareConfigError(format!("`{name}`: {error}")))
}

/// The layers that a configuration asks for.
#[derive(Default)]
pub(crate) struct Built {
    /// The first outermost.
    pub(crate) layers: Vec<Arc<dyn Middleware>>,
    /// What is to be served at `/metrics`.
    pub(crate) metrics: Option<Timing>,
}

impl Built {
    fn add(&mut self, layer: Option<impl Middleware>) {
        self.layers.extend(layer.map(|layer| Arc::new(layer) as Arc<dyn Middleware>));
    }
}

/// The store that layers keep in.
pub(crate) struct Store {
    values: Arc<dyn KvStore>,
    /// The same again, for what is counted there.
    #[cfg(feature = "redis")]
    redis: Option<storage::RedisStore>,
}

impl Store {
    /// Opens the store of a URL, encrypted where keys are given.
    pub(crate) async fn open(url: &str, keys: Option<SecretString>) -> Result<Self, storage::Error> {
        let keys = keys.map(|keys| storage::KeyRing::parse(&keys)).transpose()?;
        #[cfg(feature = "redis")]
        if let Ok(url) = url::Url::parse(url.trim())
            && ["redis", "rediss", "valkey", "valkeys"].contains(&url.scheme())
        {
            let redis = storage::RedisStore::connect(&url).await?;
            let values: Arc<dyn KvStore> = match keys {
                Some(keys) => Arc::new(storage::Encrypted::new(Arc::new(redis.clone()), keys)),
                None => Arc::new(redis.clone()),
            };
            return Ok(Self { values, redis: Some(redis) });
        }
        let values: Arc<dyn KvStore> = match keys {
            Some(keys) => storage::open_encrypted(url, keys).await?,
            // What layers keep can be made again: a full memory evicts.
            None if url.trim().starts_with("memory:") => Arc::new(storage::MemoryStore::evicting(100_000, 64 << 20)),
            None => storage::open(url).await?,
        };
        Ok(Self {
            values,
            #[cfg(feature = "redis")]
            redis: None,
        })
    }

    pub(crate) fn into_values(self) -> Arc<dyn KvStore> {
        self.values
    }
}

/// `/metrics` in the Prometheus text format.
pub(crate) fn metrics(router: Router, timing: Timing) -> Router {
    let answer = move || {
        let text = timing.prometheus();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4"), (header::CACHE_CONTROL, "no-store")], text) }
    };
    router.route("/metrics", get(answer))
}

/// What is wrong with the order of layers, the first outermost.
pub(crate) fn misplaced(layers: &[Arc<dyn Middleware>]) -> Vec<String> {
    const WRONG: [(&str, &str, &str); 3] = [
        ("ResponseCaching", "Authorization", "kept answers are given before anybody asks whether they may be"),
        ("ResponseCaching", "RateLimiting", "requests that are answered from the cache do not count"),
        ("Retry", "RateLimiting", "each repetition counts, and refusals are repeated"),
    ];
    let own = module_path!().rsplit_once("::").map_or("", |(module, _)| module);
    let names: Vec<&str> = layers
        .iter()
        .map(|layer| layer.name())
        .filter_map(|name| name.strip_prefix(own)?.rsplit("::").next())
        .collect();
    let place = |wanted: &str| names.iter().position(|name| *name == wanted);
    WRONG
        .iter()
        .filter(|(outer, inner, _)| matches!((place(outer), place(inner)), (Some(outer), Some(inner)) if outer < inner))
        .map(|(outer, inner, why)| format!("{outer} lies around {inner}: {why}; add {inner} before {outer}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    fn error(text: &str) -> String {
        MiddlewareConfig::parse([text]).unwrap_err().to_string()
    }

    #[test]
    fn every_layer_of_the_catalog_can_be_configured_and_they_lie_in_a_sound_order() {
        let all: Map<String, Value> = catalog::MIDDLEWARE
            .iter()
            .map(|name| {
                let limiting = json!({"requests": 10, "per_ms": 1000, "scope": "global"});
                ((*name).to_owned(), if *name == "rate_limiting" { limiting } else { json!({}) })
            })
            .collect();
        let config = MiddlewareConfig::parse([Value::Object(all).to_string().as_str()]).unwrap();
        let layers = config.build(None).layers;
        assert_eq!(layers.len(), catalog::MIDDLEWARE.len());
        let names: Vec<String> =
            layers.iter().map(|layer| layer.name().rsplit("::").next().unwrap().to_lowercase()).collect();
        assert_eq!(names, catalog::MIDDLEWARE.map(|name| name.replace('_', "")));
        assert_eq!(misplaced(&layers), [""; 0]);
    }

    #[test]
    fn a_later_text_replaces_layers_of_an_earlier_one_or_takes_them_away() {
        let file = r#"{"logging":{"max_bytes":5},"retry":{},"timing":{"metrics":true}}"#;
        let config = MiddlewareConfig::parse([file, "", r#"{"logging":{"arguments":true},"retry":null}"#]).unwrap();
        let logging = config.logging.unwrap();
        assert_eq!((logging.arguments, logging.max_bytes), (true, LoggingConfig::default().max_bytes));
        assert!(config.retry.is_none() && config.timing.unwrap().metrics && config.response_caching.is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("[]").contains("expected a JSON object"));
        assert!(error("{").contains("not well-formed"));
        assert!(error(r#"{"cache":{}}"#).starts_with("there is no layer `cache`; there are timing, logging"));
        assert!(error(r#"{"logging":{"level":1}}"#).starts_with("`logging`: unknown field `level`, expected one of"));
        assert!(error(r#"{"rate_limiting":{}}"#).starts_with("`rate_limiting`: missing field `requests`"));
        assert!(error(r#"{"prompts_as_tools":{"a":1}}"#).starts_with("`prompts_as_tools`: unknown field `a`"));
    }

    #[test]
    fn a_wrong_order_is_told() {
        let limiting: Arc<dyn Middleware> = Arc::new(RateLimiting::token_bucket(1, std::time::Duration::from_secs(1)));
        let caching: Arc<dyn Middleware> = Arc::new(ResponseCaching::new(ResponseCachingConfig::default()));
        assert_eq!(misplaced(&[limiting.clone(), caching.clone()]), [""; 0]);
        assert_eq!(
            misplaced(&[caching, limiting]),
            ["ResponseCaching lies around RateLimiting: requests that are answered from the cache do not count; add \
              RateLimiting before ResponseCaching"]
        );
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_limit_that_is_not_shared_though_the_store_is_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}", folder.path().join("store.db").display());
        let limited = MiddlewareConfig::parse([r#"{"rate_limiting":{"requests":1,"per_ms":1}}"#]).unwrap();
        let cached = MiddlewareConfig::parse([r#"{"response_caching":{}}"#]).unwrap();
        let (shared, own) = (Store::open(&file, None).await.unwrap(), Store::open("memory://", None).await.unwrap());
        assert!(limited.counts_apart(Some(&shared)).unwrap().contains("Redis or Valkey"));
        assert_eq!(limited.counts_apart(Some(&own)), None, "nobody takes memory for shared");
        assert_eq!((limited.counts_apart(None), cached.counts_apart(Some(&shared))), (None, None));
    }

    #[tokio::test]
    async fn configured_layers_keep_in_the_store_of_a_url() {
        let keys = SecretString::from(storage::digest(["a key"]));
        for (url, keys) in [("memory://", None), ("memory://", Some(keys))] {
            let store = Store::open(url, keys).await.unwrap();
            let config = MiddlewareConfig::parse([r#"{"response_caching":{}}"#]).unwrap();
            assert!(config.keeps());
            let mut server = Bench::new();
            for layer in config.build(Some(&store)).layers {
                server = server.shared_layer(layer);
            }
            for _ in 0..2 {
                server.call("echo", json!({"text": "x"})).await.unwrap();
            }
            assert_eq!(server.calls("echo"), 1);
        }
        assert!(Store::open("nonsense:x", None).await.is_err());
        assert!(Store::open("memory:", Some("short".into())).await.is_err());
    }
}
