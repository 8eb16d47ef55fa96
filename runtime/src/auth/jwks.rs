//! The public keys of an issuer (RFC 7517), fetched when needed and kept while fresh.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use http::{HeaderMap, StatusCode, header};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::fetch::{self, Fetcher};

/// The largest set of keys, in bytes and in number.
const MAX_BYTES: usize = 256 << 10;
const MAX_KEYS: usize = 100;
/// How many keys are tried for a token that names none.
const MAX_TRIES: usize = 8;

/// How long keys are fresh: what the server says, between these bounds.
const FRESH: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(86_400);
const FRESH_DEFAULT: Duration = Duration::from_secs(3600);
/// How long keys are used beyond that while the server cannot be reached.
const STALE: Duration = Duration::from_secs(3600);

/// The least time between two fetches that tokens with unknown keys cause, and between two after a failure.
pub(super) const COOL_DOWN: Duration = Duration::from_secs(30);
const COOL_DOWN_FAILED: Duration = Duration::from_secs(5);

/// Where the address of the keys comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// It is configured.
    Url(Url),
    /// The metadata of the issuer say it (RFC 8414, OpenID Connect Discovery).
    Issuer(String),
}

pub(super) struct Jwks {
    source: Source,
    fetcher: Fetcher,
    keys: RwLock<Option<Snapshot>>,
    /// Held while fetching: of many requests at once one fetches and the others wait for it.
    fetching: Mutex<Attempts>,
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").field("source", &self.source).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Snapshot {
    keys: Arc<Vec<PublicKey>>,
    fetched: Instant,
    fresh_until: Instant,
}

#[derive(Default)]
struct Attempts {
    last: Option<Instant>,
    failure: Option<String>,
    url: Option<Url>,
    etag: Option<header::HeaderValue>,
}

struct PublicKey {
    id: Option<String>,
    /// The names of the algorithms that it may be used with.
    algorithms: Vec<String>,
    key: DecodingKey,
}

impl Jwks {
    pub(super) fn new(source: Source, fetcher: Fetcher) -> Self {
        Self { source, fetcher, keys: RwLock::default(), fetching: Mutex::default() }
    }

    /// The keys that may have signed a token with this header. None, when the issuer has no such key.
    ///
    /// # Errors
    /// When the keys cannot be fetched.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Vec<DecodingKey>, String> {
        let known = self.snapshot();
        if let Some(snapshot) = &known
            && Instant::now() < snapshot.fresh_until
        {
            let found = select(&snapshot.keys, id, algorithm);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let keys = self.refresh(known.map(|snapshot| snapshot.fetched)).await?;
        Ok(select(&keys, id, algorithm))
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keys that are newer than those of `seen`, unless it is too early to ask again.
    async fn refresh(&self, seen: Option<Instant>) -> Result<Arc<Vec<PublicKey>>, String> {
        let mut attempts = self.fetching.lock().await;
        let current = self.snapshot();
        if let Some(snapshot) = &current
            && seen.is_none_or(|seen| snapshot.fetched > seen)
        {
            return Ok(snapshot.keys.clone());
        }
        let now = Instant::now();
        let pause = if attempts.failure.is_some() { COOL_DOWN_FAILED } else { COOL_DOWN };
        let is_early = attempts.last.is_some_and(|last| now.duration_since(last) < pause);
        let is_fresh = current.as_ref().is_some_and(|snapshot| now < snapshot.fresh_until);
        if !(is_early && (is_fresh || attempts.failure.is_some())) {
            attempts.last = Some(now);
            match self.fetch(&mut attempts, current.as_ref()).await {
                Ok(snapshot) => {
                    attempts.failure = None;
                    let keys = snapshot.keys.clone();
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
                    return Ok(keys);
                }
                Err(reason) => {
                    tracing::warn!(source = ?self.source, reason, "the keys of an issuer cannot be fetched");
                    attempts.failure = Some(reason);
                }
            }
        }
        match current {
            Some(snapshot) if now < snapshot.fresh_until + STALE => Ok(snapshot.keys),
            _ => Err(attempts.failure.clone().unwrap_or_else(|| "the keys are not known yet".to_owned())),
        }
    }

    async fn fetch(&self, attempts: &mut Attempts, current: Option<&Snapshot>) -> Result<Snapshot, String> {
        let url = match (&self.source, &attempts.url) {
            (Source::Url(url), _) | (_, Some(url)) => url.clone(),
            (Source::Issuer(issuer), None) => {
                let url = discover(&self.fetcher, issuer).await?;
                attempts.url.insert(url).clone()
            }
        };
        let mut request = self.fetcher.get(&url)?.header(header::ACCEPT, "application/jwk-set+json, application/json");
        if let (Some(etag), Some(_)) = (&attempts.etag, current) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let answer = fetch::send(request, MAX_BYTES).await?;
        let now = Instant::now();
        let fresh_until = now + freshness(&answer.headers);
        if let (StatusCode::NOT_MODIFIED, Some(current)) = (answer.status, current) {
            return Ok(Snapshot { keys: current.keys.clone(), fetched: now, fresh_until });
        }
        if answer.status != StatusCode::OK {
            // The address may have moved: it is discovered anew.
            attempts.url = None;
            return Err(format!("the answer is {}", answer.status));
        }
        let keys = parse(&answer.body)?;
        attempts.etag = answer.headers.get(header::ETAG).cloned();
        Ok(Snapshot { keys: Arc::new(keys), fetched: now, fresh_until })
    }
}

/// How long an answer is fresh, by its `Cache-Control`.
fn freshness(headers: &HeaderMap) -> Duration {
    let said = headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|directive| directive.trim().strip_prefix("max-age="))
        .find_map(|seconds| seconds.trim_matches('"').parse().ok())
        .map_or(FRESH_DEFAULT, Duration::from_secs);
    said.clamp(*FRESH.start(), *FRESH.end())
}

/// The keys of a set that can verify. A key that is not understood is left out: it is no reason to refuse the others.
fn parse(body: &[u8]) -> Result<Vec<PublicKey>, String> {
    let document: Value = serde_json::from_slice(body).map_err(|_| "the keys are not JSON".to_owned())?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or("there is no array of `keys`")?;
    if keys.len() > MAX_KEYS {
        return Err(format!("there are more than {MAX_KEYS} keys"));
    }
    Ok(keys.iter().filter_map(public_key).collect())
}

fn public_key(value: &Value) -> Option<PublicKey> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let family = key.family();
    // A secret has no place in a public document: whoever reads it could sign.
    let is_public = family != AlgorithmFamily::Hmac;
    let may_verify = jwk.common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature)
        && jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let declared = value.get("alg").map(|name| name.as_str().unwrap_or_default());
    let algorithms = family
        .algorithms()
        .iter()
        .filter(|algorithm| match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(point) => match algorithm {
                Algorithm::ES256 => point.curve == EllipticCurve::P256,
                Algorithm::ES384 => point.curve == EllipticCurve::P384,
                _ => false,
            },
            AlgorithmParameters::OctetKeyPair(point) => point.curve == EllipticCurve::Ed25519,
            _ => true,
        })
        .map(|algorithm| format!("{algorithm:?}"))
        .filter(|name| declared.is_none_or(|only| only == name))
        .collect();
    (is_public && may_verify).then_some(PublicKey { id: jwk.common.key_id, algorithms, key })
}

fn select(keys: &[PublicKey], id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
    let name = format!("{algorithm:?}");
    keys.iter()
        .filter(|key| key.algorithms.contains(&name))
        .filter(|key| id.is_none() || key.id.as_deref() == id)
        .take(MAX_TRIES)
        .map(|key| key.key.clone())
        .collect()
}

/// `jwks_uri` from the metadata of an issuer, which must be about this very issuer.
async fn discover(fetcher: &Fetcher, issuer: &str) -> Result<Url, String> {
    let base = Url::parse(issuer).map_err(|_| "the issuer is no URL".to_owned())?;
    let path = base.path().trim_end_matches('/');
    let candidates = [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    let mut reason = String::new();
    for candidate in candidates {
        let mut url = base.clone();
        url.set_path(&candidate);
        url.set_query(None);
        let answer = fetch::send(fetcher.get(&url)?.header(header::ACCEPT, "application/json"), MAX_BYTES).await?;
        if answer.status != StatusCode::OK {
            reason = format!("the metadata of the issuer answer {}", answer.status);
            continue;
        }
        let metadata: Value =
            serde_json::from_slice(&answer.body).map_err(|_| "the metadata are not JSON".to_owned())?;
        if metadata.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err("the metadata are those of another issuer".to_owned());
        }
        let keys = metadata.get("jwks_uri").and_then(Value::as_str).ok_or("the metadata name no `jwks_uri`")?;
        let keys = Url::parse(keys).map_err(|_| "`jwks_uri` is no URL".to_owned())?;
        fetcher.check(&keys).map_err(|reason| format!("`jwks_uri` cannot be used: {reason}"))?;
        return Ok(keys);
    }
    Err(reason)
}
