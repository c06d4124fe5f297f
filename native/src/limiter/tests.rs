//! By a clock that only waiting moves: what passes a limit, a chain of them, and who shares one.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn chain(rates: &[f64]) -> (Chain, Vec<Arc<Bucket>>) {
    let buckets: Vec<_> = rates.iter().map(|_| Arc::new(Bucket::new())).collect();
    for (bucket, rate) in buckets.iter().zip(rates) {
        bucket.set_rate(*rate);
    }
    (chain_of(buckets.clone()), buckets)
}

fn chain_of(buckets: Vec<Arc<Bucket>>) -> Chain {
    let chain = Chain::default();
    chain.set(buckets).unwrap();
    chain
}

/// Seconds that so many bytes take in steps, by a clock that only waiting moves.
async fn seconds(chain: &Chain, mut bytes: usize) -> f64 {
    let start = Instant::now();
    while bytes > 0 {
        let step = chain.step().map_or(bytes, |step| step.min(bytes));
        chain.pass(step).await;
        bytes -= step;
    }
    start.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn the_slowest_limit_of_a_chain_decides() {
    for rates in [[1e5, 1e6, 1e9], [1e9, 1e5, 1e6], [f64::INFINITY, 1e9, 1e5]] {
        let (chain, _) = chain(&rates);
        let taken = seconds(&chain, 1_000_000).await;
        assert!((9.8..10.2).contains(&taken), "{taken} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_not_made_up_for() {
    let (chain, _) = chain(&[1e6]);
    seconds(&chain, 100_000).await;
    tokio::time::sleep(Duration::from_secs(60)).await;

    let taken = seconds(&chain, 1_000_000).await;

    assert!((0.9..1.01).contains(&taken), "{taken} s");
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_nothing_waits_for_another() {
    let (chain, buckets) = chain(&[0.0]);
    let chain = Arc::new(chain);
    let waiting = tokio::spawn({
        let chain = Arc::clone(&chain);
        async move { seconds(&chain, 1_000_000).await }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());

    buckets[0].set_rate(f64::INFINITY);

    assert!(waiting.await.unwrap() < 5.1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_in_every_two_seconds() {
    for rate in [1e5, 1e6, 1e7, 1e8, 1e9] {
        let shared = Arc::new(Bucket::new());
        shared.set_rate(rate);
        let passed = Arc::new(AtomicUsize::new(0));
        let lanes: Vec<_> = (0..8)
            .map(|_| tokio::spawn(pass_without_end(Arc::clone(&shared), Arc::clone(&passed))))
            .collect();
        for _ in 0..5 {
            let before = passed.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(2)).await;
            let share = (passed.load(Ordering::Relaxed) - before) as f64 / (2.0 * rate);
            assert!((0.95..1.05).contains(&share), "{share} of {rate}");
        }
        for lane in lanes {
            lane.abort();
        }
    }
}

/// A lane that always has something to send.
async fn pass_without_end(bucket: Arc<Bucket>, passed: Arc<AtomicUsize>) {
    let chain = chain_of(vec![bucket]);
    loop {
        let step = chain.step().unwrap();
        chain.pass(step).await;
        passed.fetch_add(step, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn two_that_share_a_limit_share_it_evenly() {
    let shared = Arc::new(Bucket::new());
    shared.set_rate(1e6);
    let own = Arc::new(Bucket::new());
    let streams = [Arc::new(Bucket::new()), own.clone(), own.clone(), own];
    let mut works = Vec::new();
    for bucket in streams {
        let chain = chain_of(vec![bucket, Arc::clone(&shared)]);
        works.push(tokio::spawn(async move { seconds(&chain, 250_000).await }));
    }

    let alone = works.remove(0).await.unwrap();

    // Half the rate for the one of a stream of its own, though three others want to pass.
    assert!((0.45..0.55).contains(&alone), "{alone} s");
}
