//! Shoptrail on one laptop: everything that a cloud would give, and shoppers to use it.
//!
//! Follow an event: a page of the demo shop ([`web`]) loads the tracker from the Worker ([`edge`]) and sends to it; the
//! Worker puts it into the [`queue`], gets it back in a batch, and hands over to the REST API ([`confluent`]), which writes
//! to Kafka ([`broker`]); from there the backend takes it to the tables, as children of the [`stack`], and [`micro`] shows
//! it as it passes. [`simulate`] sends simulated shoppers, and [`answer_key`] writes a world of them into files, with the truth about it.
//!
//! All state lies under one folder. [`identity`] is what it keeps between starts, [`stack_file`] what others may know of
//! a running stack, and [`children`] keeps processes running exactly as long as the stack. [`doctor`] says what
//! is missing for a start.
//!
//! Tables are the backend's: this crate knows no more of them than the address of their warehouse.
//!
//! Without the feature `stack` it is what `cargo xtask` needs to run the same things from outside, and builds in seconds.

pub mod addresses;
pub mod bounded_log;
pub mod guard;
pub mod log_tail;
pub mod origin;
pub mod ports;
pub mod progress;
pub mod warehouse_address;

#[cfg(feature = "stack")]
pub mod answer_key;
#[cfg(feature = "stack")]
pub mod broker;
#[cfg(feature = "stack")]
pub mod children;
#[cfg(feature = "stack")]
pub mod confluent;
#[cfg(feature = "stack")]
pub mod doctor;
#[cfg(feature = "stack")]
pub mod edge;
#[cfg(feature = "stack")]
pub mod identity;
#[cfg(feature = "stack")]
pub mod machine;
#[cfg(feature = "stack")]
pub mod micro;
#[cfg(feature = "stack")]
pub mod queue;
#[cfg(feature = "stack")]
mod register;
#[cfg(feature = "stack")]
pub mod shared_dashboard;
#[cfg(feature = "stack")]
pub mod simulate;
#[cfg(feature = "stack")]
pub mod stack;
#[cfg(feature = "stack")]
pub mod stack_file;
#[cfg(feature = "stack")]
pub mod web;
