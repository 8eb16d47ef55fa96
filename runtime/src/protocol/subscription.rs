//! Telling clients that something changed: over the connection in older versions, over `subscriptions/listen` from
//! 2026-07-28 on.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ErrorData, RoleServer, model as wire,
    service::{Peer, SubscriptionContext},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::engine::Change;

/// How many resources one connection may subscribe to.
const MAX_SUBSCRIPTIONS: usize = 1000;

/// The resources that one connection subscribed to.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<HashSet<String>>);

impl Subscriptions {
    pub(super) fn add(&self, uri: String) -> Result<(), ErrorData> {
        let mut uris = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uris.len() >= MAX_SUBSCRIPTIONS && !uris.contains(&uri) {
            let message =
                format!("A connection may subscribe to {MAX_SUBSCRIPTIONS} resources. Unsubscribe from some.");
            return Err(ErrorData::invalid_request(message, None));
        }
        uris.insert(uri);
        Ok(())
    }

    pub(super) fn remove(&self, uri: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
    }

    fn contains(&self, uri: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uri)
    }
}

/// The next change. A reader that fell behind goes on with what is there: lists are read anew anyway.
async fn next(changes: &mut Receiver<Change>) -> Option<Change> {
    loop {
        match changes.recv().await {
            Ok(change) => return Some(change),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

/// Hands changes on to a connection of an older version for as long as it lives.
pub(super) fn forward(mut changes: Receiver<Change>, subscriptions: Arc<Subscriptions>, peer: Peer<RoleServer>) {
    tokio::spawn(async move {
        // The engine holds the sender, and this task must not hold the engine: it ends with either.
        while let Some(change) = next(&mut changes).await {
            if peer.is_transport_closed() {
                break;
            }
            let told = match change {
                Change::Tools => peer.notify_tool_list_changed().await,
                Change::Resources => peer.notify_resource_list_changed().await,
                Change::Prompts => peer.notify_prompt_list_changed().await,
                Change::Resource(uri) if subscriptions.contains(&uri) => {
                    peer.notify_resource_updated(wire::ResourceUpdatedNotificationParam::new(uri)).await
                }
                Change::Resource(_) => Ok(()),
            };
            if told.is_err() {
                break;
            }
        }
    });
}

/// Hands changes on to a `subscriptions/listen` request until it ends.
pub(super) async fn listen(mut changes: Receiver<Change>, context: SubscriptionContext) {
    let sink = context.sink();
    loop {
        let change = tokio::select! {
            () = context.cancelled() => return,
            change = next(&mut changes) => change,
        };
        // What the client did not ask for is refused by the sink, which is as well.
        let told = match change {
            None => return,
            Some(Change::Tools) => sink.notify_tool_list_changed().await,
            Some(Change::Resources) => sink.notify_resource_list_changed().await,
            Some(Change::Prompts) => sink.notify_prompt_list_changed().await,
            Some(Change::Resource(uri)) => sink.notify_resource_updated(uri).await,
        };
        if let Err(error) = told {
            tracing::trace!(%error, "a change was not handed on");
        }
    }
}
