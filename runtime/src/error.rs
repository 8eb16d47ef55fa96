//! Why a request failed, in terms that every layer of the runtime understands.

use std::{borrow::Cow, time::Duration};

use serde_json::Value;

/// A failed request. Messages are for clients and models: they hold no secret and no internals.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What went wrong.
    pub kind: ErrorKind,
    /// One or more sentences.
    pub message: Cow<'static, str>,
    /// Structured details for programs.
    pub data: Option<Box<Value>>,
}

/// The kinds of failures; the protocol layer maps them to tool errors, JSON-RPC codes and HTTP statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The arguments or parameters are wrong; nothing was done.
    InvalidParams,
    /// No such tool, resource or prompt.
    NotFound,
    /// The component failed in a way that its caller should see.
    Failed,
    /// A fault of the server; the cause is in the log, not in the message.
    Internal,
    /// The request needs a credential.
    Unauthorized,
    /// The principal lacks these scopes.
    Forbidden {
        /// All scopes that the request needs.
        scopes: Vec<String>,
    },
    /// A limit was reached.
    RateLimited {
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// The server is busy.
    Overloaded,
    /// The request took too long.
    TimedOut,
    /// The client gave up.
    Cancelled,
    /// The client lacks a capability that the request needs.
    Unsupported,
}

impl Error {
    /// A failure of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), data: None }
    }

    /// Wrong arguments.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidParams, message)
    }

    /// No such component.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A failure that the caller should see.
    pub fn failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// A fault of the server.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Adds details for programs.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }
}
