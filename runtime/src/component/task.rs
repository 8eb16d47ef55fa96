//! How calls of a tool go on: with the request, or as tasks of their own.

use std::time::Duration;

/// Whether calls of a tool become tasks (extension `io.modelcontextprotocol/tasks` of 2026-07-28): the client gets a
/// handle at once, asks for the outcome later, answers questions on the way and may cancel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TaskSupport {
    /// Never: the client waits for the result.
    #[default]
    Forbidden,
    /// For clients that know tasks; others wait for the result.
    Optional,
    /// Always: clients that do not know tasks are refused (-32021).
    Required,
}

/// What holds for the calls of a tool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallTerms {
    /// When a call is given up, where it is not the server's limit that counts.
    pub(crate) timeout: Option<Duration>,
    pub(crate) task_support: TaskSupport,
    /// Whether the handler says when a call becomes a task.
    pub(crate) starts_task: bool,
    /// How long a task is kept, from its creation.
    pub(crate) task_lifetime: Duration,
}

impl Default for CallTerms {
    fn default() -> Self {
        Self {
            timeout: None,
            task_support: TaskSupport::Forbidden,
            starts_task: false,
            task_lifetime: Duration::from_secs(30 * 60),
        }
    }
}
