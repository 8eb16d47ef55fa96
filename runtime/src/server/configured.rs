//! The layers that the configuration of the generator and the environment ask for.

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc};

use super::{Endpoint, Server, StartError, prefix};
use crate::{
    middleware::configuration::{self, MiddlewareConfig, Store},
    storage::KvStore,
};

/// What an environment variable holds, or why it cannot be used.
pub(super) type Environment<'a> = &'a (dyn Fn(&str) -> Result<Option<String>, StartError> + Send + Sync);

/// The environment of the process. An empty variable is as good as none.
pub(super) fn process(name: &str) -> Result<Option<String>, StartError> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(_) => Err(StartError::Option(format!("{name} is not UTF-8"))),
    }
}

/// Puts the configured layers around those of the server, and of the servers within it. `outermost` is the prefix of the
/// variables of the outermost one.
pub(super) fn add<'a>(
    server: &'a mut Server,
    outermost: Option<&'a str>,
    environment: Environment<'a>,
) -> Pin<Box<dyn Future<Output = Result<(), StartError>> + Send + 'a>> {
    Box::pin(async move {
        let own = prefix(&server.info.name);
        // One variable asks for layers once, however many servers have the name.
        let has_variable = outermost.is_none_or(|outermost| outermost != own);
        let variable = format!("{own}_MIDDLEWARE");
        let from_environment = if has_variable { environment(&variable)? } else { None };
        let defaults: Vec<&str> = server.apis.iter().map(|source| source.api.middleware).collect();
        let config = MiddlewareConfig::parse(defaults.iter().copied())
            .map_err(|error| StartError::Option(format!("[middleware] in mcpwright.toml: {error}")))?;
        let config = match &from_environment {
            Some(text) => MiddlewareConfig::parse(defaults.into_iter().chain([text.as_str()]))
                .map_err(|error| StartError::Option(format!("{variable}: {error}")))?,
            None => config,
        };

        let store = if config.keeps() { store(&own, outermost, environment).await? } else { None };
        if let Some(warning) = config.counts_apart(store.as_ref()) {
            tracing::warn!("{warning}");
        }
        let built = config.build(store.as_ref());
        server.layers.splice(0..0, built.layers);
        for warning in configuration::misplaced(&server.layers) {
            tracing::warn!("{warning}");
        }
        match built.metrics {
            Some(timing) if outermost.is_none() => {
                // The first, so that what the author or authentication puts in front is in front of this too.
                let layer = |router, endpoint: &Endpoint| match endpoint.path.as_str() {
                    "/metrics" => Err("--path is /metrics, where the measurements are".into()),
                    _ => Ok(configuration::metrics(router, timing)),
                };
                server.http.insert(0, Box::new(layer));
            }
            Some(_) => tracing::warn!(server = server.info.name, "only the outermost server has /metrics"),
            None => {}
        }

        let outermost = outermost.map_or(own, Cow::Borrowed);
        for inner in &mut server.inner {
            add(&mut inner.mounted.server, Some(&outermost), environment).await?;
        }
        Ok(())
    })
}

/// The store that `<PREFIX>_STORAGE` names, of this server or else of the outermost one.
async fn store(own: &str, outermost: Option<&str>, environment: Environment<'_>) -> Result<Option<Store>, StartError> {
    for prefix in std::iter::once(own).chain(outermost) {
        let variable = format!("{prefix}_STORAGE");
        if let Some(url) = environment(&variable)? {
            let keys = environment(&format!("{prefix}_STORAGE_KEYS"))?.map(Into::into);
            let store = Store::open(&url, keys).await;
            return store.map(Some).map_err(|error| StartError::Option(format!("{variable}: {error}")));
        }
    }
    Ok(None)
}

/// The same store, for the sessions of the outermost server.
pub(super) async fn session_store(
    own: &str,
    environment: Environment<'_>,
) -> Result<Option<Arc<dyn KvStore>>, StartError> {
    Ok(store(own, None, environment).await?.map(Store::into_values))
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body};
    use http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;
    use crate::{catalog::Api, server::Options};

    static API: Api = Api {
        name: "pet-store",
        middleware: r#"{"timing":{"metrics":true},"response_caching":{"tools_ms":5},"retry":{}}"#,
        ..Api::DEFAULT
    };

    async fn with(server: &mut Server, variables: &[(&str, &str)]) -> Result<(), StartError> {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment =
            move |name: &str| Ok(variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
        add(server, None, &environment).await
    }

    fn names(server: &Server) -> Vec<&'static str> {
        server.layers.iter().map(|layer| layer.name().rsplit("::").next().unwrap()).collect()
    }

    #[tokio::test]
    async fn the_environment_changes_what_the_generator_was_configured_with() {
        let mut server = Server::new(&API).middleware(crate::middleware::PromptsAsTools);
        with(&mut server, &[]).await.unwrap();
        assert_eq!(names(&server), ["Timing", "ResponseCaching", "Retry", "PromptsAsTools"]);

        let mut server = Server::new(&API);
        let variables = r#"{"retry":null,"rate_limiting":{"requests":1,"per_ms":1000}}"#;
        with(&mut server, &[("PET_STORE_MIDDLEWARE", variables), ("PET_STORE_STORAGE", "memory://")]).await.unwrap();
        assert_eq!(names(&server), ["Timing", "RateLimiting", "ResponseCaching"]);
    }

    #[tokio::test]
    async fn a_mistake_names_the_variable_and_no_secret() {
        for (variable, value, expected) in [
            ("PET_STORE_MIDDLEWARE", r#"{"cache":{}}"#, "PET_STORE_MIDDLEWARE: there is no layer `cache`"),
            ("PET_STORE_STORAGE", "pg://u:s3cr3t@host", "PET_STORE_STORAGE: invalid storage URL"),
        ] {
            let error = with(&mut Server::new(&API), &[(variable, value)]).await.unwrap_err().to_string();
            assert!(error.starts_with(expected) && !error.contains("s3cr3t"), "{error}");
        }
        static WRONG: Api = Api { name: "wrong", middleware: r#"{"timing":{"metric":true}}"#, ..Api::DEFAULT };
        let error = with(&mut Server::new(&WRONG), &[]).await.unwrap_err().to_string();
        assert!(error.starts_with("[middleware] in mcpwright.toml: `timing`: unknown field `metric`"), "{error}");
    }

    #[tokio::test]
    async fn a_server_within_the_server_has_its_own_layers_and_no_metrics() {
        let mut server = Server::named("outer").mount("inner", Server::new(&API));
        with(&mut server, &[("PET_STORE_MIDDLEWARE", r#"{"retry":null}"#)]).await.unwrap();
        let inner = &server.inner[0].mounted.server;
        assert_eq!((names(&server).len(), names(inner)), (0, vec!["Timing", "ResponseCaching"]));
        assert!(server.http.is_empty() && inner.http.is_empty());
    }

    #[tokio::test]
    async fn measurements_are_served_only_where_it_is_asked_for() {
        let get = async |router: Router| {
            let request = Request::get("/metrics").body(Body::empty()).unwrap();
            router.oneshot(request).await.unwrap()
        };
        let router = Server::new(&API).into_router(&Options::default()).await.unwrap();
        let response = get(router).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4");
        let text = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(text.starts_with(b"# HELP mcp_request_duration_seconds"));

        let router = Server::named("plain").into_router(&Options::default()).await.unwrap();
        assert_eq!(get(router).await.status(), StatusCode::NOT_FOUND);
        let options = Options { path: "/metrics".to_owned(), ..Options::default() };
        assert!(Server::new(&API).into_router(&options).await.is_err());
    }
}
