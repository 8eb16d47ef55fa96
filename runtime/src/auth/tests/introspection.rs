//! T6: opaque tokens, and what their issuer may answer.

use std::time::Duration;

use axum::response::IntoResponse;
use http::{StatusCode, header};

use super::*;

fn asks(origin: &Origin) -> Introspection {
    Introspection::new(&format!("{}/introspect", origin.url), Network::Public)
        .unwrap()
        .basic("id: &", "s%cret+")
        .audience(AUDIENCE)
}

fn active(changes: Value) -> Value {
    let mut answer = claims(changes);
    answer["active"] = json!(true);
    answer
}

fn token() -> SecretString {
    "opaque-token".into()
}

#[tokio::test]
async fn t6_an_active_token_is_a_principal_and_remembered_for_a_while() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let log = bodies.clone();
    let origin = Origin::start(move |_, request| {
        let log = log.clone();
        async move {
            let authorization = request.headers()[header::AUTHORIZATION].to_str().unwrap().to_owned();
            let body = axum::body::to_bytes(request.into_body(), 1000).await.unwrap();
            log.lock().unwrap().push((authorization, String::from_utf8(body.to_vec()).unwrap()));
            active(json!({})).to_string().into_response()
        }
    })
    .await;
    let verifier = asks(&origin);
    for _ in 0..3 {
        let principal = verifier.verify(&token()).await.unwrap();
        assert!(principal.subject == "me" && principal.has_scope("admin"));
    }
    assert_eq!(origin.hits(), 1);
    let (authorization, body) = bodies.lock().unwrap()[0].clone();
    let expected = base64::prelude::BASE64_STANDARD.encode("id%3A+%26:s%25cret%2B");
    assert_eq!(authorization, format!("Basic {expected}"), "form-encoded before it is joined");
    assert_eq!(body, "token=opaque-token&token_type_hint=access_token");
    verifier.verify(&"another".into()).await.unwrap();
    assert_eq!(origin.hits(), 2, "each token is asked for");
    assert!(!format!("{verifier:?}").contains("s%cret"));
}

#[tokio::test]
async fn t6_what_is_not_clearly_active_and_ours_is_refused() {
    let answers = [
        json!({"active": false}),
        json!({}),
        json!({"active": "true", "sub": "me", "aud": AUDIENCE}),
        json!({"active": 1, "sub": "me", "aud": AUDIENCE}),
        active(json!({"aud": "https://other.example"})),
        active(json!({"aud": null})),
        active(json!({"exp": now() - 60})),
        active(json!({"exp": "soon"})),
        active(json!({"nbf": now() + 600})),
        active(json!({"sub": null, "client_id": null})),
        active(json!({"iss": 7})),
        active(json!({"token_type": "refresh_token"})),
        active(json!({"at_hash": "x"})),
    ];
    for answer in answers {
        let origin = Origin::json(answer.clone()).await;
        refused(asks(&origin).verify(&token()).await, &answer.to_string());
    }
    let origin = Origin::json(active(json!({}))).await;
    refused(asks(&origin).issuer("https://other.example").verify(&token()).await, "another issuer");
    refused(asks(&origin).client("other").verify(&token()).await, "another application");
}

#[tokio::test]
async fn t6_without_an_answer_no_token_passes() {
    type Misdeed = (&'static str, fn() -> Response);
    let misdeeds: [Misdeed; 5] = [
        ("500", || StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        ("401", || StatusCode::UNAUTHORIZED.into_response()),
        ("no JSON", || "active".into_response()),
        ("too large", || format!("{{\"active\": true, \"x\": \"{}\"}}", "x".repeat(1 << 20)).into_response()),
        ("redirect", || (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response()),
    ];
    for (what, misdeed) in misdeeds {
        let origin = Origin::start(move |_, _| async move { misdeed() }).await;
        let answer = asks(&origin).verify(&token()).await;
        assert!(matches!(answer, Err(Rejection::Unavailable(_))), "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn t6_nothing_is_remembered_beyond_the_end_of_the_token_or_after_revocation() {
    let origin = Origin::start(|hit, _| async move {
        let answer = if hit == 0 { active(json!({"exp": now() + 2})) } else { json!({"active": false}) };
        answer.to_string().into_response()
    })
    .await;
    let verifier = asks(&origin).remember(Duration::from_secs(300));
    verifier.verify(&token()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    refused(verifier.verify(&token()).await, "remembered until its end only");

    let origin = Origin::start(|hit, _| async move {
        let answer = if hit == 0 { active(json!({})) } else { json!({"active": false}) };
        answer.to_string().into_response()
    })
    .await;
    let verifier = asks(&origin).remember(Duration::ZERO);
    verifier.verify(&token()).await.unwrap();
    refused(verifier.verify(&token()).await, "revoked");
    refused(verifier.verify(&token()).await, "still");
    assert_eq!(origin.hits(), 3, "a refusal is not remembered");
}

#[tokio::test]
async fn several_verifiers_accept_what_one_does_and_doubt_is_no_refusal() {
    let answers = Origin::json(active(json!({}))).await;
    let denies = Origin::json(json!({"active": false})).await;
    let fails = Origin::start(|_, _| async { StatusCode::BAD_GATEWAY.into_response() }).await;
    let fixed = || StaticTokens::new().token(&"dev".into(), Principal::new("static", "dev"));
    let any = AnyOf::default().or(fixed()).or(asks(&denies)).or(asks(&answers));
    assert_eq!(any.verify(&"dev".into()).await.unwrap().subject, "dev");
    assert_eq!(any.verify(&token()).await.unwrap().subject, "me");
    refused(AnyOf::default().or(fixed()).or(asks(&denies)).verify(&token()).await, "nobody");
    let doubt = AnyOf::default().or(asks(&fails)).or(asks(&denies)).verify(&token()).await;
    assert!(matches!(doubt, Err(Rejection::Unavailable(_))));
    refused(AnyOf::default().verify(&token()).await, "no verifier");
}
