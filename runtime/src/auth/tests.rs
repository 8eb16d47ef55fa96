//! Attacks on token verification, T1 to T11 by their subjects, against servers in this process.

mod configuration;
mod http_side;
mod introspection;
mod jwks;
mod jwt;
mod server;
mod table;

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{Router, extract::Request, response::Response};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://mcp.example/mcp";

/// A key pair of an issuer.
struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    id: &'static str,
}

static EC: LazyLock<Signer> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    Signer { key, algorithm: Algorithm::ES256, id: "ec" }
});

static EC_OTHER: LazyLock<Signer> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    Signer { key, algorithm: Algorithm::ES256, id: "other" }
});

static RSA: LazyLock<Signer> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    // The wrapper around the RSAPrivateKey of PKCS #8 has a fixed length for this size.
    let key = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
    Signer { key, algorithm: Algorithm::RS256, id: "rsa" }
});

impl Signer {
    fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    fn header(&self) -> Value {
        json!({"alg": format!("{:?}", self.algorithm), "kid": self.id, "typ": "at+jwt"})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Claims that are valid, but for what the changes say; `null` removes a claim.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "me", "exp": now() + 600, "iat": now(), "scope": "use admin", "client_id": "app",
    });
    let object = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// A server in this process: answers as its function says, and counts.
struct Origin {
    url: String,
    hits: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    _stop: tokio::task::JoinSet<()>,
}

impl Origin {
    async fn start<A>(answer: impl Fn(usize, Request) -> A + Clone + Send + Sync + 'static) -> Self
    where
        A: Future<Output = Response> + Send + 'static,
    {
        let hits = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (count, paths) = (hits.clone(), seen.clone());
        let router = Router::new().fallback(move |request: Request| {
            paths.lock().unwrap().push(request.uri().to_string());
            answer(count.fetch_add(1, Ordering::SeqCst), request)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut stop = tokio::task::JoinSet::new();
        stop.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, hits, seen, _stop: stop }
    }

    /// Answers everything with one JSON document.
    async fn json(document: Value) -> Self {
        Self::start(move |_, _| {
            let document = document.to_string();
            async move { axum::response::IntoResponse::into_response(document) }
        })
        .await
    }

    fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

/// A verifier of tokens of the issuer whose keys lie at a server.
fn verifier(keys: &Origin) -> JwtVerifier {
    JwtVerifier::new([JwtIssuer::jwks(ISSUER, format!("{}/jwks", keys.url)).audience(AUDIENCE)]).unwrap()
}

#[track_caller]
fn refused(answer: Result<Principal, Rejection>, why: &str) {
    match answer {
        Err(Rejection::Invalid(_)) => {}
        other => panic!("{why}: {other:?}"),
    }
}
