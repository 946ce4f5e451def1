//! What goes through the sockets of the kernel's CAN, without a kernel that has any.

mod diagnosis;
mod error_frames;
mod frames;
mod netlink;
