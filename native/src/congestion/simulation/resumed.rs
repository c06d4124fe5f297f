//! A path that an earlier connection knew, and paths that only look like it.

use std::time::{Duration, Instant};

use super::{
    link::{Link, megabits},
    measure::{Figures, greeted, transfer, transfer_with},
};
use crate::congestion::resumption::KnownPath;

const PAYLOAD: u64 = 256 << 20;

/// Sends over a link what somebody sends who knew another one.
fn resumed(link: &Link, known: &Link) -> Figures {
    let start = Instant::now();
    let mut model = greeted(start, link);
    model.know(KnownPath {
        rtt: Duration::from_secs_f64(known.delay),
        rate: known.rate as u64,
    });
    transfer_with(link, PAYLOAD, model, start)
}

#[test]
fn a_path_that_is_known_starts_near_its_last_rate() {
    // The whole of a transfer, as a share of the rate, without loss and with 1 %: the last round trips are
    // repaired then.
    for (rate, delay_ms, loss, least) in [
        (500.0, 150.0, 0.0, 0.9),
        (500.0, 300.0, 0.0, 0.8),
        (500.0, 150.0, 0.01, 0.85),
        (500.0, 300.0, 0.01, 0.72),
        (100.0, 300.0, 0.0, 0.9),
        (50.0, 600.0, 0.0, 0.9),
    ] {
        let link = megabits(rate, delay_ms, loss);

        let got = resumed(&link, &link);

        assert!(got.whole > least, "{rate} {delay_ms} {loss}: {got:?}");
        assert!(
            got.sent < 1.0 + loss + 0.05,
            "{rate} {delay_ms} {loss}: {got:?}"
        );
    }
}

#[test]
fn a_path_that_has_become_slower_is_found_out_at_once() {
    for times in [2.0, 10.0] {
        let known = megabits(500.0, 50.0, 0.0);
        let link = megabits(500.0 / times, 50.0, 0.0);

        let got = resumed(&link, &known);

        // Half of what the path held is dared once, 1.6 MB of 256 MiB.
        assert!(got.sent < 1.02, "{times}: {got:?}");
        assert!(got.whole > 0.9, "{times}: {got:?}");
        assert!(got.queue < 0.2, "{times}: {got:?}");
    }
}

#[test]
fn a_known_path_with_a_shallow_queue_loses_no_more() {
    let link = megabits(100.0, 50.0, 0.0).with_queue(0.1);

    let got = resumed(&link, &link);

    assert!(got.sent < transfer(&link, PAYLOAD).sent + 0.01, "{got:?}");
    assert!(got.whole > 0.9, "{got:?}");
}

#[test]
fn a_path_with_another_round_trip_is_started_as_an_unknown_one() {
    let known = megabits(500.0, 300.0, 0.0);
    let link = megabits(100.0, 20.0, 0.0);

    let got = resumed(&link, &known);

    let unknown = transfer(&link, PAYLOAD);
    assert!(
        (got.whole - unknown.whole).abs() < 1e-6,
        "{got:?} {unknown:?}"
    );
}
