//! Names and URIs of an inner server's components as the outer server offers them, and the way back.

use crate::storage::digest;

/// The longest name of a tool that every client takes.
const LONGEST_NAME: usize = 64;
/// How much of a name too long is replaced by what tells it apart.
const MARK: usize = 8;

/// How the prefix of a mounted server shows in the URIs of its resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UriStyle {
    /// As the first part of the path: `data://weather/cities`.
    #[default]
    Path,
    /// As part of the scheme: `weather+data://cities`.
    Scheme,
}

/// A prefix that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrefixError;

/// The prefix of an inner server; empty for none.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    prefix: String,
    style: UriStyle,
}

impl Naming {
    pub(crate) fn new(prefix: String, style: UriStyle) -> Result<Self, PrefixError> {
        let legal =
            |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'_' && style == UriStyle::Path);
        let begins = prefix.bytes().next().is_none_or(|first| first.is_ascii_alphabetic());
        if prefix.len() <= 32 && prefix.bytes().all(legal) && begins {
            Ok(Self { prefix, style })
        } else {
            Err(PrefixError)
        }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The outer name of a prompt.
    pub(crate) fn name(&self, inner: &str) -> String {
        if self.prefix.is_empty() { inner.to_owned() } else { format!("{}_{inner}", self.prefix) }
    }

    /// The outer name of a tool: one that would be too long for clients ends in a mark that tells it apart.
    pub(crate) fn tool(&self, inner: &str) -> String {
        let name = self.name(inner);
        if name.len() <= LONGEST_NAME || !name.is_ascii() {
            return name;
        }
        let mark: String = digest([inner]).chars().filter(char::is_ascii_alphanumeric).take(MARK).collect();
        format!("{}_{mark}", &name[..LONGEST_NAME - MARK - 1])
    }

    /// The inner name, if the outer one has the prefix.
    pub(crate) fn inner_name<'a>(&self, outer: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() {
            return Some(outer);
        }
        outer.strip_prefix(&self.prefix)?.strip_prefix('_')
    }

    /// The outer URI, or the outer template.
    pub(crate) fn uri(&self, inner: &str) -> String {
        let Some((scheme, rest)) = inner.split_once(':').filter(|_| !self.prefix.is_empty()) else {
            return inner.to_owned();
        };
        match (self.style, rest.strip_prefix("//")) {
            (UriStyle::Path, Some(rest)) => format!("{scheme}://{}/{rest}", self.prefix),
            (UriStyle::Path, None) => format!("{scheme}:{}/{rest}", self.prefix),
            (UriStyle::Scheme, _) => format!("{}+{inner}", self.prefix),
        }
    }

    /// The inner URI, if the outer one has the prefix.
    pub(crate) fn inner_uri(&self, outer: &str) -> Option<String> {
        if self.prefix.is_empty() {
            return Some(outer.to_owned());
        }
        if self.style == UriStyle::Scheme {
            return outer.strip_prefix(&self.prefix)?.strip_prefix('+').map(str::to_owned);
        }
        let (scheme, rest) = outer.split_once(':')?;
        let (slashes, rest) = rest.strip_prefix("//").map_or(("", rest), |rest| ("//", rest));
        let rest = rest.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        Some(format!("{scheme}:{slashes}{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_go_out_and_come_back() {
        for (style, inner, outer) in [
            (UriStyle::Path, "data://cities", "data://weather/cities"),
            (UriStyle::Path, "api://shop/pets/{id}{?limit}", "api://weather/shop/pets/{id}{?limit}"),
            (UriStyle::Path, "file:///etc/motd", "file://weather//etc/motd"),
            (UriStyle::Path, "config:app", "config:weather/app"),
            (UriStyle::Path, "users://{id}", "users://weather/{id}"),
            (UriStyle::Scheme, "data://cities", "weather+data://cities"),
        ] {
            let naming = Naming::new("weather".to_owned(), style).expect("a prefix");
            assert_eq!(naming.uri(inner), outer);
            assert_eq!(naming.inner_uri(outer).as_deref(), Some(inner));
            assert_eq!(naming.inner_uri(inner), None);
        }
        let bare = Naming::new(String::new(), UriStyle::Path).expect("no prefix");
        assert_eq!(bare.uri("a:b"), "a:b");
        assert_eq!(bare.inner_uri("a:b").as_deref(), Some("a:b"));
    }

    #[test]
    fn names_keep_within_what_clients_take_and_stay_apart() {
        let naming = Naming::new("weather".to_owned(), UriStyle::Path).expect("a prefix");
        assert_eq!(naming.tool("now"), "weather_now");
        assert_eq!(naming.inner_name("weather_now"), Some("now"));
        assert_eq!(naming.inner_name("weathernow"), None);
        let (one, other) = (format!("{}1", "x".repeat(63)), format!("{}2", "x".repeat(63)));
        assert_eq!(naming.tool(&one).len(), 64);
        assert_ne!(naming.tool(&one), naming.tool(&other));
        assert_eq!(naming.tool(&one), naming.tool(&one));
    }

    #[test]
    fn prefixes_that_break_names_or_uris_are_refused() {
        for wrong in ["a b", "1a", "a/b", "ä", "-x", &"x".repeat(33)] {
            assert_eq!(Naming::new(wrong.to_owned(), UriStyle::Path).err(), Some(PrefixError), "{wrong}");
        }
        assert!(Naming::new("a_b".to_owned(), UriStyle::Path).is_ok());
        assert!(Naming::new("a_b".to_owned(), UriStyle::Scheme).is_err(), "no scheme has an underscore");
    }
}
