//! Bounds: the boolean `exclusiveMinimum` of older dialects, bounds written as text, bounds that no client can read.

use serde_json::{Map, Number, Value};

/// 2^63: what lies beyond no longer fits the integers of most clients.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// A number, also one written as text. `None` for anything else.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text.trim().parse::<Number>().ok(),
        _ => None,
    }
}

/// A natural number, also one written as text or as `5.0`. `None` for anything else.
pub(super) fn natural(value: &Value) -> Option<u64> {
    let number = number(value)?;
    if let Some(natural) = number.as_u64() {
        return Some(natural);
    }
    let float = number.as_f64()?;
    // The cast is exact: the value is whole and below 2^53.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within 0..2^53")]
    (float >= 0.0 && float.fract() == 0.0 && float < 9_007_199_254_740_992.0).then_some(float as u64)
}

/// What a bound keyword becomes.
pub(super) enum Bound {
    /// The keyword with this value.
    Is(&'static str, Number),
    /// Nothing, because it says nothing or another keyword says it.
    Silent,
    /// Nothing, because it makes no sense.
    Senseless,
}

/// Reads `minimum`, `maximum`, `exclusiveMinimum` or `exclusiveMaximum` of any dialect.
pub(super) fn bound(keyword: &str, value: &Value, schema: &Map<String, Value>) -> Bound {
    let is_lower = keyword.ends_with("inimum");
    let (inclusive, exclusive) =
        if is_lower { ("minimum", "exclusiveMinimum") } else { ("maximum", "exclusiveMaximum") };
    let keyword = if keyword == inclusive { inclusive } else { exclusive };
    if flag(value).is_some() {
        // Says how the inclusive bound is meant, which that keyword has looked up.
        return if keyword == exclusive { Bound::Silent } else { Bound::Senseless };
    }
    let Some(number) = number(value) else { return Bound::Senseless };
    let is_far = number.as_f64().is_none_or(|float| if is_lower { float <= -TWO_TO_63 } else { float >= TWO_TO_63 });
    if is_far {
        return Bound::Silent;
    }
    let is_exclusive = keyword == inclusive && schema.get(exclusive).and_then(flag) == Some(true);
    Bound::Is(if is_exclusive { exclusive } else { keyword }, number)
}

/// A boolean, also one written as text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
