//! The controller over simulated links, in virtual time.

mod cubic;
mod flow;
mod link;
mod links;
mod measure;
mod network;
mod resumed;
mod sender;
mod sharing;
mod starts;
