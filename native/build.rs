//! Links the addon the way Node loads it on each system.

fn main() {
    napi_build::setup();
}
