//! Well-known issuers of which only the URLs differ.

use serde::Deserialize;

use super::{ConfigError, JwtIssuer};

/// A provider whose access tokens are JSON Web Tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Preset {
    /// Auth0; the tenant is the domain, `example.eu.auth0.com`.
    Auth0,
    /// WorkOS AuthKit; the tenant is the domain, `example.authkit.app`.
    AuthKit,
    /// Clerk; the tenant is the domain, `clerk.example.com`.
    Clerk,
    /// Amazon Cognito; the tenant is the id of the user pool, `eu-west-1_AbCdEf`. Its access tokens name no audience:
    /// name the clients instead.
    Cognito,
    /// Microsoft Entra ID, version 2 tokens; the tenant is its id.
    Entra,
    /// Keycloak; the tenant is host and realm, `id.example.com/realms/staff`.
    Keycloak,
    /// Okta's default authorization server; the tenant is the domain, `example.okta.com`.
    Okta,
    /// Supabase; the tenant is the project's reference.
    Supabase,
}

impl Preset {
    /// The issuer that a tenant of the provider is.
    ///
    /// # Errors
    /// When the tenant does not look like one.
    pub fn issuer(self, tenant: &str) -> Result<JwtIssuer, ConfigError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/".contains(&byte);
        if tenant.is_empty() || !tenant.bytes().all(is_plain) || tenant.contains("..") || tenant.starts_with('/') {
            return Err(ConfigError::new(format!("`{}` is no tenant", tenant.escape_debug())));
        }
        let (issuer, keys) = match self {
            Self::Auth0 => (format!("https://{tenant}/"), format!("https://{tenant}/.well-known/jwks.json")),
            Self::AuthKit => (format!("https://{tenant}"), format!("https://{tenant}/oauth2/jwks")),
            Self::Clerk => (format!("https://{tenant}"), format!("https://{tenant}/.well-known/jwks.json")),
            Self::Cognito => {
                let (region, _) = tenant
                    .split_once('_')
                    .ok_or_else(|| ConfigError::new(format!("`{tenant}` is no user pool (`region_name`)")))?;
                let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{tenant}");
                let keys = format!("{issuer}/.well-known/jwks.json");
                (issuer, keys)
            }
            Self::Entra => {
                let base = format!("https://login.microsoftonline.com/{tenant}");
                (format!("{base}/v2.0"), format!("{base}/discovery/v2.0/keys"))
            }
            Self::Keycloak => (format!("https://{tenant}"), format!("https://{tenant}/protocol/openid-connect/certs")),
            Self::Okta => {
                let issuer = format!("https://{tenant}/oauth2/default");
                let keys = format!("{issuer}/v1/keys");
                (issuer, keys)
            }
            Self::Supabase => {
                let issuer = format!("https://{tenant}.supabase.co/auth/v1");
                let keys = format!("{issuer}/.well-known/jwks.json");
                (issuer, keys)
            }
        };
        Ok(JwtIssuer::jwks(issuer, keys))
    }
}
