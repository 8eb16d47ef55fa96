//! JSON Web Tokens (RFC 7519) as access tokens (RFC 9068), verified here without asking anybody.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{
    ConfigError, Principal, Rejection, Verifier,
    claims::{self, Demands},
    fetch::{Fetcher, Network},
    jwks::{Jwks, Source},
};

/// The longest token in bytes.
const MAX_TOKEN: usize = 16 << 10;

/// An issuer whose tokens are accepted, and under which conditions.
#[derive(Debug, Clone)]
pub struct JwtIssuer {
    issuer: String,
    keys: KeySource,
    algorithms: Vec<String>,
    demands: Demands,
    network: Network,
    only_access_tokens: bool,
}

#[derive(Clone)]
enum KeySource {
    Url(String),
    Discovered,
    Pem(String),
    Secret(SecretString),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.debug_tuple("Url").field(url).finish(),
            Self::Discovered => f.write_str("Discovered"),
            Self::Pem(_) => f.write_str("Pem"),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

impl JwtIssuer {
    fn new(issuer: impl Into<String>, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            keys,
            algorithms: Vec::new(),
            demands: Demands { audiences: Vec::new(), clients: Vec::new(), leeway: Duration::from_secs(30) },
            network: Network::Public,
            only_access_tokens: false,
        }
    }

    /// An issuer whose keys its metadata name (RFC 8414, OpenID Connect Discovery).
    pub fn discover(issuer: impl Into<String>) -> Self {
        Self::new(issuer, KeySource::Discovered)
    }

    /// An issuer whose keys lie at a URL (RFC 7517).
    pub fn jwks(issuer: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(issuer, KeySource::Url(url.into()))
    }

    /// An issuer with one public key: RSA, P-256, P-384 or Ed25519 in PEM.
    pub fn pem(issuer: impl Into<String>, key: impl Into<String>) -> Self {
        Self::new(issuer, KeySource::Pem(key.into()))
    }

    /// An issuer that shares a secret (HS256 …) of at least 32 bytes with this server.
    pub fn secret(issuer: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::new(issuer, KeySource::Secret(secret.into()))
    }

    /// The issuer's identifier, `iss`.
    pub fn name(&self) -> &str {
        &self.issuer
    }

    /// Accepts tokens for this audience, compared byte by byte; usually the public URL of this server (RFC 8707). May
    /// be called several times.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.demands.audiences.push(audience.into());
        self
    }

    /// Accepts tokens of this application only, for issuers whose tokens name no audience. May be called several times.
    #[must_use]
    pub fn client(mut self, id: impl Into<String>) -> Self {
        self.demands.clients.push(id.into());
        self
    }

    /// Accepts only these algorithms (`RS256` …); else every secure one that fits the kind of keys.
    #[must_use]
    pub fn algorithms<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.algorithms = names.into_iter().map(Into::into).collect();
        self
    }

    /// How far the clocks of issuer and server may be apart, at most a minute; 30 seconds, unless it is said.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.demands.leeway = leeway.min(Duration::from_secs(60));
        self
    }

    /// Where the keys may be fetched from.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Accepts only tokens that call themselves access tokens (`typ: at+jwt`, RFC 9068 section 2.1).
    #[must_use]
    pub fn only_access_tokens(mut self) -> Self {
        self.only_access_tokens = true;
        self
    }
}

/// Verifies JSON Web Tokens of one or several issuers.
#[derive(Debug)]
pub struct JwtVerifier {
    issuers: Vec<Trusted>,
}

#[derive(Debug)]
struct Trusted {
    issuer: String,
    keys: Keys,
    algorithms: Vec<Algorithm>,
    demands: Demands,
    only_access_tokens: bool,
}

enum Keys {
    Fixed(Vec<DecodingKey>),
    Fetched(Arc<Jwks>),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(keys) => write!(f, "Fixed({})", keys.len()),
            Self::Fetched(jwks) => jwks.fmt(f),
        }
    }
}

impl JwtVerifier {
    /// A verifier of the tokens of these issuers.
    ///
    /// # Errors
    /// When there is none, two have one name, one demands neither an audience nor a client, or a key, an algorithm or
    /// a URL cannot be used.
    pub fn new(issuers: impl IntoIterator<Item = JwtIssuer>) -> Result<Self, ConfigError> {
        let issuers = issuers.into_iter().map(Trusted::new).collect::<Result<Vec<_>, _>>()?;
        if issuers.is_empty() {
            return Err(ConfigError::new("no issuer is given"));
        }
        for (index, trusted) in issuers.iter().enumerate() {
            if issuers[..index].iter().any(|other| other.issuer == trusted.issuer) {
                return Err(ConfigError::new(format!("the issuer `{}` is given twice", trusted.issuer)));
            }
        }
        Ok(Self { issuers })
    }
}

impl Trusted {
    fn new(issuer: JwtIssuer) -> Result<Self, ConfigError> {
        let JwtIssuer { issuer, keys, algorithms, demands, network, only_access_tokens } = issuer;
        let wrong = |reason: String| ConfigError::new(format!("issuer `{issuer}`: {reason}"));
        if issuer.is_empty() {
            return Err(ConfigError::new("an issuer has no name"));
        }
        if demands.audiences.is_empty() && demands.clients.is_empty() {
            return Err(wrong("name the audience of its tokens (usually the public URL of this server)".to_owned()));
        }
        let url = |text: &str| Url::parse(text).map_err(|error| wrong(format!("`{text}` is no URL: {error}")));
        let (keys, families): (Keys, Vec<AlgorithmFamily>) = match keys {
            KeySource::Url(text) => {
                let url = url(&text)?;
                let fetcher = Fetcher::new(&url, network)?;
                (Keys::Fetched(Arc::new(Jwks::new(Source::Url(url), fetcher))), PUBLIC.to_vec())
            }
            KeySource::Discovered => {
                let fetcher = Fetcher::new(&url(&issuer)?, network)?;
                (Keys::Fetched(Arc::new(Jwks::new(Source::Issuer(issuer.clone()), fetcher))), PUBLIC.to_vec())
            }
            KeySource::Pem(text) => {
                let key = public_key(text.as_bytes()).ok_or_else(|| wrong("the PEM holds no public key".to_owned()))?;
                let family = key.family();
                (Keys::Fixed(vec![key]), vec![family])
            }
            KeySource::Secret(secret) => {
                let secret = secret.expose_secret().as_bytes();
                if secret.len() < 32 {
                    return Err(wrong("the secret has fewer than 32 bytes".to_owned()));
                }
                (Keys::Fixed(vec![DecodingKey::from_secret(secret)]), vec![AlgorithmFamily::Hmac])
            }
        };
        let fitting: Vec<Algorithm> = families.iter().flat_map(|family| family.algorithms()).copied().collect();
        let algorithms = match algorithms.as_slice() {
            [] => fitting,
            names => names
                .iter()
                .map(|name| Algorithm::from_str(name).ok().filter(|algorithm| fitting.contains(algorithm)))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| wrong(format!("use algorithms among {fitting:?}")))?,
        };
        Ok(Self { issuer, keys, algorithms, demands, only_access_tokens })
    }

    async fn keys(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Vec<DecodingKey>, Rejection> {
        match &self.keys {
            Keys::Fixed(keys) => Ok(keys.clone()),
            Keys::Fetched(jwks) => jwks.find(id, algorithm).await.map_err(Rejection::Unavailable),
        }
    }
}

const PUBLIC: [AlgorithmFamily; 3] = [AlgorithmFamily::Rsa, AlgorithmFamily::Ec, AlgorithmFamily::Ed];

fn public_key(pem: &[u8]) -> Option<DecodingKey> {
    DecodingKey::from_rsa_pem(pem)
        .or_else(|_| DecodingKey::from_ec_pem(pem))
        .or_else(|_| DecodingKey::from_ed_pem(pem))
        .ok()
}

#[async_trait]
impl Verifier for JwtVerifier {
    async fn verify(&self, token: &SecretString) -> Result<Principal, Rejection> {
        let token = token.expose_secret();
        let unverified = Unverified::parse(token)?;
        // The issuer chooses the key, so that it is believed before the signature is checked; a lie only leads to the
        // wrong key.
        let issuer = unverified.claims.get("iss").and_then(Value::as_str).ok_or(INVALID("`iss` is missing"))?;
        let trusted = self.issuers.iter().find(|trusted| trusted.issuer == issuer).ok_or(INVALID("unknown issuer"))?;
        if !trusted.algorithms.contains(&unverified.algorithm) {
            return Err(INVALID("its algorithm is not allowed"));
        }
        unverified.check_type(trusted.only_access_tokens)?;

        let keys = trusted.keys(unverified.key_id.as_deref(), unverified.algorithm).await?;
        if keys.is_empty() {
            return Err(INVALID("its key is unknown"));
        }
        let is_signed = keys.iter().any(|key| {
            let Unverified { signature, signed, algorithm, .. } = &unverified;
            jsonwebtoken::crypto::verify(signature, signed.as_bytes(), key, *algorithm).unwrap_or(false)
        });
        if !is_signed {
            return Err(INVALID("its signature is wrong"));
        }

        let claims = unverified.claims;
        trusted.demands.check_audience(&claims)?;
        let expires = trusted.demands.check_times(&claims, true)?;
        claims::check_purpose(&claims)?;
        claims::principal(trusted.issuer.clone(), claims, expires)
    }
}

const INVALID: fn(&'static str) -> Rejection = Rejection::Invalid;

/// A token taken apart, of which nothing is proven.
struct Unverified<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    kind: Option<String>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Unverified<'a> {
    fn parse(token: &'a str) -> Result<Self, Rejection> {
        if token.len() > MAX_TOKEN {
            return Err(INVALID("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(INVALID("it is no JWT"))?;
        let (header, claims) = signed.split_once('.').ok_or(INVALID("it is no JWT"))?;
        let header = object(header)?;
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(INVALID("its header is malformed")),
        };
        // Extensions that must be understood, and encryption and compression, are not (RFC 7515 section 4.1.11). Keys
        // that the token brings along (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
        if ["crit", "b64", "enc", "zip"].iter().any(|name| header.contains_key(*name)) {
            return Err(INVALID("its header demands what is not supported"));
        }
        let algorithm = text("alg")?.and_then(|name| Algorithm::from_str(&name).ok());
        Ok(Self {
            algorithm: algorithm.ok_or(INVALID("its algorithm is not supported"))?,
            key_id: text("kid")?,
            kind: text("typ")?,
            claims: object(claims)?,
            signed,
            signature,
        })
    }

    /// `typ`: a plain JWT or, better, an access token; nothing else (RFC 8725 section 3.11).
    fn check_type(&self, only_access_tokens: bool) -> Result<(), Rejection> {
        let kind = self.kind.as_deref().map(str::to_ascii_lowercase);
        match kind.as_deref().map(|kind| kind.strip_prefix("application/").unwrap_or(kind)) {
            Some("at+jwt") => Ok(()),
            None | Some("jwt") if !only_access_tokens => Ok(()),
            _ => Err(INVALID("its type is not that of an access token")),
        }
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Rejection> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| INVALID("it is no JWT"))?;
    serde_json::from_slice(&json).map_err(|_| INVALID("it is no JWT"))
}
