//! Servers under test as processes: started with a clean environment, ended when dropped.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::usage::Usage;

/// How long a server may take until it answers.
const READY: Duration = Duration::from_secs(30);

/// What to start: a program, its arguments and the variables that it sees (beside `PATH` and `HOME`, and nothing else).
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, transport excluded.
    pub arguments: Vec<OsString>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
}

impl Launch {
    /// The program `name` of the workspace, without arguments.
    pub fn program(name: &str) -> Launch {
        Launch::path(crate::workspace::program(name))
    }

    /// The program at `path`, without arguments.
    pub fn path(path: PathBuf) -> Launch {
        Launch { program: path, arguments: Vec::new(), environment: Vec::new() }
    }

    /// The same with further arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Launch {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The same with a further variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Launch {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        for inherited in ["PATH", "HOME"] {
            command.envs(std::env::var_os(inherited).map(|value| (inherited, value)));
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Starts the server on HTTP on a free loopback port and waits until `GET /health` is answered.
    ///
    /// # Panics
    /// When it ends or stays silent; the message holds what it wrote to standard error.
    pub async fn http(&self) -> HttpServer {
        self.http_at(free_port()).await
    }

    /// [`Launch::http`] on a port of the test's choice.
    ///
    /// # Panics
    /// As [`Launch::http`].
    pub async fn http_at(&self, port: u16) -> HttpServer {
        let mut command = self.command();
        command.args(["--transport", "http", "--port", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = Process::start(&mut command);
        let origin = format!("http://127.0.0.1:{port}");
        let client = reqwest::Client::new();
        let deadline = Instant::now() + READY;
        loop {
            if let Ok(answer) = client.get(format!("{origin}/health")).send().await
                && answer.status().is_success()
            {
                break;
            }
            process.assert_running();
            assert!(Instant::now() < deadline, "the server does not answer: {}", process.standard_error());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        HttpServer { process, origin }
    }

    /// Starts the server on standard input and output.
    ///
    /// # Panics
    /// When it does not start.
    pub fn stdio(&self) -> StdioServer {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command);
        let input = process.child.stdin.take().expect("standard input is piped");
        let output = process.child.stdout.take().expect("standard output is piped");
        StdioServer { process, input, output }
    }
}

/// A server that listens on HTTP.
#[derive(Debug)]
pub struct HttpServer {
    /// The process.
    pub process: Process,
    origin: String,
}

impl HttpServer {
    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of the MCP endpoint.
    pub fn endpoint(&self) -> String {
        format!("{}/mcp", self.origin)
    }
}

/// A server that listens on standard input.
#[derive(Debug)]
pub struct StdioServer {
    /// The process.
    pub process: Process,
    /// Its standard input.
    pub input: ChildStdin,
    /// Its standard output.
    pub output: ChildStdout,
}

/// A process that a test started. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    standard_error: Arc<Mutex<Vec<u8>>>,
}

impl Process {
    fn start(command: &mut Command) -> Process {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} starts: {error}"));
        let standard_error = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut pipe) = child.stderr.take() {
            let collected = Arc::clone(&standard_error);
            tokio::spawn(async move {
                let mut buffer = vec![0; 8192];
                while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
                    collected.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
                }
            });
        }
        Process { child, standard_error }
    }

    /// The process id; `None` once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// CPU time and memory now; `None` once it has ended, or where there is no `/proc`.
    pub fn usage(&self) -> Option<Usage> {
        Usage::of(self.id()?)
    }

    /// What the process has written to standard error so far.
    pub fn standard_error(&self) -> String {
        String::from_utf8_lossy(&self.standard_error.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// What the process has written to standard error as soon as `holds` is true of its whole lines: they arrive through a
    /// pipe, perhaps after what they tell of.
    ///
    /// # Panics
    /// When that takes longer than a minute.
    pub async fn standard_error_when(&self, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let mut text = self.standard_error();
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
            if holds(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "the process does not write what is expected: {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks the process to stop (`SIGTERM`) and waits for it.
    ///
    /// # Panics
    /// When it does not stop within a minute.
    pub async fn terminate(&mut self) -> ExitStatus {
        if let Some(pid) = self.id() {
            let asked = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
            assert!(asked.is_ok_and(|status| status.success()), "the process can be signalled");
        }
        self.wait().await
    }

    /// Waits for the end of the process.
    ///
    /// # Panics
    /// When it does not end within a minute.
    pub async fn wait(&mut self) -> ExitStatus {
        match tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await {
            Ok(status) => status.expect("the process can be waited for"),
            Err(_) => panic!("the process does not stop: {}", self.standard_error()),
        }
    }

    fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("the server ended with {status}: {}", self.standard_error());
        }
    }
}

/// A loopback port that nobody listens on.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    listener.local_addr().expect("a bound address").port()
}
