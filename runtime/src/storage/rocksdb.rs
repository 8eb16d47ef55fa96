//! The store in a folder: RocksDB, for one process that writes much.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rocksdb::{CompactionDecision, DB, Options, WriteOptions};

use super::{Capabilities, Error, Key, KvStore, Lifetime, files, milliseconds, now};

/// Values in a RocksDB database in a folder that only its owner may enter. One process at a time can open it. What was
/// acknowledged is on the disk.
#[derive(Clone)]
pub struct RocksDbStore {
    inner: Arc<Inner>,
}

struct Inner {
    database: DB,
    /// Changes of one key come one after the other; those of others share a write to the disk.
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
    path: PathBuf,
}

impl fmt::Debug for RocksDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksDbStore").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

/// The layout of keys and values; [`LAYOUT_KEY`] holds it.
const LAYOUT: &[u8] = b"1";

/// No collection begins with a zero byte.
const LAYOUT_KEY: &[u8] = b"\0layout";

/// The file that every RocksDB database has.
const SIGN: &str = "CURRENT";

/// How many changes of different keys may run at the same time.
const LOCKS: usize = 64;

/// The bytes before a value that say when it expires: milliseconds since 1970, big-endian, zero for never.
const HEADER: usize = size_of::<i64>();

impl RocksDbStore {
    /// Opens or creates the database in the folder `path`, whose parent exists.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the folder cannot be used, another process has it open, or it holds something else.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        blocking(move || {
            files::make_private_folder(&path, SIGN).map_err(failed)?;
            let mut options = Options::default();
            options.create_if_missing(true);
            options.set_keep_log_file_num(1);
            options.set_compaction_filter("mcpwright-expiry", |_level, key, stored| {
                let is_over = key != LAYOUT_KEY && live(stored, now()).is_none();
                if is_over { CompactionDecision::Remove } else { CompactionDecision::Keep }
            });
            let database = DB::open(&options, &path).map_err(failed)?;
            match database.get(LAYOUT_KEY).map_err(failed)? {
                Some(layout) if layout == LAYOUT => {}
                Some(_) => return Err(failed("the folder has another layout than this program knows")),
                None if database.iterator(rocksdb::IteratorMode::Start).next().is_some() => {
                    return Err(failed("the folder holds the database of another program"));
                }
                None => database.put_opt(LAYOUT_KEY, LAYOUT, &on_disk()).map_err(failed)?,
            }
            let locks = (0..LOCKS).map(|_| Mutex::new(())).collect();
            Ok(Self { inner: Arc::new(Inner { database, locks, hasher: RandomState::new(), path }) })
        })
        .await
    }

    /// Runs work on a key while nobody else changes it.
    async fn run<T: Send + 'static>(
        &self,
        key: Key<'_>,
        work: impl FnOnce(&Row<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        // A collection has no zero byte.
        let address = [key.collection().as_bytes(), b"\0", key.name().as_bytes()].concat();
        blocking(move || {
            let lock = usize::try_from(inner.hasher.hash_one(&address)).unwrap_or_default() % LOCKS;
            // A write is whole or not there, so nothing is halfway when a thread has panicked.
            let _guard = inner.locks[lock].lock().unwrap_or_else(PoisonError::into_inner);
            work(&Row { database: &inner.database, address: &address, now: now() })
        })
        .await
    }
}

/// A value and when it expires.
type Found = (Vec<u8>, Option<i64>);

/// A key in the database, at a time.
struct Row<'i> {
    database: &'i DB,
    address: &'i [u8],
    now: i64,
}

impl Row<'_> {
    /// The value with its end, unless it has expired.
    fn find(&self) -> Result<Option<Found>, Error> {
        let stored = self.database.get(self.address).map_err(failed)?;
        Ok(stored.and_then(|stored| live(&stored, self.now).map(|(value, expires)| (value.to_vec(), expires))))
    }

    fn write(&self, value: &[u8], expires: Option<i64>) -> Result<(), Error> {
        let stored = [&expires.unwrap_or(0).to_be_bytes()[..], value].concat();
        self.database.put_opt(self.address, stored, &on_disk()).map_err(failed)
    }

    /// When a lifetime that starts now ends.
    fn end(&self, ttl: Option<Duration>) -> Option<i64> {
        ttl.map(|ttl| self.now.saturating_add(milliseconds(ttl)))
    }
}

/// The value in what is stored, with its end, unless it is over by now.
fn live(stored: &[u8], now: i64) -> Option<(&[u8], Option<i64>)> {
    let (header, value) = stored.split_first_chunk::<HEADER>()?;
    match i64::from_be_bytes(*header) {
        0 => Some((value, None)),
        expires if expires > now => Some((value, Some(expires))),
        _ => None,
    }
}

/// Writes are acknowledged when they are on the disk.
fn on_disk() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

#[async_trait]
impl KvStore for RocksDbStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: false, atomic_take: true, native_ttl: true }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        Ok(self.run(key, |row| row.find()).await?.map(|(value, _)| value.into()))
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        let value = value.to_vec();
        self.run(key, move |row| row.write(&value, row.end(ttl))).await
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        let value = value.to_vec();
        self.run(key, move |row| match row.find()? {
            Some(_) => Ok(false),
            None => row.write(&value, row.end(ttl)).map(|()| true),
        })
        .await
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        self.run(key, |row| {
            let found = row.find()?;
            if found.is_some() {
                row.database.delete_opt(row.address, &on_disk()).map_err(failed)?;
            }
            Ok(found.map(|(value, _)| value.into()))
        })
        .await
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.take(key).await?.is_some())
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        self.run(key, |row| {
            Ok(match row.find()? {
                None => Lifetime::Absent,
                Some((_, None)) => Lifetime::Unlimited,
                Some((_, Some(at))) => {
                    Lifetime::Remaining(Duration::from_millis(at.saturating_sub(row.now).try_into().unwrap_or(0)))
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
        self.run(key, move |row| match row.find()? {
            Some((value, _)) if value == expected => row.write(&new, row.end(ttl)).map(|()| true),
            _ => Ok(false),
        })
        .await
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        self.run(key, move |row| {
            let (count, expires) = match row.find()? {
                None => (0, row.end(ttl)),
                Some((value, expires)) => (super::key::number(&value)?, expires),
            };
            let count = count.checked_add(by).ok_or(Error::Counter)?;
            row.write(count.to_string().as_bytes(), expires)?;
            Ok(count)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn failed(error: impl fmt::Display) -> Error {
    Error::unavailable("RocksDB", error)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{open, suite},
        *,
    };

    fn url(directory: &tempfile::TempDir) -> String {
        format!("rocksdb://{}", directory.path().join("store").display())
    }

    fn key(name: &str) -> Key<'_> {
        Key::new("c", name).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let store = RocksDbStore::open(&directory.path().join("store")).await.unwrap();
        suite::run(Arc::new(store), Duration::from_millis(200)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_has_expired_goes_when_files_are_compacted() {
        let directory = tempfile::tempdir().unwrap();
        let store = RocksDbStore::open(&directory.path().join("store")).await.unwrap();
        store.put(key("over"), b"1", Some(Duration::from_millis(1))).await.unwrap();
        store.put(key("kept"), b"2", None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let database = &store.inner.database;
        database.flush().unwrap();
        database.compact_range(None::<&[u8]>, None::<&[u8]>);
        let left = database.iterator(rocksdb::IteratorMode::Start).map(|entry| entry.unwrap().0);
        assert_eq!(left.collect::<Vec<_>>(), [LAYOUT_KEY.into(), b"c\0kept".to_vec().into_boxed_slice()]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn c8_values_survive_and_are_encrypted_in_a_private_folder() {
        let directory = tempfile::tempdir().unwrap();
        open(&url(&directory)).await.unwrap().put(key("a"), b"top secret", None).await.unwrap();
        assert_eq!(open(&url(&directory)).await.unwrap().get(key("a")).await.unwrap().unwrap(), "top secret");
        let folder = directory.path().join("store");
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"secret"), "{}", path.display());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
            let key = directory.path().join("store.key");
            assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_that_is_in_use_or_holds_something_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let first = RocksDbStore::open(&path).await.unwrap();
        let error = RocksDbStore::open(&path).await.unwrap_err().to_string();
        assert!(error.contains("RocksDB store is unavailable"), "{error}");
        drop(first);
        let other = directory.path().join("other");
        DB::open_default(&other).unwrap().put(b"theirs", b"1").unwrap();
        let error = RocksDbStore::open(&other).await.unwrap_err().to_string();
        assert!(error.contains("another program"), "{error}");
        assert!(RocksDbStore::open(&directory.path().join("no/parent")).await.is_err());
        let crowded = directory.path().join("crowded");
        std::fs::create_dir(&crowded).unwrap();
        std::fs::write(crowded.join("theirs"), "1").unwrap();
        let rights = std::fs::metadata(&crowded).unwrap().permissions();
        let error = RocksDbStore::open(&crowded).await.unwrap_err().to_string();
        assert!(error.contains("crowded") && error.contains("name one for the store alone"), "{error}");
        assert_eq!(std::fs::metadata(&crowded).unwrap().permissions(), rights, "nothing was taken from anybody");
        assert!(RocksDbStore::open(&crowded.join("theirs")).await.is_err(), "a file");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_acknowledged_survives_a_kill_in_the_middle_of_writing() {
        let directory = tempfile::tempdir().unwrap();
        suite::what_was_acknowledged_survives_a_kill(&url(&directory)).await;
    }
}
