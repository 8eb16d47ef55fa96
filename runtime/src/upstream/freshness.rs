//! How long what the API answered may be kept: `Cache-Control`, `Expires`, `Vary`, `Set-Cookie` (RFC 9111).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, header};

/// What the answers of the API to one request say about keeping them. Clones are the same notes.
#[derive(Debug, Clone, Default)]
pub struct Freshness(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    /// Nothing of it may be kept.
    forbidden: bool,
    /// The shortest time that an answer is good for.
    lifetime: Option<Duration>,
    /// Headers of the inbound request that an answer may depend on.
    varies: BTreeSet<String>,
}

impl Freshness {
    /// How long a result of the request may be kept, at most `wanted`; `None` for not at all. `is_told_apart` says of a
    /// header of the inbound request whether requests that differ in it are kept apart.
    pub fn within(&self, wanted: Duration, is_told_apart: impl Fn(&str) -> bool) -> Option<Duration> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.forbidden || !notes.varies.iter().all(|name| is_told_apart(name)) {
            return None;
        }
        Some(notes.lifetime.map_or(wanted, |lifetime| lifetime.min(wanted))).filter(|lifetime| !lifetime.is_zero())
    }

    /// Takes an answer into account: its headers, and the inbound headers that were handed on where clients sent them.
    pub(crate) fn note(&self, headers: &HeaderMap, is_cut: bool, forwarded: &[String]) {
        let lifetime = lifetime(headers, SystemTime::now());
        let varies_on_all = elements(headers, header::VARY).any(|name| name == "*");
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.forbidden |= is_cut || varies_on_all || headers.contains_key(header::SET_COOKIE);
        notes.forbidden |= lifetime.is_some_and(|lifetime| lifetime.is_zero());
        notes.lifetime = [notes.lifetime, lifetime].into_iter().flatten().min();
        // An API that depends on a header does not always say so in `Vary`.
        notes.varies.extend(forwarded.iter().map(|name| name.to_ascii_lowercase()));
    }
}

/// The elements of a list header, in lower case.
fn elements(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = String> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|element| element.trim().to_ascii_lowercase())
}

/// How long an answer is fresh, as a private cache sees it: zero where it must not be kept, `None` where nothing is said.
fn lifetime(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let mut most: Option<Duration> = None;
    let mut is_controlled = false;
    for directive in elements(headers, header::CACHE_CONTROL) {
        is_controlled |= !directive.is_empty();
        let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
        match name.trim() {
            // What has to be validated before each use is of no use here.
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" => {
                // What is not a number counts as stale.
                let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
                let seconds = Duration::from_secs(seconds);
                most = Some(most.map_or(seconds, |most| most.min(seconds)));
            }
            _ => {}
        }
    }
    if !is_controlled && elements(headers, header::PRAGMA).any(|directive| directive == "no-cache") {
        return Some(Duration::ZERO);
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let age = text(header::AGE).and_then(|age| age.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    let most = most.or_else(|| {
        // A time that cannot be read, such as `0`, has passed.
        let expires = httpdate::parse_http_date(text(header::EXPIRES)?).unwrap_or(SystemTime::UNIX_EPOCH);
        let date = text(header::DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
        Some(expires.duration_since(date).unwrap_or_default())
    })?;
    Some(most.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn kept(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let freshness = Freshness::default();
        freshness.note(&headers, false, &[]);
        freshness.within(Duration::from_secs(60), |_| false).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn c2_the_headers_of_an_answer_bound_how_long_it_is_kept() {
        const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (headers, expected) in [
            (vec![], Some(60)),
            (vec![("cache-control", "no-store")], None),
            (vec![("cache-control", "private, No-Cache=\"set-cookie\"")], None),
            (vec![("cache-control", "private")], Some(60)),
            (vec![("cache-control", "max-age=10")], Some(10)),
            (vec![("cache-control", "max-age=\"10\", max-age=20")], Some(10)),
            (vec![("cache-control", "max-age=600")], Some(60)),
            (vec![("cache-control", "max-age=0")], None),
            (vec![("cache-control", "max-age=soon")], None),
            (vec![("cache-control", "max-age=30"), ("age", "12")], Some(18)),
            (vec![("cache-control", "max-age=30"), ("age", "31")], None),
            (vec![("cache-control", "s-maxage=1")], Some(60)),
            (vec![("pragma", "no-cache")], None),
            (vec![("pragma", "no-cache"), ("cache-control", "max-age=5")], Some(5)),
            (vec![("expires", "0")], None),
            (vec![DATE, ("expires", "Sun, 06 Nov 1994 08:49:47 GMT")], Some(10)),
            (vec![DATE, ("expires", "Sun, 06 Nov 1994 08:49:47 GMT"), ("cache-control", "max-age=20")], Some(20)),
            (vec![("expires", "Sun, 06 Nov 1994 08:49:47 GMT")], None),
            (vec![("vary", "Accept, *")], None),
            (vec![("vary", "Accept-Encoding")], Some(60)),
            (vec![("set-cookie", "a=b")], None),
        ] {
            assert_eq!(kept(&headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn several_answers_are_kept_as_the_strictest_says_and_apart_by_what_was_handed_on() {
        let freshness = Freshness::default();
        let age = |text| HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static(text))]);
        freshness.note(&age("max-age=20"), false, &["Accept-Language".to_owned()]);
        freshness.note(&age("max-age=30"), false, &[]);
        let wanted = Duration::from_secs(60);
        assert_eq!(freshness.within(wanted, |name| name == "accept-language"), Some(Duration::from_secs(20)));
        assert_eq!(freshness.within(wanted, |_| false), None);
        freshness.note(&HeaderMap::new(), true, &[]);
        assert_eq!(freshness.within(wanted, |_| true), None, "a piece is not kept");
    }
}
