//! Two of this program ask for the same values in opposite order, each for all of them at
//! the same time. No value is computed twice, and nobody waits for ever.
//!
//!     cargo run --example opposite_order -- FOLDER up &
//!     cargo run --example opposite_order -- FOLDER down

use cachex::{Cache, Options};

const VALUES: usize = 2000;

fn main() -> Result<(), cachex::Error> {
    cachex::init();
    let mut args = std::env::args().skip(1);
    let cache = Cache::open(args.next().expect("a folder"))?;
    let is_down = args.next().is_some_and(|order| order == "down");
    let tasks: Vec<_> = (0..VALUES)
        .map(|n| {
            let (cache, n) = (cache.clone(), if is_down { VALUES - 1 - n } else { n });
            smol::spawn(async move {
                let alone = Options::new().allow_concurrent(false);
                let compute = async || {
                    smol::future::yield_now().await;
                    n
                };
                assert_eq!(cache.value_async(("number", n), alone, compute).await, n);
            })
        })
        .collect();
    let count = tasks.len();
    tasks.into_iter().for_each(smol::block_on);
    println!("{count} values");
    Ok(())
}
