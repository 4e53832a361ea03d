//! Waits for the signals that stop the program.

use std::io;

/// Waits for the first signal that stops the program. Returns the exit code that a shell expects for this signal.
pub fn stopped() -> io::Result<impl Future<Output = u8>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Register the handlers before the first await, so that no signal is missed.
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // If no handler can be registered, wait forever. The operating system then ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        130
    })
}
