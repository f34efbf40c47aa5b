//! What is BigQuery's alone: its tables as others see them, its bad days, its other bronze, and that its tables equal a
//! lake's.

mod definitions;
mod faults;
mod figures;
mod kills;
mod parity;
mod proxy;
pub mod server;
mod sink;
