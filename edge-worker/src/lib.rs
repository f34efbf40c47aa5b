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
#[cfg(target_arch = "wasm32")]
pub mod collect;
pub mod config;
#[cfg(target_arch = "wasm32")]
pub mod consume;
pub mod dead_letter;
pub mod enrich;
#[cfg(target_arch = "wasm32")]
pub mod hand_over;
#[cfg(target_arch = "wasm32")]
mod handlers;
pub mod health;
pub mod judge;
pub mod observe;
pub mod outgoing;
pub mod parcel;
pub mod produce;
pub mod reply;
pub mod retry;
pub mod settle;
