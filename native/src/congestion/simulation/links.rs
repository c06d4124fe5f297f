//! A table of links, each with what a transfer of 256 MiB over it must come to.
//!
//! The targets: at least 0.9 of the rate once started, 0.8 from the first byte to the last, at most
//! 1 + loss + 5 % sent, less than a round trip in the queue. A row that asks for less says why.

use super::{
    link::{Change, Link, Loss, Policer, Stalls, megabits},
    measure::{Figures, middle, transfer},
};

const PAYLOAD: u64 = 256 << 20;
/// Sent beyond the payload and what the link loses.
const IN_VAIN: f64 = 0.05;

/// A link and the least that is good enough.
struct Row {
    link: Link,
    started: f64,
    whole: f64,
    sent: f64,
    why: &'static str,
}

/// A row with the targets as they are.
fn row(link: Link, why: &'static str) -> Row {
    let loss = match link.loss {
        Loss::Chance(share) => share,
        Loss::Bursts { every, length } => length / (every + length),
    };
    Row {
        link,
        started: 0.9,
        whole: 0.8,
        sent: 1.0 + loss + IN_VAIN,
        why,
    }
}

fn check(rows: &[Row]) {
    let misses: Vec<String> = rows.iter().filter_map(miss).collect();
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

/// What a row misses.
fn miss(row: &Row) -> Option<String> {
    let run = |seed| {
        let link = Link {
            seed,
            ..row.link.clone()
        };
        transfer(&link, PAYLOAD)
    };
    let got = middle([7, 11, 23].map(run), |run| run.started);
    let Figures {
        started,
        whole,
        sent,
        queue,
    } = got;
    let is_good = started >= row.started && whole >= row.whole && sent <= row.sent && queue < 1.0;
    (!is_good).then(|| format!("{}: {got:?} on {:?}", row.why, row.link))
}

/// What the whole of a transfer can reach, as a share of the link's rate: the start doubles a megabyte a second
/// each round trip, and what the last round trips lose is sent again, some of it twice or more often.
///
/// On 500 Mbit/s and 300 ms the start misses what log2(62.5) - 1 = 5 round trips carry, 1.5 s of 4.3 s. With
/// 5 % loss the last 18.75 MB lose 650 packets, then 32, then 2: three more round trips. Only a path that is
/// known starts faster; see `resumption.rs`.
fn possible(link: &Link, rounds_at_end: f64) -> f64 {
    let rounds_at_start = (link.rate / 1e6).log2() - 1.0;
    let ideal = PAYLOAD as f64 / link.rate;
    ideal / (ideal + (rounds_at_start + rounds_at_end) * link.delay)
}

/// Round trips that the repairs of the end take: until less than half a packet of a round trip's is missing.
fn repairs(link: &Link, loss: f64) -> f64 {
    let packets = link.rate * link.delay / 1452.0;
    if loss == 0.0 {
        return 0.0;
    }
    ((0.5 / packets).log2() / loss.log2()).max(1.0)
}

#[test]
fn every_cell_of_rate_delay_and_loss_is_filled() {
    let mut rows = Vec::new();
    let mut cell = |rate: f64, delay_ms: f64, loss: f64| {
        let mut row = row(megabits(rate, delay_ms, loss), "a cell");
        let possible = possible(&row.link, repairs(&row.link, loss));
        row.whole = f64::min(0.8, possible * 0.92);
        // Each packet as often as it is lost: the start ends before it overflows the queue.
        row.sent = 1.0 / (1.0 - loss) + 0.006;
        rows.push(row);
    };
    for loss in [0.0, 0.001, 0.01, 0.05] {
        for rate in [100.0, 500.0] {
            for delay_ms in [20.0, 50.0, 150.0, 300.0] {
                cell(rate, delay_ms, loss);
            }
        }
        cell(1000.0, 10.0, loss);
        cell(50.0, 600.0, loss);
    }
    check(&rows);
}

#[test]
fn losses_in_bursts_are_not_taken_for_congestion() {
    let burst = |every, length| {
        let loss = Loss::Bursts { every, length };
        Link {
            loss,
            ..megabits(100.0, 50.0, 0.0)
        }
    };
    check(&[
        row(burst(2.0, 0.02), "a radio link that fades for 20 ms"),
        row(
            burst(5.0, 0.1),
            "a radio link that fades for two round trips",
        ),
    ]);
}

#[test]
fn jitter_and_reordering_do_not_slow_a_transfer() {
    let link = || megabits(100.0, 50.0, 0.0);
    let late = Link {
        late: 0.01,
        ..link()
    };
    let jitter = Link {
        jitter: 0.02,
        ..link()
    };
    let lossy = Link {
        loss: Loss::Chance(0.01),
        ..jitter.clone()
    };
    check(&[
        row(lossy, "the same with 1 % of loss by chance"),
        row(jitter, "up to 20 ms more for each packet, as on Wi-Fi"),
        Row {
            // Each of the late packets counts as lost (RFC 9002, 6.1.1) and is sent again.
            sent: 1.0 + 0.01 + IN_VAIN,
            ..row(late, "one packet of a hundred is overtaken by three to six")
        },
    ]);
}

#[test]
fn queues_of_any_depth_do() {
    let link = || megabits(100.0, 50.0, 0.0);
    let long = megabits(500.0, 150.0, 0.0).with_queue(0.1);
    check(&[
        row(link().with_queue(0.1), "a shallow queue"),
        row(
            megabits(100.0, 50.0, 0.01).with_queue(0.1),
            "a shallow queue that also loses",
        ),
        Row {
            // The last doubling of the start finds no room: most of a round trip is lost, 9.4 MB of 256 MiB.
            sent: 1.06,
            ..row(long, "a shallow queue on a long path")
        },
        row(
            link().with_queue(10.0),
            "a queue of half a second stays empty",
        ),
    ]);
}

/// A policer has no queue: all that asking for more (a quarter in one round of eight) and the start send
/// beyond its rate is lost. That is a 32nd each cycle, and the bucket lets rates pass that do not last. What it drops
/// is not to be taken for what the link loses by itself.
#[test]
fn a_policer_is_kept_to() {
    let policed = |bucket| {
        let rate = 6.25e6;
        Link {
            policer: Some(Policer { rate, bucket }),
            ..megabits(100.0, 50.0, 0.0)
        }
    };
    let rows = [
        (policed(5e5), "a policer with a bucket of 80 ms"),
        (policed(5e4), "a policer with a bucket of 8 ms"),
    ];
    check(&rows.map(|(link, why)| Row {
        sent: 1.1,
        ..row(link, why)
    }));
}

#[test]
fn acknowledgements_in_groups_do() {
    let grouped = |acknowledged_every| Link {
        acknowledged_every,
        ..megabits(100.0, 50.0, 0.0)
    };
    check(&[
        row(grouped(0.01), "acknowledgements once in 10 ms"),
        row(
            grouped(0.03),
            "acknowledgements once in 30 ms, as a cable modem",
        ),
    ]);
}

/// A host that gets its processor late lets its socket overflow, which looks like a queue that others fill.
#[test]
fn a_receiver_that_stands_still_now_and_then_is_given_way_to_for_a_while_only() {
    let stalled = |loss, every, length| Link {
        stalls: Some(Stalls {
            every,
            length,
            socket: 200e3,
        }),
        acknowledged_every: 0.0005,
        ..megabits(500.0, 21.0, loss)
    };
    let often = |loss| Row {
        started: 0.85,
        sent: 1.03 + loss + IN_VAIN,
        ..row(stalled(loss, 0.21, 0.01), "10 ms, five times a second")
    };
    check(&[
        often(0.0),
        often(0.01),
        row(stalled(0.01, 0.47, 0.005), "5 ms, twice a second"),
    ]);
}

#[test]
fn a_path_that_changes_is_followed() {
    let changing = |changes: &[(f64, f64, f64)]| Link {
        changes: changes
            .iter()
            .map(|&(at, rate, delay_ms)| Change {
                at,
                rate: rate * 125_000.0,
                delay: delay_ms / 1000.0,
            })
            .collect(),
        ..megabits(100.0, 50.0, 0.0)
    };
    check(&[
        row(
            changing(&[(5.0, 50.0, 50.0), (15.0, 100.0, 50.0)]),
            "the rate halves, then doubles",
        ),
        row(
            changing(&[(5.0, 100.0, 150.0)]),
            "the path moves to one three times as long",
        ),
        row(
            changing(&[(5.0, 50.0, 20.0)]),
            "the path moves to a slower and shorter one",
        ),
        row(
            changing(&[(5.0, 20.0, 50.0), (10.0, 200.0, 50.0)]),
            "the rate falls to a fifth, then becomes ten times as high",
        ),
    ]);
}
