//! Shoptrail on one laptop: everything that a cloud would give, and shoppers to use it.
//!
//! Follow an event: a page of the demo shop ([`web`]) loads the tracker from the Worker ([`edge`]) and sends to it; the
//! Worker hands over to the REST API ([`confluent`]), which writes to Kafka ([`broker`]); from there the backend takes it to
//! the tables, as children of the [`stack`], and [`micro`] shows it as it passes. [`simulate`] sends shoppers who are not
//! there.
//!
//! All state lies under one folder. [`identity`] is what the cloud remembers of itself, [`stack_file`] what others may
//! know of a running stack, and [`children`] keeps processes running exactly as long as the stack.
//!
//! Tables are the backend's: this crate knows their warehouse as text alone.

pub mod broker;
pub mod children;
pub mod confluent;
pub mod edge;
pub mod identity;
pub mod micro;
pub mod progress;
mod register;
pub mod simulate;
pub mod stack;
pub mod stack_file;
pub mod web;
