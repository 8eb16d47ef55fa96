//! From a server in the making to a running one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::ArgMatches;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{
    ApiSource, HttpLayer, LIST_TTL, Options, Server,
    lifespan::{self, Stops},
    prefix,
};
use crate::{
    catalog::Api,
    engine::{Engine, Limits},
    protocol::{self, Seal},
    registry::{Problem, RegistryBuilder},
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
    pub(crate) seal: Arc<Seal>,
    shutdown: Duration,
    stops: Mutex<Option<Stops>>,
}

impl Server {
    /// Builds the registry and starts the lifespans. `matches` has the options of the upstream.
    pub(crate) async fn start(self, options: &Options, matches: Option<&ArgMatches>) -> Result<Running, StartError> {
        self.start_parts(options, matches).await.map(|(running, _)| running)
    }

    pub(crate) async fn start_parts(
        self,
        options: &Options,
        matches: Option<&ArgMatches>,
    ) -> Result<(Running, Vec<HttpLayer>), StartError> {
        let seal = Seal::new(options.state_secret.as_deref())
            .map_err(|error| StartError::Option(format!("the state secret cannot be used: {error}")))?;
        let mut builder = RegistryBuilder::new(options.page_size, self.wrappers, self.visibility);
        let single = self.apis.len() == 1;
        unambiguous(&self.apis, options)?;
        for source in self.apis {
            let upstream = match source.upstream {
                Some(upstream) => upstream,
                None => upstream(source.api, matches.filter(|_| single), options)?,
            };
            for warning in upstream.warnings() {
                tracing::warn!("{warning}");
            }
            builder.api(source.api, &upstream, options.resources_as_tools);
        }
        self.tools.into_iter().for_each(|tool| builder.tool(tool));
        self.resources.into_iter().for_each(|resource| builder.resource(resource));
        self.templates.into_iter().for_each(|template| builder.template(template));
        self.prompts.into_iter().for_each(|prompt| builder.prompt(prompt));
        builder.completion(self.completion);
        let registry = builder.finish().map_err(StartError::Components)?;
        let (values, stops) = lifespan::start(self.lifespans).await.map_err(StartError::Lifespan)?;
        let engine = Engine::new(
            self.info,
            registry,
            self.layers,
            values,
            Limits::new(options.limits.handler, options.limits.concurrency),
            options.page_size,
            LIST_TTL,
        );
        let shutdown = options.limits.shutdown;
        Ok((Running { engine, seal: Arc::new(seal), shutdown, stops: Mutex::new(Some(stops)) }, self.http))
    }
}

/// With several APIs each has its own address and its own variables: the credentials of one never reach another.
fn unambiguous(apis: &[ApiSource], options: &Options) -> Result<(), StartError> {
    let open: Vec<&str> =
        apis.iter().filter(|source| source.upstream.is_none()).map(|source| source.api.name).collect();
    if apis.len() > 1 && options.base_url.is_some() && !open.is_empty() {
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
        protocol::serve_stdio(self.engine.clone(), self.seal.clone(), stop).await.map_err(StartError::Connection)
    }

    pub(crate) async fn serve_pipe(
        &self,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
        stop: CancellationToken,
    ) -> Result<(), StartError> {
        let stop = self.engine.drained(stop, self.shutdown);
        protocol::serve_pipe(self.engine.clone(), self.seal.clone(), input, output, stop)
            .await
            .map_err(StartError::Connection)
    }

    /// Stops the lifespans, within the time for stopping.
    pub(crate) async fn stop(&self) {
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stops) = stops
            && tokio::time::timeout(self.shutdown, stops.run()).await.is_err()
        {
            tracing::warn!("the lifespans did not stop in time");
        }
    }
}

/// A router that is dropped without a word stops its lifespans too.
impl Drop for Running {
    fn drop(&mut self) {
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(stops), Ok(runtime)) = (stops, tokio::runtime::Handle::try_current()) {
            runtime.spawn(stops.run());
        }
    }
}
