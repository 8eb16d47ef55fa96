//! What a process costs: CPU time and memory, read from `/proc`.

use std::time::Duration;

/// CPU time and memory of a process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// User and system time of the process, to a hundredth of a second.
    pub cpu: Duration,
    /// The same of its children that ended and were waited for, with theirs.
    pub children: Duration,
    /// Resident memory, in bytes.
    pub resident: u64,
    /// The most that ever was resident, in bytes.
    pub peak: u64,
}

impl Usage {
    /// Reads the usage of the process `pid`; `None` when it is gone, or where there is no `/proc`.
    pub fn of(pid: u32) -> Option<Usage> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let (cpu, children) = times(&stat)?;
        Some(Usage { cpu, children, resident: kibibytes(&status, "VmRSS:")?, peak: kibibytes(&status, "VmHWM:")? })
    }
}

/// Clock ticks a second in `/proc`: fixed in the kernel's interface on every architecture that Rust supports.
const TICKS: u64 = 100;

/// The sums of `utime` and `stime` and of `cutime` and `cstime`: fields 14 to 17, counted after the name in
/// parentheses, which may itself hold spaces and parentheses.
fn times(stat: &str) -> Option<(Duration, Duration)> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11).map_while(|field| field.parse::<u64>().ok());
    let mut sum = || Some(Duration::from_millis((fields.next()? + fields.next()?) * 1000 / TICKS));
    Some((sum()?, sum()?))
}

fn kibibytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_parentheses() {
        let stat = "42 (a) (b c)) S 1 1 1 0 -1 4194304 100 0 0 0 150 50 7 3 20 0 1 0 100 0 0";
        assert_eq!(times(stat), Some((Duration::from_millis(2000), Duration::from_millis(100))));
    }

    #[test]
    fn memory_is_told_in_bytes() {
        assert_eq!(kibibytes("Name:\tx\nVmHWM:\t    20 kB\nVmRSS:\t    10 kB\n", "VmRSS:"), Some(10_240));
        assert_eq!(kibibytes("Name:\tx\n", "VmRSS:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        let usage = Usage::of(std::process::id()).expect("the running process is in /proc");
        assert!(usage.resident > 100_000 && usage.peak >= usage.resident);
    }
}
