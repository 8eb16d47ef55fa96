//! The running server: sends each request through the middleware to its component, within limits, so that nothing that a
//! handler does harms another request.

mod limits;

use std::{
    sync::{Arc, OnceLock, PoisonError, RwLock, Weak},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub(crate) use limits::Limits;

use crate::{
    Error,
    catalog::Operation,
    component::{CallTerms, Prompt, Resource, ResourceTemplate, Tool},
    context::{Context, Outcome, run},
    message::{Notification, Request, Response, ServerInfo, ToolInfo},
    middleware::{self, Middleware, Terminal},
    registry::{Problem, Registry, RegistryBuilder},
};

/// What clients should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Tools,
    Resources,
    Prompts,
    /// The contents of one resource.
    Resource(String),
}

/// A server that runs.
pub(crate) struct Engine {
    pub(crate) info: Arc<ServerInfo>,
    /// How long clients may keep lists, in milliseconds.
    pub(crate) list_ttl_ms: u64,
    /// The values of the lifespans, once these have started.
    lifespan: OnceLock<http::Extensions>,
    /// The server that this one is within, and which of its children it is.
    outer: OnceLock<(Weak<Engine>, usize)>,
    page_size: usize,
    registry: RwLock<Arc<Registry>>,
    layers: Vec<Arc<dyn Middleware>>,
    limits: Limits,
    changes: broadcast::Sender<Change>,
}

impl Engine {
    pub(crate) fn new(
        info: ServerInfo,
        registry: Registry,
        layers: Vec<Arc<dyn Middleware>>,
        limits: Limits,
        page_size: usize,
        list_ttl: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            info: Arc::new(info),
            list_ttl_ms: u64::try_from(list_ttl.as_millis()).unwrap_or(u64::MAX),
            lifespan: OnceLock::new(),
            outer: OnceLock::new(),
            page_size,
            registry: RwLock::new(Arc::new(registry)),
            layers,
            limits,
            changes: broadcast::Sender::new(64),
        })
    }

    /// The components as they are now.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn lifespan(&self) -> Option<&http::Extensions> {
        self.lifespan.get()
    }

    /// Takes the values of the lifespans. Those of the first time stay.
    pub(crate) fn set_lifespan(&self, values: http::Extensions) {
        let _ = self.lifespan.set(values);
    }

    /// Learns that it is within another server, which is told from now on of what changes here.
    pub(crate) fn set_outer(&self, outer: &Arc<Engine>, index: usize) {
        let _ = self.outer.set((Arc::downgrade(outer), index));
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// A token that fires once `stop` has fired and the requests under way are done, or `within` has passed.
    pub(crate) fn drained(self: &Arc<Self>, stop: CancellationToken, within: Duration) -> CancellationToken {
        let drained = CancellationToken::new();
        let (engine, done) = (Arc::downgrade(self), drained.clone());
        tokio::spawn(async move {
            stop.cancelled().await;
            if let Some(engine) = engine.upgrade() {
                engine.limits.idle(within).await;
            }
            done.cancel();
        });
        drained
    }

    /// Answers a request.
    pub(crate) async fn request(&self, context: &Context, request: Request) -> Outcome<Result<Response, Error>> {
        let target = request.target().and_then(|name| match &request {
            Request::CallTool(_) => self.registry().tool(name).and_then(|tool| tool.terms.timeout),
            _ => None,
        });
        let handler = self.through(context, request);
        self.limits.guard(context, target, run(context.rounds(), handler)).await
    }

    /// Answers a request that nobody waits for: it takes no place among those under way, and has a time limit of its own.
    pub(crate) async fn unhurried(
        &self,
        context: &Context,
        request: Request,
        limit: Duration,
    ) -> Outcome<Result<Response, Error>> {
        self.limits.fence(context, limit, run(context.rounds(), self.through(context, request))).await
    }

    /// What holds for the calls of a tool.
    pub(crate) fn call_terms(&self, tool: &str) -> CallTerms {
        self.registry().tool(tool).map(|tool| tool.terms).unwrap_or_default()
    }

    /// How long a request may take whose handler has this limit of its own.
    pub(crate) fn time_limit(&self, own: Option<Duration>) -> Duration {
        own.unwrap_or(self.limits.timeout)
    }

    /// Sends a request through all layers, without the fence that is around the client's own request.
    pub(crate) async fn through(&self, context: &Context, request: Request) -> Result<Response, Error> {
        if self.layers.is_empty() {
            self.answer(context, request).await
        } else {
            middleware::run(&self.layers, self, context, request).await
        }
    }

    /// The description of a tool as the outermost layer offers it.
    pub(crate) fn tool_info(&self, name: &str) -> Option<Arc<ToolInfo>> {
        let own = self.registry().tool_info(name);
        self.layers.iter().rev().fold(own, |inner, layer| layer.tool_info(name, inner))
    }

    /// The operation behind a tool, unless a layer put another tool in its place.
    pub(crate) fn tool_operation(&self, name: &str) -> Option<&'static Operation> {
        let registry = self.registry();
        let own = registry.tool(name)?;
        let offered = self.tool_info(name)?;
        if Arc::ptr_eq(&own.info, &offered) { registry.tool_operation(name) } else { None }
    }

    /// Takes note of a notification.
    pub(crate) async fn notification(&self, context: &Context, notification: Notification) {
        if self.layers.is_empty() {
            return;
        }
        let told = middleware::run_notification(&self.layers, self, context, notification);
        let told = async { Outcome::Done(told.await.map(|()| Response::Empty)) };
        if let Outcome::Done(Err(error)) = self.limits.guard(context, None, told).await {
            tracing::warn!(%error, "a notification was not taken");
        }
    }

    /// Whether lists and answers depend on more than the components: on layers of this server, or of one within it.
    pub(crate) fn has_layers(&self) -> bool {
        !self.layers.is_empty() || self.registry().is_live()
    }

    async fn answer(&self, context: &Context, request: Request) -> Result<Response, Error> {
        let registry = self.registry();
        let live = registry.is_live();
        Ok(match request {
            Request::ListTools(page) if live => Response::Tools(registry.live_tools(context, &page).await?),
            Request::ListResources(page) if live => Response::Resources(registry.live_resources(context, &page).await?),
            Request::ListResourceTemplates(page) if live => {
                Response::ResourceTemplates(registry.live_templates(context, &page).await?)
            }
            Request::ListPrompts(page) if live => Response::Prompts(registry.live_prompts(context, &page).await?),
            Request::CallTool(call) => Response::Tool(registry.call(context.clone(), call).await?),
            Request::ReadResource(read) => Response::Resource(registry.read(context.clone(), &read).await?),
            Request::GetPrompt(get) => Response::Prompt(registry.prompt(context.clone(), get).await?),
            Request::Complete(complete) => Response::Completion(registry.complete(context.clone(), complete).await?),
            Request::ListTools(page) => Response::Tools(registry.list_tools(&page)?),
            Request::ListResources(page) => Response::Resources(registry.list_resources(&page)?),
            Request::ListResourceTemplates(page) => Response::ResourceTemplates(registry.list_templates(&page)?),
            Request::ListPrompts(page) => Response::Prompts(registry.list_prompts(&page)?),
            Request::Initialize | Request::Discover => Response::Server(self.info.clone()),
            // The protocol layer does these; here they only pass the middleware.
            Request::SetLevel(_) => Response::Empty,
            Request::Subscribe(ref uri) | Request::Unsubscribe(ref uri) => {
                if let Some((child, inner)) = registry.child_of(uri) {
                    let subscribes = matches!(request, Request::Subscribe(_));
                    let request = if subscribes { Request::Subscribe(inner) } else { Request::Unsubscribe(inner) };
                    child.tell(context, request).await?;
                }
                Response::Empty
            }
        })
    }

    /// Follows a change within an inner server.
    fn child_changed(&self, index: usize, change: &Change) {
        let child = self.registry().child(index);
        let Some(change) = child.and_then(|child| child.change_outside(change)) else { return };
        let changed = match change {
            Change::Resource(_) => {
                self.tell(change);
                Ok(())
            }
            list => self.change(list, |builder| builder.merge_again(index)),
        };
        if let Err(problems) = changed {
            tracing::error!(?problems, "what changed within an inner server does not fit the outer one");
        }
    }

    /// Changes the components and tells clients.
    fn change(&self, change: Change, edit: impl FnOnce(&mut RegistryBuilder)) -> Result<(), Vec<Problem>> {
        {
            let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
            let mut builder = RegistryBuilder::from_registry((**registry).clone(), self.page_size);
            edit(&mut builder);
            *registry = Arc::new(builder.finish()?);
        }
        self.tell(change);
        Ok(())
    }

    /// Takes other components instead of those that it has, and tells of the lists that changed. What does not fit is
    /// left out.
    #[cfg(feature = "proxy")]
    pub(crate) fn replace(&self, changes: &[Change], fill: impl FnOnce(&mut RegistryBuilder)) {
        let mut builder = RegistryBuilder::from_registry(Registry::default(), self.page_size);
        fill(&mut builder);
        for problem in builder.problems.drain(..) {
            tracing::warn!("a component of a proxied server is left out: {problem}");
        }
        if let Ok(registry) = builder.finish() {
            *self.registry.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
        }
        for change in changes {
            self.tell(change.clone());
        }
    }

    pub(crate) fn tell(&self, change: Change) {
        if let Some((outer, index)) = self.outer.get()
            && let Some(outer) = outer.upgrade()
        {
            outer.child_changed(*index, &change);
        }
        // Nobody listens: nobody is missed.
        let _ = self.changes.send(change);
    }
}

#[async_trait]
impl Terminal for Engine {
    async fn request(&self, context: &Context, request: Request) -> Result<Response, Error> {
        self.answer(context, request).await
    }

    async fn notification(&self, _: &Context, _: Notification) {}
}

/// A hold on a running server: adds and removes components while it serves. Clients that asked for it are told.
#[derive(Clone, Default)]
pub struct Handle(Weak<Engine>);

impl Handle {
    pub(crate) fn new(engine: &Arc<Engine>) -> Self {
        Self(Arc::downgrade(engine))
    }

    /// # Errors
    /// When the name is taken or not legal. Nothing is changed then.
    pub fn add_tool(&self, tool: Tool) -> Result<(), Vec<Problem>> {
        self.change(Change::Tools, |builder| builder.tool(tool))
    }

    /// # Errors
    /// When the URI is taken or wrong. Nothing is changed then.
    pub fn add_resource(&self, resource: Resource) -> Result<(), Vec<Problem>> {
        self.change(Change::Resources, |builder| builder.resource(resource))
    }

    /// # Errors
    /// When the template is taken, wrong, or does not fit its handler. Nothing is changed then.
    pub fn add_resource_template(&self, template: ResourceTemplate) -> Result<(), Vec<Problem>> {
        self.change(Change::Resources, |builder| builder.template(template))
    }

    /// # Errors
    /// When the name is taken. Nothing is changed then.
    pub fn add_prompt(&self, prompt: Prompt) -> Result<(), Vec<Problem>> {
        self.change(Change::Prompts, |builder| builder.prompt(prompt))
    }

    /// Removes a tool; says whether there was one.
    pub fn remove_tool(&self, name: &str) -> bool {
        let mut removed = false;
        self.change(Change::Tools, |builder| removed = builder.remove_tool(name)).is_ok() && removed
    }

    /// Removes a resource or a resource template; says whether there was one.
    pub fn remove_resource(&self, uri: &str) -> bool {
        let mut removed = false;
        self.change(Change::Resources, |builder| removed = builder.remove_resource(uri)).is_ok() && removed
    }

    /// Removes a prompt; says whether there was one.
    pub fn remove_prompt(&self, name: &str) -> bool {
        let mut removed = false;
        self.change(Change::Prompts, |builder| removed = builder.remove_prompt(name)).is_ok() && removed
    }

    /// Tells clients that subscribed to a resource that its contents changed.
    pub fn resource_updated(&self, uri: impl Into<String>) {
        if let Some(engine) = self.0.upgrade() {
            engine.tell(Change::Resource(uri.into()));
        }
    }

    /// A server that stopped changes no more.
    fn change(&self, change: Change, edit: impl FnOnce(&mut RegistryBuilder)) -> Result<(), Vec<Problem>> {
        self.0.upgrade().map_or(Ok(()), |engine| engine.change(change, edit))
    }
}
