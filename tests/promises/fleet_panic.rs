//! A panic of the caller's clock reaches the caller of a batch, and the other readings continue. A batch ends with its
//! runtime.
#![cfg(feature = "easytransac")]

use futures_util::{StreamExt, future::poll_immediate};
use mandat::{MandateRef, sandbox::Sandbox};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};

#[tokio::test]
async fn panic_of_one_reading_loses_no_other_reading() {
    let sandbox = Sandbox::start().await.unwrap();
    let (now, calls) = (sandbox.now(), AtomicUsize::new(0));
    let clock = move || match calls.fetch_add(1, Ordering::SeqCst) {
        20 => panic!("the clock of a test"),
        _ => now,
    };
    let mandates = sandbox.builder().clock(clock).build().unwrap();
    let mut readings = mandates.statuses(vec![MandateRef::easytransac("abcabcabcabcabcabc12"); 100]);
    let (mut read, mut panics) = (0, 0);
    loop {
        let next = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| readings.poll_next_unpin(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(next)) => Poll::Ready(Ok(next)),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        match next.await {
            Ok(Some(reading)) => read += usize::from(reading.result.is_ok()),
            Ok(None) => break,
            Err(panic) => {
                assert_eq!(panic.downcast_ref::<&str>(), Some(&"the clock of a test"));
                panics += 1;
            }
        }
    }
    assert_eq!((read, panics), (99, 1));
}

#[test]
fn batch_ends_if_its_runtime_is_shut_down() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let sandbox = second.block_on(Sandbox::start()).unwrap();
    let mandates = sandbox.mandates();
    let mut readings = mandates.statuses(vec![MandateRef::easytransac("abcabcabcabcabcabc12"); 10]);
    first.block_on(async { assert!(poll_immediate(readings.next()).await.is_none()) });
    drop(first);
    assert!(second.block_on(readings.next()).is_none());
}
