//! Measures processor time and memory allocations, and summarises ratios.

#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
    time::Duration,
};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An allocator that counts the allocations of each thread. Use it as the `#[global_allocator]`.
pub struct Counting;

thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

/// The number of memory allocations, and their total size.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    pub times: u64,
    pub bytes: u64,
}

/// Returns the memory allocations of this thread so far.
pub fn allocated() -> Allocated {
    ALLOCATED.get()
}

fn count(bytes: usize) {
    let Allocated { times, bytes: before } = ALLOCATED.get();
    ALLOCATED.set(Allocated { times: times + 1, bytes: before + bytes as u64 });
}

// SAFETY: every call is passed on to the allocator of the system. Counting allocates nothing, because the cell is
// initialized at compile time and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

/// Returns the processor time of all threads of this process.
pub fn cpu() -> Result<Duration, Failure> {
    // Yield first, because the kernel updates the processor time at each context switch.
    std::thread::yield_now();
    let nanoseconds = |task: fs::DirEntry| -> Result<u64, Failure> {
        let text = fs::read_to_string(task.path().join("schedstat"))?;
        Ok(text.split_whitespace().next().unwrap_or_default().parse()?)
    };
    let tasks = fs::read_dir("/proc/self/task")?;
    Ok(Duration::from_nanos(tasks.map(|task| nanoseconds(task?)).sum::<Result<u64, Failure>>()?))
}

/// The median and the quartiles of measured values.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (quarter, middle) = (values.len() / 4, values.len() / 2);
        Self { median: values[middle], lower: values[quarter], upper: values[values.len() - 1 - quarter] }
    }
}

/// Formats the median and the quartiles as ratios.
impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, lower, upper } = self;
        f.pad(&format!("{median:.2} ({lower:.2} to {upper:.2})"))
    }
}
