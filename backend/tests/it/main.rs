//! The backend against real files and a real broker. One binary, because each one that links polars is large.

mod golden;
mod increments;
mod warehouse;
mod world;
