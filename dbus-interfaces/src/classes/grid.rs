//! `com.victronenergy.grid`: a meter at the connection of the house. Its items are those of [`ac`](super::ac).

/// The class in a service name.
pub const CLASS: &str = "grid";
/// Our product id.
pub const PRODUCT_ID: i32 = 0xBFB5;
