//! The store in memory: bounded, gone with the process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Capabilities, Error, Key, KvStore, Lifetime};

/// Values in the memory of this process. Unless it is made to evict, a store that is full says so, since silently losing
/// a token or a consent is worse than refusing a new one.
#[derive(Debug)]
pub struct MemoryStore {
    entries: Mutex<Entries>,
}

impl MemoryStore {
    /// A store that holds at most `max_entries` values of together `max_bytes` bytes, keys included.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self { entries: Mutex::new(Entries { max_entries, max_bytes, ..Entries::default() }) }
    }

    /// A store for what can be made again: when it is full, the values that expire first make room for new ones.
    pub fn evicting(max_entries: usize, max_bytes: usize) -> Self {
        Self { entries: Mutex::new(Entries { max_entries, max_bytes, evicts: true, ..Entries::default() }) }
    }

    /// How many values there are, and how many bytes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> (usize, usize) {
        let (entries, _) = self.entries();
        (entries.values.len(), entries.bytes)
    }

    /// The entries, without those that have expired by now.
    fn entries(&self) -> (MutexGuard<'_, Entries>, Instant) {
        // No operation panics halfway, so the entries of a poisoned lock are whole.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        entries.expire(now);
        (entries, now)
    }
}

impl Default for MemoryStore {
    /// At most 100,000 values of together 64 MiB.
    fn default() -> Self {
        Self::new(100_000, 64 << 20)
    }
}

type Address = (String, String);

#[derive(Default)]
struct Entries {
    values: HashMap<Address, Entry>,
    /// The addresses of what expires, the first to do so first.
    expiring: BTreeSet<(Instant, Address)>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    evicts: bool,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are secrets more often than not.
        f.debug_struct("Entries").field("len", &self.values.len()).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

struct Entry {
    value: Bytes,
    expires: Option<Instant>,
}

impl Entries {
    fn expire(&mut self, now: Instant) {
        while self.expiring.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, address)) = self.expiring.pop_first() {
                self.remove(&address);
            }
        }
    }

    fn remove(&mut self, address: &Address) -> Option<Entry> {
        let (address, entry) = self.values.remove_entry(address)?;
        self.bytes -= size(&address, &entry.value);
        if let Some(at) = entry.expires {
            self.expiring.remove(&(at, address));
        }
        Some(entry)
    }

    fn insert(&mut self, address: Address, value: &[u8], expires: Option<Instant>) -> Result<(), Error> {
        let new = size(&address, value);
        let bytes = loop {
            let replaced = self.values.get(&address).map(|entry| size(&address, &entry.value));
            let bytes = self.bytes - replaced.unwrap_or(0) + new;
            let count = self.values.len() + usize::from(replaced.is_none());
            if bytes <= self.max_bytes && count <= self.max_entries {
                break bytes;
            }
            if !self.evicts || new > self.max_bytes {
                return Err(Error::Full("memory"));
            }
            let (_, first) = self.expiring.pop_first().ok_or(Error::Full("memory"))?;
            self.remove(&first);
        };
        self.remove(&address);
        self.bytes = bytes;
        if let Some(at) = expires {
            self.expiring.insert((at, address.clone()));
        }
        self.values.insert(address, Entry { value: Bytes::copy_from_slice(value), expires });
        Ok(())
    }
}

fn size(address: &Address, value: &[u8]) -> usize {
    address.0.len() + address.1.len() + value.len()
}

fn address(key: Key<'_>) -> Address {
    (key.collection().to_owned(), key.name().to_owned())
}

/// When a lifetime that starts now ends; never, when that lies beyond what the clock can say.
fn end(now: Instant, ttl: Option<Duration>) -> Option<Instant> {
    now.checked_add(ttl?.max(Duration::from_millis(1)))
}

#[async_trait]
impl KvStore for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: false, shared: false, atomic_take: true, native_ttl: true }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        let (entries, _) = self.entries();
        Ok(entries.values.get(&address(key)).map(|entry| entry.value.clone()))
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        let (mut entries, now) = self.entries();
        entries.insert(address(key), value, end(now, ttl))
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        let (mut entries, now) = self.entries();
        let address = address(key);
        if entries.values.contains_key(&address) {
            return Ok(false);
        }
        entries.insert(address, value, end(now, ttl)).map(|()| true)
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        let (mut entries, _) = self.entries();
        Ok(entries.remove(&address(key)).map(|entry| entry.value))
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.take(key).await?.is_some())
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        let (entries, now) = self.entries();
        Ok(match entries.values.get(&address(key)).map(|entry| entry.expires) {
            None => Lifetime::Absent,
            Some(None) => Lifetime::Unlimited,
            Some(Some(at)) => Lifetime::Remaining(at.saturating_duration_since(now)),
        })
    }

    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        let (mut entries, now) = self.entries();
        let address = address(key);
        if entries.values.get(&address).is_none_or(|entry| entry.value != expected) {
            return Ok(false);
        }
        entries.insert(address, new, end(now, ttl)).map(|()| true)
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        let (mut entries, now) = self.entries();
        let address = address(key);
        let (count, expires) = match entries.values.get(&address) {
            None => (0, end(now, ttl)),
            Some(entry) => (super::key::number(&entry.value)?, entry.expires),
        };
        let count = count.checked_add(by).ok_or(Error::Counter)?;
        entries.insert(address, count.to_string().as_bytes(), expires)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        super::super::suite::run(std::sync::Arc::new(MemoryStore::default()), Duration::from_millis(40)).await;
    }

    #[tokio::test]
    async fn a_full_store_refuses_and_takes_again_after_expiry() {
        let store = MemoryStore::new(2, 1000);
        let key = |name| Key::new("c", name).unwrap();
        store.put(key("a"), b"1", Some(Duration::from_millis(20))).await.unwrap();
        store.put(key("b"), b"1", None).await.unwrap();
        assert!(matches!(store.put(key("d"), b"1", None).await, Err(Error::Full(_))));
        store.put(key("b"), b"2", None).await.expect("replacing needs no room");
        assert!(matches!(store.put(key("b"), &[0; 2000], None).await, Err(Error::Full(_))));
        assert_eq!(store.get(key("b")).await.unwrap().unwrap(), "2", "a refused write changes nothing");
        tokio::time::sleep(Duration::from_millis(30)).await;
        store.put(key("d"), b"1", None).await.expect("`a` has expired");
    }

    #[tokio::test]
    async fn an_evicting_store_makes_room_and_keeps_what_does_not_expire() {
        let store = MemoryStore::evicting(3, 200);
        let key = |name| Key::new("c", name).unwrap();
        store.put(key("for ever"), b"1", None).await.unwrap();
        for (name, seconds) in [("b", 20), ("a", 10), ("c", 30)] {
            store.put(key(name), b"1", Some(Duration::from_secs(seconds))).await.unwrap();
        }
        let kept = async |name| store.get(key(name)).await.unwrap().is_some();
        assert!(kept("for ever").await && kept("b").await && !kept("a").await && kept("c").await);
        store.put(key("d"), &[0; 186], Some(Duration::from_secs(1))).await.unwrap();
        assert!(kept("for ever").await && !kept("b").await && !kept("c").await && kept("d").await);
        assert!(matches!(store.put(key("e"), &[0; 500], None).await, Err(Error::Full(_))));
        assert!(kept("d").await, "nothing goes for what does not fit anyway");
        let (entries, _) = store.entries();
        assert_eq!((entries.values.len(), entries.expiring.len()), (2, 1));
    }

    #[tokio::test]
    async fn bookkeeping_returns_to_zero() {
        let store = MemoryStore::default();
        for round in 0..3 {
            for name in ["a", "b", "c"] {
                let ttl = (round > 0).then(|| Duration::from_millis(round * 5));
                store.put(Key::new("c", name).unwrap(), &[0; 100], ttl).await.unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (entries, _) = store.entries();
        assert_eq!((entries.bytes, entries.values.len(), entries.expiring.len()), (0, 0, 0));
    }

    #[test]
    fn debug_shows_no_value() {
        let store = MemoryStore::default();
        futures_util::FutureExt::now_or_never(store.put(Key::new("c", "k").unwrap(), b"s3cr3t", None))
            .unwrap()
            .unwrap();
        assert!(!format!("{store:?}").contains("s3cr3t"));
    }
}
