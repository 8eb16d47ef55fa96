//! Encryption at rest, over any store.
//!
//! A value becomes `version (1) | key id (8) | nonce (12) | AES-256-GCM-SIV ciphertext and tag`. The header, the
//! collection and the name are authenticated with it, so that whoever can write to the backend can neither forge a
//! value nor move it under another key.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use super::{Capabilities, Error, Key, KvStore, Lifetime, key::hex};

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const HEADER: usize = 1 + KEY_ID;

/// The keys of an encrypted store: the first encrypts, all decrypt. To rotate, put a new key first and drop the last
/// when nothing that it encrypted is left.
pub struct KeyRing {
    keys: Vec<DataKey>,
}

struct DataKey {
    id: [u8; KEY_ID],
    key: RandomizedNonceKey,
}

impl KeyRing {
    /// A ring of secrets, each of 32 random bytes or more. The data keys are derived from them (HKDF-SHA-256), so that
    /// one secret may also serve other purposes.
    ///
    /// # Errors
    /// [`Error::EncryptionKey`] when there is none, or one is shorter.
    pub fn new<T: AsRef<[u8]>>(secrets: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let keys = secrets.into_iter().map(|secret| DataKey::derive(secret.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Error::EncryptionKey("no key is given".to_owned()));
        }
        Ok(Self { keys })
    }

    /// A ring from text: secrets in base64 (either alphabet, padded or not), separated by commas or white space.
    ///
    /// # Errors
    /// As for [`KeyRing::new`], and when the text is not base64.
    pub fn parse(text: &SecretString) -> Result<Self, Error> {
        let secrets = text
            .expose_secret()
            .split(|separator: char| separator == ',' || separator.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(decode_base64)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::EncryptionKey("it is not base64; `openssl rand -base64 32` makes one".to_owned()))?;
        Self::new(secrets)
    }

    fn seal(&self, key: Key<'_>, value: &[u8]) -> Result<Vec<u8>, Error> {
        let data_key = self.keys.first().ok_or(Error::Corrupt("no key"))?;
        let mut header = [VERSION; HEADER];
        header[1..].copy_from_slice(&data_key.id);
        let mut sealed = value.to_vec();
        let nonce = data_key
            .key
            .seal_in_place_append_tag(Aad::from(associated_data(&header, key)), &mut sealed)
            .map_err(|_| Error::Corrupt("it cannot be encrypted"))?;
        Ok([header.as_slice(), nonce.as_ref(), &sealed].concat())
    }

    fn open(&self, key: Key<'_>, sealed: &[u8]) -> Result<Bytes, Error> {
        let (header, rest) = sealed.split_at_checked(HEADER).ok_or(Error::Corrupt("it is too short"))?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or(Error::Corrupt("it is too short"))?;
        let (&version, id) = header.split_first().ok_or(Error::Corrupt("it is too short"))?;
        if version != VERSION {
            return Err(Error::Corrupt("it is not encrypted, or by a newer version"));
        }
        let data_key =
            self.keys.iter().find(|candidate| candidate.id == id).ok_or_else(|| Error::UnknownKey(hex(id)))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Corrupt("it is too short"))?;
        let mut buffer = ciphertext.to_vec();
        let length = data_key
            .key
            .open_in_place(nonce, Aad::from(associated_data(header, key)), &mut buffer)
            .map_err(|_| Error::Corrupt("it was changed, or moved from another key"))?
            .len();
        buffer.truncate(length);
        Ok(buffer.into())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| hex(&key.id))).finish()
    }
}

impl DataKey {
    fn derive(secret: &[u8]) -> Result<Self, Error> {
        if secret.len() < 32 {
            return Err(Error::EncryptionKey("it has fewer than 32 bytes".to_owned()));
        }
        let failed = |_| Error::EncryptionKey("it cannot be derived".to_owned());
        let pseudorandom = Salt::new(HKDF_SHA256, b"mcpwright storage").extract(secret);
        let mut key = [0; 32];
        let mut id = [0; KEY_ID];
        pseudorandom.expand(&[b"aes-256-gcm-siv v1"], Length(32)).and_then(|okm| okm.fill(&mut key)).map_err(failed)?;
        pseudorandom.expand(&[b"key id v1"], Length(KEY_ID)).and_then(|okm| okm.fill(&mut id)).map_err(failed)?;
        Ok(Self { id, key: RandomizedNonceKey::new(&AES_256_GCM_SIV, &key).map_err(failed)? })
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn associated_data(header: &[u8], key: Key<'_>) -> Vec<u8> {
    // A collection holds no zero byte, so that the border to the name is clear.
    [header, key.collection().as_bytes(), &[0], key.name().as_bytes()].concat()
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [base64::alphabet::STANDARD, base64::alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(text).ok())
}

/// A store whose values are encrypted before they reach the backend. Keys (put no secret there), lifetimes and
/// counters are not.
#[derive(Debug)]
pub struct Encrypted {
    store: Arc<dyn KvStore>,
    keys: KeyRing,
}

impl Encrypted {
    /// Encrypts what goes into `store`.
    pub fn new(store: Arc<dyn KvStore>, keys: KeyRing) -> Self {
        Self { store, keys }
    }
}

#[async_trait]
impl KvStore for Encrypted {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        self.store.get(key).await?.map(|sealed| self.keys.open(key, &sealed)).transpose()
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        self.store.put(key, &self.keys.seal(key, value)?, ttl).await
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        self.store.put_if_absent(key, &self.keys.seal(key, value)?, ttl).await
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        self.store.take(key).await?.map(|sealed| self.keys.open(key, &sealed)).transpose()
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        self.store.delete(key).await
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        self.store.ttl(key).await
    }

    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        // Equal values differ when encrypted, so that what is swapped is the ciphertext that was looked at.
        let Some(sealed) = self.store.get(key).await? else { return Ok(false) };
        if self.keys.open(key, &sealed)? != expected {
            return Ok(false);
        }
        self.store.compare_and_swap(key, &sealed, &self.keys.seal(key, new)?, ttl).await
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        self.store.incr(key, by, ttl).await
    }
}

#[cfg(test)]
mod tests {
    use super::{super::MemoryStore, *};

    fn ring(secrets: &[u8]) -> KeyRing {
        KeyRing::new(secrets.iter().map(|byte| [*byte; 32])).unwrap()
    }

    fn key(name: &str) -> Key<'_> {
        Key::new("tokens", name).unwrap()
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let store = Encrypted::new(Arc::new(MemoryStore::default()), ring(&[1, 2]));
        super::super::suite::run(Arc::new(store), Duration::from_millis(40)).await;
    }

    #[tokio::test]
    async fn the_backend_sees_nothing_of_a_value() {
        let inner = Arc::new(MemoryStore::default());
        let store = Encrypted::new(inner.clone(), ring(&[1]));
        store.put(key("a"), b"top secret", None).await.unwrap();
        let first = inner.get(key("a")).await.unwrap().unwrap();
        assert!(!first.windows(6).any(|window| window == b"secret"));
        store.put(key("a"), b"top secret", None).await.unwrap();
        assert_ne!(first, inner.get(key("a")).await.unwrap().unwrap(), "equal values look different each time");
    }

    #[tokio::test]
    async fn what_an_attacker_wrote_is_an_error_and_not_a_value() {
        let inner = Arc::new(MemoryStore::default());
        let store = Encrypted::new(inner.clone(), ring(&[1]));
        store.put(key("a"), b"value", None).await.unwrap();
        let sealed = inner.get(key("a")).await.unwrap().unwrap();

        let mut flipped = sealed.to_vec();
        *flipped.last_mut().unwrap() ^= 1;
        let mut version = sealed.to_vec();
        version[0] = 0;
        let forgeries: [(&str, &[u8]); 5] = [
            ("changed", &flipped),
            ("truncated", &sealed[..sealed.len() - 1]),
            ("other version", &version),
            ("plain text", b"value that is long enough to be an envelope"),
            ("empty", b""),
        ];
        for (what, forged) in forgeries {
            inner.put(key("a"), forged, None).await.unwrap();
            assert!(matches!(store.get(key("a")).await, Err(Error::Corrupt(_))), "{what}");
            assert!(matches!(store.compare_and_swap(key("a"), forged, b"x", None).await, Err(Error::Corrupt(_))));
        }
        inner.put(key("b"), &sealed, None).await.unwrap();
        assert!(matches!(store.get(key("b")).await, Err(Error::Corrupt(_))), "moved to another name");
        let elsewhere = Key::new("codes", "a").unwrap();
        inner.put(elsewhere, &sealed, None).await.unwrap();
        assert!(matches!(store.take(elsewhere).await, Err(Error::Corrupt(_))), "moved to another collection");
    }

    #[tokio::test]
    async fn keys_rotate_and_an_unknown_one_is_no_miss() {
        let inner = Arc::new(MemoryStore::default());
        Encrypted::new(inner.clone(), ring(&[1])).put(key("a"), b"old", None).await.unwrap();

        let rotated = Encrypted::new(inner.clone(), ring(&[2, 1]));
        assert_eq!(rotated.get(key("a")).await.unwrap().unwrap(), "old");
        assert!(rotated.compare_and_swap(key("a"), b"old", b"new", None).await.unwrap());

        let old = Encrypted::new(inner.clone(), ring(&[1]));
        assert!(matches!(old.get(key("a")).await, Err(Error::UnknownKey(_))), "the new key encrypts");
        let new = Encrypted::new(inner, ring(&[2]));
        assert_eq!(new.get(key("a")).await.unwrap().unwrap(), "new");
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        for text in ["", " , ", "short", "!!!", "AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert!(matches!(KeyRing::parse(&text.into()), Err(Error::EncryptionKey(_))), "{text:?}");
        }
        let padded = "-_8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let standard = "+/8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let ring = KeyRing::parse(&format!("{padded}, {standard}").into()).unwrap();
        assert_eq!(ring.keys[0].id, ring.keys[1].id, "both alphabets, padded or not");
    }
}
