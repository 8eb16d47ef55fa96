//! Key-value storage for what outlives a request: tokens, consents, caches, counters.
//!
//! A [`KvStore`] has the atomic operations that OAuth and rate limits need (an authorization code is redeemed once
//! because [`KvStore::take`] hands a value to one caller only). [`open`] chooses a backend by URL; each but the one in
//! memory sits behind a cargo feature of its name. Whoever uses a store says with [`require`] what it must be able to
//! do, so that a wrong choice shows when the server starts and not when a token is lost.
//!
//! Backends see keys in clear, and so do their logs: put no secret into a key, but its [`digest`].

mod encrypted;
mod key;
mod memory;
mod open;

#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "elasticsearch")]
mod elasticsearch;
#[cfg(any(feature = "rocksdb", feature = "sqlite"))]
mod files;
#[cfg(feature = "memcached")]
mod memcached;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(feature = "rocksdb")]
mod rocksdb;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod suite;
#[cfg(any(feature = "memcached", feature = "mongodb", feature = "dynamodb", feature = "elasticsearch"))]
mod versioned;
#[cfg(all(test, feature = "redis"))]
pub(crate) use suite::{free_port, service};

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

pub use encrypted::{Encrypted, KeyRing};
pub use key::{Key, digest};
pub use memory::MemoryStore;
pub use open::{open, open_encrypted};

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoDbStore;
#[cfg(feature = "elasticsearch")]
pub use elasticsearch::ElasticsearchStore;
#[cfg(feature = "memcached")]
pub use memcached::MemcachedStore;
#[cfg(feature = "mongodb")]
pub use mongodb::MongoDbStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "rocksdb")]
pub use rocksdb::RocksDbStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// A store of bytes under keys in collections.
///
/// Every operation is atomic with regard to its key, over all processes that share the store. An expired value is as
/// good as absent, at once, even where the backend removes it later. A lifetime (`ttl`) counts in milliseconds (in
/// seconds, rounded up, on Memcached), at least one; `None` means for ever.
///
/// All operations fail with [`Error::Unavailable`] when the backend does not answer, [`Error::Full`] or
/// [`Error::TooLarge`] when it cannot take the value. Nothing is retried here: only the caller knows what it may
/// repeat.
#[async_trait]
pub trait KvStore: fmt::Debug + Send + Sync + 'static {
    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// The value under a key.
    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error>;

    /// Sets a value, whatever was there.
    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error>;

    /// Sets a value if the key has none; whether it did.
    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error>;

    /// Removes the value and returns it: of several callers one gets it.
    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error>;

    /// Removes the value; whether there was one.
    async fn delete(&self, key: Key<'_>) -> Result<bool, Error>;

    /// How long the value will live.
    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error>;

    /// Replaces the value, and its lifetime, if it equals `expected`; whether it did.
    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error>;

    /// Adds to a counter and returns its new value. A missing counter starts at zero, and with `ttl`, which later
    /// additions do not prolong. Counters are read by adding zero; a key is used for a value or for a counter, never
    /// for both.
    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error>;
}

/// What [`KvStore::ttl`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// There is no value.
    Absent,
    /// The value does not expire.
    Unlimited,
    /// The value expires after this time.
    Remaining(Duration),
}

/// What a store can do, and what a user of it demands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// What was acknowledged survives a crash of the process, and is not evicted.
    pub durable: bool,
    /// Several processes see the same values.
    pub shared: bool,
    /// `take` hands a value to one caller only, over all processes.
    pub atomic_take: bool,
    /// The backend removes expired values by itself.
    pub native_ttl: bool,
}

/// Checks, at start, that a store can do what `user` (as in "the OAuth proxy") needs of it.
///
/// # Errors
/// [`Error::Unsuitable`], naming what is missing and the stores that have it.
pub fn require(store: &dyn KvStore, user: &str, needs: Capabilities) -> Result<(), Error> {
    let has = store.capabilities();
    let missing: Vec<&str> = [
        (needs.durable && !has.durable, "keeps values over a restart and never evicts them"),
        (needs.shared && !has.shared, "is shared between processes"),
        (needs.atomic_take && !has.atomic_take, "hands a value out only once"),
        (needs.native_ttl && !has.native_ttl, "removes expired values by itself"),
    ]
    .into_iter()
    .filter_map(|(is_missing, what)| is_missing.then_some(what))
    .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Unsuitable { user: user.to_owned(), missing: missing.join(", and that ") })
}

/// Why a store failed. Messages hold no value and no credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The collection or key cannot be used.
    #[error("invalid storage key: {0}")]
    Key(&'static str),
    /// The URL cannot be used.
    #[error("invalid storage URL: {0}")]
    Url(String),
    /// The program was built without this backend.
    #[error(
        "this program was built without support for `{scheme}:` stores; \
         enable the feature `{feature}` of mcpwright-runtime"
    )]
    NotBuilt {
        /// The scheme of the URL.
        scheme: String,
        /// The cargo feature.
        feature: &'static str,
    },
    /// The store lacks what its user needs.
    #[error(
        "{user} needs a store that {missing}; sqlite:///path (one machine) and redis://host (several; `appendonly yes`) do"
    )]
    Unsuitable {
        /// Who needs it.
        user: String,
        /// What is missing.
        missing: String,
    },
    /// The backend does not answer, or not as it should.
    #[error("the {store} store is unavailable: {reason}")]
    Unavailable {
        /// The backend.
        store: &'static str,
        /// What it said.
        reason: String,
    },
    /// There is no room for the value.
    #[error("the {0} store is full")]
    Full(&'static str),
    /// The value is larger than the backend takes.
    #[error("the value has {size} bytes, the {store} store takes at most {limit}")]
    TooLarge {
        /// The backend.
        store: &'static str,
        /// The value's size in bytes.
        size: usize,
        /// The greatest size in bytes.
        limit: usize,
    },
    /// A counter holds something else than a number, or would overflow.
    #[error("the counter holds no number, or would overflow")]
    Counter,
    /// A value was not written by this server, was moved or was changed.
    #[error("a stored value is not authentic: {0}")]
    Corrupt(&'static str),
    /// A value was encrypted with a key that is not in the ring. This is no miss: the value is still there.
    #[error("a stored value is encrypted with the key {0}, which is not configured; add it to the key ring")]
    UnknownKey(String),
    /// The encryption key cannot be used.
    #[error("invalid encryption key: {0}")]
    EncryptionKey(String),
    /// Too many others changed the value at the same time.
    #[error("the value changes too often")]
    Contended,
}

impl Error {
    #[cfg(any(
        feature = "rocksdb",
        feature = "sqlite",
        feature = "redis",
        feature = "memcached",
        feature = "mongodb",
        feature = "dynamodb",
        feature = "elasticsearch"
    ))]
    fn unavailable(store: &'static str, reason: impl fmt::Display) -> Self {
        Self::Unavailable { store, reason: reason.to_string() }
    }
}

/// A lifetime in whole milliseconds, at least one, so that zero cannot be mistaken for "for ever".
#[cfg(any(
    feature = "rocksdb",
    feature = "sqlite",
    feature = "redis",
    feature = "memcached",
    feature = "mongodb",
    feature = "dynamodb",
    feature = "elasticsearch"
))]
fn milliseconds(ttl: Duration) -> i64 {
    // A century is for ever, and leaves room for sums.
    const CENTURY: u128 = 100 * 366 * 86_400 * 1000;
    i64::try_from(ttl.as_millis().clamp(1, CENTURY)).unwrap_or(i64::MAX)
}

/// Now, in milliseconds since 1970, for backends whose clock cannot be asked.
#[cfg(any(
    feature = "rocksdb",
    feature = "sqlite",
    feature = "memcached",
    feature = "mongodb",
    feature = "dynamodb",
    feature = "elasticsearch"
))]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
