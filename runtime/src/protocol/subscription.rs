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

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn contains(&self, uri: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(uri)
    }
}

/// The next changes. A reader that fell behind hears that everything changed: the lists, and each of the resources.
async fn next(changes: &mut Receiver<Change>, resources: impl Fn() -> Vec<String>) -> Option<Vec<Change>> {
    match changes.recv().await {
        Ok(change) => Some(vec![change]),
        Err(RecvError::Lagged(_)) => {
            let lists = [Change::Tools, Change::Resources, Change::Prompts];
            Some(lists.into_iter().chain(resources().into_iter().map(Change::Resource)).collect())
        }
        Err(RecvError::Closed) => None,
    }
}

/// Hands changes on to a connection of an older version for as long as it lives.
pub(super) fn forward(mut changes: Receiver<Change>, subscriptions: Arc<Subscriptions>, peer: Peer<RoleServer>) {
    tokio::spawn(async move {
        // The engine holds the sender, and this task must not hold the engine: it ends with either.
        while let Some(found) = next(&mut changes, || subscriptions.all()).await {
            for change in found {
                if peer.is_transport_closed() {
                    return;
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
                    return;
                }
            }
        }
    });
}

/// Hands changes on to a `subscriptions/listen` request until it ends.
pub(super) async fn listen(mut changes: Receiver<Change>, context: SubscriptionContext) {
    let sink = context.sink();
    let subscribed = || context.accepted().resource_subscriptions.clone().unwrap_or_default();
    loop {
        let found = tokio::select! {
            () = context.cancelled() => return,
            found = next(&mut changes, subscribed) => found,
        };
        let Some(found) = found else { return };
        for change in found {
            // What the client did not ask for is refused by the sink, which is as well.
            let told = match change {
                Change::Tools => sink.notify_tool_list_changed().await,
                Change::Resources => sink.notify_resource_list_changed().await,
                Change::Prompts => sink.notify_prompt_list_changed().await,
                Change::Resource(uri) => sink.notify_resource_updated(uri).await,
            };
            if let Err(error) = told {
                tracing::trace!(%error, "a change was not handed on");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_fell_behind_hears_of_everything() {
        let sender = tokio::sync::broadcast::Sender::new(2);
        let mut changes = sender.subscribe();
        for number in 0..5 {
            sender.send(Change::Resource(format!("a:{number}"))).expect("a reader");
        }
        let subscribed = || vec!["a:0".to_owned()];
        let found = next(&mut changes, subscribed).await.expect("changes");
        let expected = [Change::Tools, Change::Resources, Change::Prompts, Change::Resource("a:0".to_owned())];
        assert_eq!(found, expected);
        assert_eq!(next(&mut changes, subscribed).await, Some(vec![Change::Resource("a:3".to_owned())]));
        drop(sender);
        next(&mut changes, subscribed).await.expect("the last one");
        assert_eq!(next(&mut changes, subscribed).await, None);
    }
}
