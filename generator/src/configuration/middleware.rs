//! The settings of the built-in layers, `[middleware.NAME]`: the names and types that the runtime knows. The tests hold
//! them against it.

use std::{collections::BTreeMap, fmt};

use mcpwright_runtime::catalog;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error, MapAccess, Visitor},
};
use serde_json::Value;

use super::nearest;

/// Reads the layers; their settings are as they were written.
pub(super) fn layers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    deserializer.deserialize_map(Layers)
}

struct Layers;

impl<'de> Visitor<'de> for Layers {
    type Value = BTreeMap<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of layers by name")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut layers = BTreeMap::new();
        while let Some(Name(name)) = map.next_key()? {
            let settings = match name.as_str() {
                "timing" => settings::<Timing, M>(&mut map)?,
                "logging" => settings::<Logging, M>(&mut map)?,
                "error_handling" => settings::<ErrorHandling, M>(&mut map)?,
                "authorization" => settings::<Authorization, M>(&mut map)?,
                "rate_limiting" => settings::<RateLimiting, M>(&mut map)?,
                "response_limiting" => settings::<ResponseLimiting, M>(&mut map)?,
                "response_caching" => settings::<ResponseCaching, M>(&mut map)?,
                "retry" => settings::<Retry, M>(&mut map)?,
                _ => settings::<Nothing, M>(&mut map)?,
            };
            layers.insert(name, settings);
        }
        Ok(layers)
    }
}

/// Checks the settings and gives them back. What was not written is not there either: the runtime has the defaults.
fn settings<'de, T: DeserializeOwned + Serialize, M: MapAccess<'de>>(map: &mut M) -> Result<Value, M::Error> {
    serde_json::to_value(map.next_value::<T>()?).map_err(M::Error::custom)
}

/// A layer that exists.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if catalog::MIDDLEWARE.contains(&name.as_str()) {
            return Ok(Self(name));
        }
        let near = nearest(&name, &catalog::MIDDLEWARE).map(|near| format!("; did you mean `{near}`?"));
        let near = near.unwrap_or_else(|| format!("; there are `{}`", catalog::MIDDLEWARE.join("`, `")));
        Err(D::Error::custom(format!("there is no middleware `{name}`{near}")))
    }
}

/// A struct of settings none of which has to be there, and which are written as they were read.
macro_rules! settings {
    ($($layer:ident { $($name:ident: $kind:ty),* })*) => {$(
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields, expecting = "a table of settings")]
        struct $layer {
            $(#[serde(skip_serializing_if = "Option::is_none")] $name: Option<$kind>,)*
        }
    )*};
}

settings! {
    Timing { metrics: bool }
    Logging { arguments: bool, max_bytes: u32, methods: Vec<String>, redact: Vec<String> }
    ErrorHandling { mask: bool }
    Authorization { components: BTreeMap<String, Vec<String>>, tags: BTreeMap<String, Vec<String>>, document: bool }
    ResponseLimiting { max_bytes: u32, tools: Vec<String> }
    ResponseCaching {
        tools_ms: u64, resources_ms: u64, prompts_ms: u64, components: BTreeMap<String, u64>, max_bytes: u32,
        vary: Vec<String>, fail_closed: bool
    }
    Retry { attempts: u32, pause_ms: u64, max_pause_ms: u64 }
    Nothing {}
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of settings")]
struct RateLimiting {
    requests: u32,
    per_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_target: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_outage: Option<OnOutage>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Algorithm {
    TokenBucket,
    SlidingWindow,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Principal,
    Client,
    Global,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnOutage {
    Local,
    Open,
    Closed,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::configuration::Configuration;

    fn read(text: &str) -> Result<BTreeMap<String, Value>, String> {
        let read = Configuration::parse(text, "mcpwright.toml");
        read.map(|configuration| configuration.middleware).map_err(|error| {
            let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{error}{help}")
        })
    }

    #[test]
    fn settings_are_kept_as_they_were_written() {
        let text =
            "[middleware.logging]\n[middleware.rate_limiting]\nrequests = 10\nper_ms = 1000\nscope = \"global\"\n";
        let expected = json!({"logging": {}, "rate_limiting": {"requests": 10, "per_ms": 1000, "scope": "global"}});
        assert_eq!(json!(read(text).unwrap()), expected);
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, expected) in [
            (
                "strict = true\n[middleware.rate_limit]",
                "2:13: there is no middleware `rate_limit`; did you mean `rate_limiting`?",
            ),
            ("[middleware.zzz]", "1:13: there is no middleware `zzz`; there are `timing`, `logging`, `error_handling`"),
            ("[middleware]\nlogging = true", "2:11: invalid type: boolean `true`, expected a table of settings"),
            ("[middleware.logging]\nredacted = []", "2:1: unknown key `redacted` (did you mean `redact`?)"),
            ("[middleware.logging]\narguments = 1", "2:13: invalid type: integer `1`, expected a boolean"),
            ("[middleware.rate_limiting]\nper_ms = 7", "1:1: missing field `requests`"),
            (
                "[middleware.rate_limiting]\nrequests = -1\nper_ms = 7",
                "2:12: invalid value: integer `-1`, expected u32",
            ),
            (
                "[middleware.rate_limiting]\nrequests = 1\nper_ms = 7\non_outage = \"close\"",
                "4:13: unknown value `close` (did you mean `closed`?)",
            ),
            (
                "[middleware.response_caching]\ncomponents = { a = \"5s\" }",
                "2:20: invalid type: string \"5s\", expected u64",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(&format!("mcpwright.toml:{expected}")), "{text}\n{error}");
        }
    }

    /// The runtime has the last word: it knows the same names, and takes what is taken here.
    #[cfg(feature = "cli")]
    #[test]
    fn the_runtime_knows_the_same_settings() {
        use mcpwright_runtime::middleware::MiddlewareConfig;
        let all = [
            ("timing", json!({"metrics": true})),
            ("logging", json!({"arguments": true, "max_bytes": 1, "methods": ["a"], "redact": ["a"]})),
            ("error_handling", json!({"mask": true})),
            ("authorization", json!({"components": {"a": ["b"]}, "tags": {"a": ["b"]}, "document": true})),
            (
                "rate_limiting",
                json!({
                    "requests": 1, "per_ms": 2, "algorithm": "sliding_window", "scope": "client", "per_target": true,
                    "methods": ["a"], "on_outage": "open",
                }),
            ),
            ("response_limiting", json!({"max_bytes": 1, "tools": ["a"]})),
            (
                "response_caching",
                json!({
                    "tools_ms": 1, "resources_ms": 1, "prompts_ms": 1, "components": {"a": 1}, "max_bytes": 1, "vary": ["a"],
                    "fail_closed": true,
                }),
            ),
            ("retry", json!({"attempts": 1, "pause_ms": 1, "max_pause_ms": 1})),
            ("resources_as_tools", json!({})),
            ("prompts_as_tools", json!({})),
        ];
        assert_eq!(all.each_ref().map(|(name, _)| *name), catalog::MIDDLEWARE);
        for (name, settings) in all {
            let text = toml::to_string(&json!({"middleware": {name: settings}})).unwrap();
            assert_eq!(read(&text).unwrap()[name], settings, "{text}");
            MiddlewareConfig::parse([json!({name: settings}).to_string().as_str()]).unwrap();
            for change in
                [("zzz", json!(1)), ("algorithm", json!("zzz")), ("scope", json!("zzz")), ("on_outage", json!("zzz"))]
            {
                let mut settings = settings.clone();
                settings[change.0] = change.1;
                let theirs = MiddlewareConfig::parse([json!({name: settings}).to_string().as_str()]).unwrap_err();
                let mut layers = serde_json::Map::new();
                layers.insert(name.to_owned(), settings);
                let ours = layers_of(Value::Object(layers)).unwrap_err();
                assert_eq!(theirs.to_string(), format!("`{name}`: {ours}"));
            }
        }
    }

    #[cfg(feature = "cli")]
    fn layers_of(value: Value) -> Result<BTreeMap<String, Value>, serde_json::Error> {
        layers(value)
    }
}
