//! The store in a file: SQLite in WAL mode, for several processes of one machine.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Capabilities, Error, Key, KvStore, Lifetime, files, milliseconds, now};

/// Values in a SQLite database that only its owner may read. What was acknowledged is on the disk.
#[derive(Clone)]
pub struct SqliteStore {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

const LAYOUT: i64 = 1;

/// The longest wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// Expired rows that one write removes at most, so that no write is slow.
const CULL: i64 = 64;

impl SqliteStore {
    /// Opens or creates the database at `path`, in a directory that exists. The file is readable by its owner only;
    /// an existing file that others may read is mended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the file cannot be opened or is no store of this layout.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        blocking(move || {
            // SQLite gives the companions of a file (`-wal`, `-shm`) its rights.
            files::make_private(&path).map_err(failed)?;
            let connection = Connection::open(&path).map_err(failed)?;
            connection.busy_timeout(BUSY).map_err(failed)?;
            write_ahead(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
            connection.pragma_update(None, "trusted_schema", false).map_err(failed)?;
            let store = Self { connection: Arc::new(Mutex::new(connection)), path };
            store.transaction(create)?;
            Ok(store)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        key: Key<'_>,
        work: impl FnOnce(&Transaction<'_>, &Row, i64) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.clone();
        let row = Row { collection: key.collection().to_owned(), name: key.name().to_owned() };
        blocking(move || store.transaction(|transaction| work(transaction, &row, now()))).await
    }

    /// Runs work while no other connection writes.
    fn transaction<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        // A transaction that was cut short by a panic has been rolled back.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let result = work(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(result)
    }
}

/// Switches to WAL mode. Where several processes do so at once SQLite answers that it is busy without waiting.
fn write_ahead(connection: &Connection) -> Result<(), Error> {
    let deadline = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other.map_err(failed),
        }
    }
}

fn create(transaction: &Transaction<'_>) -> Result<(), Error> {
    let layout: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    match layout {
        0 => transaction
            .execute_batch(&format!(
                "CREATE TABLE store (
                     collection TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER,
                     PRIMARY KEY (collection, name)
                 ) STRICT, WITHOUT ROWID;
                 CREATE INDEX store_expires ON store (expires) WHERE expires IS NOT NULL;
                 PRAGMA user_version = {LAYOUT};"
            ))
            .map_err(failed),
        LAYOUT => Ok(()),
        other => Err(failed(format!("the file has the layout {other}, this program knows {LAYOUT}"))),
    }
}

/// The address of a value, owned for the thread that runs the query.
struct Row {
    collection: String,
    name: String,
}

/// A value and when it expires.
type Found = (Vec<u8>, Option<i64>);

impl Row {
    fn find(&self, transaction: &Transaction<'_>, now: i64) -> Result<Option<Found>, Error> {
        transaction
            .prepare_cached(
                "SELECT value, expires FROM store
                 WHERE collection = ?1 AND name = ?2 AND (expires IS NULL OR expires > ?3)",
            )
            .and_then(|mut query| {
                let row = params![self.collection, self.name, now];
                query.query_row(row, |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(failed)
    }

    fn write(&self, transaction: &Transaction<'_>, value: &[u8], expires: Option<i64>, now: i64) -> Result<(), Error> {
        transaction
            .prepare_cached(
                "DELETE FROM store WHERE (collection, name) IN
                 (SELECT collection, name FROM store WHERE expires <= ?1 LIMIT ?2)",
            )
            .and_then(|mut cull| cull.execute(params![now, CULL]))
            .map_err(failed)?;
        transaction
            .prepare_cached(
                "INSERT INTO store (collection, name, value, expires) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET value = excluded.value, expires = excluded.expires",
            )
            .and_then(|mut insert| insert.execute(params![self.collection, self.name, value, expires]))
            .map_err(failed)?;
        Ok(())
    }

    fn remove(&self, transaction: &Transaction<'_>, now: i64) -> Result<Option<Vec<u8>>, Error> {
        let removed: Option<Found> = transaction
            .prepare_cached("DELETE FROM store WHERE collection = ?1 AND name = ?2 RETURNING value, expires")
            .and_then(|mut delete| {
                let row = params![self.collection, self.name];
                delete.query_row(row, |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(failed)?;
        Ok(removed.filter(|(_, expires)| expires.is_none_or(|at| at > now)).map(|(value, _)| value))
    }
}

fn end(ttl: Option<Duration>, now: i64) -> Option<i64> {
    ttl.map(|ttl| now.saturating_add(milliseconds(ttl)))
}

#[async_trait]
impl KvStore for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true, atomic_take: true, native_ttl: false }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        let found = self.run(key, |transaction, row, now| row.find(transaction, now)).await?;
        Ok(found.map(|(value, _)| value.into()))
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        let value = value.to_vec();
        self.run(key, move |transaction, row, now| row.write(transaction, &value, end(ttl, now), now)).await
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        let value = value.to_vec();
        self.run(key, move |transaction, row, now| {
            if row.find(transaction, now)?.is_some() {
                return Ok(false);
            }
            row.write(transaction, &value, end(ttl, now), now).map(|()| true)
        })
        .await
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        Ok(self.run(key, |transaction, row, now| row.remove(transaction, now)).await?.map(Into::into))
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.take(key).await?.is_some())
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        self.run(key, |transaction, row, now| {
            Ok(match row.find(transaction, now)? {
                None => Lifetime::Absent,
                Some((_, None)) => Lifetime::Unlimited,
                Some((_, Some(at))) => {
                    Lifetime::Remaining(Duration::from_millis(at.saturating_sub(now).try_into().unwrap_or(0)))
                }
            })
        })
        .await
    }

    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        let (expected, new) = (expected.to_vec(), new.to_vec());
        self.run(key, move |transaction, row, now| {
            if row.find(transaction, now)?.is_none_or(|(value, _)| value != expected) {
                return Ok(false);
            }
            row.write(transaction, &new, end(ttl, now), now).map(|()| true)
        })
        .await
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        self.run(key, move |transaction, row, now| {
            let (count, expires) = match row.find(transaction, now)? {
                None => (0, end(ttl, now)),
                Some((value, expires)) => (super::key::number(&value)?, expires),
            };
            let count: i64 = count.checked_add(by).ok_or(Error::Counter)?;
            row.write(transaction, count.to_string().as_bytes(), expires, now)?;
            Ok(count)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn failed(error: impl fmt::Display) -> Error {
    Error::unavailable("SQLite", error)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{open, suite},
        *,
    };

    fn url(directory: &tempfile::TempDir) -> String {
        format!("sqlite://{}", directory.path().join("store.db").display())
    }

    fn key(name: &str) -> Key<'_> {
        Key::new("c", name).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("store.db")).await.unwrap();
        suite::run(Arc::new(store), Duration::from_millis(200)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_connections_take_once_between_them() {
        let directory = tempfile::tempdir().unwrap();
        let stores: Vec<_> = futures_util::future::join_all((0..6).map(|_| open_owned(url(&directory)))).await;
        stores[0].put(key("code"), b"1", None).await.unwrap();
        let takes = futures_util::future::join_all(stores.iter().map(|store| store.take(key("code")))).await;
        assert_eq!(takes.into_iter().filter(|take| take.as_ref().unwrap().is_some()).count(), 1);
    }

    async fn open_owned(url: String) -> Arc<dyn KvStore> {
        open(&url).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn c8_values_survive_and_are_encrypted_with_a_private_key_beside_them() {
        let directory = tempfile::tempdir().unwrap();
        open(&url(&directory)).await.unwrap().put(key("a"), b"top secret", None).await.unwrap();
        assert_eq!(open(&url(&directory)).await.unwrap().get(key("a")).await.unwrap().unwrap(), "top secret");
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"secret"), "{}", path.display());
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
            }
        }
        std::fs::remove_file(directory.path().join("store.db.key")).unwrap();
        let error = open(&url(&directory)).await.unwrap().get(key("a")).await.unwrap_err();
        assert!(matches!(error, Error::UnknownKey(_)), "a lost key is no empty store");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_acknowledged_survives_a_kill_in_the_middle_of_writing() {
        let directory = tempfile::tempdir().unwrap();
        suite::what_was_acknowledged_survives_a_kill(&url(&directory)).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_others_may_read_is_mended() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        SqliteStore::open(&path).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn what_is_no_store_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        std::fs::write(&path, "this is no database, but long enough to be mistaken for one".repeat(40)).unwrap();
        assert!(matches!(SqliteStore::open(&path).await, Err(Error::Unavailable { .. })));
        let missing = directory.path().join("no/such/directory.db");
        assert!(matches!(SqliteStore::open(&missing).await, Err(Error::Unavailable { .. })));
        for url in ["sqlite://host/path", "sqlite://", "sqlite:///directory/"] {
            assert!(matches!(open(url).await, Err(Error::Url(_))), "{url}");
        }
    }
}
