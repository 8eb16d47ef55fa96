//! A process that is measured: what it said, its CPU time, and the most memory it held.

use std::{
    io::{Read, Result},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use mcpwright_tests::usage::Usage;

/// What a process said and cost.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// User and system time, to a hundredth of a second.
    pub(crate) cpu: Duration,
    /// Bytes, as of the last look at the process, which is at most 2 ms before its end.
    pub(crate) peak: u64,
}

/// Runs a command to its end. One at a time: the CPU time is what all children of this process have used more.
pub(crate) fn run(command: &mut Command) -> Result<Finished> {
    let before = children();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let mut peak = 0;
    let status = loop {
        peak = Usage::of(child.id()).map_or(peak, |usage| peak.max(usage.peak));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Finished { status, stdout, stderr, cpu: children().saturating_sub(before), peak })
}

fn children() -> Duration {
    Usage::of(std::process::id()).map_or(Duration::ZERO, |usage| usage.children)
}

/// Reads a pipe to its end on a thread of its own, so that neither of two can fill up.
fn read(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}
