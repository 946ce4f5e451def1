//! The web API of SonyCSL/apis-dcdc_batt_comm (essx_server.py), as SonyCSL/apis-main uses it.
//!
//! - `query`: parameters of a request
//! - `answer`: the JSON of what was read
//! - `endpoints`: what each path does
//! - `serve`: connections, within bounds; who is served at all; `tls` where there is a certificate

mod answer;
mod endpoints;
mod query;
mod serve;
mod tls;

pub use endpoints::Api;
pub use serve::{Bound, bind};
