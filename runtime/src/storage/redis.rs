//! The store in Redis (6.2 or newer) or Valkey.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use redis::{
    Client, ErrorKind, RedisError, Script, ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use url::Url;

use super::{Capabilities, Error, Key, KvStore, Lifetime, milliseconds};

/// Values in Redis or Valkey, over one connection that is restored when it breaks. Keys are called
/// `mcpwright:<collection>:<name>`.
///
/// It counts as durable when the server writes a log of all changes (`appendonly yes`) and evicts nothing (no `maxmemory`,
/// or the policy `noeviction`), as the server says when the connection is made. One that does not say counts as not
/// durable.
#[derive(Clone)]
pub struct RedisStore {
    connection: ConnectionManager,
    durable: bool,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

/// How long one command may take, and one attempt to connect.
const PATIENCE: Duration = Duration::from_secs(2);

impl RedisStore {
    /// Connects to `redis://`, `rediss://` (TLS), `valkey://` or `valkeys://`.
    ///
    /// # Errors
    /// [`Error::Url`] or, when the server does not answer, [`Error::Unavailable`].
    pub async fn connect(url: &Url) -> Result<Self, Error> {
        let url = url.as_str();
        let url = url.strip_prefix("valkey").map_or_else(|| url.to_owned(), |rest| format!("redis{rest}"));
        // The error of a malformed URL could repeat a password.
        let client = Client::open(url).map_err(|error| Error::Url(format!("{:?}", error.kind())))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(2)
            .set_max_delay(Duration::from_millis(500));
        let connection = ConnectionManager::new_with_config(client, config).await.map_err(failed)?;
        let durable = is_durable(&connection).await;
        Ok(Self { connection, durable })
    }

    /// Runs a script with one key.
    pub(crate) async fn script<T: redis::FromRedisValue>(
        &self,
        script: &Script,
        key: Key<'_>,
        arguments: &[&[u8]],
    ) -> Result<T, Error> {
        let mut call = script.prepare_invoke();
        call.key(name(key));
        for argument in arguments {
            call.arg(*argument);
        }
        call.invoke_async(&mut self.connection.clone()).await.map_err(failed)
    }

    async fn set(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>, if_absent: bool) -> Result<bool, Error> {
        let mut command = redis::cmd("SET");
        command.arg(name(key)).arg(value);
        if if_absent {
            command.arg("NX");
        }
        if let Some(ttl) = ttl {
            command.arg("PX").arg(milliseconds(ttl));
        }
        let answer: Option<String> = command.query_async(&mut self.connection.clone()).await.map_err(failed)?;
        Ok(answer.is_some())
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &str, key: Key<'_>) -> Result<T, Error> {
        redis::cmd(command).arg(name(key)).query_async(&mut self.connection.clone()).await.map_err(failed)
    }
}

/// Whether the server says that it keeps what it acknowledged.
async fn is_durable(connection: &ConnectionManager) -> bool {
    let mut facts = String::new();
    for section in ["persistence", "memory"] {
        // Some services do not let everybody ask.
        match redis::cmd("INFO").arg(section).query_async::<String>(&mut connection.clone()).await {
            Ok(text) => facts.push_str(&text),
            Err(_) => return false,
        }
    }
    let says = |fact: &str| facts.lines().any(|line| line.trim() == fact);
    says("aof_enabled:1") && (says("maxmemory:0") || says("maxmemory_policy:noeviction"))
}

/// Neither prefix nor collection holds a colon of its own, so that names cannot collide.
fn name(key: Key<'_>) -> String {
    format!("mcpwright:{}:{}", key.collection(), key.name())
}

fn failed(error: RedisError) -> Error {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ResponseError)
            if error
                .detail()
                .is_some_and(|detail| detail.contains("not an integer") || detail.contains("overflow")) =>
        {
            Error::Counter
        }
        _ if error.code() == Some("OOM") => Error::Full("Redis"),
        // The whole error could hold a command with its values.
        kind => Error::unavailable("Redis", error.code().map_or_else(|| format!("{kind:?}"), str::to_owned)),
    }
}

const SWAP: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
    else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
    return 1";

const INCR: &str = "
    local is_new = redis.call('EXISTS', KEYS[1]) == 0
    local count = redis.call('INCRBY', KEYS[1], ARGV[1])
    if is_new and ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
    return count";

fn argument(ttl: Option<Duration>) -> String {
    ttl.map(|ttl| milliseconds(ttl).to_string()).unwrap_or_default()
}

#[async_trait]
impl KvStore for RedisStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: self.durable, shared: true, atomic_take: true, native_ttl: true }
    }

    async fn get(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        Ok(self.ask::<Option<Vec<u8>>>("GET", key).await?.map(Into::into))
    }

    async fn put(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        self.set(key, value, ttl, false).await.map(drop)
    }

    async fn put_if_absent(&self, key: Key<'_>, value: &[u8], ttl: Option<Duration>) -> Result<bool, Error> {
        self.set(key, value, ttl, true).await
    }

    async fn take(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        Ok(self.ask::<Option<Vec<u8>>>("GETDEL", key).await?.map(Into::into))
    }

    async fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.ask::<i64>("DEL", key).await? > 0)
    }

    async fn ttl(&self, key: Key<'_>) -> Result<Lifetime, Error> {
        Ok(match self.ask::<i64>("PTTL", key).await? {
            -2 => Lifetime::Absent,
            -1 => Lifetime::Unlimited,
            left => Lifetime::Remaining(Duration::from_millis(left.try_into().unwrap_or(0))),
        })
    }

    async fn compare_and_swap(
        &self,
        key: Key<'_>,
        expected: &[u8],
        new: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        self.script(&Script::new(SWAP), key, &[expected, new, argument(ttl).as_bytes()]).await
    }

    async fn incr(&self, key: Key<'_>, by: i64, ttl: Option<Duration>) -> Result<i64, Error> {
        self.script(&Script::new(INCR), key, &[by.to_string().as_bytes(), argument(ttl).as_bytes()]).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::{
            Encrypted, KeyRing, open,
            suite::{self, Service, free_port, service},
        },
        *,
    };

    const PASSWORD: &str = "s3cr3t";

    fn server(program: &str, port: u16) -> Option<Service> {
        let arguments =
            ["--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--appendonly", "no", "--requirepass", PASSWORD];
        service(program, port, &arguments)
    }

    async fn keeps_the_contract(program: &str, scheme: &str) {
        let Some(server) = server(program, free_port()) else { return };
        let store = open(&format!("{scheme}://:{PASSWORD}@127.0.0.1:{}/0", server.port)).await.unwrap();
        suite::run(store.clone(), Duration::from_millis(200)).await;
        let encrypted = Encrypted::new(store, KeyRing::new([[1; 32]]).unwrap());
        suite::run(Arc::new(encrypted), Duration::from_millis(200)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract_on_redis() {
        keeps_the_contract("redis-server", "redis").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract_on_valkey() {
        keeps_the_contract("valkey-server", "valkey").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn c9_a_server_is_as_durable_as_it_says() {
        let folder = tempfile::tempdir().unwrap();
        for (appendonly, policy, durable) in
            [("no", "noeviction", false), ("yes", "noeviction", true), ("yes", "allkeys-lru", false)]
        {
            let folder = folder.path().to_str().unwrap();
            let arguments = [
                "--bind",
                "127.0.0.1",
                "--port",
                "{port}",
                "--save",
                "",
                "--appendonly",
                appendonly,
                "--dir",
                folder,
                "--maxmemory",
                "100mb",
                "--maxmemory-policy",
                policy,
            ];
            let Some(server) = service("redis-server", free_port(), &arguments) else { return };
            let store = open(&format!("redis://127.0.0.1:{}", server.port)).await.unwrap();
            assert_eq!(store.capabilities().durable, durable, "{appendonly} {policy}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_dead_server_is_an_error_in_time_and_a_returning_one_is_found() {
        let Some(first) = server("redis-server", free_port()) else { return };
        let port = first.port;
        let url = format!("redis://:{PASSWORD}@127.0.0.1:{port}");
        let store = open(&url).await.unwrap();
        let key = Key::new("c", "k").unwrap();
        store.put(key, b"1", None).await.unwrap();
        drop(first);
        let answer = tokio::time::timeout(Duration::from_secs(60), store.get(key)).await.expect("in time");
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }));
        assert!(!format!("{error} {error:?} {store:?}").contains(PASSWORD));
        assert!(open(&url).await.is_err());

        let _second = server("redis-server", port);
        let found = async {
            while store.put(key, b"2", None).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), found).await.expect("the connection is restored");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_acknowledged_survives_a_kill_in_the_middle_of_writing() {
        for (program, scheme) in [("redis-server", "redis"), ("valkey-server", "valkey")] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().to_str().unwrap();
            let arguments = ["--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--dir", folder];
            let arguments = [&arguments[..], &["--appendonly", "yes", "--appendfsync", "always"]].concat();
            let Some(victim) = service(program, free_port(), &arguments) else { return };
            let port = victim.port;
            let url = format!("{scheme}://127.0.0.1:{port}");
            let (told, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
            for writer in 0..4 {
                let (store, told) = (open(&url).await.unwrap(), told.clone());
                tokio::spawn(async move {
                    for number in 0.. {
                        let name = format!("{writer}-{number}");
                        let written = store.put(Key::new("c", &name).unwrap(), name.as_bytes(), None).await;
                        let counted = store.incr(Key::new("c", "count").unwrap(), 1, None).await;
                        if written.is_err() || counted.is_err() || told.send(name).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(told);
            let mut names = Vec::new();
            while names.len() < 200 {
                names.push(acknowledged.recv().await.expect("they write"));
            }
            drop(victim);
            while let Some(name) = acknowledged.recv().await {
                names.push(name);
            }
            let _second = service(program, port, &arguments);
            let found = async {
                loop {
                    // It answers only once it has read its log.
                    match open(&url).await {
                        Ok(store) if store.get(Key::new("c", "count").unwrap()).await.is_ok() => break store,
                        _ => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
            };
            let store = tokio::time::timeout(Duration::from_secs(60), found).await.expect("it is back");
            for name in &names {
                assert_eq!(store.get(Key::new("c", name).unwrap()).await.unwrap().expect("acknowledged"), name);
            }
            let count = store.incr(Key::new("c", "count").unwrap(), 0, None).await.unwrap();
            assert!(count >= i64::try_from(names.len()).unwrap(), "{count} of {}", names.len());
        }
    }
}
