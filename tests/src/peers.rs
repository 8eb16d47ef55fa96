//! Independent MCP clients: the official SDKs, FastMCP's and the Inspector, driven by small scripts in `tests/peers`.
//!
//! A script reads a plan (how to reach the server, the era, a list of steps) from standard input and writes a
//! [`Report`]. A step is an object with the member `do`:
//!
//! | `do` | members | result |
//! |---|---|---|
//! | `list_tools`, `list_resources`, `list_resource_templates`, `list_prompts` | | `items` of all pages, number of `pages` |
//! | `read_resource` | `uri` | the SDK's result |
//! | `expand_and_read` | `template`, `variables` | the result, with the `uri` that the SDK made of the template |
//! | `call_tool`, `get_prompt` | `name`, `arguments` | the SDK's result |
//! | `call_tool` | and `progress: true` | the same, with what was heard as `progress` |
//! | any, of [`Peer::Inspector`] | and `once: true` | the result over a connection of its own |
//! | `cancel_tool` | `name`, `arguments` | `cancelled`: a call that is given up as soon as it tells of progress |
//! | `complete` | `template` or `prompt`, `argument`, `value` | the SDK's result |

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::client::{Era, RpcError};
use crate::process::{HttpServer, Launch};
use crate::workspace;

/// An independent client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The official Python SDK.
    Python,
    /// FastMCP's client.
    FastMcp,
    /// Version 1 of the official TypeScript SDK.
    TypeScript1,
    /// Version 2 of the official TypeScript SDK.
    TypeScript2,
    /// The Inspector's command lines: they show neither progress nor messages, answer no sampling, and cannot give up.
    Inspector,
}

impl Peer {
    /// Every client that is a library, with every era that it speaks.
    pub const WITH_ERAS: [(Peer, Era); 7] = [
        (Peer::Python, Era::Legacy),
        (Peer::Python, Era::Modern),
        (Peer::FastMcp, Era::Legacy),
        (Peer::FastMcp, Era::Modern),
        (Peer::TypeScript1, Era::Legacy),
        (Peer::TypeScript2, Era::Legacy),
        (Peer::TypeScript2, Era::Modern),
    ];

    /// Lets the client perform `steps` on a server.
    ///
    /// # Panics
    /// When the script fails, which includes that the client cannot connect.
    pub async fn drive(self, installed: &Installed, server: Target<'_>, era: Era, steps: &[Value]) -> Report {
        self.drive_answering(installed, server, era, steps, &Value::Null).await
    }

    /// [`Peer::drive`] with a client that answers the server's questions: `elicitation` with an object, `sampling` with
    /// a text, `roots` with URIs.
    ///
    /// # Panics
    /// As [`Peer::drive`].
    pub async fn drive_answering(
        self,
        installed: &Installed,
        server: Target<'_>,
        era: Era,
        steps: &[Value],
        answers: &Value,
    ) -> Report {
        let mut plan = json!({
            "era": if era == Era::Legacy { "legacy" } else { era.version() },
            "steps": steps,
            "answers": answers,
        });
        match server {
            Target::Http(server) => plan["url"] = server.endpoint().into(),
            Target::Stdio(launch) => {
                let arguments: Vec<_> = launch.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
                plan["command"] = launch.program.to_string_lossy().into();
                plan["args"] = json!(arguments);
                plan["env"] = Value::Object(launch.environment.iter().cloned().map(|(k, v)| (k, v.into())).collect());
            }
        }
        let mut command = match self {
            Peer::Python => installed.python("drive.py"),
            Peer::FastMcp => installed.python("drive_fastmcp.py"),
            Peer::TypeScript1 => installed.node("drive1.mjs"),
            Peer::TypeScript2 => installed.node("drive2.mjs"),
            Peer::Inspector => installed.node("drive_inspector.mjs"),
        };
        let output = run(&mut command, plan.to_string().as_bytes()).await;
        serde_json::from_slice(&output).unwrap_or_else(|error| panic!("{self:?} writes a report: {error}"))
    }
}

/// The server that a client shall use.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A running one.
    Http(&'a HttpServer),
    /// One that the client starts.
    Stdio(&'a Launch),
}

/// What a client saw.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version that client and server agreed on.
    pub protocol_version: String,
    /// How the server introduced itself.
    pub server_info: Value,
    /// What the server said it can do.
    pub capabilities: Value,
    /// What became of each step.
    pub steps: Vec<Outcome>,
}

/// What became of a step.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The result as the SDK understood it, written as JSON again.
    Ok(Value),
    /// The server answered with an error.
    Error(RpcError),
    /// The SDK did not accept what the server said.
    Refused(String),
}

impl Outcome {
    /// The result.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn ok(&self) -> &Value {
        match self {
            Outcome::Ok(value) => value,
            other => panic!("a result is expected, not {other:?}"),
        }
    }
}

/// The folder that `tests/peers/install.sh` filled.
#[derive(Debug)]
pub struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// The installed peers; `None`, said aloud, where there are none and none are demanded.
    ///
    /// # Panics
    /// When there are none and `MCPWRIGHT_REQUIRE_SERVICES=1`.
    pub fn find() -> Option<Installed> {
        let default = || workspace::root().join("target/peers");
        let folder = std::env::var_os("MCPWRIGHT_PEERS").map_or_else(default, PathBuf::from);
        if folder.join("installed").is_file() {
            return Some(Installed { folder });
        }
        workspace::skip("the independent clients are not installed; tests/peers/install.sh does that");
        None
    }

    /// A Python script of `tests/peers/python`.
    pub fn python(&self, script: &str) -> Command {
        let mut command = Command::new(self.folder.join("python/bin/python"));
        command.arg(workspace::root().join("tests/peers/python").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Runs a Python script of `tests/peers/python` with `input` and returns what it makes of it.
    ///
    /// # Panics
    /// When the script fails, or writes something else than JSON.
    pub async fn run(&self, script: &str, input: &Value) -> Value {
        let output = run(&mut self.python(script), input.to_string().as_bytes()).await;
        serde_json::from_slice(&output).unwrap_or_else(|error| panic!("{script} writes JSON: {error}"))
    }

    /// A script of `tests/peers/node`.
    pub fn node(&self, script: &str) -> Command {
        let mut command = Command::new(self.folder.join("node/node"));
        command.arg(workspace::root().join("tests/peers/node").join(script)).env("MCPWRIGHT_PEERS", &self.folder);
        command
    }

    /// Runs a script of `tests/peers/node` with `input` and returns what it makes of it.
    ///
    /// # Panics
    /// When the script fails, or writes something else than JSON.
    pub async fn run_node(&self, script: &str, input: &Value) -> Value {
        let output = run(&mut self.node(script), input.to_string().as_bytes()).await;
        serde_json::from_slice(&output).unwrap_or_else(|error| panic!("{script} writes JSON: {error}"))
    }

    /// A file of an npm package.
    pub fn node_file(&self, path: &str) -> PathBuf {
        self.folder.join("node/node_modules").join(path)
    }

    /// The program `name` that an npm package installed.
    pub fn node_program(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("node/node"));
        command.arg(self.folder.join("node/node_modules/.bin").join(name));
        command
    }
}

/// Runs a script with `input` and returns what it wrote.
async fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} starts: {error}"));
    let mut pipe = child.stdin.take().expect("standard input is piped");
    // A script that ends early says why on standard error.
    let _ = pipe.write_all(input).await;
    drop(pipe);
    let finished = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output()).await;
    let output = finished.expect("the script ends in time").expect("the script can be waited for");
    assert!(output.status.success(), "{command:?} fails: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
