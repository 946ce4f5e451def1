//! Modbus as bytes: pure and total (Modbus Application Protocol Specification V1.1b3; Modbus over Serial Line V1.02; Modbus
//! Messaging on TCP/IP V1.0b).
//!
//! - [`pdu`]: requests and their answers; [`raw`]: those of somebody else's making
//! - [`rtu`]: the frame with an address and a CRC, found in whatever was received
//! - [`tcp`]: the frame with a transaction number

pub mod pdu;
pub mod raw;
pub mod rtu;
pub mod tcp;
