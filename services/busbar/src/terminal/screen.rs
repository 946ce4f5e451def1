//! A terminal for one picture that is drawn over itself. It is taken over in its alternate screen, so that nothing ever
//! scrolls and what stood there before comes back; lines beyond the width and the height are cut.

use std::io::{Write, stdin, stdout};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::line::Paint;
use super::{Line, Style};

/// xterm's private modes: alternate screen with the cursor saved (1049), cursor hidden (25), no wrapping at the right
/// edge (7).
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const GIVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Where a terminal does not say how large it is.
const USUAL: (usize, usize) = (80, 24);

/// A terminal that shows one picture. It is given back when this goes out of scope, and by a panic.
#[derive(Debug)]
pub(crate) struct Screen {
    paint: Paint,
    /// The modes of the keyboard, where standard input is a terminal.
    modes: Option<Termios>,
}

impl Screen {
    /// Takes the terminal behind standard output.
    pub(crate) fn take() -> std::io::Result<Screen> {
        let screen = Screen { paint: Paint::of_stdout(), modes: tcgetattr(stdin()).ok() };
        let modes = screen.modes.clone();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give(modes.as_ref());
            report(panic);
        }));
        screen.enter()?;
        Ok(screen)
    }

    /// Columns and rows.
    pub(crate) fn size() -> (usize, usize) {
        match tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => USUAL,
        }
    }

    /// Draws a picture in place of the one before.
    pub(crate) fn draw(&self, picture: &[Line]) -> std::io::Result<()> {
        let text = frame(picture, Screen::size(), self.paint);
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Gives the terminal back and stops this process until somebody continues it, then takes the terminal again.
    pub(crate) fn stop(&self) -> std::io::Result<()> {
        give(self.modes.as_ref());
        kill_process(getpid(), Signal::STOP)?;
        self.enter()
    }

    fn enter(&self) -> std::io::Result<()> {
        if let Some(modes) = &self.modes {
            // Keys arrive at once and do not appear; Ctrl-C and Ctrl-Z still are signals.
            let mut quiet = modes.clone();
            quiet.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            tcsetattr(stdin(), OptionalActions::Now, &quiet)?;
        }
        let mut out = stdout().lock();
        out.write_all(TAKE.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give(self.modes.as_ref());
        // The hook that gave the terminal back has nothing to give any more.
        if !std::thread::panicking() {
            drop(std::panic::take_hook());
        }
    }
}

/// The terminal may be gone by now, which leaves nothing to give back.
fn give(modes: Option<&Termios>) {
    if let Some(modes) = modes {
        let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
    }
    let mut out = stdout().lock();
    let _ = out.write_all(GIVE.as_bytes()).and_then(|()| out.flush());
}

/// What draws a picture over whatever a terminal of this size shows. Each line is cleared before it is written: after a
/// character in the last column, clearing would take that character.
fn frame(picture: &[Line], (width, height): (usize, usize), paint: Paint) -> String {
    let mut text = String::from("\x1b[H");
    let fits = picture.len() <= height;
    let shown = if fits { picture.len() } else { height.saturating_sub(1) };
    for (n, line) in picture.iter().take(shown).enumerate() {
        text.push_str(if n > 0 { "\r\n\x1b[2K" } else { "\x1b[2K" });
        line.cut(width).write(paint, &mut text);
    }
    if fits {
        if shown < height {
            text.push_str("\r\n\x1b[J");
        }
    } else {
        text.push_str(if shown > 0 { "\r\n\x1b[2K" } else { "\x1b[2K" });
        let more = format!("{} more lines; a larger window shows them", picture.len() - shown);
        Line::of(Style::Faint, more).cut(width).write(paint, &mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<Line> {
        (1..=count).map(|n| Line::plain(format!("line {n}"))).collect()
    }

    #[test]
    fn a_picture_that_fits_is_drawn_whole_and_the_rest_is_cleared() {
        let text = frame(&lines(2), (80, 24), Paint::Plain);
        assert_eq!(text, "\x1b[H\x1b[2Kline 1\r\n\x1b[2Kline 2\r\n\x1b[J");
    }

    #[test]
    fn a_picture_as_high_as_the_terminal_never_ends_its_last_line() {
        let text = frame(&lines(3), (80, 3), Paint::Plain);
        assert!(text.ends_with("line 3"), "{text:?}");
    }

    #[test]
    fn a_picture_that_is_too_high_says_how_much_is_missing() {
        let text = frame(&lines(9), (80, 3), Paint::Plain);
        assert!(text.contains("line 2\r\n") && !text.contains("line 3"), "{text:?}");
        assert!(text.ends_with("7 more lines; a larger window shows them"), "{text:?}");
        assert_eq!(text.matches("\r\n").count(), 2);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 0..12 {
            let text = frame(&[Line::plain("a line of text"), Line::plain("x")], (width, 24), Paint::Plain);
            for line in text.split("\r\n") {
                let visible = line.trim_start_matches("\x1b[H").trim_start_matches("\x1b[2K");
                assert!(visible == "\x1b[J" || visible.chars().count() <= width, "{width}: {line:?}");
            }
        }
    }
}
