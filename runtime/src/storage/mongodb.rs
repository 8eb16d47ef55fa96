//! The store in MongoDB (4.4 or newer).

use std::{fmt, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use mongodb::{
    Client, Collection, IndexModel,
    bson::{DateTime, Document, doc, oid::ObjectId},
    error::{Error as DriverError, ErrorKind, WriteFailure},
    options::{ClientOptions, IndexOptions, WriteConcern},
};
use url::Url;

use super::{
    Capabilities, Error, Key, KvStore, Lifetime, digest, now,
    versioned::{self, Found, Versioned, end},
};

/// Values as documents of the collection `mcpwright` of a database. A write counts when most members of the replica set
/// have it in their journals, unless the URL says otherwise. MongoDB removes expired documents within a minute or so, by an
/// index over `removed`; they count as absent at once.
#[derive(Clone)]
pub struct MongoDbStore {
    values: Collection<Document>,
    durable: bool,
}

impl fmt::Debug for MongoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbStore").field("database", &self.values.namespace().db).finish_non_exhaustive()
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// The largest value in bytes: documents have 16 MiB, with the names of their members and the value in base64.
const MAX_VALUE: usize = (12 << 20) - 1024;
/// How often a value is set again that others remove or set at the same time.
const ATTEMPTS: usize = 20;
/// The code of the error that there is a document of that id.
const DUPLICATE: i32 = 11000;

impl MongoDbStore {
    /// Connects to `mongodb://[user:password@]host[:port][/database]`, or `mongodb+srv://…`; the database is `mcpwright`
    /// where none is named. Options are those of MongoDB's connection strings.
    ///
    /// # Errors
    /// [`Error::Url`] or, when the server does not answer, [`Error::Unavailable`].
    pub async fn connect(url: &Url) -> Result<Self, Error> {
        // The message could repeat a password.
        let wrong = |_: DriverError| Error::Url("expected mongodb://[user:password@]host[:port][/database]".to_owned());
        let mut options = ClientOptions::parse(url.as_str()).await.map_err(wrong)?;
        options.server_selection_timeout.get_or_insert(PATIENCE);
        options.connect_timeout.get_or_insert(PATIENCE);
        let concern = options.write_concern.get_or_insert_with(|| {
            let mut majority = WriteConcern::majority();
            majority.journal = Some(true);
            majority
        });
        let durable = concern.journal == Some(true) && *concern != WriteConcern::nodes(0);
        let database = options.default_database.clone().unwrap_or_else(|| "mcpwright".to_owned());
        let values = Client::with_options(options).map_err(wrong)?.database(&database).collection("mcpwright");
        let expiry = IndexModel::builder()
            .keys(doc! {"removed": 1})
            .options(IndexOptions::builder().expire_after(Duration::ZERO).build())
            .build();
        values.create_index(expiry).await.map_err(failed)?;
        Ok(Self { values, durable })
    }

    /// Sets a value where a filter finds something, or, with `upsert`, nothing; whether it did.
    async fn write(&self, filter: Document, document: Document, upsert: bool) -> Result<bool, Error> {
        match self.values.replace_one(filter, document).upsert(upsert).await {
            Ok(done) => Ok(done.matched_count > 0 || done.upserted_id.is_some()),
            // Somebody else was faster.
            Err(error) if upsert && is_duplicate(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// The document, expired or not.
    async fn document(&self, key: Key<'_>) -> Result<Option<Found<String>>, Error> {
        self.values.find_one(id(key)).await.map_err(failed)?.map(found).transpose()
    }
}

/// The address of a value: a digest, so that it is text of a bounded length whatever the key holds.
fn id(key: Key<'_>) -> Document {
    doc! {"_id": digest([key.collection(), key.name()])}
}

/// The document of a value.
fn document(key: Key<'_>, value: &[u8], expires: Option<i64>) -> Result<Document, Error> {
    if value.len() > MAX_VALUE {
        return Err(Error::TooLarge { store: "MongoDB", size: value.len(), limit: MAX_VALUE });
    }
    let mut document = id(key);
    document.insert("value", BASE64_STANDARD.encode(value));
    // Of each write.
    document.insert("version", ObjectId::new().to_hex());
    if let Some(at) = expires {
        document.insert("expires", at);
        document.insert("removed", DateTime::from_millis(at));
    }
    Ok(document)
}

fn found(document: Document) -> Result<Found<String>, Error> {
    let value = document.get_str("value").ok().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let version = document.get_str("version").ok().map(str::to_owned);
    let (Some(value), Some(version)) = (value, version) else {
        return Err(Error::Corrupt("the document is not one of this store"));
    };
    Ok(Found { value, expires: document.get_i64("expires").ok(), version })
}

fn is_over(found: &Found<String>) -> bool {
    found.expires.is_some_and(|at| at <= now())
}

fn is_duplicate(error: &DriverError) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE,
        ErrorKind::Command(error) => error.code == DUPLICATE,
        _ => false,
    }
}

/// Messages of the driver could hold what was sent.
fn failed(error: DriverError) -> Error {
    let reason = match error.kind.as_ref() {
        ErrorKind::Command(error) => format!("{} ({})", error.code_name, error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => format!("the write failed ({})", error.code),
        ErrorKind::Authentication { .. } => "the credentials were refused".to_owned(),
        ErrorKind::ServerSelection { .. } => "no server answers".to_owned(),
        ErrorKind::Io(error) => error.kind().to_string(),
        _ => "the request failed".to_owned(),
    };
    Error::unavailable("MongoDB", reason)
}

#[async_trait]
impl Versioned for MongoDbStore {
    type Version = String;

    async fn find(&self, key: Key<'_>) -> Result<Option<Found<String>>, Error> {
        Ok(self.document(key).await?.filter(|found| !is_over(found)))
    }

    async fn replace(
        &self,
        key: Key<'_>,
        found: &Found<String>,
        value: &[u8],
        expires: Option<i64>,
    ) -> Result<bool, Error> {
        let mut filter = id(key);
        filter.insert("version", &found.version);
        self.write(filter, document(key, value, expires)?, false).await
    }
}

#[async_trait]
impl KvStore for MongoDbStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: self.durable, shared: true, atomic_take: true, native_ttl: true }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        versioned::get(self, key).await
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        let document = document(key, value, end(ttl))?;
        for _ in 0..ATTEMPTS {
            if self.write(id(key), document.clone(), true).await? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            match self.values.insert_one(document(key, value, end(ttl))?).await {
                Ok(_) => return Ok(true),
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(failed(error)),
            }
            match self.document(key).await? {
                Some(found) if is_over(&found) => return self.replace(key, &found, value, end(ttl)).await,
                Some(_) => return Ok(false),
                None => {}
            }
        }
        Err(Error::Contended)
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        let taken = self.values.find_one_and_delete(id(key)).await.map_err(failed)?;
        let taken = taken.map(found).transpose()?;
        Ok(taken.filter(|found| !is_over(found)).map(|found| found.value.into()))
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

    /// Against the stand-in that the PyPI package `nx-27017` is.
    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (pid, log) = (file("pid"), file("log"));
        let arguments =
            ["--host", "127.0.0.1", "-p", "{port}", "--db", "memory", "--pid-file", &pid, "--log-file", &log];
        let Some(server) = suite::service("nx-27017", suite::free_port(), &arguments) else { return };
        let store = open(&format!("mongodb://127.0.0.1:{}/suite", server.port)).await.unwrap();
        assert!(store.capabilities().durable);
        suite::run(store.clone(), Duration::from_millis(300)).await;
        let key = Key::new("c", "k").unwrap();
        assert!(matches!(store.put(key, &vec![0; 16 << 20], None).await, Err(Error::TooLarge { .. })));
        drop(server);
        assert!(matches!(store.get(key).await, Err(Error::Unavailable { .. })));
    }

    #[tokio::test]
    async fn wrong_urls_are_refused_without_their_passwords() {
        for url in ["mongodb://", "mongodb://u:s3cr3t@h/d?w=x&w", "mongodb://u:s3cr3t@host:99999"] {
            let error = open(url).await.unwrap_err();
            assert!(matches!(error, Error::Url(_)) && !error.to_string().contains("s3cr3t"), "{url}: {error}");
        }
    }
}
