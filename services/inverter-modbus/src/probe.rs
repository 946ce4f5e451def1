//! A device read once, without a bus.

use tokio::time::Instant;

use crate::device::access::{Access, Fault};
use crate::device::recognise::{Identity, NotIt, recognise};
use crate::engine::decode::{Said, decode};
use crate::engine::image::Image;
use crate::engine::map::Map;
use crate::engine::plan::{self, Instead, Range};
use crate::line::address::Address;
use crate::line::{Line, Turn};
use crate::profile::Profile;

/// What a device said.
#[derive(Debug)]
pub struct Read {
    /// Who it is.
    pub identity: Identity,
    /// Its map.
    pub map: Map,
    /// Its registers.
    pub image: Image,
    /// What it refused.
    pub refused: Vec<(Range, Fault)>,
}

/// Recognises a device and reads everything of it once. Nothing is written. An answer that fails is asked for twice more.
///
/// # Errors
/// [`NotIt`].
pub async fn read(profile: &Profile, address: Address, unit: u8) -> Result<Read, NotIt> {
    let line = Line::start(address, None, 0);
    let access = Access::new(line, unit, profile);
    let identity = recognise(profile, &access).await?;
    let map = Map::new(profile, identity.chain.as_ref(), true);
    let (mut image, mut refused) = (Image::default(), Vec::new());
    // What some blocks say decides whether others are there.
    let mut known: Vec<(String, Option<f64>)> = Vec::new();
    for pass in 0..2 {
        let point = |name: &str| known.iter().find(|(of, _)| of == name).and_then(|(_, number)| *number);
        let requests = plan::plan(&map, &profile.link, |block| {
            block.when.as_ref().map_or(pass == 0, |when| pass == 1 && when.holds(&point))
        });
        let mut waiting: Vec<plan::Request> = requests.into_iter().rev().collect();
        while let Some(request) = waiting.pop() {
            match patiently(&access, request.range).await {
                Ok(values) => image.put(request.range.table, request.range.addr, &values, 1),
                Err(fault) if fault.is_absent() => match plan::refused(&request, &map) {
                    Instead::Requests(parts) => waiting.extend(parts.into_iter().rev()),
                    Instead::Nothing(range) => refused.push((range, fault)),
                },
                Err(fault) => return Err(fault.into()),
            }
        }
        known = decode(&map, &image)
            .into_iter()
            .map(|heard| {
                let number = match heard.said {
                    Said::Value(value) => value.number(),
                    _ => None,
                };
                (heard.name.to_owned(), number)
            })
            .collect();
    }
    Ok(Read { identity, map, image, refused })
}

async fn patiently(access: &Access, range: Range) -> Result<Vec<u16>, Fault> {
    let mut outcome = access.read(range, Turn::By(Instant::now()), 1).await;
    for patience in [2, 4] {
        if !matches!(outcome, Err(Fault::NoAnswer(_))) {
            break;
        }
        outcome = access.read(range, Turn::By(Instant::now()), patience).await;
    }
    outcome
}
