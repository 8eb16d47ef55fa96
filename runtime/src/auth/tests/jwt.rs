//! Tokens that are forged, stale, foreign or meant for something else.

use super::*;

async fn ec_and_rsa() -> (Origin, JwtVerifier) {
    let origin = Origin::json(json!({"keys": [EC.jwk(), RSA.jwk()]})).await;
    let verifier = verifier(&origin);
    (origin, verifier)
}

#[tokio::test]
async fn a_valid_token_becomes_a_principal() {
    let (_origin, verifier) = ec_and_rsa().await;
    for signer in [&EC, &RSA] {
        let principal = verifier.verify(&signer.token(&claims(json!({}))).into()).await.unwrap();
        assert_eq!((principal.subject.as_str(), principal.issuer.as_str()), ("me", ISSUER));
        assert_eq!(principal.client.as_deref(), Some("app"));
        assert!(principal.has_scopes(["use", "admin"]) && !principal.has_scope("root"));
        assert!(principal.expires.is_some() && principal.claims.contains_key("iat"));
    }
    let forms = [
        json!({"aud": ["https://other.example", AUDIENCE]}),
        json!({"scope": null, "scp": ["use", "admin"]}),
        json!({"nbf": now() - 5}),
        json!({"exp": now() - 10, "iat": now() + 10}),
        json!({"token_use": "access", "typ": "Bearer"}),
    ];
    for form in forms {
        let answer = verifier.verify(&EC.token(&claims(form.clone())).into()).await;
        assert!(answer.is_ok_and(|principal| principal.has_scope("admin")), "{form}");
    }
    let service = verifier.verify(&EC.token(&claims(json!({"sub": null}))).into()).await.unwrap();
    assert_eq!(service.subject, "app", "a client that acts for itself is its own subject");
}

#[tokio::test]
async fn t1_algorithms_cannot_be_chosen_by_the_token() {
    let (origin, verifier) = ec_and_rsa().await;
    let valid = claims(json!({}));
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(&valid));
    refused(verifier.verify(&unsigned.into()).await, "alg none");
    let spelled = format!("{}.{}.", part(&json!({"alg": "nOnE"})), part(&valid));
    refused(verifier.verify(&spelled.into()).await, "alg nOnE");

    // The public key, which everybody has, used as the secret of an HMAC.
    for secret in [RSA.jwk()["n"].as_str().unwrap().to_owned(), RSA.jwk().to_string()] {
        let forger =
            Signer { key: EncodingKey::from_secret(secret.as_bytes()), algorithm: Algorithm::HS256, id: "rsa" };
        refused(verifier.verify(&forger.token(&valid).into()).await, "HS256 with the public key");
    }
    let mut header = EC.header();
    header["alg"] = json!("RS256");
    refused(verifier.verify(&EC.sign(&header, &valid).into()).await, "another algorithm than the key's");
    let mut header = EC.header();
    header["kid"] = json!("rsa");
    refused(verifier.verify(&EC.sign(&header, &valid).into()).await, "another key than it names");

    let strict = JwtIssuer::jwks(ISSUER, format!("{}/jwks", origin.url)).audience(AUDIENCE).algorithms(["RS256"]);
    let strict = JwtVerifier::new([strict]).unwrap();
    refused(strict.verify(&EC.token(&valid).into()).await, "not in the list");
    assert!(strict.verify(&RSA.token(&valid).into()).await.is_ok());
}

#[tokio::test]
async fn t1_keys_that_a_token_brings_along_are_neither_used_nor_fetched() {
    let (origin, verifier) = ec_and_rsa().await;
    let lure = Origin::json(json!({"keys": [EC_OTHER.jwk()]})).await;
    let embedded = [
        json!({"jwk": EC_OTHER.jwk()}),
        json!({"jku": lure.url, "kid": "other"}),
        json!({"x5u": lure.url}),
        json!({"x5c": ["MIIB"]}),
        json!({"kid": "../../dev/null"}),
    ];
    for extra in embedded {
        let mut header = EC_OTHER.header();
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        refused(verifier.verify(&EC_OTHER.sign(&header, &claims(json!({}))).into()).await, &extra.to_string());
    }
    assert_eq!(lure.hits(), 0);
    assert!(origin.hits() <= 2);
}

#[tokio::test]
async fn t2_issuer_and_audience_are_required_and_exact() {
    let (_origin, verifier) = ec_and_rsa().await;
    let wrong = [
        json!({"iss": null}),
        json!({"iss": 7}),
        json!({"iss": [ISSUER]}),
        json!({"iss": format!("{ISSUER}/")}),
        json!({"iss": "https://evil.example"}),
        json!({"aud": null}),
        json!({"aud": {"0": AUDIENCE}}),
        json!({"aud": []}),
        json!({"aud": [7, AUDIENCE]}),
        json!({"aud": "https://other.example"}),
        json!({"aud": format!("{AUDIENCE}/")}),
        json!({"aud": "https://mcp.example"}),
        json!({"sub": 7}),
        json!({"sub": ""}),
        json!({"sub": null, "client_id": null}),
    ];
    for change in wrong {
        refused(verifier.verify(&EC.token(&claims(change.clone())).into()).await, &change.to_string());
    }
}

#[tokio::test]
async fn t3_dates_are_required_numbers_and_current() {
    let (_origin, verifier) = ec_and_rsa().await;
    let wrong = [
        json!({"exp": null}),
        json!({"exp": (now() + 600).to_string()}),
        json!({"exp": now() as f64 + 600.5}),
        json!({"exp": 0}),
        json!({"exp": -1}),
        json!({"exp": u64::MAX}),
        json!({"exp": 1e300}),
        json!({"exp": (now() + 600) * 1000}),
        json!({"exp": now() - 31}),
        json!({"exp": [now() + 600]}),
        json!({"nbf": now() + 300}),
        json!({"nbf": "0"}),
        json!({"iat": now() + 300}),
        json!({"iat": "yesterday"}),
    ];
    for change in wrong {
        refused(verifier.verify(&EC.token(&claims(change.clone())).into()).await, &change.to_string());
    }
}

#[tokio::test]
async fn t4_tokens_for_another_purpose_and_unknown_extensions_are_refused() {
    let (origin, verifier) = ec_and_rsa().await;
    let headers = [
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"b64": false}),
        json!({"zip": "DEF"}),
        json!({"typ": "refresh+jwt"}),
        json!({"typ": "logout+jwt"}),
        json!({"typ": "dpop+jwt"}),
        json!({"typ": "application/secevent+jwt"}),
        json!({"typ": ["at+jwt"]}),
        json!({"kid": 7}),
    ];
    for extra in headers {
        let mut header = EC.header();
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        refused(verifier.verify(&EC.sign(&header, &claims(json!({}))).into()).await, &extra.to_string());
    }
    let purposes = [
        json!({"token_use": "id"}),
        json!({"typ": "Refresh"}),
        json!({"typ": "ID"}),
        json!({"at_hash": "x"}),
        json!({"typ": 7}),
    ];
    for change in purposes {
        refused(verifier.verify(&EC.token(&claims(change.clone())).into()).await, &change.to_string());
    }
    let mut plain = EC.header();
    plain["typ"] = json!("JWT");
    let plain = EC.sign(&plain, &claims(json!({}))).into();
    assert!(verifier.verify(&plain).await.is_ok());
    let strict = JwtIssuer::jwks(ISSUER, format!("{}/jwks", origin.url)).audience(AUDIENCE).only_access_tokens();
    refused(JwtVerifier::new([strict]).unwrap().verify(&plain).await, "only at+jwt");
}

#[tokio::test]
async fn malformed_tokens_are_refused_whatever_they_are() {
    let (_origin, verifier) = ec_and_rsa().await;
    let valid = EC.token(&claims(json!({})));
    let (message, _) = valid.rsplit_once('.').unwrap();
    let huge = "A".repeat(64 << 10);
    let malformed = [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d.e",
        "nonsense",
        &huge,
        message,
        &format!("{message}."),
        &format!("{valid}="),
        &format!("{valid}.x"),
        &format!(" {valid}"),
        &valid.replace('.', ". "),
        "eyJ9.e30.",
        "bnVsbA.bnVsbA.AA",
        "W10.W10.AA",
    ];
    for token in malformed {
        refused(verifier.verify(&token.to_owned().into()).await, &token[..token.len().min(40)]);
    }
    let other = claims(json!({"sub": "admin"}));
    let mut parts: Vec<&str> = valid.split('.').collect();
    let changed = part(&other);
    parts[1] = &changed;
    refused(verifier.verify(&parts.join(".").into()).await, "changed claims");
}

#[tokio::test]
async fn t7_a_token_of_another_application_is_refused_where_tokens_name_no_audience() {
    let origin = Origin::json(json!({"keys": [EC.jwk()]})).await;
    let verifier = JwtVerifier::new([JwtIssuer::jwks(ISSUER, format!("{}/jwks", origin.url)).client("app")]).unwrap();
    assert!(verifier.verify(&EC.token(&claims(json!({"aud": null}))).into()).await.is_ok());
    for change in [json!({"client_id": "evil"}), json!({"client_id": null}), json!({"client_id": ["app"]})] {
        refused(verifier.verify(&EC.token(&claims(change.clone())).into()).await, &change.to_string());
    }
}

#[tokio::test]
async fn issuers_do_not_vouch_for_each_other() {
    let (first, second) =
        (Origin::json(json!({"keys": [EC.jwk()]})).await, Origin::json(json!({"keys": [EC_OTHER.jwk()]})).await);
    let verifier = JwtVerifier::new([
        JwtIssuer::jwks(ISSUER, format!("{}/jwks", first.url)).audience(AUDIENCE),
        JwtIssuer::jwks("https://second.example", format!("{}/jwks", second.url)).audience(AUDIENCE),
    ])
    .unwrap();
    assert!(verifier.verify(&EC.token(&claims(json!({}))).into()).await.is_ok());
    let second_issuer = claims(json!({"iss": "https://second.example"}));
    assert!(verifier.verify(&EC_OTHER.token(&second_issuer).into()).await.is_ok());
    refused(verifier.verify(&EC.token(&second_issuer).into()).await, "signed by the first");
    refused(verifier.verify(&EC_OTHER.token(&claims(json!({}))).into()).await, "signed by the second");
}

#[tokio::test]
async fn shared_secrets_and_pem_keys_verify_too() {
    let secret = "0123456789abcdef0123456789abcdef";
    let signer = Signer { key: EncodingKey::from_secret(secret.as_bytes()), algorithm: Algorithm::HS256, id: "any" };
    let verifier = JwtVerifier::new([JwtIssuer::secret(ISSUER, secret).audience(AUDIENCE)]).unwrap();
    assert!(verifier.verify(&signer.token(&claims(json!({}))).into()).await.is_ok());
    refused(verifier.verify(&EC.token(&claims(json!({}))).into()).await, "another kind of key");
    assert!(!format!("{verifier:?}").contains(secret));

    let jwk: Jwk = serde_json::from_value(EC.jwk()).unwrap();
    let jsonwebtoken::jwk::AlgorithmParameters::EllipticCurve(point) = jwk.algorithm else { panic!() };
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    // SubjectPublicKeyInfo of P-256 up to the point.
    let mut der = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    der.extend(decode(&point.x));
    der.extend(decode(&point.y));
    let body = base64::prelude::BASE64_STANDARD.encode(der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    let verifier = JwtVerifier::new([JwtIssuer::pem(ISSUER, pem).audience(AUDIENCE)]).unwrap();
    assert!(verifier.verify(&EC.token(&claims(json!({}))).into()).await.is_ok());
    refused(verifier.verify(&EC_OTHER.token(&claims(json!({}))).into()).await, "another key");
}
