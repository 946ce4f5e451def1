//! What the user of a live picture wants: keys, signals, and another size of the terminal.

use std::io::Read;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// `SIGTSTP`, the stop that a terminal sends for Ctrl-Z.
const STOP: i32 = 20;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To be left alone: `q`, Ctrl-C, the terminal was closed, or the process is asked to end.
    End,
    /// The picture again, in another size.
    Redraw,
    /// The terminal for something else, for a while.
    Stop,
}

/// Where wishes come from.
#[derive(Debug)]
pub(crate) struct Wishes {
    ends: [Signal; 3],
    resized: Signal,
    /// Only where there is a picture to be taken away: a program that writes into a pipe is stopped by the kernel.
    stopped: Option<Signal>,
    keys: mpsc::Receiver<u8>,
}

impl Wishes {
    /// Signals, and keys where somebody sits before a live picture. Must be called inside a tokio runtime.
    pub(crate) fn new(is_live: bool) -> std::io::Result<Wishes> {
        let end = |kind| signal(kind);
        Ok(Wishes {
            ends: [end(SignalKind::interrupt())?, end(SignalKind::terminate())?, end(SignalKind::hangup())?],
            resized: signal(SignalKind::window_change())?,
            stopped: is_live.then(|| signal(SignalKind::from_raw(STOP))).transpose()?,
            keys: keys(is_live),
        })
    }

    /// The next wish.
    pub(crate) async fn next(&mut self) -> Wish {
        let [interrupted, terminated, hung_up] = &mut self.ends;
        let stopped = async {
            match &mut self.stopped {
                Some(stopped) => stopped.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupted.recv() => Wish::End,
            _ = terminated.recv() => Wish::End,
            _ = hung_up.recv() => Wish::End,
            Some(_) = self.keys.recv() => Wish::End,
            _ = self.resized.recv() => Wish::Redraw,
            _ = stopped => Wish::Stop,
        }
    }
}

/// Each `q` that is typed. A thread of its own waits for keys: standard input may be the very terminal that others write
/// to, so it must not be made non-blocking. The thread ends with the process.
fn keys(is_live: bool) -> mpsc::Receiver<u8> {
    let (to_loop, keys) = mpsc::channel(4);
    if is_live && std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        let read = move || {
            let quits = |byte: &Result<u8, _>| matches!(byte, Ok(b'q' | b'Q'));
            for byte in std::io::stdin().lock().bytes().take_while(Result::is_ok).filter(quits).flatten() {
                if to_loop.blocking_send(byte).is_err() {
                    return;
                }
            }
        };
        // Without the thread, Ctrl-C still ends the picture.
        let _ = std::thread::Builder::new().name("keys".to_owned()).spawn(read);
    }
    keys
}
