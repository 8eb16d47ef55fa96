//! What claims must say (RFC 7519, RFC 9068, RFC 7662), whoever vouches for them.
//!
//! All of it is checked here, strictly: a claim of the wrong type is no claim.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value};

use super::{Principal, Rejection};

/// What is demanded of the claims of one issuer.
#[derive(Debug, Clone)]
pub(super) struct Demands {
    /// The audiences that mean this server; one must be in `aud`.
    pub(super) audiences: Vec<String>,
    /// The applications whose tokens are accepted; any, when empty.
    pub(super) clients: Vec<String>,
    /// How far clocks may be apart.
    pub(super) leeway: Duration,
}

/// No access token lives longer than this, in seconds: ten years. A later `exp` is a mistake, or not in seconds.
const LONGEST_LIFE: u64 = 10 * 366 * 86_400;

const INVALID: fn(&'static str) -> Rejection = Rejection::Invalid;

impl Demands {
    /// Whether the token is for this server: by its audience, or, for issuers whose tokens name none, by the
    /// application that it was issued to.
    pub(super) fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), Rejection> {
        if !self.audiences.is_empty() {
            let named = match claims.get("aud") {
                Some(Value::String(audience)) => vec![audience.as_str()],
                Some(Value::Array(audiences)) => {
                    audiences.iter().map(Value::as_str).collect::<Option<_>>().ok_or(INVALID("`aud` is malformed"))?
                }
                Some(_) => return Err(INVALID("`aud` is malformed")),
                None => return Err(INVALID("`aud` is missing")),
            };
            if !named.iter().any(|audience| self.audiences.iter().any(|mine| mine == audience)) {
                return Err(INVALID("it is for another audience"));
            }
        }
        if !self.clients.is_empty() && !client(claims).is_some_and(|id| self.clients.contains(&id)) {
            return Err(INVALID("it was issued to another application"));
        }
        Ok(())
    }

    /// Whether the token is valid now; returns its end.
    pub(super) fn check_times(
        &self,
        claims: &Map<String, Value>,
        requires_exp: bool,
    ) -> Result<Option<SystemTime>, Rejection> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let leeway = self.leeway.as_secs();
        if date(claims, "nbf")?.is_some_and(|start| start > now + leeway) {
            return Err(INVALID("it is not valid yet"));
        }
        if date(claims, "iat")?.is_some_and(|issued| issued > now + leeway) {
            return Err(INVALID("it was issued in the future"));
        }
        let Some(end) = date(claims, "exp")? else {
            return if requires_exp { Err(INVALID("`exp` is missing")) } else { Ok(None) };
        };
        if end.saturating_add(leeway) <= now {
            return Err(INVALID("it has expired"));
        }
        if end > now + LONGEST_LIFE {
            return Err(INVALID("`exp` is absurd"));
        }
        Ok(Some(UNIX_EPOCH + Duration::from_secs(end)))
    }
}

/// A NumericDate. RFC 7519 allows fractions, which nobody issues.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, Rejection> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(INVALID("a date claim is malformed")),
    }
}

/// Whether the claims are those of a token for another purpose: an ID token (OpenID Connect Core section 3.1.3.6) or a
/// refresh token, as several issuers mark them in the claims.
pub(super) fn check_purpose(claims: &Map<String, Value>) -> Result<(), Rejection> {
    let is = |name: &str, expected: &str| {
        claims.get(name).is_none_or(|value| value.as_str().is_some_and(|use_| use_.eq_ignore_ascii_case(expected)))
    };
    if claims.contains_key("at_hash") || claims.contains_key("c_hash") {
        return Err(INVALID("it is an ID token"));
    }
    // Cognito and Keycloak.
    if !is("token_use", "access") || !is("typ", "Bearer") {
        return Err(INVALID("it is no access token"));
    }
    Ok(())
}

fn client(claims: &Map<String, Value>) -> Option<String> {
    ["client_id", "azp", "cid", "appid"]
        .into_iter()
        .find_map(|name| claims.get(name))
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The granted scopes: `scope` (RFC 8693) or `scp`, a list or text separated by blanks.
fn scopes(claims: &Map<String, Value>) -> BTreeSet<String> {
    ["scope", "scp"]
        .into_iter()
        .filter_map(|name| claims.get(name))
        .flat_map(|value| match value {
            Value::String(text) => text.split(' ').map(str::to_owned).collect(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        })
        .filter(|scope| !scope.is_empty())
        .collect()
}

/// The principal that claims describe.
pub(super) fn principal(
    issuer: String,
    claims: Map<String, Value>,
    expires: Option<SystemTime>,
) -> Result<Principal, Rejection> {
    let client = client(&claims);
    let subject = match claims.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => subject.clone(),
        Some(_) => return Err(INVALID("`sub` is malformed")),
        None => client.clone().ok_or(INVALID("it names neither a subject nor a client"))?,
    };
    Ok(Principal { subject, issuer, client, scopes: scopes(&claims), expires, claims, rule: None })
}
