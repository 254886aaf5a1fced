//! What every door needs: the listener, TLS, and the pace of those who read.

pub mod listener;
pub mod tls;
pub mod pace;
