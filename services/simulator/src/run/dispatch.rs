//! Commands on their way to whom they are for.

use tokio::sync::mpsc;

use super::Event;
use crate::command::{self, Action};
use crate::converter;
use crate::inverters;

/// Hands a command to the batteries it is for.
pub(super) fn dispatch(
    line: &str,
    batteries: &[mpsc::Sender<Action>],
    converters: &[converter::Running],
    inverters: &mut inverters::Running,
) -> Option<Event> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let ["converter", words @ ..] = words.as_slice() {
        return Some(ask(converters, words));
    }
    if let ["inverter", words @ ..] = words.as_slice() {
        let (number, words) = numbered(words);
        return Some(match inverters.command(number, words) {
            Ok(text) => Event::Inverter { number, text },
            Err(why) => Event::Refused(why),
        });
    }
    match line.trim() {
        "" => return None,
        "help" => return Some(Event::Help),
        _ => {}
    }
    let command = match command::parse(line) {
        Ok(command) => command,
        Err(why) => return Some(Event::Refused(why)),
    };
    let chosen = match command.battery {
        None => batteries,
        Some(number) => match batteries.get(number..=number) {
            Some(chosen) => chosen,
            None => return Some(Event::Refused(format!("there is no battery {number}"))),
        },
    };
    let taken = chosen.iter().all(|battery| battery.try_send(command.action.clone()).is_ok());
    match (taken, &command.action) {
        (false, _) => Some(Event::Refused("too many commands at once".to_owned())),
        (true, Action::Status | Action::Report) => None,
        (true, _) => Some(Event::Done),
    }
}

/// Hands a command to the converter it is for, the first unless a number says otherwise.
fn ask(converters: &[converter::Running], words: &[&str]) -> Event {
    let (number, words) = numbered(words);
    match converters.get(number).map(|converter| converter.command(words)) {
        Some(Ok(text)) => Event::Converter { number, text },
        Some(Err(why)) => Event::Refused(why),
        None => Event::Refused(format!("there is no converter {number}")),
    }
}

/// A number in front of words, 0 without.
fn numbered<'a>(words: &'a [&'a str]) -> (usize, &'a [&'a str]) {
    match words {
        [first, rest @ ..] => first.parse().map_or((0, words), |number| (number, rest)),
        [] => (0, words),
    }
}
