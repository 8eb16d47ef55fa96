//! Credentials for the API: which alternative of an operation's requirements is met, and with what.

mod configured;
mod oauth;

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Scope,
    encode::{Place, encode},
    request::Request,
};
use crate::{
    Error,
    catalog::{ApiKeyLocation, Operation, Requirement, SecurityScheme, SecuritySchemeKind},
    error::ErrorKind,
};

pub use configured::{Variable, variables};
pub(super) use configured::{read, scheme_variable};

/// What a security scheme takes.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An API key, a bearer or access token, or what follows the scheme's name in `Authorization`.
    Secret(SecretString),
    /// A user name and password.
    Basic {
        /// The user name, without a colon.
        username: String,
        /// The password.
        password: SecretString,
    },
}

impl From<&str> for Credential {
    fn from(secret: &str) -> Self {
        Self::Secret(secret.into())
    }
}

impl From<String> for Credential {
    fn from(secret: String) -> Self {
        Self::Secret(secret.into())
    }
}

/// Credentials from code: for each call anew, so that each user may have their own (from a vault, from a token exchange
/// as in RFC 8693).
pub trait Credentials: Send + Sync + 'static {
    /// The credential for a scheme, `None` when there is none for this call. `scopes` are what the operation requires.
    /// Errors end the call; their messages reach the client.
    fn credential<'a>(
        &'a self,
        scheme: &'static SecurityScheme,
        scopes: &'static [&'static str],
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Credential>, Error>>;

    /// Tells that the API rejected a credential with 401. Returns whether asking again may give another one.
    fn rejected<'a>(&'a self, scheme: &'static SecurityScheme, credential: &'a Credential) -> BoxFuture<'a, bool> {
        let _ = (scheme, credential);
        Box::pin(async { false })
    }
}

/// The same credential for every call.
impl Credentials for Credential {
    fn credential<'a>(
        &'a self,
        _scheme: &'static SecurityScheme,
        _scopes: &'static [&'static str],
        _scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Credential>, Error>> {
        Box::pin(async move { Ok(Some(self.clone())) })
    }
}

/// All credentials of an API, by the name of their scheme.
#[derive(Clone, Default)]
pub(super) struct Store {
    pub(super) sources: BTreeMap<&'static str, Arc<dyn Credentials>>,
    /// Headers that clients may bring themselves, in lower case.
    pub(super) forwarded: Vec<String>,
    /// Whether a client certificate is configured.
    pub(super) client_certificate: bool,
}

/// The credentials of one call, and how to hide them.
#[derive(Default)]
pub(super) struct Applied {
    used: Vec<(&'static SecurityScheme, Credential)>,
}

impl Store {
    /// Puts the credentials of the first alternative that can be met into the request.
    pub(super) async fn apply(
        &self,
        operation: &'static Operation,
        request: &mut Request,
        scope: &Scope,
        prefix: &str,
    ) -> Result<Applied, Error> {
        if operation.security.is_empty() {
            return Ok(Applied::default());
        }
        'alternatives: for alternative in operation.security.iter().filter(|alternative| !alternative.is_empty()) {
            let mut used = Vec::new();
            for requirement in *alternative {
                match self.meet(requirement, scope).await? {
                    Met::With(credential) => used.push((requirement.scheme, credential)),
                    Met::Otherwise => {}
                    Met::Not => continue 'alternatives,
                }
            }
            for (scheme, credential) in &used {
                put(request, scheme, credential, prefix)?;
            }
            return Ok(Applied { used });
        }
        if operation.security.iter().any(|alternative| alternative.is_empty()) {
            return Ok(Applied::default());
        }
        Err(missing(operation, prefix))
    }

    async fn meet(&self, requirement: &'static Requirement, scope: &Scope) -> Result<Met, Error> {
        let scheme = requirement.scheme;
        let by_header = match scheme.kind {
            SecuritySchemeKind::MutualTls if self.client_certificate => return Ok(Met::Otherwise),
            SecuritySchemeKind::MutualTls => None,
            SecuritySchemeKind::ApiKey { name, location: ApiKeyLocation::Header } => Some(name),
            SecuritySchemeKind::ApiKey { location: ApiKeyLocation::Query | ApiKeyLocation::Cookie, .. } => None,
            _ => Some("authorization"),
        };
        // What the caller brought, where that is allowed, goes before what is the same for everybody.
        if by_header.is_some_and(|name| self.is_forwarded(name, scope)) {
            return Ok(Met::Otherwise);
        }
        if let Some(source) = self.sources.get(scheme.name)
            && let Some(credential) = source.credential(scheme, requirement.scopes, scope).await?
        {
            return Ok(Met::With(credential));
        }
        Ok(Met::Not)
    }

    fn is_forwarded(&self, name: &str, scope: &Scope) -> bool {
        self.forwarded.iter().any(|forwarded| forwarded.eq_ignore_ascii_case(name))
            && scope.headers.contains_key(name)
            && !(scope.authenticated && name.eq_ignore_ascii_case("authorization"))
    }

    /// The inbound headers that are handed on.
    pub(super) fn forward(&self, scope: &Scope, headers: &mut HeaderMap) {
        for name in &self.forwarded {
            if self.is_forwarded(name, scope)
                && let Ok(header) = HeaderName::from_bytes(name.as_bytes())
                && let Some(value) = scope.headers.get(name)
                && !headers.contains_key(&header)
            {
                headers.insert(header, value.clone());
            }
        }
    }

    /// Tells the sources that the API answered 401; whether another credential may be had.
    pub(super) async fn rejected(&self, applied: &Applied) -> bool {
        let mut another = false;
        for (scheme, credential) in &applied.used {
            if let Some(source) = self.sources.get(scheme.name) {
                another |= source.rejected(scheme, credential).await;
            }
        }
        another
    }
}

enum Met {
    With(Credential),
    Otherwise,
    Not,
}

impl Applied {
    /// The names of the schemes that were used.
    pub(super) fn schemes(&self) -> impl Iterator<Item = &'static SecurityScheme> + '_ {
        self.used.iter().map(|(scheme, _)| *scheme)
    }

    /// Replaces every secret of the call in a text. Very short ones are left: they are no secret.
    pub(super) fn redact(&self, text: String) -> String {
        let mut text = text;
        for secret in self.secrets() {
            if text.contains(secret.expose_secret()) {
                text = text.replace(secret.expose_secret(), "[redacted]");
            }
        }
        text
    }

    /// Whether the text holds a secret that can only stand within a JSON string.
    pub(super) fn leaks_into(&self, text: &str) -> bool {
        self.secrets().iter().any(|secret| text.contains(secret.expose_secret()))
    }

    fn secrets(&self) -> Vec<SecretString> {
        let mut secrets = Vec::new();
        for (_, credential) in &self.used {
            let secret = match credential {
                Credential::Secret(secret) => secret,
                Credential::Basic { username, password } => {
                    let encoded = STANDARD.encode(format!("{username}:{}", password.expose_secret()));
                    secrets.push(SecretString::from(encoded));
                    password
                }
            };
            let encoded = encode(secret.expose_secret(), Place::Query, false);
            if encoded != secret.expose_secret() {
                secrets.push(encoded.into());
            }
            secrets.push(secret.clone());
        }
        // A number would break JSON when replaced, and a few characters would replace words.
        secrets.retain(|secret| {
            let text = secret.expose_secret();
            text.len() >= 6 && text.parse::<f64>().is_err()
        });
        secrets
    }
}

fn put(request: &mut Request, scheme: &SecurityScheme, credential: &Credential, prefix: &str) -> Result<(), Error> {
    let unusable = || {
        Error::failed(format!(
            "the credential for `{}` ({prefix}_{}) has characters that a request cannot carry",
            scheme.name,
            crate::catalog::variable_part(scheme.name)
        ))
    };
    let text = match credential {
        Credential::Secret(secret) => secret.clone(),
        Credential::Basic { username, password } => {
            STANDARD.encode(format!("{username}:{}", password.expose_secret())).into()
        }
    };
    let (name, value) = match scheme.kind {
        SecuritySchemeKind::ApiKey { name, location: ApiKeyLocation::Header } => {
            (HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?, text)
        }
        SecuritySchemeKind::ApiKey { name, location: ApiKeyLocation::Query } => {
            let name = encode(name, Place::Query, false);
            request.query.retain(|(other, _)| *other != name);
            request.query.push((name, Some(encode(text.expose_secret(), Place::Query, false))));
            return Ok(());
        }
        SecuritySchemeKind::ApiKey { name, location: ApiKeyLocation::Cookie } => {
            let legal = |byte: u8| (0x21..0x7f).contains(&byte) && !matches!(byte, b';' | b',' | b'"' | b'\\');
            if !text.expose_secret().bytes().all(legal) {
                return Err(unusable());
            }
            request.cookies.retain(|(other, _)| other != name);
            request.cookies.push((name.to_owned(), Some(text.expose_secret().to_owned())));
            return Ok(());
        }
        SecuritySchemeKind::Http { scheme } => {
            (header::AUTHORIZATION, format!("{scheme} {}", text.expose_secret()).into())
        }
        SecuritySchemeKind::MutualTls => return Ok(()),
        SecuritySchemeKind::HttpBasic => (header::AUTHORIZATION, format!("Basic {}", text.expose_secret()).into()),
        SecuritySchemeKind::HttpBearer { .. }
        | SecuritySchemeKind::OAuth2 { .. }
        | SecuritySchemeKind::OpenIdConnect { .. } => {
            (header::AUTHORIZATION, format!("Bearer {}", text.expose_secret()).into())
        }
    };
    let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unusable())?;
    value.set_sensitive(true);
    request.headers.insert(name, value);
    Ok(())
}

/// One error that names every variable of every alternative.
fn missing(operation: &Operation, prefix: &str) -> Error {
    let alternatives: Vec<String> = operation
        .security
        .iter()
        .map(|alternative| {
            let schemes = alternative.iter().map(|requirement| configured::what_to_set(prefix, requirement.scheme));
            schemes.collect::<Vec<_>>().join(" and ")
        })
        .collect();
    let message = format!(
        "the API wants a credential and none is configured for this server: set {}",
        alternatives.join(", or ")
    );
    Error::new(ErrorKind::Failed, message)
}
