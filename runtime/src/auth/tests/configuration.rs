//! Authentication from JSON.

use tower::ServiceExt;

use super::*;

#[tokio::test]
async fn a_configuration_becomes_verifiers_and_metadata() {
    let keys = Origin::json(json!({"keys": [EC.jwk()]})).await;
    let config = json!({
        "resource": AUDIENCE,
        "verifiers": [
            {"type": "jwt", "issuer": ISSUER, "jwks_url": format!("{}/jwks", keys.url), "audiences": [AUDIENCE], "algorithms": ["ES256"]},
            {"type": "preset", "provider": "auth0", "tenant": "example.eu.auth0.com", "audiences": [AUDIENCE]},
            {"type": "introspection", "url": "https://id.example/introspect", "client_id": "mcp", "client_secret": "s3cr3t",
             "audiences": [AUDIENCE], "remember_seconds": 10},
            {"type": "static", "tokens": {"dev": {"subject": "me", "scopes": ["owner"]}}},
        ],
        "required_scopes": ["use"],
        "implied_scopes": {"owner": ["admin"], "admin": ["use", "owner"]},
    });
    let config = AuthConfig::parse(&config.to_string()).unwrap();
    assert!(!format!("{config:?}").contains("s3cr3t"));
    let router = Router::new().route("/mcp", axum::routing::get(|| async { "in" }));
    let app = config.build().unwrap().protect(router, "/mcp", "http://localhost/mcp").unwrap();
    let get = |path: &str, token: &str| {
        let request =
            Request::get(path).header("authorization", format!("Bearer {token}")).body(axum::body::Body::empty());
        let app = app.clone();
        async move {
            let response = app.oneshot(request.unwrap()).await.unwrap();
            let status = response.status().as_u16();
            (status, axum::body::to_bytes(response.into_body(), 10_000).await.unwrap())
        }
    };
    assert_eq!(get("/mcp", "dev").await.0, 200, "owner includes use, over two steps");
    assert_eq!(get("/mcp", &EC.token(&claims(json!({})))).await.0, 200);
    let (_, document) = get("/.well-known/oauth-protected-resource", "").await;
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["authorization_servers"], json!([ISSUER, "https://example.eu.auth0.com/"]));
}

#[test]
fn a_mistake_is_explained_without_repeating_a_secret() {
    let cases = [
        ("", "line 1"),
        ("{", "line 1"),
        ("{}", "verifiers"),
        (r#"{"verifiers": [], "requiredScopes": []}"#, "requiredScopes"),
        (r#"{"verifiers": [{"type": "jwtt"}]}"#, "jwtt"),
        (r#"{"verifiers": "s3cr3t"}"#, "line 1"),
        (r#"{"verifiers": [{"type": "introspection", "url": "https://x", "client_secret": {"s3cr3t": 1}}]}"#, "line 1"),
    ];
    for (text, expected) in cases {
        let error = AuthConfig::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cr3t"), "{text}: {error}");
    }
    let verifiers = [
        (r#"[]"#, "no verifier"),
        (r#"[{"type": "jwt", "issuer": "https://i.example"}]"#, "audience"),
        (r#"[{"type": "jwt", "issuer": "i", "audiences": ["a"]}]"#, "no URL"),
        (r#"[{"type": "jwt", "issuer": "i", "secret": "s3cr3t", "audiences": ["a"]}]"#, "32 bytes"),
        (r#"[{"type": "jwt", "issuer": "i", "public_key": "s3cr3t", "audiences": ["a"]}]"#, "PEM"),
        (
            r#"[{"type": "jwt", "issuer": "i", "public_key": "x", "jwks_url": "https://x", "audiences": ["a"]}]"#,
            "exclude",
        ),
        (r#"[{"type": "jwt", "issuer": "i", "jwks_url": "http://x.example", "audiences": ["a"]}]"#, "https"),
        (r#"[{"type": "jwt", "issuer": "https://i.example", "audiences": ["a"], "algorithms": ["HS256"]}]"#, "RS256"),
        (r#"[{"type": "jwt", "issuer": "https://i.example", "audiences": ["a"], "algorithms": ["none"]}]"#, "RS256"),
        (
            r#"[{"type": "introspection", "url": "https://x.example", "client_id": "i", "audiences": ["a"]}]"#,
            "client_secret",
        ),
        (r#"[{"type": "introspection", "url": "https://x.example"}]"#, "audience"),
        (r#"[{"type": "preset", "provider": "okta", "tenant": "evil.example/?", "audiences": ["a"]}]"#, "tenant"),
    ];
    for (text, expected) in verifiers {
        let config = AuthConfig::parse(&format!("{{\"verifiers\": {text}}}")).unwrap();
        let error = config.build().unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cr3t"), "{text}: {error}");
    }
    let twice = JwtIssuer::pem(ISSUER, "").audience(AUDIENCE);
    assert!(JwtVerifier::new([twice.clone(), twice]).is_err() && JwtVerifier::new([]).is_err());
}

#[test]
fn presets_differ_in_urls_only() {
    let cases = [
        (Preset::Auth0, "t.auth0.com", "https://t.auth0.com/"),
        (Preset::Cognito, "eu-west-1_AbC", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC"),
        (Preset::Entra, "tenant-id", "https://login.microsoftonline.com/tenant-id/v2.0"),
        (Preset::Keycloak, "id.example/realms/staff", "https://id.example/realms/staff"),
        (Preset::Okta, "x.okta.com", "https://x.okta.com/oauth2/default"),
        (Preset::Supabase, "ref", "https://ref.supabase.co/auth/v1"),
    ];
    for (preset, tenant, issuer) in cases {
        assert_eq!(preset.issuer(tenant).unwrap().name(), issuer);
    }
    for tenant in ["", "a b", "a@b", "a/../b", "/a", "a?b", "a#b", "a\\b"] {
        assert!(Preset::Auth0.issuer(tenant).is_err(), "{tenant:?}");
    }
}
