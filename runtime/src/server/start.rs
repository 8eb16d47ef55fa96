//! From a server in the making to a running one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::ArgMatches;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{
    ApiSource, HttpLayer, InnerServer, LIST_TTL, Options, Server, configured,
    lifespan::{self, Lifespan, Stops},
    prefix,
};
#[cfg(feature = "proxy")]
use crate::compose::{self, Remote};
use crate::{
    catalog::Api,
    compose::{Child, Naming},
    engine::{Engine, Limits},
    protocol::{self, Shared},
    registry::{Problem, RegistryBuilder},
    storage::KvStore,
    upstream::{ConfigurationError, Settings, Upstream},
};

/// Why a server does not start or run. Each message says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The components do not fit together.
    #[error("{}", problems(.0))]
    Components(Vec<Problem>),
    /// The upstream API is not configured rightly.
    #[error(transparent)]
    Upstream(#[from] ConfigurationError),
    /// A server within another one has what only the outermost one can have.
    #[error("the inner server `{server}` has {what} of its own, which has no effect there: {instead}")]
    Inner {
        /// The inner server.
        server: String,
        /// What it has.
        what: String,
        /// What to do.
        instead: String,
    },
    /// A lifespan did not start.
    #[error("a lifespan did not start: {0}")]
    Lifespan(String),
    /// The address is taken.
    #[error("{address} is in use: stop what listens there, or choose another port with --port (0 takes a free one)")]
    AddressInUse {
        /// Host and port.
        address: String,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {error}. Check --host and --port")]
    Listen {
        /// Host and port.
        address: String,
        /// Why.
        error: std::io::Error,
    },
    /// An option has a value that does not work.
    #[error("{0}")]
    Option(String),
    /// A layer of the HTTP application does not fit.
    #[error("the HTTP application cannot be set up: {0}")]
    Http(String),
    /// The connection to the client broke.
    #[error("the connection broke: {0}")]
    Connection(String),
}

fn problems(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A server that has started.
pub(crate) struct Running {
    pub(crate) engine: Arc<Engine>,
    pub(crate) shared: Arc<Shared>,
    /// Where the instances of this server find each other's sessions.
    pub(crate) session_store: Option<Arc<dyn KvStore>>,
    shutdown: Duration,
    stops: Mutex<Option<Stops>>,
}

impl Server {
    /// Builds the registry and starts the lifespans. `matches` has the options of the upstream.
    pub(crate) async fn start(self, options: &Options, matches: Option<&ArgMatches>) -> Result<Running, StartError> {
        self.start_parts(options, matches).await.map(|(running, _)| running)
    }

    pub(crate) async fn start_parts(
        mut self,
        options: &Options,
        matches: Option<&ArgMatches>,
    ) -> Result<(Running, Vec<HttpLayer>), StartError> {
        let shared = Shared::new(options.state_secret.as_deref())
            .map_err(|error| StartError::Option(format!("the state secret cannot be used: {error}")))?;
        unambiguous(&self, options)?;
        let matches = matches.filter(|_| self.only_api().is_some());
        configured::add(&mut self, None, &configured::process).await?;
        #[cfg(feature = "otel")]
        let telemetry = self.tell_telemetry()?;
        let mut session_store = self.session_store.take().filter(|_| options.sessions > 0);
        if options.sessions > 0 && session_store.is_none() {
            session_store = configured::session_store(&prefix(&self.info.name), &configured::process).await?;
        }
        let http = std::mem::take(&mut self.http);
        let outermost = prefix(&self.info.name);
        let assembled = assemble(self, &outermost, options, matches, options.page_size)?;
        let engine = assembled.engine.clone();
        let mut stops = Stops::default();
        // What starts first stops last: all others may still have something to tell.
        #[cfg(feature = "otel")]
        if let Some(telemetry) = telemetry {
            stops.push(telemetry.stop());
        }
        if let Err(error) = assembled.start(&mut stops).await {
            stops.run().await;
            return Err(StartError::Lifespan(error));
        }
        let shutdown = options.limits.shutdown;
        Ok((
            Running { engine, shared: Arc::new(shared), session_store, shutdown, stops: Mutex::new(Some(stops)) },
            http,
        ))
    }
}

#[cfg(feature = "otel")]
impl Server {
    /// Adds the layer around all others that the environment asks for.
    fn tell_telemetry(&mut self) -> Result<Option<crate::telemetry::Telemetry>, StartError> {
        let telemetry = crate::telemetry::Telemetry::from_environment(&self.info.name, &self.info.version)
            .map_err(|error| StartError::Option(error.to_string()))?;
        if let Some(telemetry) = &telemetry {
            self.layers.insert(0, Arc::new(telemetry.clone()));
        }
        Ok(telemetry)
    }
}

/// A server whose components fit together, and whose lifespans have not started yet.
struct Assembled {
    engine: Arc<Engine>,
    lifespans: Vec<Lifespan>,
    inner: Vec<Assembled>,
    #[cfg(feature = "proxy")]
    remote: Option<Remote>,
}

impl Assembled {
    /// Starts the lifespans: those of a server before those within it, which see its values too.
    async fn start(self, stops: &mut Stops) -> Result<(), String> {
        let mut waiting = vec![(self, http::Extensions::new())];
        while let Some((server, mut values)) = waiting.pop() {
            lifespan::start(server.lifespans, &mut values, stops).await?;
            waiting.extend(server.inner.into_iter().rev().map(|inner| (inner, values.clone())));
            server.engine.set_lifespan(values);
            #[cfg(feature = "proxy")]
            if let Some(remote) = server.remote {
                let keeper = compose::keep(remote, &server.engine).await;
                stops.push(keeper.stop());
            }
        }
        Ok(())
    }
}

/// Builds the registry of a server, and of all within it. `outermost` is the prefix of the outermost one's variables.
fn assemble(
    server: Server,
    outermost: &str,
    options: &Options,
    matches: Option<&ArgMatches>,
    page_size: usize,
) -> Result<Assembled, StartError> {
    let mut builder = RegistryBuilder::new(page_size, server.wrappers, server.visibility);
    builder.transforms(server.transforms);
    for source in server.apis {
        let upstream = match source.upstream {
            Some(upstream) => upstream,
            None => upstream(source.api, matches, options)?,
        };
        for warning in upstream.warnings() {
            tracing::warn!("{warning}");
        }
        builder.api(source.api, &upstream, options.resources_as_tools);
    }
    server.tools.into_iter().for_each(|tool| builder.tool(tool));
    server.resources.into_iter().for_each(|resource| builder.resource(resource));
    server.templates.into_iter().for_each(|template| builder.template(template));
    server.prompts.into_iter().for_each(|prompt| builder.prompt(prompt));
    builder.completion(server.completion);
    let mut inner = Vec::new();
    for InnerServer { prefix, mounted, live } in server.inner {
        only_within(&mounted.server, outermost)?;
        let Ok(naming) = Naming::new(prefix.clone(), mounted.uris) else {
            builder.problems.push(Problem::Prefix(prefix));
            continue;
        };
        let name = mounted.server.info.name.clone();
        match assemble(mounted.server, outermost, options, matches, 0) {
            Ok(assembled) => {
                builder.child(Child { engine: assembled.engine.clone(), naming, live });
                inner.push(assembled);
            }
            Err(StartError::Components(problems)) => {
                let within = |problem| Problem::Inner { server: name.clone(), problem: Box::new(problem) };
                builder.problems.extend(problems.into_iter().map(within));
            }
            Err(other) => return Err(other),
        }
    }
    builder.check_transforms();
    let registry = builder.finish().map_err(StartError::Components)?;
    let limits = Limits::new(options.limits.handler, options.limits.concurrency);
    let engine = Engine::new(server.info, registry, server.layers, limits, page_size, LIST_TTL);
    for (index, inner) in inner.iter().enumerate() {
        inner.engine.set_outer(&engine, index);
    }
    Ok(Assembled {
        engine,
        lifespans: server.lifespans,
        inner,
        #[cfg(feature = "proxy")]
        remote: server.remote,
    })
}

/// What only the outermost server can have must not get lost without a word.
#[cfg_attr(not(feature = "auth"), allow(unused_variables))]
fn only_within(server: &Server, outermost: &str) -> Result<(), StartError> {
    let refuse = |what: &str, instead: &str| {
        let server = server.info.name.clone();
        Err(StartError::Inner { server, what: what.to_owned(), instead: instead.to_owned() })
    };
    #[cfg(feature = "auth")]
    {
        if server.auth.is_some() {
            return refuse("authentication", "call Server::auth on the outermost server");
        }
        let variable = format!("{}_AUTH", prefix(&server.info.name));
        if prefix(&server.info.name) != outermost && std::env::var_os(&variable).is_some() {
            return refuse(&format!("authentication ({variable})"), "set the variable of the outermost server");
        }
    }
    if !server.http.is_empty() {
        return refuse("HTTP routes or layers", "call Server::http on the outermost server");
    }
    Ok(())
}

/// With several APIs each has its own address and its own variables: the credentials of one never reach another.
fn unambiguous(server: &Server, options: &Options) -> Result<(), StartError> {
    let mut apis: Vec<&ApiSource> = server.tree().into_iter().flat_map(|server| &server.apis).collect();
    let count = apis.len();
    // One API may be in several places.
    apis.retain(|source| source.upstream.is_none());
    apis.sort_by_key(|source| std::ptr::from_ref(source.api));
    apis.dedup_by_key(|source| std::ptr::from_ref(source.api));
    let open: Vec<&str> = apis.iter().map(|source| source.api.name).collect();
    if count > 1 && options.base_url.is_some() && !open.is_empty() {
        return Err(StartError::Option(format!(
            "one base URL cannot serve several APIs: set {}",
            open.iter().map(|name| format!("{}_BASE_URL", prefix(name))).collect::<Vec<_>>().join(", ")
        )));
    }
    for (index, name) in open.iter().enumerate() {
        if let Some(other) = open[..index].iter().find(|other| prefix(other) == prefix(name)) {
            return Err(StartError::Option(format!(
                "the APIs {other:?} and {name:?} would both read the variables {}_…: give one of them another name, or \
                 its own upstream with Server::upstream",
                prefix(name)
            )));
        }
    }
    Ok(())
}

fn upstream(
    api: &'static Api,
    matches: Option<&ArgMatches>,
    options: &Options,
) -> Result<Upstream, ConfigurationError> {
    let prefix = prefix(api.name);
    let mut settings = match matches {
        Some(matches) => Settings::from_matches(matches, &prefix)?,
        None => Settings::from_environment(&prefix)?,
    };
    settings.mock |= options.mock;
    if settings.base_url.is_none() {
        settings.base_url.clone_from(&options.base_url);
    }
    Upstream::builder(api).settings(settings).build()
}

impl Running {
    pub(crate) async fn serve_stdio(&self, stop: CancellationToken) -> Result<(), StartError> {
        let stop = self.engine.drained(stop, self.shutdown);
        protocol::serve_stdio(self.engine.clone(), self.shared.clone(), stop).await.map_err(StartError::Connection)
    }

    pub(crate) async fn serve_pipe(
        &self,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
        stop: CancellationToken,
    ) -> Result<(), StartError> {
        let stop = self.engine.drained(stop, self.shutdown);
        protocol::serve_pipe(self.engine.clone(), self.shared.clone(), input, output, stop)
            .await
            .map_err(StartError::Connection)
    }

    /// Stops the lifespans, within the time for stopping.
    pub(crate) async fn stop(&self) {
        self.shared.stop();
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stops) = stops
            && tokio::time::timeout(self.shutdown, stops.run()).await.is_err()
        {
            tracing::warn!("the lifespans did not stop in time");
        }
    }
}

/// A router that is dropped without a word stops its lifespans too. A host that ends right after that would take the
/// runtime away from under them, so this waits for them, where others go on meanwhile.
impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop();
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(stops) = stops.filter(|stops| !stops.is_empty()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread
        {
            // Its only thread is this one.
            runtime.spawn(stops.run());
            return;
        }
        let (done, stopped) = std::sync::mpsc::channel();
        // In a runtime of their own: that of the host may be ending, and would end them too.
        std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                runtime.block_on(stops.run());
                let _ = done.send(());
            }
        });
        if stopped.recv_timeout(self.shutdown).is_err() {
            tracing::warn!("the lifespans did not stop in time");
        }
    }
}
