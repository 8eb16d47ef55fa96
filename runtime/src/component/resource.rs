//! Resources with a fixed URI.

use std::{borrow::Cow, future::Future, sync::Arc};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Answer, Icon, template::OperationResource};
use crate::{
    Error,
    compose::Inner,
    content::{ResourceBody, ResourceContents},
    context::Context,
    message::ResourceInfo,
};

/// What handlers of resources may return.
pub trait IntoResource {
    /// Makes the contents. `uri` is what the client asked for, `media_type` what the resource was announced as.
    fn into_resource(self, uri: &str, media_type: &str) -> Vec<ResourceContents>;
}

fn contents(uri: &str, media_type: &str, otherwise: &str, body: ResourceBody) -> Vec<ResourceContents> {
    let media_type = if media_type.is_empty() { otherwise } else { media_type };
    vec![ResourceContents { uri: uri.to_owned(), media_type: Some(media_type.to_owned()), body, meta: Map::new() }]
}

impl IntoResource for String {
    fn into_resource(self, uri: &str, media_type: &str) -> Vec<ResourceContents> {
        contents(uri, media_type, "text/plain", ResourceBody::Text(self))
    }
}

impl IntoResource for &'static str {
    fn into_resource(self, uri: &str, media_type: &str) -> Vec<ResourceContents> {
        self.to_owned().into_resource(uri, media_type)
    }
}

impl IntoResource for Bytes {
    fn into_resource(self, uri: &str, media_type: &str) -> Vec<ResourceContents> {
        contents(uri, media_type, "application/octet-stream", ResourceBody::Blob(self))
    }
}

impl IntoResource for Vec<u8> {
    fn into_resource(self, uri: &str, media_type: &str) -> Vec<ResourceContents> {
        Bytes::from(self).into_resource(uri, media_type)
    }
}

impl IntoResource for Value {
    fn into_resource(self, uri: &str, media_type: &str) -> Vec<ResourceContents> {
        contents(uri, media_type, "application/json", ResourceBody::Text(self.to_string()))
    }
}

impl IntoResource for Vec<ResourceContents> {
    fn into_resource(self, _: &str, _: &str) -> Vec<ResourceContents> {
        self
    }
}

pub(crate) type ResourceHandler = Arc<dyn Fn(Context, &str, &str) -> Answer<Vec<ResourceContents>> + Send + Sync>;

/// A resource that is written by hand.
#[must_use]
pub struct Resource {
    pub(crate) info: ResourceInfo,
    pub(crate) handler: ResourceHandler,
}

impl Resource {
    /// A resource whose contents the handler makes when a client reads it.
    pub fn new<F, Fut, R>(uri: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        F: Fn(Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: IntoResource + 'static,
    {
        let handler: ResourceHandler = Arc::new(move |context, uri, media_type| {
            let (answer, uri, media_type) = (handler(context), uri.to_owned(), media_type.to_owned());
            Box::pin(async move { Ok(answer.await?.into_resource(&uri, &media_type)) })
        });
        let info = ResourceInfo {
            uri: uri.into(),
            name: name.into(),
            title: "".into(),
            description: "".into(),
            media_type: "".into(),
            size: None,
            icons: Vec::new(),
            tags: Vec::new(),
            meta: Map::new(),
        };
        Self { info, handler }
    }

    /// A resource whose text never changes.
    pub fn text(
        uri: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        text: impl Into<Arc<str>>,
    ) -> Self {
        let text = text.into();
        let size = text.len() as u64;
        let mut resource = Self::new(uri, name, move |_| {
            let text = text.to_string();
            async move { Ok(text) }
        });
        resource.info.size = Some(size);
        resource
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.info.title = title.into();
        self
    }

    /// What the resource holds.
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.info.description = description.into();
        self
    }

    /// The media type.
    pub fn media_type(mut self, media_type: impl Into<Cow<'static, str>>) -> Self {
        self.info.media_type = media_type.into();
        self
    }

    /// Adds an icon.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.info.icons.push(icon);
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl Into<Cow<'static, str>>) -> Self {
        self.info.tags.push(tag.into());
        self
    }
}

/// A resource as the registry keeps it.
pub(crate) struct ResourceEntry {
    pub(crate) info: Arc<ResourceInfo>,
    pub(crate) source: ResourceSource,
}

pub(crate) enum ResourceSource {
    Custom(ResourceHandler),
    Operation(OperationResource),
    Mounted(Inner),
}

impl ResourceEntry {
    pub(crate) async fn read(&self, context: Context, uri: &str) -> Result<Vec<ResourceContents>, Error> {
        match &self.source {
            ResourceSource::Custom(handler) => handler(context, uri, &self.info.media_type).await,
            ResourceSource::Operation(operation) => operation.read(context, Map::new(), uri).await,
            ResourceSource::Mounted(inner) => inner.child.read(&context, inner.name.clone()).await,
        }
    }
}

impl From<Resource> for ResourceEntry {
    fn from(resource: Resource) -> Self {
        Self { info: Arc::new(resource.info), source: ResourceSource::Custom(resource.handler) }
    }
}
