//! Connecting to another server, and hearing what it says without being asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ClientHandler, RoleClient, model as wire,
    service::{ClientLifecycleMode, NotificationContext, RunningService, serve_client_with_lifecycle},
    transport::{
        StreamableHttpClientTransport, TokioChildProcess, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use secrecy::ExposeSecret;
use tokio::sync::Notify;

use super::{Client, MODERN};
use crate::{
    compose::{Reach, Remote},
    context::Context,
};

/// The largest answer that is taken, in bytes.
const LARGEST_ANSWER: usize = 128 << 20;

/// What comes from the other server without being asked for.
pub(super) struct Hearing {
    /// Fires when lists changed.
    pub(super) changed: Arc<Notify>,
    /// The requests under way, by the token of their progress.
    progress: Mutex<HashMap<wire::ProgressToken, Context>>,
    config: wire::ClientConfig,
}

impl Hearing {
    pub(super) fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<wire::ProgressToken, Context>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientHandler for Hearing {
    fn get_info(&self) -> wire::ClientConfig {
        self.config.clone()
    }

    async fn on_progress(&self, report: wire::ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let context = self.waiting().get(&report.progress_token).cloned();
        if let Some(context) = context {
            context.progress(report.progress, report.total, report.message.as_deref()).await;
        }
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}

/// What keeps a connection: it ends when this is dropped or closed.
pub(crate) struct Connection(RunningService<RoleClient, Arc<Hearing>>);

impl Connection {
    /// Waits until the other server is gone.
    pub(crate) async fn ended(self) {
        let _ = self.0.waiting().await;
    }

    /// Makes it end.
    pub(crate) fn ending(&self) -> impl FnOnce() + Send + 'static {
        let token = self.0.cancellation_token();
        move || token.cancel()
    }
}

impl Client {
    /// Connects, in the newest version that the other server speaks. `changed` fires when its lists change.
    ///
    /// # Errors
    /// Why not, for the log.
    pub(crate) async fn connect(remote: &Remote, changed: Arc<Notify>) -> Result<(Self, Connection), String> {
        let about = wire::Implementation::new("mcpwright", env!("CARGO_PKG_VERSION"));
        let config = wire::ClientConfig::new(wire::ClientCapabilities::default(), about);
        let hearing = Arc::new(Hearing { changed, progress: Mutex::default(), config });
        let lifecycle =
            ClientLifecycleMode::Auto { preferred_versions: vec![wire::ProtocolVersion::LATEST], legacy_version: None };
        let running = match &remote.reach {
            Reach::Http { url, headers, token } => {
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                    .custom_headers(headers.clone())
                    .max_concurrent_requests(256)
                    .max_json_response_size(LARGEST_ANSWER)
                    .max_sse_event_size(LARGEST_ANSWER)
                    .reinit_on_expired_session(true);
                if let Some(token) = token {
                    config = config.auth_header(token.expose_secret());
                }
                // Its address may be one that a proxy of the environment does not know, and a redirect could carry the
                // token elsewhere.
                let http = reqwest::Client::builder()
                    .redirect(reqwest::redirect::Policy::none())
                    .tcp_nodelay(true)
                    .build()
                    .map_err(|error| error.to_string())?;
                let transport = StreamableHttpClientTransport::with_client(http, config);
                serve_client_with_lifecycle(hearing.clone(), transport, lifecycle).await
            }
            Reach::Command { program, arguments, variables } => {
                let mut command = tokio::process::Command::new(program);
                command.args(arguments).env_clear();
                command.envs(remote.inherited().filter_map(|name| Some((name, std::env::var_os(name)?))));
                command.envs(variables.iter().map(|(name, value)| (name, value.expose_secret())));
                let transport = TokioChildProcess::new(command).map_err(|error| format!("{program}: {error}"))?;
                serve_client_with_lifecycle(hearing.clone(), transport, lifecycle).await
            }
        };
        let running = running.map_err(|error| error.to_string())?;
        let peer = running.peer().clone();
        let modern = peer.peer_info().is_some_and(|info| info.protocol_version.as_str() >= MODERN);
        Ok((Self { peer, hearing, modern }, Connection(running)))
    }
}
