//! What to do when the system asks this process to stop.

use std::{io, sync::mpsc, task::Poll, thread};

use tokio::runtime::Builder;

/// Calls a function at the first Ctrl-C, on a thread of its own.
///
/// # Errors
/// When there is no such thread to be had.
pub(crate) fn on_interrupt(act: impl FnOnce() + Send + 'static) -> io::Result<()> {
    on(async || tokio::signal::ctrl_c().await.is_ok(), act)
}

/// Calls a function at the first Ctrl-C or SIGTERM, on a thread of its own.
///
/// # Errors
/// When there is no such thread to be had.
pub(crate) fn on_stop(act: impl FnOnce() + Send + 'static) -> io::Result<()> {
    #[cfg(unix)]
    let asked = async || {
        let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            return false;
        };
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
            terminated = terminated.recv() => terminated.is_some(),
        }
    };
    #[cfg(not(unix))]
    let asked = async || tokio::signal::ctrl_c().await.is_ok();
    on(asked, act)
}

fn on(asked: impl AsyncFnOnce() -> bool + Send + 'static, act: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (ready, listening) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            let mut asked = std::pin::pin!(asked());
            // The first poll installs the handlers.
            let first = std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context))).await;
            let _ = ready.send(());
            let asked = match first {
                Poll::Ready(asked) => asked,
                Poll::Pending => asked.await,
            };
            if asked {
                act();
            }
        });
    })?;
    let _ = listening.recv();
    Ok(())
}
