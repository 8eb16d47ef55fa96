//! A server that runs elsewhere, passed on as if it were mounted: `Server::proxy`.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::Map;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    component::{
        CompletionHandler, PromptEntry, PromptSource, ResourceEntry, ResourceSource, TemplateSource, ToolEntry,
        ToolSource,
    },
    engine::{Change, Engine},
    message::{Complete, CompletionTarget, ToolInfo},
    protocol::{Client, Failure, Offers},
    registry::RegistryBuilder,
};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the start of this server waits for the first attempt.
const START: Duration = Duration::from_secs(5);
/// The pause after a first failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// How long a request waits for a server that is just being connected to.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lists are read again after this time, for servers that do not tell of changes.
const REFRESH: Duration = Duration::from_secs(60);
/// The pause before listening for changes again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// Changes that come within this time are one.
const SETTLE: Duration = Duration::from_millis(50);

/// An MCP server that runs elsewhere: behind a URL, or as a command that this process starts.
#[derive(Debug, Clone)]
#[must_use]
pub struct Remote {
    name: String,
    pub(crate) reach: Reach,
    inherited: Vec<String>,
}

/// How a server is reached.
#[derive(Debug, Clone)]
pub(crate) enum Reach {
    Http { url: String, headers: HashMap<HeaderName, HeaderValue>, token: Option<SecretString> },
    Command { program: String, arguments: Vec<String>, variables: Vec<(String, SecretString)> },
}

impl Remote {
    /// A server behind a URL: its MCP endpoint over streamable HTTP.
    pub fn http(url: impl Into<String>) -> Self {
        let url = url.into();
        let name = url::Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let reach = Reach::Http { url, headers: HashMap::new(), token: None };
        Self { name: name.unwrap_or_else(|| "remote".to_owned()), reach, inherited: Vec::new() }
    }

    /// A server that speaks over its standard input and output. It is started with this server, started again when it
    /// dies, and stopped with this server. Of the environment it sees what it needs to run at all (`PATH`, `HOME` …) and
    /// what [`Remote::variable`] and [`Remote::inherit`] give: credentials of this server are not for others.
    pub fn command(program: impl Into<String>) -> Self {
        let program = program.into();
        let name = std::path::Path::new(&program).file_stem().map(|name| name.to_string_lossy().into_owned());
        let reach = Reach::Command { program, arguments: Vec::new(), variables: Vec::new() };
        Self { name: name.unwrap_or_else(|| "remote".to_owned()), reach, inherited: Vec::new() }
    }

    /// The name in messages and logs, instead of the host's or the program's.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sends a bearer token, over HTTP.
    pub fn bearer(mut self, secret: impl Into<SecretString>) -> Self {
        if let Reach::Http { token, .. } = &mut self.reach {
            *token = Some(secret.into());
        }
        self
    }

    /// Sends a header, over HTTP.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Reach::Http { headers, .. } = &mut self.reach {
            headers.insert(name, value);
        }
        self
    }

    /// Adds an argument of the command.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        if let Reach::Command { arguments, .. } = &mut self.reach {
            arguments.push(argument.into());
        }
        self
    }

    /// Sets an environment variable of the command.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        if let Reach::Command { variables, .. } = &mut self.reach {
            variables.push((name.into(), value.into()));
        }
        self
    }

    /// Hands an environment variable of this process on to the command.
    pub fn inherit(mut self, name: impl Into<String>) -> Self {
        self.inherited.push(name.into());
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The variables of this process that the command sees.
    pub(crate) fn inherited(&self) -> impl Iterator<Item = &str> {
        let always = [
            "PATH",
            "HOME",
            "USER",
            "LOGNAME",
            "SHELL",
            "TERM",
            "LANG",
            "LC_ALL",
            "TZ",
            "TMPDIR",
            "TEMP",
            "TMP",
            "SYSTEMROOT",
            "SYSTEMDRIVE",
            "APPDATA",
            "LOCALAPPDATA",
            "PROGRAMFILES",
            "USERPROFILE",
            "COMSPEC",
            "PATHEXT",
        ];
        always.into_iter().chain(self.inherited.iter().map(String::as_str))
    }
}

/// Whether the other server is there.
#[derive(Clone)]
enum State {
    Connecting,
    Up(Arc<Client>),
    Down,
}

/// The line to the other server, as the handlers of its components hold it.
struct Line {
    name: String,
    state: watch::Receiver<State>,
    /// Fires when somebody wants to be connected, or found the connection broken.
    wake: Arc<Notify>,
}

impl Line {
    /// The other server, if it is there or comes within a moment.
    async fn client(&self) -> Result<Arc<Client>, Error> {
        let mut state = self.state.clone();
        let is_down = matches!(&*state.borrow_and_update(), State::Down);
        if is_down {
            // One more attempt, at once.
            self.wake.notify_one();
            let _ = tokio::time::timeout(PATIENCE, state.changed()).await;
        }
        let settled = state.wait_for(|state| !matches!(state, State::Connecting));
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Up(client) => Ok(client.clone()),
                State::Connecting | State::Down => Err(self.unreachable()),
            },
            _ => Err(self.unreachable()),
        }
    }

    fn unreachable(&self) -> Error {
        Error::failed(format!(
            "The server `{}`, which is behind this, cannot be reached now. Try again in a moment.",
            self.name
        ))
    }

    fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Answered(error) => error,
            Failure::Broken(reason) => {
                tracing::warn!(server = self.name, reason, "a proxied server cannot be reached");
                self.wake.notify_one();
                self.unreachable()
            }
        }
    }
}

/// Stops the connection when it is cancelled.
pub(crate) struct Keeper {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Keeper {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

/// Connects to the other server and keeps connected; its components become those of `engine`. Waits for the first
/// attempt to end, so that a server that is there is offered from the start.
pub(crate) async fn keep(remote: Remote, engine: &Arc<Engine>) -> Keeper {
    let stop = CancellationToken::new();
    let (tell, state) = watch::channel(State::Connecting);
    let line = Arc::new(Line { name: remote.name.clone(), state: state.clone(), wake: Arc::new(Notify::new()) });
    let work = Work { remote, engine: Arc::downgrade(engine), tell, line, told: Vec::new(), resources: Vec::new() };
    let task = tokio::spawn(work.run(stop.clone()));
    let mut first = state;
    let _ = tokio::time::timeout(START, first.wait_for(|state| !matches!(state, State::Connecting))).await;
    Keeper { stop, task }
}

struct Work {
    remote: Remote,
    engine: Weak<Engine>,
    tell: watch::Sender<State>,
    line: Arc<Line>,
    /// The lists as they were last, as text.
    told: Vec<String>,
    /// The URIs of the resources.
    resources: Vec<String>,
}

impl Work {
    async fn run(mut self, stop: CancellationToken) {
        let mut pause = PAUSES.0;
        loop {
            let began = tokio::time::Instant::now();
            if self.serve_once(&stop).await {
                pause = PAUSES.0;
            }
            self.tell.send_replace(State::Down);
            if stop.is_cancelled() || self.engine.strong_count() == 0 {
                return;
            }
            // Whoever asks in the meantime makes it shorter, but not a storm of attempts.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.line.wake.notified() => tokio::time::sleep_until(began + PAUSES.0).await,
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(PAUSES.1);
            self.tell.send_replace(State::Connecting);
        }
    }

    /// Connects, and follows the other server until it is gone. Says whether it was there.
    async fn serve_once(&mut self, stop: &CancellationToken) -> bool {
        let name = self.remote.name.clone();
        let changed = Arc::new(Notify::new());
        let connected = tokio::time::timeout(CONNECT, Client::connect(&self.remote, changed.clone())).await;
        let (client, connection) = match connected {
            Ok(Ok((client, connection))) => (Arc::new(client), connection),
            Ok(Err(reason)) => {
                tracing::warn!(server = name, reason, "a proxied server cannot be reached");
                return false;
            }
            Err(_) => {
                tracing::warn!(server = name, "a proxied server does not answer");
                return false;
            }
        };
        if !self.refresh(&client).await {
            return false;
        }
        tracing::info!(server = name, "a proxied server is connected");
        self.tell.send_replace(State::Up(client.clone()));
        let listening = {
            let (client, wake) = (client.clone(), self.line.wake.clone());
            let (engine, resources) = (self.engine.clone(), self.resources.clone());
            let updated = move |uri| {
                if let Some(engine) = engine.upgrade() {
                    engine.tell(Change::Resource(uri));
                }
            };
            tokio::spawn(async move {
                // A server that does not tell of changes is looked at from time to time. One that did and stops may be gone.
                while client.listen(&resources, &updated).await {
                    wake.notify_one();
                    tokio::time::sleep(LISTEN_AGAIN).await;
                }
            })
        };
        let end = connection.ending();
        let mut gone = std::pin::pin!(connection.ended());
        loop {
            tokio::select! {
                () = &mut gone => {
                    listening.abort();
                    tracing::warn!(server = name, "a proxied server is gone");
                    return true;
                }
                () = self.line.wake.notified() => {
                    // A request failed. Is it the connection?
                    if !self.refresh(&client).await { break; }
                }
                () = changed.notified() => {
                    tokio::time::sleep(SETTLE).await;
                    if !self.refresh(&client).await { break; }
                }
                () = tokio::time::sleep(REFRESH) => {
                    if !self.refresh(&client).await { break; }
                }
                () = stop.cancelled() => break,
            }
        }
        listening.abort();
        end();
        if tokio::time::timeout(CONNECT, gone).await.is_err() {
            tracing::warn!(server = name, "a proxied server does not let go");
        }
        true
    }

    /// Takes over what the other server offers now.
    async fn refresh(&mut self, client: &Client) -> bool {
        let offers = match tokio::time::timeout(CONNECT, client.offers()).await {
            Ok(Ok(offers)) => offers,
            Ok(Err(Failure::Answered(error))) => {
                tracing::warn!(server = self.remote.name, %error, "a proxied server does not tell what it offers");
                return true;
            }
            Ok(Err(Failure::Broken(reason))) => {
                tracing::warn!(server = self.remote.name, reason, "a proxied server cannot be reached");
                return false;
            }
            Err(_) => return false,
        };
        let Some(engine) = self.engine.upgrade() else { return false };
        let now = vec![
            format!("{:?}", offers.tools),
            format!("{:?}{:?}", offers.resources, offers.templates),
            format!("{:?}", offers.prompts),
        ];
        let lists = [Change::Tools, Change::Resources, Change::Prompts];
        let before = std::mem::take(&mut self.told);
        let changes = lists.into_iter().enumerate().filter(|(index, _)| before.get(*index) != now.get(*index));
        let changes: Vec<Change> = changes.map(|(_, change)| change).collect();
        self.told = now;
        self.resources = offers.resources.iter().map(|info| info.uri.to_string()).collect();
        if !changes.is_empty() {
            let line = &self.line;
            engine.replace(&changes, |builder| fill(builder, offers, line));
        }
        true
    }
}

/// What the other server offers, as components whose handlers ask it.
fn fill(builder: &mut RegistryBuilder, offers: Offers, line: &Arc<Line>) {
    for info in offers.tools {
        let (line, name) = (line.clone(), info.name.to_string());
        let source = ToolSource::Foreign(Arc::new(move |context, arguments| {
            let (line, name) = (line.clone(), name.clone());
            Box::pin(async move {
                let client = line.client().await?;
                client.call(&context, &name, arguments).await.map_err(|failure| line.error(failure))
            })
        }));
        let legal = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let name: String = info.name.chars().take(64).map(legal).collect();
        builder.add_tool(ToolEntry::new(ToolInfo { name: name.into(), ..info }, None, source));
    }
    for info in offers.resources {
        let line = line.clone();
        let source = ResourceSource::Custom(Arc::new(move |context, uri, _| {
            let (line, uri) = (line.clone(), uri.to_owned());
            Box::pin(async move {
                let client = line.client().await?;
                client.read(&context, &uri).await.map_err(|failure| line.error(failure))
            })
        }));
        builder.add_resource(ResourceEntry { info: Arc::new(info), source });
    }
    for info in offers.templates {
        let text = info.uri_template.to_string();
        let variables: Vec<String> = text
            .parse::<crate::uri_template::UriTemplate>()
            .map(|template| template.variables().map(str::to_owned).collect())
            .unwrap_or_default();
        let completions = variables
            .into_iter()
            .map(|variable| (variable, completion(line, CompletionTarget::ResourceTemplate(text.clone()))));
        let completions = completions.collect();
        let line = line.clone();
        let handler: crate::component::TemplateHandler = Arc::new(move |context, _, uri, _| {
            let (line, uri) = (line.clone(), uri.to_owned());
            Box::pin(async move {
                let client = line.client().await?;
                client.read(&context, &uri).await.map_err(|failure| line.error(failure))
            })
        });
        let schema = serde_json::json!({"type": "object"});
        builder.add_template(info, TemplateSource::Custom { schema, handler }, completions);
    }
    for info in offers.prompts {
        let name = info.name.to_string();
        let target = CompletionTarget::Prompt(name.clone());
        let completions =
            info.arguments.iter().map(|argument| (argument.name.clone(), completion(line, target.clone()))).collect();
        let line = line.clone();
        let source = PromptSource::Custom(Arc::new(move |context, arguments: Map<_, _>| {
            let (line, name) = (line.clone(), name.clone());
            Box::pin(async move {
                let client = line.client().await?;
                client.prompt(&context, &name, arguments).await.map_err(|failure| line.error(failure))
            })
        }));
        let schema = serde_json::Value::Null;
        builder.insert_prompt(PromptEntry { info: Arc::new(info), schema, completions, source });
    }
}

fn completion(line: &Arc<Line>, target: CompletionTarget) -> CompletionHandler {
    let line = line.clone();
    Arc::new(move |context, Complete { argument, value, known, .. }| {
        let (line, target) = (line.clone(), target.clone());
        Box::pin(async move {
            let client = line.client().await?;
            let answer = client.complete(&context, target, &argument, &value, known).await;
            answer.map_err(|failure| line.error(failure))
        })
    })
}
