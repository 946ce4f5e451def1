//! What a work loop is told of the services that it follows. It is told of the state as it is when it asks, so what waits
//! for a slow reader is never more than one entry per service.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::followed::Followed;

/// What happened to a followed service. Its values are read from the monitor: a slow reader misses intermediate values
/// and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The service is on the bus and its items are known.
    Appeared {
        /// Its name.
        service: Arc<str>,
    },
    /// Items of the service differ from what the last event told.
    Changed {
        /// Its name.
        service: Arc<str>,
        /// The paths of those items.
        paths: Vec<Arc<str>>,
    },
    /// The service has left, or another process took its name over (then it appears again).
    Gone {
        /// Its name.
        service: Arc<str>,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// What the reader believes to be on the bus, with the life it was told of.
    told: BTreeMap<Arc<str>, u64>,
    /// Services with something to tell, each at most once; all are known or in `told`.
    queue: VecDeque<Arc<str>>,
}

impl Outbox {
    /// A service has something to tell. One that is not known yet has only its former life's end to tell.
    pub(crate) fn touch(&mut self, name: &str, known: bool) {
        let worth = known || self.told.contains_key(name);
        if worth && !self.queue.iter().any(|queued| queued.as_ref() == name) {
            self.queue.push_back(name.into());
        }
    }

    /// A service is gone. Who was never told that it came is not told that it went.
    pub(crate) fn removed(&mut self, name: &str) {
        self.queue.retain(|queued| queued.as_ref() != name);
        self.touch(name, false);
    }

    /// The next event, in the order in which the services first had something to tell.
    pub(crate) fn next(&mut self, services: &mut BTreeMap<Arc<str>, Followed>) -> Option<Event> {
        while let Some(service) = self.queue.pop_front() {
            let present = services.get_mut(&service).filter(|s| s.is_known());
            match (self.told.get(&service).copied(), present) {
                (Some(life), Some(present)) if life == present.life => {
                    let paths = present.take_changes();
                    if !paths.is_empty() {
                        return Some(Event::Changed { service, paths });
                    }
                }
                (Some(_), present) => {
                    if present.is_some() {
                        self.queue.push_front(service.clone());
                    }
                    self.told.remove(&service);
                    return Some(Event::Gone { service });
                }
                (None, Some(present)) => {
                    present.take_changes();
                    self.told.insert(service.clone(), present.life);
                    return Some(Event::Appeared { service });
                }
                (None, None) => {}
            }
        }
        None
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.told.len() + self.queue.len()
    }
}
