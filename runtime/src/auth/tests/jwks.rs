//! T5: the keys of an issuer, and what their server may do wrong.

use std::time::Duration;

use axum::response::IntoResponse;
use http::{StatusCode, header};

use super::*;

fn token() -> SecretString {
    EC.token(&claims(json!({}))).into()
}

fn unavailable(answer: Result<Principal, Rejection>) {
    assert!(matches!(answer, Err(Rejection::Unavailable(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_many_requests_at_once_fetch_the_keys_once() {
    let keys = json!({"keys": [EC.jwk()]}).to_string();
    let origin = Origin::start(move |_, _| {
        let keys = keys.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            keys.into_response()
        }
    })
    .await;
    let verifier = Arc::new(verifier(&origin));
    let all: Vec<_> = (0..50)
        .map(|_| {
            let verifier = verifier.clone();
            tokio::spawn(async move { verifier.verify(&token()).await.unwrap() })
        })
        .collect();
    for one in all {
        one.await.unwrap();
    }
    assert_eq!(origin.hits(), 1);
}

#[tokio::test]
async fn t5_a_flood_of_unknown_keys_is_no_flood_of_fetches() {
    let origin = Origin::json(json!({"keys": [EC.jwk()]})).await;
    let verifier = verifier(&origin);
    verifier.verify(&token()).await.unwrap();
    for index in 0..50 {
        let mut header = EC_OTHER.header();
        header["kid"] = json!(format!("kid-{index}"));
        refused(verifier.verify(&EC_OTHER.sign(&header, &claims(json!({}))).into()).await, "unknown key");
    }
    assert_eq!(origin.hits(), 1, "within the pause after a fetch there is no other");
    verifier.verify(&token()).await.expect("known keys go on working");
}

#[tokio::test]
async fn t5_servers_that_misbehave_make_no_token_valid_and_nobody_wait() {
    type Misdeed = (&'static str, fn() -> Response);
    let misdeeds: [Misdeed; 7] = [
        ("too large", || format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(1 << 20)).into_response()),
        ("status", || StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        ("no JSON", || "<html>".into_response()),
        ("no keys", || "{}".into_response()),
        ("redirect", || (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")]).into_response()),
        ("too many keys", || json!({"keys": vec![json!({}); 200]}).to_string().into_response()),
        ("304 without need", || StatusCode::NOT_MODIFIED.into_response()),
    ];
    for (what, misdeed) in misdeeds {
        let origin = Origin::start(move |_, _| async move { misdeed() }).await;
        let verifier = verifier(&origin);
        unavailable(verifier.verify(&token()).await);
        unavailable(verifier.verify(&token()).await);
        assert_eq!(origin.hits(), 1, "{what}: no second try at once");
    }
    let slow = Origin::start(|_, _| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        StatusCode::OK.into_response()
    })
    .await;
    let answer = tokio::time::timeout(Duration::from_secs(9), verifier(&slow).verify(&token())).await;
    unavailable(answer.expect("a slow server is given up"));
}

#[tokio::test]
async fn t5_keys_that_must_not_verify_do_not() {
    let with = |extra: Value| {
        let mut jwk = EC.jwk();
        jwk.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        jwk
    };
    let secret = "0123456789abcdef0123456789abcdef";
    let oct = json!({"kty": "oct", "kid": "any", "k": BASE64_URL_SAFE_NO_PAD.encode(secret)});
    let unusable = [
        with(json!({"use": "enc"})),
        with(json!({"key_ops": ["encrypt"]})),
        with(json!({"alg": "ES384"})),
        with(json!({"kid": "another"})),
        with(json!({"crv": "P-384"})),
        with(json!({"x": "AAAA"})),
        json!({"kty": "unheard-of", "kid": "ec"}),
        json!("no object"),
        oct,
    ];
    for jwk in unusable {
        let origin = Origin::json(json!({"keys": [jwk]})).await;
        let verifier = verifier(&origin);
        refused(verifier.verify(&token()).await, &jwk.to_string());
        let symmetric =
            Signer { key: EncodingKey::from_secret(secret.as_bytes()), algorithm: Algorithm::HS256, id: "any" };
        refused(verifier.verify(&symmetric.token(&claims(json!({}))).into()).await, "a secret in public");
    }
    let among_others = json!({"keys": [json!({"kty": "unheard-of"}), with(json!({"kid": "ec", "use": "enc"})), EC_OTHER.jwk(), EC.jwk()]});
    let origin = Origin::json(among_others).await;
    verifier(&origin).verify(&token()).await.expect("one key among others, and a duplicate `kid`, are found");
}

#[tokio::test]
async fn keys_are_found_through_the_metadata_of_the_issuer_and_only_of_this_one() {
    async fn issuer(name: impl Fn(&str) -> String + Clone + Send + Sync + 'static, jwks: &'static str) -> Origin {
        Origin::start(move |_, request| {
            let host = format!("http://{}", request.headers()[header::HOST].to_str().unwrap());
            let (name, path) = (name(&host), request.uri().path().to_owned());
            async move {
                match path.as_str() {
                    "/.well-known/oauth-authorization-server/tenant" => {
                        let jwks = if jwks.is_empty() { format!("{host}/keys") } else { jwks.to_owned() };
                        json!({"issuer": name, "jwks_uri": jwks}).to_string().into_response()
                    }
                    "/keys" => json!({"keys": [EC.jwk()]}).to_string().into_response(),
                    _ => StatusCode::NOT_FOUND.into_response(),
                }
            }
        })
        .await
    }
    let verify = |origin: &Origin| {
        let name = format!("{}/tenant", origin.url);
        let verifier = JwtVerifier::new([JwtIssuer::discover(&name).audience(AUDIENCE)]).unwrap();
        async move { verifier.verify(&EC.token(&claims(json!({"iss": name}))).into()).await }
    };
    let honest = issuer(|host| format!("{host}/tenant"), "").await;
    verify(&honest).await.unwrap();
    assert_eq!(honest.seen.lock().unwrap().last().unwrap(), "/keys");

    let impostor = issuer(|_| "https://issuer.example".to_owned(), "").await;
    unavailable(verify(&impostor).await);
    for inside in ["file:///etc/passwd", "https://169.254.169.254/", "https://10.0.0.1/keys", "http://issuer.example/"]
    {
        unavailable(verify(&issuer(|host| format!("{host}/tenant"), inside).await).await);
    }
}
