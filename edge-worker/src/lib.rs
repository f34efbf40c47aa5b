#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::arithmetic_side_effects
    )
)]

pub mod admit;
pub mod body;
pub mod caller;
#[cfg(target_arch = "wasm32")]
pub mod collect;
pub mod config;
#[cfg(target_arch = "wasm32")]
pub mod consume;
pub mod dead_letter;
pub mod enrich;
pub mod frame;
pub mod gzip;
#[cfg(target_arch = "wasm32")]
pub mod hand_over;
#[cfg(target_arch = "wasm32")]
mod handlers;
pub mod health;
pub mod identity;
pub mod judge;
#[cfg(target_arch = "wasm32")]
pub mod limit;
pub mod observe;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod outgoing;
#[cfg(target_arch = "wasm32")]
pub mod platform;
pub mod privacy;
pub mod produce;
pub mod queue_message;
#[cfg(not(target_arch = "wasm32"))]
pub mod replay;
pub mod reply;
pub mod request;
pub mod retry;
pub mod route;
pub mod sample;
mod scan;
pub mod settle;
