//! How a path is started, and what must not spoil the start.

use std::time::{Duration, Instant};

use super::{
    flow::{Flow, PACKET_BYTES},
    link::{Link, megabits},
    measure::greeted,
    network::Network,
};
use crate::congestion::model::Model;

/// Share of the link's rate between two times, of a transfer without an end.
fn share(link: &Link, model: Model, start: Instant, from: f64, to: f64) -> f64 {
    let flow = Flow::new(Box::new(model), 0.0, u64::MAX);
    let (_, flows) = Network::new(start, link.clone(), vec![flow]).run(to);
    flows[0].rate(from, to) / link.rate
}

#[test]
fn a_start_fills_the_path_within_twelve_round_trips() {
    let start = Instant::now();
    let model = Model::new(start, PACKET_BYTES);

    let share = share(&megabits(100.0, 100.0, 0.01), model, start, 1.2, 2.2);

    assert!(share > 0.85, "{share}");
}

#[test]
fn a_greeting_lets_a_long_path_start_faster() {
    for (rate, delay_ms, rounds, least) in [
        (500.0, 300.0, 7.0, 0.8),
        (500.0, 150.0, 7.0, 0.9),
        (50.0, 600.0, 5.0, 0.9),
    ] {
        let start = Instant::now();
        let link = megabits(rate, delay_ms, 0.0);
        let from = link.delay * rounds;

        let share = share(&link, greeted(start, &link), start, from, from + 2.0);

        assert!(share > least, "{rate} {delay_ms} {share}");
    }
}

#[test]
fn a_path_that_was_dead_is_not_started_fast() {
    let start = Instant::now();
    let mut model = Model::new(start, PACKET_BYTES);
    let trip = Duration::from_secs(1);
    model.sent(start, 100, 0);
    model.nothing_arrives();

    model.acknowledged(start + trip, start, 100, 0);
    model.acknowledgements_done(start + trip, 0, true);

    assert!(model.window() < 6 * PACKET_BYTES, "{}", model.window());
}

#[test]
fn a_few_packets_lost_by_chance_do_not_end_the_start() {
    let start = Instant::now();
    let mut model = Model::new(start, PACKET_BYTES);
    let trip = Duration::from_millis(150);
    for number in 0..32 {
        model.sent(start, PACKET_BYTES, number);
    }
    for number in 0..6 {
        model.lost(PACKET_BYTES, number);
    }
    for number in 6..32 {
        model.acknowledged(start + trip, start, PACKET_BYTES, number);
    }
    model.acknowledgements_done(start + trip, 0, false);
    model.sent(start + trip, PACKET_BYTES, 32);
    model.acknowledged(start + 2 * trip, start + trip, PACKET_BYTES, 32);
    model.acknowledgements_done(start + 2 * trip, 0, true);

    let link = megabits(100.0, 150.0, 0.0);
    let share = share(&link, model, start + 2 * trip, 1.5, 4.0);

    assert!(share > 0.7, "{share}");
}

#[test]
fn a_packet_of_the_handshake_is_not_taken_for_one_of_the_data() {
    let start = Instant::now();
    let mut model = Model::new(start, PACKET_BYTES);
    let trip = Duration::from_millis(10);
    // Both have the number 0; that of the handshake was sent a round trip earlier.
    model.sent(start, 1200, 0);
    model.sent(start + trip, 100, 0);
    let now = start + trip + Duration::from_micros(100);
    model.acknowledged(now, start, 1200, 0);
    model.acknowledgements_done(now, 100, true);

    let share = share(&megabits(1000.0, 10.0, 0.0), model, now, 0.5, 3.0);

    assert!(share > 0.85, "{share}");
}

#[test]
fn a_question_and_its_answer_do_not_slow_the_start() {
    let start = Instant::now();
    let mut model = Model::new(start, PACKET_BYTES);
    let trip = Duration::from_millis(150);
    for number in 0..4 {
        let now = start + trip * number;
        model.sent(now, 100, number.into());
        model.acknowledged(now + trip, now, 100, number.into());
        model.acknowledgements_done(now + trip, 0, true);
    }

    let pace = model.pacing_rate().unwrap();

    // The first window in a round trip, and faster: not a hundred bytes in each.
    assert!(pace > 32 * PACKET_BYTES * 6, "{pace}");
}

#[test]
fn the_window_never_closes() {
    let mut model = Model::new(Instant::now(), PACKET_BYTES);
    model.nothing_arrives();

    assert_eq!(model.window(), 4 * PACKET_BYTES);
}

#[test]
fn an_application_that_paused_goes_on_at_the_rate_of_the_path() {
    let start = Instant::now();
    let link = megabits(100.0, 50.0, 0.0);
    let flow = Flow::new(Box::new(greeted(start, &link)), 0.0, u64::MAX).with_offered(|seconds| {
        let trickle = 13e6 * seconds.min(3.0) + 1e5 * (seconds - 3.0).max(0.0);
        if seconds < 8.0 {
            trickle
        } else {
            f64::INFINITY
        }
    });

    let (_, flows) = Network::new(start, link.clone(), vec![flow]).run(9.0);

    // A round trip after the pause, and one more for what was sent in it to arrive.
    let share = flows[0].rate(8.1, 8.6) / link.rate;
    assert!(share > 0.9, "{share}");
}
