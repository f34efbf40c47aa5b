//! What `data-debug` shows in a shop's page: each event as it is sent, what the contract says of it, and what the edge
//! answered.
//!
//! A module of its own, which only a page in debug mode loads: the contract's own validator is many times the tracker.
//! `js/late/panel.js` gives it what goes to the edge → [`verdict`] judges each event → `panel` shows it.

#[cfg(target_arch = "wasm32")]
mod panel;
pub mod verdict;
