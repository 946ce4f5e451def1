//! Commands from standard input.

use std::io::{BufRead, Read};

use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;
use tokio::sync::mpsc;

/// A line is never longer, in bytes.
const LONGEST: u64 = 1_024;

/// The lines of standard input as they come. The channel closes at its end; the simulator goes on.
///
/// Reading needs a thread: standard input may be a file, which nobody can wait for. It ends with the process. A
/// process in the background of a terminal does not read: the terminal would stop it.
pub fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    // Not a terminal, or not ours: nobody can stop us for reading.
    let in_background = tcgetpgrp(stdin()).is_ok_and(|foreground| foreground != getpgrp());
    if !in_background {
        std::thread::spawn(move || pass_on(&sender));
    }
    receiver
}

fn pass_on(sender: &mpsc::Sender<String>) {
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while (&mut input).take(LONGEST).read_line(&mut line).is_ok_and(|read| read > 0) {
        if sender.blocking_send(std::mem::take(&mut line)).is_err() {
            break;
        }
    }
}
