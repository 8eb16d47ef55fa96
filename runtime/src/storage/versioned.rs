//! What stores have in common that can change a value only if nobody else did meanwhile: arithmetic and exchange are made
//! of finding a value and replacing just that.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Error, Key, KvStore, Lifetime, key::number, milliseconds, now};

/// How often a change is tried again when others change the same value.
const ATTEMPTS: usize = 200;

/// A value that has not expired.
pub(super) struct Found<Version> {
    pub(super) value: Vec<u8>,
    /// When it expires, in milliseconds since 1970.
    pub(super) expires: Option<i64>,
    /// What a change of just this state of the value has to name.
    pub(super) version: Version,
}

/// A store of values with versions.
#[async_trait]
pub(super) trait Versioned: KvStore {
    /// See [`Found::version`].
    type Version: Send + Sync;

    /// The value, unless it has expired.
    async fn find(&self, key: Key<'_>) -> Result<Option<Found<Self::Version>>, Error>;

    /// Sets a value with its end in the place of what was found; whether that was still there.
    async fn replace(
        &self,
        key: Key<'_>,
        found: &Found<Self::Version>,
        value: &[u8],
        expires: Option<i64>,
    ) -> Result<bool, Error>;
}

/// One that removes values by version too.
#[async_trait]
pub(super) trait VersionedRemoval: Versioned {
    /// Removes what was found; whether it was still there.
    async fn remove(&self, key: Key<'_>, found: &Found<Self::Version>) -> Result<bool, Error>;
}

/// When a lifetime that starts now ends, in milliseconds since 1970.
pub(super) fn end(ttl: Option<Duration>) -> Option<i64> {
    ttl.map(|ttl| now().saturating_add(milliseconds(ttl)))
}

/// How long it is until then.
pub(super) fn left(expires: i64) -> Duration {
    Duration::from_millis(expires.saturating_sub(now()).try_into().unwrap_or(0))
}

/// [`KvStore::get`]
pub(super) async fn get<S: Versioned>(store: &S, key: Key<'_>) -> Result<Option<Bytes>, Error> {
    Ok(store.find(key).await?.map(|found| found.value.into()))
}

/// [`KvStore::ttl`]
pub(super) async fn ttl<S: Versioned>(store: &S, key: Key<'_>) -> Result<Lifetime, Error> {
    Ok(match store.find(key).await? {
        None => Lifetime::Absent,
        Some(Found { expires: None, .. }) => Lifetime::Unlimited,
        Some(Found { expires: Some(at), .. }) => Lifetime::Remaining(left(at)),
    })
}

/// [`KvStore::take`]
pub(super) async fn take<S: VersionedRemoval>(store: &S, key: Key<'_>) -> Result<Option<Bytes>, Error> {
    for _ in 0..ATTEMPTS {
        let Some(found) = store.find(key).await? else { return Ok(None) };
        if store.remove(key, &found).await? {
            return Ok(Some(found.value.into()));
        }
    }
    Err(Error::Contended)
}

/// [`KvStore::compare_and_swap`]
pub(super) async fn compare_and_swap<S: Versioned>(
    store: &S,
    key: Key<'_>,
    expected: &[u8],
    new: &[u8],
    ttl: Option<Duration>,
) -> Result<bool, Error> {
    match store.find(key).await? {
        Some(found) if found.value == expected => store.replace(key, &found, new, end(ttl)).await,
        _ => Ok(false),
    }
}

/// [`KvStore::incr`]
pub(super) async fn incr<S: Versioned>(store: &S, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
    for _ in 0..ATTEMPTS {
        let (count, written) = match store.find(key).await? {
            Some(found) => {
                let count = number(&found.value)?.checked_add(by).ok_or(Error::Counter)?;
                (count, store.replace(key, &found, count.to_string().as_bytes(), found.expires).await?)
            }
            None => (by, store.put_if_absent(key, by.to_string().as_bytes(), ttl).await?),
        };
        if written {
            return Ok(count);
        }
    }
    Err(Error::Contended)
}
