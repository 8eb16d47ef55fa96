//! Stores by URL.

use std::sync::Arc;

use url::Url;

use super::{Encrypted, Error, KeyRing, KvStore, MemoryStore};

/// Opens the store that a URL names:
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory://` | in this process, lost with it | |
/// | `sqlite:///var/lib/petstore/tokens.db` | a file, for several processes of one machine | `sqlite` |
/// | `rocksdb:///var/lib/petstore/tokens` | a folder, for one process | `rocksdb` |
/// | `redis://[user:password@]host[:port][/database]`, `rediss://` with TLS; also `valkey://`, `valkeys://` | Redis 6.2, Valkey | `redis` |
/// | `memcached://host[:port]` | Memcached 1.6: forgets when it likes, good for caches | `memcached` |
/// | `mongodb://[user:password@]host[:port][/database]`, `mongodb+srv://…` | MongoDB | `mongodb` |
/// | `dynamodb://table[?region=R&endpoint=URL]` | Amazon DynamoDB, credentials from `AWS_*` | `dynamodb` |
/// | `elasticsearch://[user:password@]host[:port]/index`, `elasticsearch+https://…`; also `opensearch…` | Elasticsearch, OpenSearch | `elasticsearch` |
///
/// SQLite and RocksDB stores are encrypted with a key that is made beside them, in `<path>.key`, unless the URL says
/// `?encryption=off`; the others are as the backend keeps them, see [`open_encrypted`].
///
/// # Errors
/// [`Error::Url`] and [`Error::NotBuilt`] for a URL that cannot be used, [`Error::Unavailable`] when the backend does
/// not answer.
pub async fn open(url: &str) -> Result<Arc<dyn KvStore>, Error> {
    let url = parse(url)?;
    #[cfg(any(feature = "rocksdb", feature = "sqlite"))]
    if matches!(url.scheme(), "rocksdb" | "sqlite") {
        let store = backend(&url).await?;
        if url.query_pairs().any(|(name, value)| name == "encryption" && value == "off") {
            return Ok(store);
        }
        let keys = super::files::key_beside(super::files::path(&url)?).await?;
        return Ok(Arc::new(Encrypted::new(store, keys)));
    }
    backend(&url).await
}

/// Opens the store that a URL names, as [`open`] does, and encrypts it with the given keys.
///
/// # Errors
/// As [`open`].
pub async fn open_encrypted(url: &str, keys: KeyRing) -> Result<Arc<dyn KvStore>, Error> {
    Ok(Arc::new(Encrypted::new(backend(&parse(url)?).await?, keys)))
}

fn parse(text: &str) -> Result<Url, Error> {
    // What cannot be parsed may hold a password in any place: it is not repeated.
    Url::parse(text.trim())
        .map_err(|error| Error::Url(format!("{error}; expected one like memory://, sqlite:///path, redis://host")))
}

async fn backend(url: &Url) -> Result<Arc<dyn KvStore>, Error> {
    match url.scheme() {
        "memory" => Ok(Arc::new(MemoryStore::default())),
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(Arc::new(super::SqliteStore::open(&super::files::path(url)?).await?)),
        #[cfg(feature = "rocksdb")]
        "rocksdb" => Ok(Arc::new(super::RocksDbStore::open(&super::files::path(url)?).await?)),
        #[cfg(feature = "redis")]
        "redis" | "rediss" | "valkey" | "valkeys" => Ok(Arc::new(super::RedisStore::connect(url).await?)),
        #[cfg(feature = "memcached")]
        "memcached" => Ok(Arc::new(super::MemcachedStore::connect(url).await?)),
        #[cfg(feature = "mongodb")]
        "mongodb" | "mongodb+srv" => Ok(Arc::new(super::MongoDbStore::connect(url).await?)),
        #[cfg(feature = "dynamodb")]
        "dynamodb" => Ok(Arc::new(super::DynamoDbStore::connect(url).await?)),
        #[cfg(feature = "elasticsearch")]
        "elasticsearch" | "elasticsearch+https" | "opensearch" | "opensearch+https" => {
            Ok(Arc::new(super::ElasticsearchStore::connect(url).await?))
        }
        scheme => Err(match scheme {
            "sqlite" => not_built(scheme, "sqlite"),
            "rocksdb" => not_built(scheme, "rocksdb"),
            "redis" | "rediss" | "valkey" | "valkeys" => not_built(scheme, "redis"),
            "memcached" => not_built(scheme, "memcached"),
            "mongodb" | "mongodb+srv" => not_built(scheme, "mongodb"),
            "dynamodb" => not_built(scheme, "dynamodb"),
            "elasticsearch" | "elasticsearch+https" | "opensearch" | "opensearch+https" => {
                not_built(scheme, "elasticsearch")
            }
            _ => Error::Url(format!(
                "no store is called `{scheme}:`; there are memory, sqlite, rocksdb, redis, valkey, memcached, mongodb, \
                 dynamodb, elasticsearch and opensearch"
            )),
        }),
    }
}

fn not_built(scheme: &str, feature: &'static str) -> Error {
    Error::NotBuilt { scheme: scheme.to_owned(), feature }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Capabilities, require},
        *,
    };

    #[tokio::test]
    async fn a_url_that_cannot_be_used_is_explained_without_its_password() {
        for url in ["nonsense:s3cr3t", "pg://u:s3cr3t@host", "redis//u:s3cr3t", ""] {
            let error = open(url).await.unwrap_err().to_string();
            assert!(error.contains("memory") && !error.contains("s3cr3t"), "{error}");
        }
    }

    #[cfg(not(feature = "redis"))]
    #[tokio::test]
    async fn a_backend_that_was_not_built_names_its_feature() {
        let error = open("valkeys://host").await.unwrap_err().to_string();
        assert!(error.contains("feature `redis`"), "{error}");
    }

    #[tokio::test]
    async fn c9_a_user_of_a_store_learns_at_start_what_it_lacks() {
        let store = open("memory://").await.unwrap();
        let needs = Capabilities { durable: true, atomic_take: true, ..Capabilities::default() };
        let error = require(store.as_ref(), "the OAuth proxy", needs).unwrap_err().to_string();
        assert_eq!(
            error,
            "the OAuth proxy needs a store that keeps values over a restart and never evicts them; sqlite:///path \
             (one machine) and redis://host (several; `appendonly yes`) do"
        );
        require(store.as_ref(), "a cache", Capabilities::default()).unwrap();
    }
}
