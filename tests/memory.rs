//! The memory that is needed to read a response grows only in proportion to the length of the response. This test is a
//! separate program, because it counts the allocations of all threads.
#![cfg(all(feature = "safedebit", feature = "seqino"))]

use mandat::{ErrorKind, Settings, safedebit, seqino};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    MOST.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call is passed on to the allocator of the system. Counting the bytes allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(old, layout) }
    }
    // The default `realloc` counts the old and the new block while it copies. So the count is the worst case.
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The length of each test body. The crate parses bodies of this length outside the threads of the async runtime.
const LENGTH: usize = 1 << 20;

/// Repeats `item` between `before` and `after` until the body has about the length `LENGTH`.
fn filled(before: &str, item: &str, after: &str) -> Vec<u8> {
    let mut body = String::with_capacity(LENGTH);
    body.push_str(before);
    while body.len() + item.len() + after.len() + 1 < LENGTH {
        body.push_str(item);
        body.push(',');
    }
    body.pop();
    body.push_str(after);
    body.into_bytes()
}

async fn serve(status: u16, body: Arc<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

/// Returns response bodies whose parsed form needs much more memory than their text.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let clients = |item| filled("[", item, "]");
    let datas = |item| filled(r#"{"result":true,"datas":["#, item, "]}");
    vec![
        ("numbers", clients("1")),
        ("empty lists", clients("[]")),
        ("empty objects", clients("{}")),
        ("small clients", clients(r#"{"status":""}"#)),
        ("clients with a small field more", clients(r#"{"status":"","a":1}"#)),
        ("a list in PHP's form", filled("{", r#""1":1"#, "}")),
        ("validation errors", filled("{\"detail\":[", &format!("{{\"loc\":[{}1]}}", "1,".repeat(60)), "]}")),
        ("small mandates", datas(r#"{"umr":"","status":""}"#)),
        ("numbers for mandates", datas("1")),
        ("unknown fields", filled(r#"{"result":true,"datas":[],"#, r#""a":1"#, "}")),
        ("an unknown list", filled(r#"{"result":true,"datas":[],"x":["#, "1", "]}")),
        ("damaged numbers", filled(r#"{"result":true,"datas":[],"x":["#, "é", "]}")),
        ("damaged texts", filled(r#"{"result":true,"datas":[],"x":["#, r#""\x""#, "]}")),
        ("control characters", filled(r#"{"result":true,"datas":[],"x":["#, "\"\u{1}\"", "]}")),
        (
            "a known field that occurs often",
            filled(r#"{"client_id":"c","status":"active","#, r#""created_at":"\"""#, "}"),
        ),
        ("damaged fields", filled(r#"{"result":true,"datas":[],"#, r#""a":é"#, "}")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn reading_a_response_takes_at_most_eight_times_its_length_in_memory() {
    for (what, body) in bodies() {
        let body = Arc::new(body);
        let url = serve(if what == "validation errors" { 422 } else { 200 }, body.clone()).await;
        let settings = Settings::default().with_attempts(1).with_max_answer(LENGTH);
        let seqino = seqino::Client::new(seqino::Config::new(&url, "key").settings(settings.clone())).unwrap();
        let safedebit = safedebit::Config::new(&url, "login", "password").settings(settings);
        let safedebit = safedebit::Client::new(safedebit).unwrap();
        let before = HELD.load(Relaxed);
        MOST.store(before, Relaxed);
        let kind = match what.contains("mandates") || body.starts_with(b"{\"result") {
            true => safedebit.search_mandate().umr("RUM-1").send().await.map(drop).map_err(|e| e.kind()),
            false => seqino.list_clients().send().await.map(drop).map_err(|e| e.kind()),
        };
        let times = (MOST.load(Relaxed) - before) as f64 / body.len() as f64;
        assert!(times <= 8.0, "reading {what} took {times:.1} times the length of the body");
        let expected = matches!(kind, Ok(()) | Err(ErrorKind::Decode | ErrorKind::InvalidRequest));
        assert!(expected, "{what}: {kind:?}");
    }
}
