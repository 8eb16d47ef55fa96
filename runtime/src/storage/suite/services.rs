//! Real servers for the suite: started on a free port of the loopback interface, stopped with the test.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody uses at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Starts a program that is told its port where `arguments` say `{port}`, and waits until it accepts connections. `None`, with a
/// message, where the program is not installed, unless `MCPWRIGHT_REQUIRE_SERVICES=1` demands it.
pub(crate) fn service(program: &str, port: u16, arguments: &[&str]) -> Option<Service> {
    let arguments = arguments.iter().map(|argument| argument.replace("{port}", &port.to_string()));
    let child = Command::new(path_of(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) if std::env::var_os("MCPWRIGHT_REQUIRE_SERVICES").is_some_and(|value| value == "1") => {
            panic!("{program} cannot be started: {error}");
        }
        Err(error) => {
            note(&format!("skipped: {program} cannot be started: {error}"));
            return None;
        }
    };
    let service = Service { child, port };
    let deadline = Instant::now() + Duration::from_secs(120);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < deadline, "{program} does not accept connections");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(service)
}

/// A program among the peers that `tests/peers/install.sh` installs, or on the path.
fn path_of(program: &str) -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/peers");
    let peers = std::env::var_os("MCPWRIGHT_PEERS").map_or_else(default, PathBuf::from);
    let path = peers.join("python/bin").join(program);
    if path.exists() { path } else { program.into() }
}

fn note(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
}
