//! The codecs of the crate against recordings, published tables and any input at all.

#[cfg(test)]
mod alarm_bits;
#[cfg(test)]
mod candump;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod decode_log;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recognise;
#[cfg(test)]
mod slcan;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;
