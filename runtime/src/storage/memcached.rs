//! The store in Memcached (1.6 or newer), over its meta commands.
//!
//! Memcached forgets when it likes: it is for caches, and says so in its capabilities.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::Mutex,
};
use url::Url;

use super::{
    Capabilities, Error, Key, KvStore, Lifetime, digest, now,
    versioned::{self, Found, Versioned, VersionedRemoval, left},
};

/// Values in Memcached. Names are digests there, since keys are short and must not hold blanks.
#[derive(Debug)]
pub struct MemcachedStore {
    address: (String, u16),
    /// One connection, one command at a time.
    connection: Mutex<Option<BufReader<TcpStream>>>,
}

const PATIENCE: Duration = Duration::from_secs(2);
/// The largest value in bytes: items have 1 MiB, with their key and header.
const MAX_VALUE: usize = (1 << 20) - 1024;

/// What a command is answered.
struct Answer {
    /// `HD`, `VA`, `EN`, `NS`, `NF`, `EX` …
    code: String,
    flags: Vec<String>,
    value: Vec<u8>,
}

impl Answer {
    fn flag(&self, name: char) -> Option<&str> {
        self.flags.iter().find_map(|flag| flag.strip_prefix(name))
    }
}

impl MemcachedStore {
    /// Connects to `memcached://host[:port]`.
    ///
    /// # Errors
    /// [`Error::Url`] or, when the server does not answer, [`Error::Unavailable`].
    pub async fn connect(url: &Url) -> Result<Self, Error> {
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| Error::Url("it names no host: memcached://host[:port]".to_owned()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let store = Self { address: (host, url.port().unwrap_or(11211)), connection: Mutex::default() };
        store.command("mn", None).await?;
        Ok(store)
    }

    /// Sends a command and reads its answer. A connection that failed in the middle is not used again.
    async fn command(&self, command: &str, value: Option<&[u8]>) -> Result<Answer, Error> {
        let mut held = self.connection.lock().await;
        // Taken out, so that a call that is cancelled leaves none behind.
        let taken = held.take();
        let exchange = async {
            let mut connection = match taken {
                Some(connection) => connection,
                None => {
                    let stream = TcpStream::connect((self.address.0.as_str(), self.address.1)).await?;
                    stream.set_nodelay(true)?;
                    BufReader::new(stream)
                }
            };
            let mut message = command.as_bytes().to_vec();
            message.extend_from_slice(b"\r\n");
            if let Some(value) = value {
                message.extend_from_slice(value);
                message.extend_from_slice(b"\r\n");
            }
            connection.write_all(&message).await?;
            let answer = read(&mut connection).await?;
            std::io::Result::Ok((connection, answer))
        };
        let exchanged = tokio::time::timeout(PATIENCE, exchange).await;
        let (connection, answer) =
            exchanged.map_err(|_| failed("no answer in time"))?.map_err(|error| failed(error.kind()))?;
        *held = Some(connection);
        match answer.code.as_str() {
            "SERVER_ERROR" if answer.flags.iter().any(|word| word == "memory") => Err(Error::Full("Memcached")),
            "SERVER_ERROR" | "CLIENT_ERROR" | "ERROR" => Err(failed(answer.flags.join(" "))),
            _ => Ok(answer),
        }
    }

    /// Writes a value: `condition` is the mode (`MS` set, `ME` add) and, to compare, `C<cas>`.
    async fn write(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>, condition: &str) -> Result<Answer, Error> {
        if value.len() > MAX_VALUE {
            return Err(Error::TooLarge { store: "Memcached", size: value.len(), limit: MAX_VALUE });
        }
        let command = format!("ms {} {} T{} {condition}", name(key), value.len(), expires(ttl));
        self.command(&command, Some(value)).await
    }
}

async fn read(connection: &mut BufReader<TcpStream>) -> std::io::Result<Answer> {
    let mut line = Vec::new();
    // Answers are short lines; a server that sends more is none.
    (&mut *connection).take(4096).read_until(b'\n', &mut line).await?;
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let line = std::str::from_utf8(&line).map_err(|_| invalid())?.strip_suffix("\r\n").ok_or_else(invalid)?;
    let mut words = line.split(' ').map(str::to_owned);
    let code = words.next().unwrap_or_default();
    let mut value = Vec::new();
    if code == "VA" {
        let size: usize = words.next().and_then(|size| size.parse().ok()).ok_or_else(invalid)?;
        if size > MAX_VALUE {
            return Err(invalid());
        }
        value.resize(size + 2, 0);
        connection.read_exact(&mut value).await?;
        value.truncate(size);
    }
    Ok(Answer { code, flags: words.collect(), value })
}

fn name(key: Key<'_>) -> String {
    format!("mcpwright:{}", digest([key.collection(), key.name()]))
}

/// The end as Memcached wants it: 0 for never, seconds, or, beyond 30 days, a time since 1970.
fn expires(ttl: Option<Duration>) -> i64 {
    const MONTH: i64 = 30 * 86_400;
    let Some(ttl) = ttl else { return 0 };
    let seconds = i64::try_from(ttl.as_millis().div_ceil(1000).clamp(1, 100 * 366 * 86_400)).unwrap_or(MONTH);
    if seconds <= MONTH {
        return seconds;
    }
    // Its clock ends in 2038: what lives longer does not expire.
    let at = (now() / 1000).saturating_add(seconds);
    if at < i64::from(i32::MAX) { at } else { 0 }
}

fn failed(reason: impl std::fmt::Display) -> Error {
    Error::unavailable("Memcached", reason)
}

#[async_trait]
impl Versioned for MemcachedStore {
    /// The `cas`.
    type Version = String;

    async fn find(&self, key: Key<'_>) -> Result<Option<Found<String>>, Error> {
        let answer = self.command(&format!("mg {} v c t", name(key)), None).await?;
        if answer.code != "VA" {
            return Ok(None);
        }
        let version = answer.flag('c').ok_or_else(|| failed("it answers without a cas"))?.to_owned();
        let seconds = answer.flag('t').and_then(|seconds| seconds.parse::<i64>().ok()).filter(|left| *left >= 0);
        let expires = seconds.map(|left| now().saturating_add(left.saturating_mul(1000)));
        Ok(Some(Found { value: answer.value, expires, version }))
    }

    async fn replace(
        &self,
        key: Key<'_>,
        found: &Found<String>,
        value: &[u8],
        expires: Option<i64>,
    ) -> Result<bool, Error> {
        let condition = format!("MS C{}", found.version);
        Ok(self.write(key, value, expires.map(left), &condition).await?.code == "HD")
    }
}

#[async_trait]
impl VersionedRemoval for MemcachedStore {
    async fn remove(&self, key: Key<'_>, found: &Found<String>) -> Result<bool, Error> {
        Ok(self.command(&format!("md {} C{}", name(key), found.version), None).await?.code == "HD")
    }
}

#[async_trait]
impl KvStore for MemcachedStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: false, shared: true, atomic_take: true, native_ttl: true }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        versioned::get(self, key).await
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        self.write(key, value, ttl, "MS").await.map(drop)
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        Ok(self.write(key, value, ttl, "ME").await?.code == "HD")
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        versioned::take(self, key).await
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.command(&format!("md {}", name(key)), None).await?.code == "HD")
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
        // Its own arithmetic knows no negative numbers.
        versioned::incr(self, key, by, ttl).await
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            open,
            suite::{self, free_port, service},
        },
        *,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let arguments = ["-u", "nobody", "-l", "127.0.0.1", "-p", "{port}", "-U", "0"];
        let Some(server) = service("memcached", free_port(), &arguments) else { return };
        let url = format!("memcached://127.0.0.1:{}", server.port);
        let store = open(&url).await.unwrap();
        suite::run(store.clone(), Duration::from_secs(1)).await;
        let key = Key::new("c", "k").unwrap();
        let large = store.put(key, &vec![0; 2 << 20], None).await;
        assert!(matches!(large, Err(Error::TooLarge { .. })));
        drop(server);
        assert!(matches!(store.get(key).await, Err(Error::Unavailable { .. })));
    }

    #[test]
    fn times_beyond_a_month_are_dates() {
        assert_eq!(expires(None), 0);
        assert_eq!(expires(Some(Duration::ZERO)), 1);
        assert_eq!(expires(Some(Duration::from_millis(1001))), 2);
        assert!(expires(Some(Duration::from_secs(31 * 86_400))) > now() / 1000);
        assert_eq!(expires(Some(Duration::MAX)), 0);
    }
}
