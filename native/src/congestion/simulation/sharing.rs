//! Two flows on one bottleneck: 100 Mbit/s, 40 ms where nothing else is said, as in docs/performance.md.

use std::{array::from_fn, time::Instant};

use super::{
    cubic::Cubic,
    flow::{Flow, PACKET_BYTES},
    link::{Link, megabits},
    measure::middle,
    network::Network,
    sender::Sender,
};
use crate::congestion::model::Model;

/// When the second flow starts, and how long both are watched from ten seconds later on.
const LATE: f64 = 10.0;
const WATCHED: f64 = 50.0;

/// A queue in round trips, when each flow starts, and the share of the first one that is fair.
struct Row {
    queue: f64,
    begins: [f64; 2],
    least: f64,
    most: f64,
    why: &'static str,
}

/// The first flow's part of what both got, and their sum as a share of the link: of nine runs, in which the second flow
/// starts a little later each time, the one in the middle.
///
/// A shallow queue makes of the same two flows a fifth or a half, by when exactly they meet.
fn part(link: &Link, begins: [f64; 2], other: fn() -> Box<dyn Sender>) -> (f64, f64) {
    let runs: [_; 9] = from_fn(|run| {
        let begins = [begins[0], begins[1] + 0.05 * run as f64];
        part_once(link, begins, other())
    });
    middle(runs, |run| run.0)
}

/// The same of one run.
fn part_once(link: &Link, begins: [f64; 2], other: Box<dyn Sender>) -> (f64, f64) {
    let flows = vec![
        Flow::new(ours(), begins[0], u64::MAX),
        Flow::new(other, begins[1], u64::MAX),
    ];
    let from = begins[0].max(begins[1]) + LATE;
    let to = from + WATCHED;
    let (_, flows) = Network::new(Instant::now(), link.clone(), flows).run(to);
    let [first, second] = [flows[0].rate(from, to), flows[1].rate(from, to)];
    (first / (first + second), (first + second) / link.rate)
}

fn ours() -> Box<dyn Sender> {
    Box::new(Model::new(Instant::now(), PACKET_BYTES))
}

/// Rows in which both start at once, and each of them late: neither is to get more than seven tenths.
fn in_any_order(queues: &[f64]) -> Vec<Row> {
    let begins = [
        ([0.0, 0.0], "both at once"),
        ([0.0, LATE], "the other one comes late"),
        ([LATE, 0.0], "ours comes late"),
    ];
    let of_queue = |&queue| {
        begins.map(|(begins, why)| Row {
            queue,
            begins,
            least: 0.3,
            most: 0.7,
            why,
        })
    };
    queues.iter().flat_map(of_queue).collect()
}

fn check(rows: &[Row], other: fn() -> Box<dyn Sender>) {
    for row in rows {
        let Row { queue, why, .. } = row;
        let link = megabits(100.0, 40.0, 0.0).with_queue(*queue);
        let (part, sum) = part(&link, row.begins, other);
        assert!(
            part > row.least && part < row.most,
            "queue {queue}, {why}: {part}"
        );
        assert!(sum > 0.95, "queue {queue}, {why}: {sum} of the link");
    }
}

#[test]
fn a_cubic_beside_ours_gets_its_share() {
    let rows = in_any_order(&[0.5, 1.0, 2.0, 4.0]);
    check(&rows, || Box::new(Cubic::new()));
}

#[test]
fn a_bbr_beside_ours_gets_its_share_and_leaves_ours() {
    let rows = in_any_order(&[1.0, 2.0, 4.0]);
    check(&rows, || Box::new(Model::bbr(Instant::now(), PACKET_BYTES)));
}

/// Behind a tenth of a round trip CUBIC meets a full queue each time it grows, and would leave a fifth of the
/// link unused by itself; behind ten it holds eight round trips of queue for a minute. Both keep a part.
#[test]
fn a_cubic_beside_ours_is_not_starved_behind_an_odd_queue() {
    let rows = [
        Row {
            queue: 0.1,
            begins: [0.0, 0.0],
            least: 0.3,
            most: 0.95,
            why: "shallow",
        },
        Row {
            queue: 10.0,
            begins: [0.0, 0.0],
            least: 0.25,
            most: 0.7,
            why: "deep",
        },
    ];
    check(&rows, || Box::new(Cubic::new()));
}

#[test]
fn two_of_ours_get_the_same() {
    let rows = [0.5, 1.0, 2.0, 10.0].map(|queue| Row {
        queue,
        begins: [0.0, 0.0],
        least: 0.45,
        most: 0.54,
        why: "both at once",
    });
    check(&rows, ours);
}

#[test]
fn one_of_ours_that_comes_late_gets_its_share() {
    let rows = [0.5, 1.0, 2.0, 10.0].map(|queue| Row {
        queue,
        begins: [0.0, LATE],
        least: 0.45,
        most: 0.56,
        why: "the second one comes late",
    });
    check(&rows, ours);
}

/// Two that ask for more at the same time get none of it, and would stay as they began.
#[test]
fn two_of_ours_that_start_in_step_do_not_stay_in_step() {
    let link = megabits(50.0, 100.0, 0.0);

    let (part, _) = part(&link, [0.0, 0.0], ours);

    assert!(part < 0.59, "{part}");
}
