//! What every store must do, run over each of them.

#[cfg(any(feature = "redis", feature = "memcached"))]
mod services;

use std::{sync::Arc, time::Duration};

use super::{Error, Key, KvStore, Lifetime};

#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use services::{Service, free_port, service};

/// Runs the whole contract over an empty store whose lifetimes are as fine as `tick`, and leaves it empty.
pub(crate) async fn run(store: Arc<dyn KvStore>, tick: Duration) {
    values(&*store).await;
    lifetimes(&*store, tick).await;
    swaps(&*store).await;
    counters(&*store, tick).await;
    c5_names_that_mean_something_to_a_backend_are_only_names(&*store).await;
    if store.capabilities().atomic_take {
        takes_once(store.clone()).await;
    }
    races(store.clone()).await;
}

fn key(name: &str) -> Key<'_> {
    Key::new("suite", name).unwrap()
}

async fn values(store: &dyn KvStore) {
    let other = Key::new("suite2", "a").unwrap();
    assert_eq!(store.get(key("a")).await.unwrap(), None);
    assert_eq!(store.take(key("a")).await.unwrap(), None);
    assert!(!store.delete(key("a")).await.unwrap());
    assert_eq!(store.ttl(key("a")).await.unwrap(), Lifetime::Absent);

    let all_bytes: Vec<u8> = (0..=255).collect();
    store.put(key("a"), &all_bytes, None).await.unwrap();
    assert_eq!(store.get(key("a")).await.unwrap().unwrap(), all_bytes);
    assert_eq!(store.get(other).await.unwrap(), None, "collections are apart");
    assert_eq!(store.ttl(key("a")).await.unwrap(), Lifetime::Unlimited);
    store.put(key("a"), b"", None).await.unwrap();
    assert_eq!(store.get(key("a")).await.unwrap().unwrap(), "", "an empty value is a value");

    assert!(!store.put_if_absent(key("a"), b"2", None).await.unwrap());
    assert_eq!(store.take(key("a")).await.unwrap().unwrap(), "");
    assert_eq!(store.get(key("a")).await.unwrap(), None);
    assert!(store.put_if_absent(key("a"), b"2", None).await.unwrap());
    assert!(store.delete(key("a")).await.unwrap());
    assert!(!store.delete(key("a")).await.unwrap());

    let large = vec![7; 200_000];
    store.put(key("large"), &large, None).await.unwrap();
    assert!(store.get(key("large")).await.unwrap().unwrap() == large);
    assert!(store.delete(key("large")).await.unwrap());
}

async fn lifetimes(store: &dyn KvStore, tick: Duration) {
    let short = Some(tick);
    let long = Some(Duration::from_secs(3600));
    store.put(key("put"), b"1", short).await.unwrap();
    assert!(store.put_if_absent(key("if-absent"), b"1", short).await.unwrap());
    store.put(key("prolonged"), b"1", short).await.unwrap();
    store.put(key("prolonged"), b"2", long).await.unwrap();
    store.put(key("freed"), b"1", short).await.unwrap();
    store.put(key("freed"), b"2", None).await.unwrap();
    store.put(key("swapped"), b"1", None).await.unwrap();
    assert!(store.compare_and_swap(key("swapped"), b"1", b"2", short).await.unwrap());
    store.put(key("zero"), b"1", Some(Duration::ZERO)).await.unwrap();
    store.put(key("century"), b"1", Some(Duration::MAX)).await.unwrap();
    store.put(key("taken"), b"1", short).await.unwrap();
    store.put(key("overtaken"), b"1", short).await.unwrap();
    match store.ttl(key("prolonged")).await.unwrap() {
        Lifetime::Remaining(left) => assert!(left > Duration::from_secs(3500) && left <= Duration::from_secs(3600)),
        other => panic!("{other:?}"),
    }

    tokio::time::sleep(tick * 2 + Duration::from_millis(100)).await;
    for name in ["put", "if-absent", "swapped", "zero"] {
        assert_eq!(store.get(key(name)).await.unwrap(), None, "{name} has expired");
        assert_eq!(store.ttl(key(name)).await.unwrap(), Lifetime::Absent, "{name}");
        assert!(!store.compare_and_swap(key(name), b"1", b"3", None).await.unwrap(), "{name}");
        assert!(!store.compare_and_swap(key(name), b"2", b"3", None).await.unwrap(), "{name}");
        assert!(!store.delete(key(name)).await.unwrap(), "{name}");
        assert!(store.put_if_absent(key(name), b"3", None).await.unwrap(), "{name} is free again");
        assert_eq!(store.take(key(name)).await.unwrap().unwrap(), "3");
    }
    assert_eq!(store.take(key("taken")).await.unwrap(), None, "what has expired cannot be taken");
    assert!(store.put_if_absent(key("overtaken"), b"2", long).await.unwrap());
    for name in ["prolonged", "freed", "overtaken"] {
        assert_eq!(store.take(key(name)).await.unwrap().unwrap(), "2", "{name}");
    }
    assert!(store.delete(key("century")).await.unwrap());
}

async fn swaps(store: &dyn KvStore) {
    assert!(!store.compare_and_swap(key("swap"), b"", b"new", None).await.unwrap(), "absent is not empty");
    assert_eq!(store.get(key("swap")).await.unwrap(), None);
    store.put(key("swap"), b"\x001", None).await.unwrap();
    assert!(!store.compare_and_swap(key("swap"), b"\x002", b"new", None).await.unwrap());
    assert!(store.compare_and_swap(key("swap"), b"\x001", b"\xff", Some(Duration::from_secs(60))).await.unwrap());
    assert_eq!(store.get(key("swap")).await.unwrap().unwrap(), &b"\xff"[..]);
    assert!(matches!(store.ttl(key("swap")).await.unwrap(), Lifetime::Remaining(_)), "the lifetime is new as well");
    store.delete(key("swap")).await.unwrap();
}

async fn counters(store: &dyn KvStore, tick: Duration) {
    for (by, sum) in [(0, 0), (1, 1), (41, 42), (-50, -8), (0, -8)] {
        assert_eq!(store.incr(key("count"), by, None).await.unwrap(), sum);
    }
    assert!(matches!(store.incr(key("count"), i64::MIN, None).await, Err(Error::Counter)));
    assert_eq!(store.incr(key("count"), 0, None).await.unwrap(), -8, "what fails changes nothing");
    store.delete(key("count")).await.unwrap();

    let mut second = 0;
    for _ in 0..20 {
        store.delete(key("window")).await.unwrap();
        assert_eq!(store.incr(key("window"), 1, Some(tick)).await.unwrap(), 1);
        second = store.incr(key("window"), 1, Some(Duration::from_secs(60))).await.unwrap();
        // On a slow machine the counter's time may be over by then.
        if second == 2 {
            break;
        }
    }
    assert_eq!(second, 2);
    tokio::time::sleep(tick * 2 + Duration::from_millis(100)).await;
    assert_eq!(store.incr(key("window"), 1, None).await.unwrap(), 1, "additions do not prolong a counter");
    store.delete(key("window")).await.unwrap();
}

/// Names that mean something to some backend, or look alike.
async fn c5_names_that_mean_something_to_a_backend_are_only_names(store: &dyn KvStore) {
    let long = "n".repeat(400);
    let names = [
        "a:b",
        "a/b",
        "../_search",
        "..",
        "_search",
        "?x=1",
        "%2e",
        "x\r\nset y 0 0 1\r\n1",
        "a b",
        "a\0b",
        "'; --",
        "{\"$ne\":1}",
        "$where",
        "KEY",
        "key",
        "ü",
        "u\u{308}",
        "*",
        "{tag}",
        " ",
        &long,
    ];
    for (index, name) in names.iter().enumerate() {
        store.put(key(name), index.to_string().as_bytes(), None).await.unwrap_or_else(|e| panic!("{name:?}: {e}"));
    }
    for (index, name) in names.iter().enumerate() {
        assert_eq!(store.take(key(name)).await.unwrap().unwrap(), index.to_string(), "{name:?}");
    }
}

async fn takes_once(store: Arc<dyn KvStore>) {
    for round in 0..20 {
        let name = format!("once-{round}");
        store.put(key(&name), b"code", Some(Duration::from_secs(60))).await.unwrap();
        let takers: Vec<_> = (0..12)
            .map(|_| {
                let (store, name) = (store.clone(), name.clone());
                tokio::spawn(async move { store.take(key(&name)).await.unwrap() })
            })
            .collect();
        let mut winners = 0;
        for taker in takers {
            winners += usize::from(taker.await.unwrap().is_some());
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

/// Of everybody who claims, swaps or counts at the same time, none is lost and none succeeds twice.
async fn races(store: Arc<dyn KvStore>) {
    store.put(key("race"), b"0", None).await.unwrap();
    let racers: Vec<_> = (0..12)
        .map(|racer: usize| {
            let store = store.clone();
            tokio::spawn(async move {
                let me = format!("r{racer}");
                let claimed = store.put_if_absent(key("claim"), me.as_bytes(), None).await.unwrap();
                let swapped = store.compare_and_swap(key("race"), b"0", me.as_bytes(), None).await.unwrap();
                for _ in 0..5 {
                    store.incr(key("sum"), 1, None).await.unwrap();
                }
                (claimed.then(|| me.clone()), swapped.then_some(me))
            })
        })
        .collect();
    let (mut claims, mut swaps) = (Vec::new(), Vec::new());
    for racer in racers {
        let (claim, swap) = racer.await.unwrap();
        claims.extend(claim);
        swaps.extend(swap);
    }
    assert_eq!(claims.len(), 1);
    assert_eq!(swaps.len(), 1);
    assert_eq!(store.take(key("claim")).await.unwrap().unwrap(), claims[0]);
    assert_eq!(store.take(key("race")).await.unwrap().unwrap(), swaps[0]);
    assert_eq!(store.incr(key("sum"), 0, None).await.unwrap(), 60);
    store.delete(key("sum")).await.unwrap();
}

#[cfg(any(feature = "rocksdb", feature = "sqlite"))]
const VICTIM: &str = "MCPWRIGHT_TEST_VICTIM";

/// No test of its own: what [`what_was_acknowledged_survives_a_kill`] starts and kills.
#[cfg(any(feature = "rocksdb", feature = "sqlite"))]
#[allow(clippy::print_stderr, reason = "its killer reads it")]
#[tokio::test(flavor = "multi_thread")]
async fn victim_that_writes_until_it_is_killed() {
    let Ok(url) = std::env::var(VICTIM) else { return };
    let store = super::open(&url).await.unwrap();
    for number in 0_u32.. {
        let name = number.to_string();
        store.put(key(&name), name.as_bytes(), None).await.unwrap();
        store.incr(key("count"), 1, None).await.unwrap();
        eprintln!("written {number}");
    }
}

/// Kills a process in the middle of writing to a durable store, twice, and looks for everything that it was told is kept.
#[cfg(any(feature = "rocksdb", feature = "sqlite"))]
pub(crate) async fn what_was_acknowledged_survives_a_kill(url: &str) {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    for writes in [1, 40] {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::suite::victim_that_writes_until_it_is_killed", "--nocapture"])
            .env(VICTIM, url)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stderr.take().unwrap()).lines().map_while(Result::ok);
        let number = |line: String| line.strip_prefix("written ")?.parse::<u32>().ok();
        let seen = lines.by_ref().filter_map(number).nth(writes).expect("it writes");
        victim.kill().unwrap();
        victim.wait().unwrap();
        // What it said before it died counts too.
        let last = lines.filter_map(number).last().unwrap_or(seen);
        let store = super::open(url).await.unwrap();
        for number in 0..=last {
            let name = number.to_string();
            assert_eq!(store.get(key(&name)).await.unwrap().expect("acknowledged"), name);
        }
        assert!(store.incr(key("count"), 0, None).await.unwrap() > i64::from(last));
    }
}
