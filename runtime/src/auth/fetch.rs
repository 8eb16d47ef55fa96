//! Small documents from servers that are trusted to issue tokens, and from nobody else.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use reqwest::{
    Client, RequestBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use url::{Host, Url};

use super::{
    ConfigError,
    address::{is_loopback, is_public},
};

/// Which addresses an authorization server may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Only those of the public internet, over https. Unless the URL that was configured names this machine
    /// (`http://127.0.0.1:9000/…`): then this machine too, also over http, for development.
    #[default]
    Public,
    /// Any, over https: for an authorization server in one's own network.
    Private,
}

/// An HTTP client that follows no redirect, uses no proxy (which would resolve names where they cannot be checked),
/// takes little time and few bytes, and reaches only the addresses that it may.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: Client,
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    PublicAndLoopback,
    Any,
}

impl Reach {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::PublicAndLoopback => is_public(address) || is_loopback(address),
            Self::Any => true,
        }
    }
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(6);

impl Fetcher {
    /// A client for the server that was configured as `url`, and for those that its documents name.
    pub(super) fn new(url: &Url, network: Network) -> Result<Self, ConfigError> {
        let reach = match network {
            Network::Private => Reach::Any,
            Network::Public if names_this_machine(url) => Reach::PublicAndLoopback,
            Network::Public => Reach::Public,
        };
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .dns_resolver(Arc::new(Guard(reach)))
            .build()
            .map_err(|_| ConfigError::new("the HTTP client cannot be made"))?;
        let fetcher = Self { client, reach };
        fetcher.check(url).map_err(|reason| ConfigError::new(format!("`{url}` cannot be used: {reason}")))?;
        Ok(fetcher)
    }

    /// Whether a URL may be fetched, as far as it shows before its name is resolved. A literal address is resolved by
    /// nobody and so must be checked here.
    pub(super) fn check(&self, url: &Url) -> Result<(), &'static str> {
        let is_this_machine = names_this_machine(url) && self.reach != Reach::Public;
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine => {}
            _ => return Err("it must be https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must hold no user and password");
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("it names no host"),
        };
        if !self.reach.allows(address) {
            return Err("its address is not of the public internet (a private network must be allowed explicitly)");
        }
        Ok(())
    }

    /// `GET`
    pub(super) fn get(&self, url: &Url) -> Result<RequestBuilder, String> {
        self.check(url)?;
        Ok(self.client.get(url.clone()))
    }

    /// `POST`
    pub(super) fn post(&self, url: &Url) -> Result<RequestBuilder, String> {
        self.check(url)?;
        Ok(self.client.post(url.clone()))
    }
}

/// Sends a request and reads an answer of at most `limit` bytes.
pub(super) async fn send(request: RequestBuilder, limit: usize) -> Result<Answer, String> {
    // The URL could hold what should not be logged.
    let explain = |error: reqwest::Error| {
        let error = error.without_url();
        if error.is_timeout() { "no answer in time".to_owned() } else { error.to_string() }
    };
    let mut response = request.send().await.map_err(explain)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(explain)? {
        if body.len() + chunk.len() > limit {
            return Err(format!("the answer has more than {limit} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}

fn names_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_loopback(address.into()),
        Some(Host::Ipv6(address)) => is_loopback(address.into()),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Resolves names, and keeps the addresses that may be reached: the connection is made to what was checked.
#[derive(Debug)]
struct Guard(Reach);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| reach.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the name has no address that may be reached".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod fetch_tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn urls_that_lead_inside_are_refused_in_every_disguise() {
        let fetcher = Fetcher::new(&url("https://issuer.example/keys"), Network::Public).unwrap();
        let disguises = [
            "http://issuer.example/",
            "file:///etc/passwd",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://user@issuer.example/",
            "http://localhost/",
            "https://①②⑦.0.0.1/",
        ];
        for text in disguises {
            assert!(fetcher.check(&url(text)).is_err(), "{text}");
        }
        assert!(fetcher.check(&url("https://8.8.8.8/")).is_ok());
    }

    #[test]
    fn this_machine_is_reached_only_where_it_was_configured() {
        let fetcher = Fetcher::new(&url("http://127.0.0.1:9000/keys"), Network::Public).unwrap();
        assert!(fetcher.check(&url("http://localhost:9000/other")).is_ok());
        assert!(fetcher.check(&url("http://10.0.0.1/")).is_err() && fetcher.check(&url("https://10.0.0.1/")).is_err());
        assert!(Fetcher::new(&url("https://10.0.0.1/"), Network::Public).is_err());
        assert!(Fetcher::new(&url("https://10.0.0.1/"), Network::Private).is_ok());
        assert!(Fetcher::new(&url("http://10.0.0.1/"), Network::Private).is_err(), "never in clear");
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_not_reached() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fetcher = Fetcher::new(&url("https://issuer.example/"), Network::Public).unwrap();
        let request = fetcher.client.get(format!("https://localhost:{port}/"));
        assert!(send(request, 10).await.is_err());
        let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "no connection was made");
    }
}
