//! TLS towards the API: own certificate authorities, client certificates, and what is said when it fails.

use std::path::Path;
use std::sync::Arc;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::Launch;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// A certificate authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).expect("parameters of a certificate");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(parameters, key).expect("a certificate"))
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str, expired: bool) -> (rcgen::Certificate, KeyPair) {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("parameters of a certificate");
        if expired {
            parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        (parameters.signed_by(&key, &self.0).expect("a certificate"), key)
    }
}

/// An API behind TLS. Stops when dropped.
struct Api {
    url: String,
    task: JoinHandle<()>,
}

impl Api {
    /// Starts an API with a certificate of the authority; with `mutual`, it wants one of the client too.
    async fn start(authority: &Authority, name: &str, expired: bool, mutual: bool) -> Api {
        let (certificate, key) = authority.sign(name, expired);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS");
        let mut roots = RootCertStore::empty();
        roots.add(authority.0.der().clone()).expect("a certificate of an authority");
        let builder = if mutual {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).expect("a configuration")));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port");
        let url = format!("https://{}", listener.local_addr().expect("a bound address"));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let known = stream.get_ref().1.peer_certificates().is_some();
                let _ = stream.read(&mut [0; 4096]).await;
                let body = json!({ "client": known }).to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
                let _ = stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Api { url, task }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Calls the one tool of a server with these settings.
async fn call(folder: &Path, url: &str, mutual: bool, variables: &[(&str, &Path)]) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": "API", "version": "1" },
        "servers": [{ "url": url }],
        "paths": { "/a": { "get": { "operationId": "a", "responses": { "200": { "description": "OK" } } } } },
    });
    if mutual {
        document["components"] = json!({ "securitySchemes": { "certificate": { "type": "mutualTLS" } } });
        document["security"] = json!([{ "certificate": [] }]);
    }
    let path = folder.join("api.json");
    std::fs::write(&path, document.to_string()).expect("a document can be written");
    let launch = Launch::program("mcpwright").arguments([
        "serve",
        &*path.to_string_lossy(),
        "--preset",
        "tools",
        "--name",
        "api",
    ]);
    let launch = variables.iter().fold(launch, |launch, (name, path)| launch.variable(name, &path.to_string_lossy()));
    let server = launch.http().await;
    Client::http(&server, Era::Modern).await.call("a", json!({})).await.expect("a result")
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_an_api_that_wants_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    };
    let authority = Authority::new();
    let (certificate, key) = authority.sign("client.example", false);
    let ca = file("ca.pem", authority.0.pem());
    let both = file("both.pem", certificate.pem() + &key.serialize_pem());
    let (certificate, key) = (file("client.pem", certificate.pem()), file("key.pem", key.serialize_pem()));
    let api = Api::start(&authority, "127.0.0.1", false, true).await;

    for variables in [
        &[("API_CA_FILE", &*ca), ("API_CLIENT_CERTIFICATE", &*certificate), ("API_CLIENT_KEY", &*key)][..],
        &[("API_CA_FILE", &*ca), ("API_CLIENT_CERTIFICATE", &*both)],
    ] {
        let result = call(folder.path(), &api.url, true, variables).await;
        assert_eq!(result["structuredContent"], json!({ "client": true }), "{result}");
    }

    let without = call(folder.path(), &api.url, true, &[("API_CA_FILE", &*ca)]).await;
    assert_eq!(without["isError"], true, "{without}");
    assert!(text(&without).contains("API_CLIENT_CERTIFICATE"), "{without}");

    // A document that does not say that a certificate is wanted.
    let refused = call(folder.path(), &api.url, false, &[("API_CA_FILE", &*ca)]).await;
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(text(&refused).contains("TLS"), "{refused}");

    let stranger = Authority::new();
    let (certificate, key) = stranger.sign("client.example", false);
    let foreign = file("foreign.pem", certificate.pem() + &key.serialize_pem());
    let variables = [("API_CA_FILE", &*ca), ("API_CLIENT_CERTIFICATE", &*foreign)];
    let refused = call(folder.path(), &api.url, true, &variables).await;
    assert!(refused["isError"] == true && text(&refused).contains("TLS"), "{refused}");
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_ends_the_call_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = Authority::new();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.0.pem()).expect("a file can be written");
    let known = [("API_CA_FILE", &*ca)];
    for (what, name, expired, variables) in [
        ("of an unknown authority", "127.0.0.1", false, &[][..]),
        ("for another name", "other.example", false, &known),
        ("that has expired", "127.0.0.1", true, &known),
    ] {
        let api = Api::start(&authority, name, expired, false).await;
        let result = call(folder.path(), &api.url, false, variables).await;
        assert_eq!(result["isError"], true, "{what}: {result}");
        assert!(text(&result).contains("TLS") && text(&result).contains("API_CA_FILE"), "{what}: {result}");
    }
    let api = Api::start(&authority, "127.0.0.1", false, false).await;
    let result = call(folder.path(), &api.url, false, &known).await;
    assert_eq!(result["structuredContent"], json!({ "client": false }), "{result}");
}
