//! Waits for the signals that stop the program.

use std::io::{self, IsTerminal, Write};

/// Waits for the first signal to stop. Returns the exit code that a shell expects for that signal.
pub fn stopped() -> io::Result<impl Future<Output = u8>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Register the handlers before the first await, so that the program misses no signal.
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
        // If the handler cannot be registered, wait for ever: the process runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        130
    })
}

/// Ends the line on which a terminal shows `^C`, so that the next message begins a line.
pub fn end_line() {
    let mut err = io::stderr();
    if err.is_terminal() {
        // Ignore a closed stream.
        let _ = err.write_all(b"\n");
    }
}
