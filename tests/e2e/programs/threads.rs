// SPDX-License-Identifier: MIT
// Rust's standard library: threads, locks, channels, atomics, panics, files and time.
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

fn locks() {
    let total = Arc::new(Mutex::new(0u64));
    let count = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..16u64)
        .map(|i| {
            let (total, count) = (total.clone(), count.clone());
            thread::spawn(move || {
                for k in 0..5000 {
                    *total.lock().unwrap() += i * k;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|w| w.join().unwrap());
    println!(
        "locks: {} in {} steps",
        total.lock().unwrap(),
        count.load(Ordering::Relaxed)
    );

    let table = RwLock::new(HashMap::new());
    thread::scope(|s| {
        for i in 0..4 {
            let table = &table;
            s.spawn(move || {
                (0..500).for_each(|k| {
                    table.write().unwrap().insert(i * 500 + k, k);
                })
            });
            s.spawn(move || {
                (0..500).for_each(|k| {
                    table.read().unwrap().get(&k);
                })
            });
        }
    });
    println!("rwlock: {}", table.read().unwrap().len());
}

fn channels() {
    let (tx, rx) = channel();
    thread::scope(|s| {
        for i in 0..8u64 {
            let tx = tx.clone();
            s.spawn(move || (0..2000).for_each(|k| tx.send(i * k).unwrap()));
        }
        drop(tx);
        println!("channel: {}", rx.iter().sum::<u64>());
    });
    let (tx, rx) = sync_channel(0);
    let t = thread::spawn(move || (0..2000).for_each(|k| tx.send(k).unwrap()));
    println!("rendezvous: {}", rx.iter().sum::<i32>());
    t.join().unwrap();
    let (_tx, rx) = channel::<()>();
    let r = rx.recv_timeout(Duration::from_millis(5));
    println!("timeout: {}", r == Err(RecvTimeoutError::Timeout));
}

fn meetings() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let other = pair.clone();
    let t = thread::spawn(move || {
        for _ in 0..1000 {
            let mut turn = other
                .1
                .wait_while(other.0.lock().unwrap(), |t| *t % 2 == 0)
                .unwrap();
            *turn += 1;
            other.1.notify_one();
        }
    });
    for _ in 0..1000 {
        let mut turn = pair
            .1
            .wait_while(pair.0.lock().unwrap(), |t| *t % 2 == 1)
            .unwrap();
        *turn += 1;
        pair.1.notify_one();
    }
    t.join().unwrap();
    println!("condvar: {}", pair.0.lock().unwrap());

    let barrier = Barrier::new(5);
    let leaders = AtomicUsize::new(0);
    static ONCE: Once = Once::new();
    static CELL: OnceLock<String> = OnceLock::new();
    thread::scope(|s| {
        for _ in 0..5 {
            s.spawn(|| {
                for _ in 0..200 {
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::SeqCst);
                    }
                }
                ONCE.call_once(|| println!("once"));
                CELL.get_or_init(|| "cell".to_string());
            });
        }
    });
    println!(
        "barrier: {} leaders, {}",
        leaders.into_inner(),
        CELL.get().unwrap()
    );

    let parked = thread::spawn(|| {
        thread::park();
        thread::park_timeout(Duration::from_millis(2));
        "unparked"
    });
    parked.thread().unpark();
    println!("{}", parked.join().unwrap());
}

fn panics() {
    std::panic::set_hook(Box::new(|_| {}));
    let poisoned = Arc::new(Mutex::new(1));
    let inner = poisoned.clone();
    let r = thread::Builder::new()
        .name("fails".into())
        .stack_size(64 << 10)
        .spawn(move || {
            let _guard = inner.lock().unwrap();
            panic!("on purpose");
        });
    let e = r.unwrap().join().unwrap_err();
    println!(
        "panic: {:?}, poisoned {}",
        e.downcast_ref::<&str>(),
        poisoned.is_poisoned()
    );
    let caught: usize = thread::scope(|s| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                s.spawn(|| {
                    (0..300)
                        .filter(|i| {
                            std::panic::catch_unwind(|| {
                                if i % 2 == 0 {
                                    panic!()
                                }
                            })
                            .is_err()
                        })
                        .count()
                })
            })
            .collect();
        all.into_iter().map(|t| t.join().unwrap()).sum()
    });
    println!("caught: {}", caught);
    let _ = std::panic::take_hook();
}

fn files() -> std::io::Result<()> {
    let top = std::path::Path::new("rust-files");
    let _ = fs::remove_dir_all(top);
    fs::create_dir_all(top.join("a/b"))?;
    let mut f = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(top.join("data"))?;
    (0..1000).try_for_each(|i| writeln!(f, "line {i}"))?;
    f.seek(SeekFrom::Start(5))?;
    let mut one = [0u8; 1];
    f.read_exact(&mut one)?;
    f.write_all_at(b"LINE", 7)?;
    f.sync_all()?;
    f.seek(SeekFrom::Start(0))?;
    println!(
        "lines: {}, {:?}",
        BufReader::new(&f).lines().count(),
        one[0] as char
    );
    f.set_len(100)?;
    f.set_permissions(fs::Permissions::from_mode(0o640))?;
    f.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))?;
    let m = f.metadata()?;
    println!(
        "metadata: {} {:o} {} {}",
        m.len(),
        m.mode(),
        m.mtime(),
        m.nlink()
    );
    fs::hard_link(top.join("data"), top.join("hard"))?;
    std::os::unix::fs::symlink("data", top.join("soft"))?;
    println!(
        "copied: {}",
        fs::copy(top.join("soft"), top.join("a/b/copy"))?
    );
    fs::rename(top.join("hard"), top.join("a/moved"))?;
    println!(
        "links: {:?} {:?}",
        fs::read_link(top.join("soft"))?,
        fs::symlink_metadata(top.join("soft"))?
            .file_type()
            .is_symlink()
    );
    let mut names: Vec<_> = fs::read_dir(top)?.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    println!("names: {names:?}");
    println!(
        "missing: {:?}",
        fs::File::open(top.join("none")).unwrap_err().kind()
    );
    println!("not empty: {:?}", fs::remove_dir(top).unwrap_err().kind());
    f.lock()?;
    println!(
        "locked: {}",
        fs::File::open(top.join("data"))?.try_lock().is_err()
    );
    f.unlock()?;
    fs::remove_dir_all(top)
}

fn rest() -> std::io::Result<()> {
    let (a, mut b) = UnixStream::pair()?;
    a.set_read_timeout(Some(Duration::from_millis(5)))?;
    println!("socket: {:?}", (&a).read(&mut [0]).unwrap_err().kind());
    let t = thread::spawn(move || (0..100).try_for_each(|_| b.write_all(&[7; 10_000])));
    let mut all = Vec::new();
    a.set_read_timeout(None)?;
    (&a).read_to_end(&mut all)?;
    t.join().unwrap()?;
    println!("received: {}", all.len());
    let (mut r, mut w) = std::io::pipe()?;
    w.write_all(b"through a pipe")?;
    drop(w);
    let mut s = String::new();
    r.read_to_string(&mut s)?;
    println!("{s}");
    let start = Instant::now();
    thread::sleep(Duration::from_millis(20));
    println!("slept: {}", start.elapsed() >= Duration::from_millis(20));
    println!(
        "clock: {}",
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            > 1_700_000_000
    );
    println!("cpus: {}", thread::available_parallelism()?);
    println!("here: {}", std::env::current_dir()?.is_absolute());
    println!(
        "spawn of a missing program: {}",
        std::process::Command::new("/none").spawn().is_err()
    );
    Ok(())
}

fn main() {
    locks();
    channels();
    meetings();
    panics();
    files().unwrap();
    rest().unwrap();
    let many: Vec<_> = (0..200).map(|i| thread::spawn(move || i)).collect();
    println!(
        "many: {}",
        many.into_iter().map(|t| t.join().unwrap()).sum::<i32>()
    );
}
