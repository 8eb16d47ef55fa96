//! Authentication as configuration: the JSON in `<PREFIX>_AUTH`, or a table of `mcpwright.toml`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;

use super::{
    AnyOf, Auth, ConfigError, Introspection, JwtIssuer, JwtVerifier, Network, Preset, Principal, StaticTokens, Verifier,
};

/// What [`Auth`] is made of.
///
/// ```json
/// {
///   "resource": "https://mcp.example.com/mcp",
///   "verifiers": [
///     {"type": "jwt", "issuer": "https://id.example.com", "audiences": ["https://mcp.example.com/mcp"]},
///     {"type": "preset", "provider": "auth0", "tenant": "example.eu.auth0.com", "audiences": ["https://mcp.example.com/mcp"]},
///     {"type": "introspection", "url": "https://id.example.com/introspect", "client_id": "mcp", "client_secret": "…",
///      "audiences": ["https://mcp.example.com/mcp"]},
///     {"type": "static", "tokens": {"for-development-only": {"subject": "me", "scopes": ["admin"]}}}
///   ],
///   "required_scopes": ["use"],
///   "implied_scopes": {"admin": ["use"]}
/// }
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// See [`Auth::resource`].
    pub resource: Option<String>,
    /// The issuers where clients get tokens; those of the verifiers, when none is named.
    #[serde(default)]
    pub authorization_servers: Vec<String>,
    /// See [`Auth::required_scopes`].
    #[serde(default)]
    pub required_scopes: Vec<String>,
    /// See [`Auth::supported_scopes`].
    #[serde(default)]
    pub supported_scopes: Vec<String>,
    /// Scopes, each with those that it includes, and that these include in turn.
    #[serde(default)]
    pub implied_scopes: BTreeMap<String, Vec<String>>,
    verifiers: Vec<VerifierConfig>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum VerifierConfig {
    Jwt {
        issuer: String,
        jwks_url: Option<String>,
        public_key: Option<String>,
        secret: Option<SecretString>,
        #[serde(default)]
        audiences: Vec<String>,
        #[serde(default)]
        clients: Vec<String>,
        #[serde(default)]
        algorithms: Vec<String>,
        leeway_seconds: Option<u64>,
        #[serde(default)]
        only_access_tokens: bool,
        #[serde(default)]
        private_network: bool,
    },
    Preset {
        provider: Preset,
        tenant: String,
        #[serde(default)]
        audiences: Vec<String>,
        #[serde(default)]
        clients: Vec<String>,
    },
    Introspection {
        url: String,
        client_id: Option<String>,
        client_secret: Option<SecretString>,
        bearer: Option<SecretString>,
        issuer: Option<String>,
        #[serde(default)]
        audiences: Vec<String>,
        #[serde(default)]
        clients: Vec<String>,
        remember_seconds: Option<u64>,
        #[serde(default)]
        private_network: bool,
    },
    Static {
        tokens: BTreeMap<String, StaticToken>,
    },
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StaticToken {
    subject: String,
    #[serde(default)]
    scopes: Vec<String>,
}

impl std::fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaticToken")
    }
}

impl AuthConfig {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// Says where the JSON is wrong, and repeats nothing of it, since any part may be a secret in the wrong place.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        serde_json::from_str(json).map_err(|error| {
            let text = error.to_string();
            let is_harmless = ["missing field", "unknown field", "unknown variant", "duplicate field"]
                .iter()
                .any(|start| text.starts_with(start));
            let reason = if is_harmless { text } else { format!("line {} column {}", error.line(), error.column()) };
            ConfigError::new(format!("the JSON is not as expected: {reason}"))
        })
    }

    /// Reads the environment variable `<PREFIX>_AUTH`; `None` when it is not set, or empty.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn from_env(prefix: &str) -> Result<Option<Self>, ConfigError> {
        let name = format!("{prefix}_AUTH");
        match std::env::var(&name) {
            Ok(json) if json.trim().is_empty() => Ok(None),
            Ok(json) => Self::parse(&json).map(Some).map_err(|error| ConfigError::new(format!("{name}: {}", error.0))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(_) => Err(ConfigError::new(format!("{name} is not UTF-8"))),
        }
    }

    /// Makes the verifiers.
    ///
    /// # Errors
    /// When a part of the configuration cannot be used.
    pub fn build(self) -> Result<Auth, ConfigError> {
        let mut issuers = Vec::new();
        let mut servers = self.authorization_servers;
        let names_no_server = servers.is_empty();
        let mut others: Vec<Arc<dyn Verifier>> = Vec::new();
        for verifier in self.verifiers {
            if let (true, Some(issuer)) = (names_no_server, verifier.issuer()) {
                servers.push(issuer);
            }
            match verifier {
                VerifierConfig::Jwt { .. } | VerifierConfig::Preset { .. } => issuers.push(verifier.jwt()?),
                VerifierConfig::Introspection { .. } => others.push(Arc::new(verifier.introspection()?)),
                VerifierConfig::Static { tokens } => others.push(Arc::new(static_tokens(tokens))),
            }
        }
        let mut verifiers: Vec<Arc<dyn Verifier>> = Vec::new();
        if !issuers.is_empty() {
            verifiers.push(Arc::new(JwtVerifier::new(issuers)?));
        }
        verifiers.append(&mut others);
        if verifiers.is_empty() {
            return Err(ConfigError::new("no verifier is given"));
        }
        let mut auth = Auth::new(Arc::new(AnyOf::new(verifiers)))
            .required_scopes(self.required_scopes)
            .supported_scopes(self.supported_scopes);
        for server in servers {
            auth = auth.authorization_server(server);
        }
        if let Some(resource) = self.resource {
            auth = auth.resource(resource);
        }
        if !self.implied_scopes.is_empty() {
            let implied = closure(&self.implied_scopes);
            auth = auth.scope_rule(move |granted, required| {
                implied.get(granted).is_some_and(|all| all.iter().any(|scope| scope == required))
            });
        }
        Ok(auth)
    }
}

/// Every scope with all that it includes, over any number of steps.
fn closure(direct: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let all_of = |scope: &String| {
        let mut found: Vec<String> = direct.get(scope).cloned().unwrap_or_default();
        let mut next = 0;
        while let Some(current) = found.get(next).cloned() {
            let further = direct.get(&current).into_iter().flatten();
            let new: Vec<String> = further.filter(|scope| !found.contains(scope)).cloned().collect();
            found.extend(new);
            next += 1;
        }
        found
    };
    direct.keys().map(|scope| (scope.clone(), all_of(scope))).collect()
}

fn static_tokens(tokens: BTreeMap<String, StaticToken>) -> StaticTokens {
    tracing::warn!(count = tokens.len(), "static tokens are accepted: use them for development only");
    tokens.into_iter().fold(StaticTokens::new(), |verifier, (token, StaticToken { subject, scopes })| {
        verifier.token(&token.into(), Principal::new("static", subject).with_scopes(scopes))
    })
}

fn network(is_private: bool) -> Network {
    if is_private { Network::Private } else { Network::Public }
}

impl VerifierConfig {
    /// The issuer where clients get tokens for this verifier, as far as it is known.
    fn issuer(&self) -> Option<String> {
        match self {
            Self::Jwt { issuer, .. } => url::Url::parse(issuer).ok().map(|_| issuer.clone()),
            Self::Preset { provider, tenant, .. } => {
                provider.issuer(tenant).ok().map(|issuer| issuer.name().to_owned())
            }
            Self::Introspection { issuer, .. } => issuer.clone(),
            Self::Static { .. } => None,
        }
    }

    fn jwt(self) -> Result<JwtIssuer, ConfigError> {
        let (mut jwt, audiences, clients) = match self {
            Self::Preset { provider, tenant, audiences, clients } => (provider.issuer(&tenant)?, audiences, clients),
            Self::Jwt {
                issuer,
                jwks_url,
                public_key,
                secret,
                audiences,
                clients,
                algorithms,
                leeway_seconds,
                only_access_tokens,
                private_network,
            } => {
                let jwt = match (jwks_url, public_key, secret) {
                    (None, None, None) => JwtIssuer::discover(issuer),
                    (Some(url), None, None) => JwtIssuer::jwks(issuer, url),
                    (None, Some(key), None) => JwtIssuer::pem(issuer, key),
                    (None, None, Some(secret)) => JwtIssuer::secret(issuer, secret),
                    _ => {
                        return Err(ConfigError::new(format!(
                            "issuer `{issuer}`: `jwks_url`, `public_key` and `secret` exclude each other"
                        )));
                    }
                };
                let mut jwt = jwt.algorithms(algorithms).network(network(private_network));
                if let Some(seconds) = leeway_seconds {
                    jwt = jwt.leeway(Duration::from_secs(seconds));
                }
                if only_access_tokens {
                    jwt = jwt.only_access_tokens();
                }
                (jwt, audiences, clients)
            }
            Self::Introspection { .. } | Self::Static { .. } => return Err(ConfigError::new("not a JWT verifier")),
        };
        jwt = audiences.into_iter().fold(jwt, JwtIssuer::audience);
        Ok(clients.into_iter().fold(jwt, JwtIssuer::client))
    }

    fn introspection(self) -> Result<Introspection, ConfigError> {
        let Self::Introspection {
            url,
            client_id,
            client_secret,
            bearer,
            issuer,
            audiences,
            clients,
            remember_seconds,
            private_network,
        } = self
        else {
            return Err(ConfigError::new("not an introspection"));
        };
        let mut introspection = Introspection::new(&url, network(private_network))?;
        introspection = match (client_id, client_secret, bearer) {
            (None, None, None) => introspection,
            (Some(id), Some(secret), None) => introspection.basic(id, secret),
            (None, None, Some(token)) => introspection.bearer(token),
            _ => {
                return Err(ConfigError::new(format!(
                    "introspection at `{url}`: give `client_id` and `client_secret`, or `bearer`, or neither"
                )));
            }
        };
        if let Some(issuer) = issuer {
            introspection = introspection.issuer(issuer);
        }
        if let Some(seconds) = remember_seconds {
            introspection = introspection.remember(Duration::from_secs(seconds));
        }
        introspection = audiences.into_iter().fold(introspection, Introspection::audience);
        clients.into_iter().fold(introspection, Introspection::client).checked()
    }
}
