//! The configuration of a generated server: `mcpwright.toml`.
//!
//! Every key is documented on the member that holds it. A key that is absent has the default value named there.

mod error;
mod middleware;
mod pattern;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use error::ConfigurationError;
pub(crate) use error::nearest;
pub use pattern::Pattern;

/// A whole `mcpwright.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// `spec = "openapi.yaml"`: the document, a path relative to this file or a URL.
    pub spec: Option<String>,
    /// `name = "petstore"`: the server's short name: host of resource URIs, name of the crate and the command, prefix of
    /// the environment variables. Default: the document's title.
    pub name: Option<String>,
    /// `preset = "rest"`: what operations become where no rule says otherwise. `rest`: GET with path or query parameters
    /// is a resource template, GET without is a resource, everything else is a tool. `tools`: everything is a tool.
    pub preset: Preset,
    /// `naming = "snake"`: how names are written: `snake`, `kebab`, `camel` or `keep` (as in the document).
    pub naming: Naming,
    /// `name_prefix = ""`: put before every name that is derived from the document.
    pub name_prefix: String,
    /// `name_limit = 64`: the longest name in characters, prefix included, from 16 to 64. Less leaves room for the
    /// prefix under which another server mounts this one.
    pub name_limit: NameLimit,
    /// `output_budget = 8192`: the largest output schema in bytes; larger ones are trimmed or left out. 0: none at all.
    pub output_budget: usize,
    /// `description_limit = 1000`: the longest description in characters.
    pub description_limit: usize,
    /// `include_tags = []`: only operations that have one of these tags are offered. Empty: all.
    pub include_tags: Vec<String>,
    /// `exclude_tags = []`: operations that have one of these tags are not offered.
    pub exclude_tags: Vec<String>,
    /// `typed = []`: the operations (`operationId` or `METHOD /path`) for which argument structs are generated.
    pub typed: Vec<String>,
    /// `overlays = []`: OpenAPI Overlay documents, relative to this file, applied in this order.
    pub overlays: Vec<String>,
    /// `allow_remote = false`: whether references in the document may lead to URLs.
    pub allow_remote: bool,
    /// `allow_outside = false`: whether references in the document may leave its folder.
    pub allow_outside: bool,
    /// `strict = false`: whether warnings fail the run.
    pub strict: bool,
    /// `[[route]]`: rules in order; the first that matches an operation is applied to it.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
    /// `[middleware.logging]`: the built-in layers of the server, by the names of
    /// [`MIDDLEWARE`](mcpwright_runtime::catalog::MIDDLEWARE), with their settings.
    #[serde(deserialize_with = "middleware::layers")]
    pub middleware: BTreeMap<String, Value>,
    /// `[operations."createPet"]` or `[operations."POST /pets"]`: what is different for one operation. It wins over
    /// rules and over `x-mcp` of the document.
    pub operations: BTreeMap<String, Override>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            spec: None,
            name: None,
            preset: Preset::default(),
            naming: Naming::default(),
            name_prefix: String::new(),
            name_limit: NameLimit::default(),
            output_budget: 8 * 1024,
            description_limit: 1000,
            include_tags: Vec::new(),
            exclude_tags: Vec::new(),
            typed: Vec::new(),
            overlays: Vec::new(),
            allow_remote: false,
            allow_outside: false,
            strict: false,
            routes: Vec::new(),
            middleware: BTreeMap::new(),
            operations: BTreeMap::new(),
        }
    }
}

/// What operations become where no rule says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// GET with path or query parameters is a resource template, GET without is a resource, everything else is a tool.
    #[default]
    Rest,
    /// Everything is a tool.
    Tools,
}

/// How names are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Naming {
    /// `list_pets`
    #[default]
    Snake,
    /// `list-pets`
    Kebab,
    /// `listPets`
    Camel,
    /// As in the document, illegal characters replaced by `_`.
    Keep,
}

/// The longest name in characters, from 16 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub struct NameLimit(usize);

impl NameLimit {
    /// The limit in characters.
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for NameLimit {
    fn default() -> Self {
        Self(64)
    }
}

impl TryFrom<usize> for NameLimit {
    type Error = String;

    fn try_from(limit: usize) -> Result<Self, String> {
        if (16..=64).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(format!("`name_limit` is {limit}; it must be from 16 to 64"))
        }
    }
}

/// What an operation is offered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// A tool.
    Tool,
    /// A resource; a resource template when it has required path or query parameters.
    Resource,
    /// A resource template.
    #[serde(alias = "resource_template", alias = "resourceTemplate")]
    ResourceTemplate,
    /// Nothing.
    Exclude,
}

/// One `[[route]]`. An operation matches when it meets every condition that is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// `methods = ["GET", "post"]` in any case, or `"*"`. Default: every method but HEAD, OPTIONS and TRACE.
    pub methods: Option<Methods>,
    /// `path = "^/admin/"`: a regular expression that is found in the templated path.
    pub path: Option<Pattern>,
    /// `tags = ["pets"]`: the operation has all of these tags.
    pub tags: Vec<String>,
    /// `operation_id = "^internal"`: a regular expression that is found in the `operationId`.
    pub operation_id: Option<Pattern>,
    /// `extension = "x-internal"` (present and neither false nor null), or `extension = { x-audience = "public" }`
    /// (present with this value).
    pub extension: Option<ExtensionCondition>,
    /// `kind = "tool"`, `"resource"`, `"resource-template"` or `"exclude"`. Default: what it would be without the rule.
    pub kind: Option<RouteKind>,
    /// `add_tags = []`: tags that the components get besides their own.
    pub add_tags: Vec<String>,
    /// `annotations = { destructive = true }`: annotations other than those that the method implies.
    pub annotations: Annotations,
    /// `name_prefix = "admin_"`: put before the names, after the prefix of the whole server.
    pub name_prefix: String,
    /// `visible = false`: whether the components are offered from the start, or only after they have been enabled.
    pub visible: Option<bool>,
    /// The line on which the rule begins, from 1.
    #[serde(skip)]
    pub line: Option<usize>,
}

/// The methods that a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Methods {
    /// One method, or `*` for all.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Methods {
    /// Whether the method is among them.
    pub fn contains(&self, method: &str) -> bool {
        let matches = |name: &String| name == "*" || name.eq_ignore_ascii_case(method);
        match self {
            Methods::One(name) => matches(name),
            Methods::Several(names) => names.iter().any(matches),
        }
    }
}

/// What a rule asks of the `x-` members of an operation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum ExtensionCondition {
    /// The member is there, and neither false nor null.
    Present(String),
    /// All these members have these values.
    Equal(#[serde(deserialize_with = "json_map")] BTreeMap<String, Value>),
}

/// Tool annotations that are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Annotations {
    /// `read_only`: the tool changes nothing.
    #[serde(alias = "readOnlyHint")]
    pub read_only: Option<bool>,
    /// `destructive`: the tool may destroy or overwrite something.
    #[serde(alias = "destructiveHint")]
    pub destructive: Option<bool>,
    /// `idempotent`: calling again with the same arguments changes nothing more.
    #[serde(alias = "idempotentHint")]
    pub idempotent: Option<bool>,
    /// `open_world`: the tool deals with a world outside of the server.
    #[serde(alias = "openWorldHint")]
    pub open_world: Option<bool>,
}

/// One `[operations."…"]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Override {
    /// `name = "find_pets"`: the name, as it is.
    pub name: Option<String>,
    /// `title = "Find pets"`: the title.
    pub title: Option<String>,
    /// `description = "…"`: the description, as it is.
    pub description: Option<String>,
    /// `kind = "tool"`, `"resource"`, `"resource-template"` or `"exclude"`.
    pub kind: Option<RouteKind>,
    /// `exclude = true`: not offered; `false`: offered although a rule or the document excludes it.
    pub exclude: Option<bool>,
    /// `hidden = ["debug"]`: parameters and members of the body that clients do not see and that are not sent, or sent
    /// with their default when they are required.
    pub hidden: Vec<String>,
    /// `fixed = { version = 2 }`: parameters and members of the body that clients do not see and that always have this
    /// value.
    #[serde(deserialize_with = "json_map")]
    pub fixed: BTreeMap<String, Value>,
    /// `tags = ["reviewed"]`: tags besides those of the document.
    pub tags: Vec<String>,
    /// `media_type = "application/xml"`: which media type of the request body is used.
    pub media_type: Option<String>,
    /// `annotations = { destructive = false }`: annotations other than those that the method implies.
    pub annotations: Annotations,
    /// `visible = false`: whether it is offered from the start, or only after it has been enabled.
    pub visible: Option<bool>,
    /// `timeout_ms = 30000`: milliseconds until a call is given up.
    pub timeout_ms: Option<u32>,
    /// `retries = 0`: how often a failed call is repeated.
    pub retries: Option<u8>,
    /// `max_response_bytes = 1000000`: the largest response body that is read.
    pub max_response_bytes: Option<u32>,
    /// `typed = true`: whether a struct of the arguments is generated.
    pub typed: bool,
}

impl Configuration {
    /// Reads the text of a `mcpwright.toml`; `file` is its name for errors.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown key, a value of the wrong type or an ill-formed regular expression. The
    /// error says where, and names the nearest known key.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigurationError> {
        let mut configuration: Configuration =
            toml::from_str(text).map_err(|error| ConfigurationError::new(file, text, &error))?;
        let lines = error::lines_of_routes(text);
        for (route, line) in configuration.routes.iter_mut().zip(lines) {
            route.line = Some(line);
        }
        Ok(configuration)
    }
}

/// TOML values as JSON; dates and times are strings.
fn json_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let map: BTreeMap<String, toml::Value> = Deserialize::deserialize(deserializer)?;
    Ok(map.into_iter().map(|(key, value)| (key, json(value))).collect())
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(members) => members.into_iter().map(|(key, member)| (key, json(member))).collect(),
    }
}

#[cfg(test)]
mod tests;
