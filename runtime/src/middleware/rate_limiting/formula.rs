//! The arithmetic of limits, in microseconds. `shared` has the same in Lua: change both.

use super::{Algorithm, RateLimitingConfig};

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Formula {
    /// The generic cell rate algorithm: a token bucket that stores one time, when the bucket will be full again.
    TokenBucket {
        /// Between two tokens.
        interval: u64,
        /// To fill the bucket.
        period: u64,
    },
    /// Two counters: the window before, weighted by how much of it still overlaps, and this one.
    SlidingWindow {
        /// The most requests.
        limit: u64,
        /// Of a window.
        period: u64,
    },
}

/// What is stored for a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Token bucket: when it will be full. Sliding window: the number of this window.
    pub(super) at: u64,
    /// How many requests passed in the window before.
    pub(super) before: u64,
    /// How many passed in this one.
    pub(super) now: u64,
}

impl Formula {
    pub(super) fn new(config: &RateLimitingConfig) -> Self {
        let limit = u64::from(config.requests.max(1));
        // A century is long enough, and leaves room for sums.
        let period = config.per_ms.clamp(1, 100 * 366 * 86_400_000).saturating_mul(1000);
        match config.algorithm {
            Algorithm::TokenBucket => {
                let interval = (period / limit).max(1);
                Self::TokenBucket { interval, period: interval.saturating_mul(limit) }
            }
            Algorithm::SlidingWindow => Self::SlidingWindow { limit, period },
        }
    }

    /// Counts one request; how long it has to wait, zero when it may pass.
    pub(super) fn wait(self, state: &mut State, now: u64) -> u64 {
        match self {
            Self::TokenBucket { interval, period } => {
                let full = state.at.max(now) + interval;
                if full - now > period {
                    return full - now - period;
                }
                state.at = full;
                0
            }
            Self::SlidingWindow { limit, period } => {
                let window = now / period;
                if window != state.at {
                    let before = if window == state.at + 1 { state.now } else { 0 };
                    *state = State { at: window, before, now: 0 };
                }
                let passed = now % period;
                let room = u128::from(limit.saturating_sub(state.now));
                let (before, span) = (u128::from(state.before), u128::from(period));
                // before * (1 - passed / period) + now + 1 <= limit
                if room > 0 && before * u128::from(period - passed) <= (room - 1) * span {
                    state.now += 1;
                    return 0;
                }
                // When the share of the window before has shrunk enough; at the limit, that of this one in the next.
                let shrunk = |room: u128, count: u128| {
                    period - u64::try_from(room * span / count.max(1)).unwrap_or(period).min(period)
                };
                if room > 0 {
                    return shrunk(room - 1, before).saturating_sub(passed).max(1);
                }
                (period - passed) + shrunk(u128::from(limit - 1), u128::from(state.now))
            }
        }
    }

    /// Whether a state counts for nothing any more.
    pub(super) fn is_over(self, state: &State, now: u64) -> bool {
        match self {
            Self::TokenBucket { .. } => state.at <= now,
            Self::SlidingWindow { period, .. } => now / period > state.at + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bucket(limit: u64, period: u64) -> Formula {
        Formula::TokenBucket { interval: period / limit, period }
    }

    #[test]
    fn a_bucket_allows_a_burst_and_refills_steadily() {
        let mut state = State::default();
        let waits: Vec<u64> = (0..4).map(|_| bucket(3, 300).wait(&mut state, 1000)).collect();
        assert_eq!(waits, [0, 0, 0, 100]);
        assert_eq!(bucket(3, 300).wait(&mut state, 1099), 1);
        assert_eq!(bucket(3, 300).wait(&mut state, 1100), 0);
        assert_eq!(bucket(3, 300).wait(&mut state, 1100), 100);
    }

    proptest! {
        #[test]
        fn no_limit_is_passed_and_waiting_as_told_helps(
            limit in 1_u64..20, gaps in prop::collection::vec(0_u64..400, 1..200), sliding: bool,
        ) {
            let period = 1000 * limit;
            let formula = if sliding { Formula::SlidingWindow { limit, period } } else { bucket(limit, period) };
            let (mut state, mut now, mut passed) = (State::default(), 5 * period, Vec::new());
            for gap in gaps {
                now += gap;
                let before = state;
                let wait = formula.wait(&mut state, now);
                if wait == 0 {
                    passed.push(now);
                } else {
                    prop_assert_eq!(formula.wait(&mut before.clone(), now + wait), 0, "{} at {}: {:?}", wait, now, before);
                }
            }
            // Within one period a bucket may give its content and what it refills.
            for start in &passed {
                let within = passed.iter().filter(|at| (*start..start + period).contains(at)).count() as u64;
                prop_assert!(within <= 2 * limit);
            }
            // In aligned windows, which is where a client sees it, a sliding window is exact.
            if sliding {
                for window in 5..now / period + 1 {
                    prop_assert!(passed.iter().filter(|at| **at / period == window).count() as u64 <= limit);
                }
            }
        }
    }
}
