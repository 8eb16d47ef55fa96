//! Credentials from environment variables and files: which variables each security scheme has.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    Credential, Credentials,
    oauth::{Grant, TokenSource},
};
use crate::{
    catalog::{Api, FlowKind, SecurityScheme, SecuritySchemeKind, variable_part},
    upstream::{
        ConfigurationError,
        environment::{Environment, secret},
        settings::Settings,
        transport::Transport,
    },
};

/// An environment variable of a security scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The whole name.
    pub name: String,
    /// What its value is.
    pub description: String,
    /// Whether it is a secret; then `<name>_FILE` may name a file that holds it.
    pub secret: bool,
}

/// The environment variables of an API's security schemes, for `--help` and documentation. An alternative per scheme is
/// enough; the `_FILE` variants of secrets are not listed.
pub fn variables(api: &Api, prefix: &str) -> Vec<Variable> {
    let mut all: Vec<Variable> = Vec::new();
    for scheme in api.security_schemes {
        let base = scheme_variable(prefix, scheme);
        for (suffix, description, secret) in members(scheme) {
            let name = format!("{base}{suffix}");
            if !all.iter().any(|known| known.name == name) {
                all.push(Variable { name, description: format!("{description} (scheme `{}`)", scheme.name), secret });
            }
        }
    }
    all
}

/// The variable of a scheme; where a setting has that name already, with `_CREDENTIAL` behind it.
pub(in crate::upstream) fn scheme_variable(prefix: &str, scheme: &SecurityScheme) -> String {
    let name = format!("{prefix}_{}", variable_part(scheme.name));
    if Settings::variables(prefix).iter().any(|(setting, _)| *setting == name) {
        return format!("{name}_CREDENTIAL");
    }
    name
}

/// Suffix, meaning and secrecy of each variable of a scheme.
fn members(scheme: &SecurityScheme) -> Vec<(&'static str, &'static str, bool)> {
    match &scheme.kind {
        SecuritySchemeKind::ApiKey { .. } => vec![("", "API key", true)],
        SecuritySchemeKind::HttpBearer { .. } => vec![("", "Bearer token", true)],
        SecuritySchemeKind::Http { .. } => vec![("", "What follows the scheme in `Authorization`", true)],
        SecuritySchemeKind::HttpBasic => vec![
            ("_USERNAME", "User name", false),
            ("_PASSWORD", "Password", true),
            ("", "User name and password as NAME:PASSWORD, instead of the two", true),
        ],
        SecuritySchemeKind::MutualTls => Vec::new(),
        SecuritySchemeKind::OAuth2 { .. } | SecuritySchemeKind::OpenIdConnect { .. } => {
            let mut members = vec![
                ("", "Access token, used as it is", true),
                ("_CLIENT_ID", "OAuth client", false),
                ("_CLIENT_SECRET", "Secret of the OAuth client", true),
                ("_REFRESH_TOKEN", "Refresh token, exchanged for access tokens", true),
            ];
            let password = match &scheme.kind {
                SecuritySchemeKind::OAuth2 { flows } => flows.iter().any(|flow| flow.kind == FlowKind::Password),
                _ => false,
            };
            if password {
                members.push(("_USERNAME", "User name (password flow)", false));
                members.push(("_PASSWORD", "Password (password flow)", true));
            }
            members.push(("_SCOPES", "Scopes to ask for, instead of those that each operation requires", false));
            members.push(("_TOKEN_URL", "Token endpoint, instead of the document's", false));
            members.push(("_CLIENT_AUTHENTICATION", "How the client authenticates: basic or post", false));
            members
        }
    }
}

/// What an operator sets so that a scheme is met, in words.
pub(super) fn what_to_set(prefix: &str, scheme: &SecurityScheme) -> String {
    let name = scheme_variable(prefix, scheme);
    match &scheme.kind {
        SecuritySchemeKind::HttpBasic => format!("{name}_USERNAME and {name}_PASSWORD"),
        SecuritySchemeKind::MutualTls => format!("{prefix}_CLIENT_CERTIFICATE"),
        SecuritySchemeKind::OAuth2 { .. } | SecuritySchemeKind::OpenIdConnect { .. } => {
            format!("{name} (an access token), or {name}_CLIENT_ID and {name}_CLIENT_SECRET")
        }
        _ => name,
    }
}

/// Reads the credential of a scheme; `None` when none is configured.
pub(in crate::upstream) fn read(
    scheme: &'static SecurityScheme,
    prefix: &str,
    environment: &dyn Environment,
    transport: &Transport,
    api: Option<&Url>,
) -> Result<Option<Arc<dyn Credentials>>, ConfigurationError> {
    let name = scheme_variable(prefix, scheme);
    let whole = secret(environment, &name)?;
    match &scheme.kind {
        SecuritySchemeKind::MutualTls => Ok(None),
        SecuritySchemeKind::HttpBasic => basic(&name, whole, environment),
        SecuritySchemeKind::OAuth2 { .. } | SecuritySchemeKind::OpenIdConnect { .. } if whole.is_none() => {
            oauth(scheme, &name, environment, transport, api)
        }
        _ => Ok(whole.map(|secret| {
            let secret = match scheme.kind {
                SecuritySchemeKind::ApiKey { .. } | SecuritySchemeKind::Http { .. } => secret,
                _ => without_prefix(secret),
            };
            Arc::new(Credential::Secret(secret)) as Arc<dyn Credentials>
        })),
    }
}

/// People paste `Bearer abc` where `abc` is meant.
fn without_prefix(token: SecretString) -> SecretString {
    match token.expose_secret().get(..7) {
        Some(start) if start.eq_ignore_ascii_case("bearer ") => token.expose_secret()[7..].trim().into(),
        _ => token,
    }
}

fn basic(
    name: &str,
    whole: Option<SecretString>,
    environment: &dyn Environment,
) -> Result<Option<Arc<dyn Credentials>>, ConfigurationError> {
    let username = secret(environment, &format!("{name}_USERNAME"))?;
    let password = secret(environment, &format!("{name}_PASSWORD"))?;
    let (username, password) = match (username, password, whole) {
        (None, None, None) => return Ok(None),
        (Some(username), password, _) => {
            (username.expose_secret().to_owned(), password.unwrap_or_else(|| String::new().into()))
        }
        (None, _, Some(whole)) => match whole.expose_secret().split_once(':') {
            Some((username, password)) => (username.to_owned(), password.to_owned().into()),
            None => return Err(ConfigurationError::new(format!("{name} has to be NAME:PASSWORD"))),
        },
        (None, Some(_), None) => {
            return Err(ConfigurationError::new(format!("{name}_PASSWORD is set, but {name}_USERNAME is not")));
        }
    };
    if username.contains(':') {
        return Err(ConfigurationError::new(format!("{name}_USERNAME has a colon, which HTTP basic cannot carry")));
    }
    Ok(Some(Arc::new(Credential::Basic { username, password })))
}

fn oauth(
    scheme: &'static SecurityScheme,
    name: &str,
    environment: &dyn Environment,
    transport: &Transport,
    api: Option<&Url>,
) -> Result<Option<Arc<dyn Credentials>>, ConfigurationError> {
    let variable = |suffix: &str| format!("{name}{suffix}");
    let client_id = secret(environment, &variable("_CLIENT_ID"))?;
    let client_secret = secret(environment, &variable("_CLIENT_SECRET"))?;
    let refresh_token = secret(environment, &variable("_REFRESH_TOKEN"))?;
    let username = secret(environment, &variable("_USERNAME"))?;
    let password = secret(environment, &variable("_PASSWORD"))?;
    let grant = match (refresh_token, username, password) {
        (Some(token), _, _) => Grant::RefreshToken(token),
        (None, Some(username), Some(password)) => {
            Grant::Password { username: username.expose_secret().to_owned(), password }
        }
        (None, Some(_), None) => {
            return Err(ConfigurationError::new(format!("{name}_USERNAME is set, but {name}_PASSWORD is not")));
        }
        (None, None, _) if client_secret.is_some() => Grant::ClientCredentials,
        (None, None, _) if client_id.is_some() => {
            return Err(ConfigurationError::new(format!(
                "{name}_CLIENT_ID is set; set {name}_CLIENT_SECRET or {name}_REFRESH_TOKEN too"
            )));
        }
        (None, None, _) => return Ok(None),
    };
    if client_id.is_none() && matches!(grant, Grant::ClientCredentials) {
        return Err(ConfigurationError::new(format!("{name}_CLIENT_SECRET is set, but {name}_CLIENT_ID is not")));
    }
    let source = TokenSource::new(scheme, name, grant, transport.clone())
        .client(client_id.map(|id| id.expose_secret().to_owned()), client_secret)
        .authentication(environment.get(&variable("_CLIENT_AUTHENTICATION")).as_deref())?
        .scopes(environment.get(&variable("_SCOPES")))
        .token_url(environment.get(&variable("_TOKEN_URL")).as_deref(), api)?;
    Ok(Some(Arc::new(source)))
}
