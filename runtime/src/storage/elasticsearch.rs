//! The store in Elasticsearch or OpenSearch: one document per value, over REST.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::{
    Capabilities, Error, Key, KvStore, Lifetime, digest, now,
    versioned::{self, Found, Versioned, VersionedRemoval, end},
};

/// Values as documents of an index, which is made when it is missing. Reads by id see every acknowledged write. Expired
/// documents count as absent at once; writers have them deleted now and then.
#[derive(Clone)]
pub struct ElasticsearchStore {
    client: Client,
    index: Url,
    credentials: Option<(String, SecretString)>,
    /// When expired documents are to be deleted next, in milliseconds of Unix time.
    next_sweep: Arc<AtomicI64>,
}

impl fmt::Debug for ElasticsearchStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElasticsearchStore").field("index", &self.index.as_str()).finish_non_exhaustive()
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// Between two deletions of what has expired, in milliseconds.
const SWEEP: i64 = 10 * 60 * 1000;

impl ElasticsearchStore {
    /// Connects to `elasticsearch://[user:password@]host[:port]/index`, or `elasticsearch+https://…`; `opensearch` is
    /// the same.
    ///
    /// # Errors
    /// [`Error::Url`] or, when the server does not answer, [`Error::Unavailable`].
    pub async fn connect(url: &Url) -> Result<Self, Error> {
        let wrong = || Error::Url("an index is named as elasticsearch://host[:port]/index".to_owned());
        let scheme = if url.scheme().ends_with("+https") { "https" } else { "http" };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let index = url.path().trim_matches('/');
        if index.is_empty()
            || !index.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return Err(wrong());
        }
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = (!url.username().is_empty())
            .then(|| (decode(url.username()), SecretString::from(decode(url.password().unwrap_or_default()))));
        let port = url.port().unwrap_or(9200);
        let index = Url::parse(&format!("{scheme}://{host}:{port}/{index}/")).map_err(|_| wrong())?;
        let client = Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(failed)?;
        let store = Self { client, index, credentials, next_sweep: Arc::default() };
        store.create().await?;
        Ok(store)
    }

    async fn create(&self) -> Result<(), Error> {
        let mapping = json!({"mappings": {"dynamic": false, "properties": {
            "value": {"type": "keyword", "index": false, "doc_values": false},
            "expires": {"type": "long"},
        }}});
        let (status, body) = self.call(Method::PUT, "", Some(&mapping)).await?;
        let exists = body["error"]["type"] == "resource_already_exists_exception";
        if status.is_success() || exists { Ok(()) } else { Err(refused(status, &body)) }
    }

    /// Sends a request under the index; what comes back, whatever its status.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value), Error> {
        let text = if path.is_empty() {
            self.index.as_str().trim_end_matches('/').to_owned()
        } else {
            format!("{}{path}", self.index)
        };
        let mut request = self.client.request(method, text);
        if let Some((user, password)) = &self.credentials {
            request = request.basic_auth(user, Some(password.expose_secret()));
        }
        if let Some(body) = body {
            request = request.header(http::header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(failed)?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// The document, expired or not; the version is what the path of a change has to say.
    async fn document(&self, key: Key<'_>) -> Result<Option<Found<String>>, Error> {
        let (status, body) = self.call(Method::GET, &format!("_doc/{}", id(key)), None).await?;
        match status {
            StatusCode::NOT_FOUND => return Ok(None),
            status if !status.is_success() => return Err(refused(status, &body)),
            _ if body["found"] != true => return Ok(None),
            _ => {}
        }
        let source = &body["_source"];
        let value = source["value"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        let (Some(value), Some(number), Some(term)) = (value, body["_seq_no"].as_i64(), body["_primary_term"].as_i64())
        else {
            return Err(Error::Corrupt("the document is not one of this store"));
        };
        let expires = source["expires"].as_i64();
        let version = format!("if_seq_no={number}&if_primary_term={term}");
        Ok(Some(Found { value, expires, version }))
    }

    /// Writes a document; whether the condition of `path` held.
    async fn write(&self, path: &str, value: &[u8], expires: Option<i64>) -> Result<bool, Error> {
        let document = json!({"value": BASE64_STANDARD.encode(value), "expires": expires});
        let (status, body) = self.call(Method::PUT, path, Some(&document)).await?;
        match status {
            StatusCode::CONFLICT => Ok(false),
            status if status.is_success() => {
                self.sweep().await;
                Ok(true)
            }
            status => Err(refused(status, &body)),
        }
    }

    /// Has expired documents deleted, when it is time. It only tidies up: that it fails harms nothing.
    async fn sweep(&self) {
        let (now, due) = (now(), self.next_sweep.load(Ordering::Relaxed));
        let mine = now >= due
            && self.next_sweep.compare_exchange(due, now + SWEEP, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !mine {
            return;
        }
        let expired = json!({"query": {"range": {"expires": {"lte": now}}}});
        let path = "_delete_by_query?conflicts=proceed&wait_for_completion=false";
        match self.call(Method::POST, path, Some(&expired)).await {
            Ok((status, _)) if status.is_success() => {}
            Ok((status, body)) => tracing::debug!(error = %refused(status, &body), "expired documents stay"),
            Err(error) => tracing::debug!(%error, "expired documents stay"),
        }
    }
}

fn is_over(document: &Found<String>) -> bool {
    document.expires.is_some_and(|at| at <= now())
}

/// Ids are digests: they go into paths, and are short.
fn id(key: Key<'_>) -> String {
    digest([key.collection(), key.name()])
}

fn failed(error: reqwest::Error) -> Error {
    Error::unavailable("Elasticsearch", error.without_url())
}

fn refused(status: StatusCode, body: &Value) -> Error {
    let kind = body["error"]["type"].as_str().unwrap_or_default();
    Error::unavailable("Elasticsearch", format!("{status} {kind}"))
}

#[async_trait]
impl Versioned for ElasticsearchStore {
    type Version = String;

    async fn find(&self, key: Key<'_>) -> Result<Option<Found<String>>, Error> {
        Ok(self.document(key).await?.filter(|document| !is_over(document)))
    }

    async fn replace(
        &self,
        key: Key<'_>,
        found: &Found<String>,
        value: &[u8],
        expires: Option<i64>,
    ) -> Result<bool, Error> {
        self.write(&format!("_doc/{}?{}", id(key), found.version), value, expires).await
    }
}

#[async_trait]
impl VersionedRemoval for ElasticsearchStore {
    async fn remove(&self, key: Key<'_>, found: &Found<String>) -> Result<bool, Error> {
        let (status, body) = self.call(Method::DELETE, &format!("_doc/{}?{}", id(key), found.version), None).await?;
        match status {
            StatusCode::CONFLICT | StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            status => Err(refused(status, &body)),
        }
    }
}

#[async_trait]
impl KvStore for ElasticsearchStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true, atomic_take: true, native_ttl: false }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        versioned::get(self, key).await
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        self.write(&format!("_doc/{}", id(key)), value, end(ttl)).await.map(drop)
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        if self.write(&format!("_create/{}", id(key)), value, end(ttl)).await? {
            return Ok(true);
        }
        match self.document(key).await? {
            Some(document) if is_over(&document) => self.replace(key, &document, value, end(ttl)).await,
            Some(_) => Ok(false),
            None => self.write(&format!("_create/{}", id(key)), value, end(ttl)).await,
        }
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        versioned::take(self, key).await
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.take(key).await?.is_some())
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        versioned::ttl(self, key).await
    }

    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        versioned::compare_and_swap(self, key, expected, new, ttl).await
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        versioned::incr(self, key, by, ttl).await
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{open, suite},
        *,
    };

    /// Against the stand-in that the PyPI package `osmem-server` is.
    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let Some(service) = server() else { return };
        let store = open(&format!("elasticsearch://127.0.0.1:{}/suite", service.port)).await.unwrap();
        suite::run(store, Duration::from_millis(300)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_has_expired_is_deleted_in_the_end() {
        let Some(service) = server() else { return };
        let url = format!("elasticsearch://127.0.0.1:{}/swept", service.port).parse().unwrap();
        let store = ElasticsearchStore::connect(&url).await.unwrap();
        store.next_sweep.store(i64::MAX, Ordering::Relaxed);
        store.put(Key::new("c", "short").unwrap(), b"1", Some(Duration::from_millis(1))).await.unwrap();
        store.put(Key::new("c", "long").unwrap(), b"1", None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let count = async || {
            store.call(Method::POST, "_refresh", None).await.unwrap();
            store.call(Method::GET, "_count", None).await.unwrap().1["count"].clone()
        };
        assert_eq!(count().await, 2);
        store.next_sweep.store(0, Ordering::Relaxed);
        store.sweep().await;
        for _ in 0..100 {
            if count().await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(count().await, 1);
        assert!(store.get(Key::new("c", "long").unwrap()).await.unwrap().is_some());
    }

    fn server() -> Option<suite::Service> {
        suite::service("osmem-server", suite::free_port(), &["-addr", "127.0.0.1:{port}", "-no-stdin-watch"])
    }

    #[tokio::test]
    async fn wrong_urls_are_refused() {
        for url in
            ["elasticsearch://host", "elasticsearch://host/UPPER", "elasticsearch://host/a/b", "opensearch:///index"]
        {
            assert!(matches!(open(url).await, Err(Error::Url(_))), "{url}");
        }
    }
}
