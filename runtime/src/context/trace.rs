//! Which trace a request belongs to ([W3C Trace Context](https://www.w3.org/TR/trace-context/)).

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// The trace that a client says its request is part of: `traceparent` and `tracestate` in `_meta`. Calls of the API carry
/// it on as headers of these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    parent: String,
    state: Option<String>,
}

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest `tracestate` in bytes that everybody has to hand on (section 3.3.1.5).
const MAX_STATE: usize = 512;

impl TraceContext {
    /// What `_meta` of a request says, if that is well-formed. A `tracestate` that is not is left out (section 3.3).
    pub(crate) fn of(meta: &Map<String, Value>) -> Option<Self> {
        let text = |name: &HeaderName| meta.get(name.as_str()).and_then(Value::as_str);
        let parent = text(&PARENT).filter(|parent| is_parent(parent))?.to_owned();
        let is_state = |state: &&str| {
            !state.is_empty() && state.len() <= MAX_STATE && state.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        Some(Self { parent, state: text(&STATE).filter(is_state).map(str::to_owned) })
    }

    /// `traceparent`: version, trace, span and flags.
    pub fn parent(&self) -> &str {
        &self.parent
    }

    /// `tracestate`
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }

    /// Sets the headers of a request that is part of the trace.
    pub(crate) fn hand_on(&self, headers: &mut HeaderMap) {
        let Ok(parent) = HeaderValue::from_str(&self.parent) else { return };
        headers.insert(PARENT, parent);
        // One without the other would belong to another trace.
        headers.remove(&STATE);
        if let Some(Ok(state)) = self.state.as_deref().map(HeaderValue::from_str) {
            headers.insert(STATE, state);
        }
    }

    /// Whether the headers say already which trace they belong to.
    pub(crate) fn is_in(headers: &HeaderMap) -> bool {
        headers.contains_key(PARENT)
    }
}

/// `version "-" trace-id "-" parent-id "-" trace-flags` in lower-case hexadecimal; later versions may add to it (section
/// 3.2).
fn is_parent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut next = |digits: usize| {
        let part = parts.next().unwrap_or_default();
        let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (part.len() == digits && is_hex).then_some(part)
    };
    let (Some(version), Some(trace), Some(span), Some(_)) = (next(2), next(32), next(16), next(2)) else {
        return false;
    };
    let is_something = |id: &str| id.bytes().any(|byte| byte != b'0');
    let ends = text.len() == 55 || (version != "00" && text.len() <= 256);
    version != "ff"
        && is_something(trace)
        && is_something(span)
        && ends
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(meta: Value) -> Option<TraceContext> {
        let Value::Object(meta) = meta else { panic!() };
        TraceContext::of(&meta)
    }

    #[test]
    fn only_a_well_formed_trace_is_handed_on() {
        let trace = of(json!({"traceparent": PARENT, "tracestate": "a=1,b=2"})).unwrap();
        assert_eq!((trace.trace_id(), trace.state()), ("4bf92f3577b34da6a3ce929d0e0e4736", Some("a=1,b=2")));
        let later = format!("01{}-more", &PARENT[2..]);
        assert!(of(json!({"traceparent": later})).is_some(), "a later version may say more");
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y",
        ] {
            assert_eq!(of(json!({"traceparent": wrong})), None, "{wrong}");
        }
        assert_eq!(of(json!({"traceparent": 7})), None);
    }

    #[test]
    fn a_state_that_is_wrong_is_left_out_and_that_of_another_trace_removed() {
        for state in ["a=1\r\nx: y", "", &"a".repeat(513), "ü"] {
            let trace = of(json!({"traceparent": PARENT, "tracestate": state})).unwrap();
            assert_eq!(trace.state(), None, "{state:?}");
            let mut headers = HeaderMap::from_iter([(STATE, HeaderValue::from_static("other=1"))]);
            trace.hand_on(&mut headers);
            assert_eq!(headers["traceparent"], PARENT);
            assert!(!headers.contains_key(STATE));
        }
    }
}
