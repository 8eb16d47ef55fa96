//! Limits that several instances share, counted in Redis with its clock.

use std::time::Duration;

use redis::Script;

use super::formula::Formula;
use crate::storage::{Error, Key, RedisStore};

/// The token bucket of `formula`.
const TOKEN_BUCKET: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local interval, period = tonumber(ARGV[1]), tonumber(ARGV[2])
    local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + interval
    if full - now > period then return full - now - period end
    redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
    return 0";

/// The sliding window of `formula`. Numbers are doubles here: beyond 2^53 a product is a little off, which is less than a
/// microsecond of the quotient. One is added to the wait then, so that waiting as told is always enough.
const SLIDING_WINDOW: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local limit, period = tonumber(ARGV[1]), tonumber(ARGV[2])
    local state = redis.call('HMGET', KEYS[1], 'at', 'before', 'now')
    local at, before, count = tonumber(state[1] or '-2'), tonumber(state[2] or '0'), tonumber(state[3] or '0')
    local window = math.floor(now / period)
    if window ~= at then
        if window == at + 1 then before = count else before = 0 end
        count = 0
    end
    local passed = now - window * period
    if count < limit and before * (period - passed) <= (limit - count - 1) * period then
        redis.call('HSET', KEYS[1], 'at', string.format('%.0f', window), 'before', before, 'now', count + 1)
        redis.call('PEXPIRE', KEYS[1], math.ceil(2 * period / 1000) + 1)
        return 0
    end
    local slack = 0
    if math.max(limit, before) * period > 9007199254740992 then slack = 1 end
    if count < limit then
        return math.max(math.ceil(period - (limit - count - 1) * period / before - passed) + slack, 1)
    end
    return math.ceil(period - passed + period - (limit - 1) * period / count) + slack";

/// Counts one request; how long it has to wait.
pub(super) async fn wait(store: &RedisStore, formula: &Formula, name: &str) -> Result<Duration, Error> {
    let (script, kind, first, period) = match *formula {
        Formula::TokenBucket { interval, period } => (TOKEN_BUCKET, 'b', interval, period),
        Formula::SlidingWindow { limit, period } => (SLIDING_WINDOW, 'w', limit, period),
    };
    // What one limit stored means nothing to another, as after a change of the configuration.
    let name = format!("{kind}-{first}-{period}-{name}");
    let (first, period) = (first.to_string(), period.to_string());
    let key = Key::new("rate-limit", &name)?;
    let wait: i64 = store.script(&Script::new(script), key, &[first.as_bytes(), period.as_bytes()]).await?;
    Ok(Duration::from_micros(wait.try_into().unwrap_or(0)))
}
